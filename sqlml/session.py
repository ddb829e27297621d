"""Protocols for a statement's environment, each for one purpose. A function takes the narrowest that it needs.

Caller       who runs the statement: name, permissions, progress, cancellation
Application  the Spark application: static settings, executors
Queries      queries, their rows and sources
Expressions  what expressions and types mean in the caller's session
Catalog      tables, views, functions and variables
Files        files that the statement names
Session      all of these, and the model registry

`sqlml.spark.session` implements them over Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlml.parser.cursor import Piece
from sqlml.settings import Setting
from sqlml.system.allowed_paths import AllowedPaths

if TYPE_CHECKING:
    import pyarrow as pa

    from sqlml.estimators.trainer import Client
    from sqlml.lineage import Source
    from sqlml.parser.references import TableReference
    from sqlml.registry import Registry
    from sqlml.signature import Feature

T = TypeVar("T")


class Caller(Protocol):
    """The user who runs the statement, and the client that waits for it."""

    @property
    def user(self) -> str:
        """The user, as Spark knows the name; "" where it does not."""
        ...

    def may(self, action: str, model: str) -> bool:
        """Returns whether the user may do one of `sqlml.policy.ACTIONS` with a model; lists omit the rest silently."""
        ...

    def progress(self, text: str) -> None:
        """Sends one line to the client's log channel while the statement works."""
        ...

    def cancelled(self) -> bool:
        """Returns whether the client has cancelled the statement or disconnected."""
        ...


class Tasks(Protocol):
    """Spark's executors as a place where `sqlml.estimators.worker` answers requests about some rows.

    The implementation is `sqlml.spark.trials`.
    """

    cancelled: Callable[[], bool]
    """Whether the statement was cancelled; if so, ends its tasks."""

    def ask(self, request: dict[str, Any], name: str, client: Client, count: int = 1) -> list[dict[str, Any]]:
        """Returns the answers of `count` tasks to one request. Thread-safe.

        Args:
            name: the request's name in job descriptions and messages, such as `trial 3 of 20`.

        Raises:
            SqlmlError: SQLML_CANCELLED; SQLML_ENGINE_FAILED where Spark cannot run the task.
        """
        ...


class Application(Protocol):
    """The Spark application that the statement runs in: what all of its sessions share."""

    def setting(self, wanted: Setting[T]) -> T:
        """Returns a static Spark setting. SET in a client's session has no influence on it."""
        ...

    @property
    def is_local(self) -> bool:
        """True if the driver is the only executor."""
        ...

    def tasks(self, rows: Path, title: str) -> AbstractContextManager[Tasks]:
        """Returns a context for Spark tasks over the rows of an Arrow file; `title` describes them."""
        ...


class Queries(Protocol):
    """Queries in the caller's own session: its views, its database, its settings."""

    def frame(self, query: str, offset: int = 0) -> Any:
        """Returns a Spark DataFrame of a query.

        Args:
            offset: the offset of the query in the user's text, so that Spark's errors carry the user's positions.

        Raises:
            what Spark raises; SQLML_SYNTAX_ERROR for a command, which is not run.
        """
        ...

    def generated(self, query: str) -> Any:
        """Returns a Spark DataFrame of a query that sqlml wrote, in which `${…}` is part of a name."""
        ...

    def substituted(self, text: str) -> str:
        """Returns a text of the user's after Spark's substitution of `${…}`."""
        ...

    def selected(self, frame: Any, select_list: str) -> Any:
        """Returns a DataFrame with the columns that a select list makes of another one's.

        Args:
            select_list: `SELECT …`, padded so that Spark's errors carry the user's positions.

        Raises:
            ParseError: for any other text.
        """
        ...

    def collect(self, frame: Any) -> pa.Table:
        """Returns a DataFrame's rows in this process's memory.

        Raises:
            SqlmlError: SQLML_TOO_MANY_ROWS when they are more bytes than `spark.driver.maxResultSize` allows.
        """
        ...

    def value(self, query: str, offset: int, most_bytes: int) -> bytes | str:
        """Returns the one value of a query with one row and one column, BINARY or STRING.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID for any other shape; SQLML_MODEL_REFUSED for a value that is too large.
        """
        ...

    def tables(self, query: str) -> list[TableReference]:
        """Returns the tables and views that a query names, without those that have a time travel clause.

        Raises:
            what Spark's parser raises.
        """
        ...

    def sources(self, frame: Any) -> tuple[Source, ...]:
        """Returns the sources that a DataFrame reads: base tables with their versions, files, views."""
        ...


class Expressions(Protocol):
    """Expressions, types and names, as the caller's session understands them."""

    @property
    def database(self) -> str:
        """The current database, qualified by its catalog."""
        ...

    def conf(self) -> dict[str, str]:
        """Returns the caller's Spark settings that affect the value of expressions."""
        ...

    def type(self, text: str, offset: int) -> str:
        """Returns a type that the user wrote, in Spark's spelling.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID for a text that is no type.
        """
        ...

    def transformed(
        self, frame: Any, select_list: Piece, kept: Sequence[str]
    ) -> tuple[Any, Mapping[str, tuple[str, ...]]]:
        """Applies the select list of TRANSFORM: returns a DataFrame, and for each output the columns that it reads.

        Args:
            kept: columns that are passed through where the list makes none of that name.

        Raises:
            SqlmlError: SQLML_TRANSFORM_INVALID for a list that needs more than one row at a time;
                SQLML_AMBIGUOUS_FEATURE.
        """
        ...

    def canonical_texts(self, frame: Any, columns: Sequence[Feature]) -> Any:
        """Returns a DataFrame in which texts that are equal under their column's collation are identical."""
        ...


class Catalog(Protocol):
    """The objects of Spark's catalogs: tables, views and functions (`kind`), and the session's variables."""

    def execute(self, command: str) -> int | None:
        """Runs a Spark command; returns the number of rows written, where Spark reports it.

        Raises:
            SqlmlError: SQLML_NOT_SUPPORTED for an object that its catalog cannot store.
            what Spark raises.
        """
        ...

    def replace_table(self, name: str, command: Callable[[str, bool], str]) -> int | None:
        """Replaces a table; returns the number of rows written, where Spark reports it.

        The replacement is atomic where the catalog can do that; otherwise the new table is complete before the old one
        is dropped.

        Args:
            name: as SQL.
            command: returns the CREATE TABLE for a name, with OR REPLACE or without.
        """
        ...

    def append(self, table: str, schema: str, row: Mapping[str, Any]) -> None:
        """Appends a row to a table, which is created if absent. Columns that the row lacks become NULL.

        Args:
            table: its name as SQL.
            schema: the row's columns as Spark DDL.

        Raises:
            SqlmlError: SQLML_TYPE_MISMATCH, SQLML_COLUMN_NOT_FOUND for a table that the row does not fit.
        """
        ...

    def keeps_properties(self, name: str) -> bool:
        """Returns whether the catalog of a table stores its properties and comment; a database behind JDBC does not."""
        ...

    def check_shared(self, name: str) -> None:
        """Raises SqlmlError SQLML_NOT_SUPPORTED where a new table would lie on the executors' own disks.

        Spark itself reports success then, and the driver finds no rows.
        """
        ...

    def located(self, kind: str, name: str) -> str:
        """Returns the full name of an object, with catalog and schema, as SQL."""
        ...

    def has(self, kind: str, name: str, mark: tuple[str, str] | None) -> bool | None:
        """Returns whether an object exists that has a property, or for a function a text in its comment.

        None where Spark does not let the user see that.
        """
        ...

    def declare(self, variable: str, kind: str) -> None:
        """Makes a variable of a type in the caller's session, instead of one that has the name."""
        ...

    def assign(self, variable: str, expression: Piece) -> None:
        """Sets a variable of the caller's session to the value of an expression of the user's text."""
        ...


class Files(Protocol):
    """Files that a statement names."""

    @property
    def allowed(self) -> AllowedPaths:
        """The folders below which they must be."""
        ...

    def read_elsewhere(self, uri: str, most_bytes: int) -> bytes:
        """Returns the content of a file of another file system, read by Spark.

        Raises:
            SqlmlError: SQLML_PATH_NOT_FOUND; SQLML_MODEL_REFUSED for one that is too large.
        """
        ...


class Session(Protocol):
    """The environment of one statement."""

    @property
    def registry(self) -> Registry:
        """The model registry; one for each Spark application."""
        ...

    @property
    def caller(self) -> Caller: ...

    @property
    def application(self) -> Application: ...

    @property
    def queries(self) -> Queries: ...

    @property
    def expressions(self) -> Expressions: ...

    @property
    def catalog(self) -> Catalog: ...

    @property
    def files(self) -> Files: ...
