"""Protocols for a statement's environment: the caller's Spark session, the registry, the way back to the client."""

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
    from sqlml.registry import Registry
    from sqlml.signature import Feature

T = TypeVar("T")


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


class Session(Protocol):
    """The environment of one statement. The implementation over Spark is `sqlml.spark.session`."""

    @property
    def registry(self) -> Registry:
        """The model registry; one for each Spark application."""
        ...

    @property
    def user(self) -> str:
        """The user who runs the statement, as Spark knows the name; "" where it does not."""
        ...

    def may(self, action: str, model: str) -> bool:
        """Returns whether the caller may do one of `sqlml.policy.ACTIONS` with a model; lists omit the rest
        silently."""
        ...

    def frame(self, query: str, offset: int = 0) -> Any:
        """Returns a Spark DataFrame of a query, in the caller's own session: its views, its database, its settings.

        Args:
            offset: the offset of the query in the user's text, so that Spark's errors carry the user's positions.
        """
        ...

    def generated(self, query: str) -> Any:
        """Returns a Spark DataFrame of a query that sqlml wrote, in which `${…}` is part of a name."""
        ...

    def substituted(self, text: str) -> str:
        """Returns a text of the user's after Spark's substitution of `${…}`."""
        ...

    def assign(self, variable: str, expression: Piece) -> None:
        """Sets a variable of the caller's session to the value of an expression of the user's text."""
        ...

    def check(self, statement: str) -> None:
        """Has Spark parse a generated statement as if the user had written it; its query may not be a command.

        Raises:
            what Spark's parser raises.
        """
        ...

    def sources(self, frame: Any) -> tuple[Source, ...]:
        """Returns the sources that a DataFrame reads: base tables with their versions, files, views."""
        ...

    def outputs(self, frame: Any, select_list: Piece) -> Mapping[str, tuple[str, ...]]:
        """Returns the columns that a select list makes of a DataFrame, each with the columns that it reads.

        Raises:
            SqlmlError: SQLML_TRANSFORM_INVALID for a list that needs more than one row at a time.
        """
        ...

    def selected(self, frame: Any, select_list: Piece, also: Sequence[str]) -> Any:
        """Returns a DataFrame with the columns of a select list, and other columns unchanged."""
        ...

    def canonical_texts(self, frame: Any, columns: Sequence[Feature]) -> Any:
        """Returns a DataFrame in which texts that are equal under their column's collation are identical."""
        ...

    @property
    def database(self) -> str:
        """The current database, qualified by its catalog."""
        ...

    def meaning(self) -> dict[str, str]:
        """Returns the caller's Spark settings that affect the value of expressions."""
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

    def append(self, table: str, schema: str, row: Mapping[str, Any]) -> None:
        """Appends a row to a table, which is created if absent. Columns that the row lacks become NULL.

        Args:
            table: its name as SQL.
            schema: the row's columns as Spark DDL.

        Raises:
            SqlmlError: SQLML_TYPE_MISMATCH, SQLML_COLUMN_NOT_FOUND for a table that the row does not fit.
        """
        ...

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

    def keeps_properties(self, name: str) -> bool:
        """Returns whether the catalog of a table stores its properties and comment; a database behind JDBC does not."""
        ...

    def located(self, kind: str, name: str) -> str:
        """Returns the full name of a table, view or function (`kind`), with catalog and schema, as SQL."""
        ...

    def has(self, kind: str, name: str, mark: tuple[str, str] | None) -> bool | None:
        """Returns whether an object exists that has a property, or for a function a text in its comment.

        None where Spark does not let the user see that.
        """
        ...

    def type(self, text: str, offset: int) -> str:
        """Returns a type that the user wrote, in Spark's spelling.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID for a text that is no type.
        """
        ...

    @property
    def allowed_paths(self) -> AllowedPaths:
        """The folders below which a statement may name files."""
        ...

    def read_elsewhere(self, uri: str, most_bytes: int) -> bytes:
        """Returns the content of a file of another file system, read by Spark.

        Raises:
            SqlmlError: SQLML_PATH_NOT_FOUND; SQLML_MODEL_REFUSED for one that is too large.
        """
        ...

    @property
    def is_local(self) -> bool:
        """True if the driver is the only executor."""
        ...

    def tasks(self, rows: Path, title: str) -> AbstractContextManager[Tasks]:
        """Returns a context for Spark tasks over the rows of an Arrow file; `title` describes them."""
        ...

    def progress(self, text: str) -> None:
        """Sends one line to the client's log channel while the statement works."""
        ...

    def cancelled(self) -> bool:
        """Returns whether the client has cancelled the statement or disconnected."""
        ...

    def setting(self, wanted: Setting[T]) -> T:
        """Returns a static Spark setting. SET in a client's session has no influence on it."""
        ...
