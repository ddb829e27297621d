"""What a statement's `run` sees: the caller's Spark session, the registry, and the way back to the client."""

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
    """Spark's executors as places where requests of `sqlml.estimators.worker` about some rows are answered. The
    implementation is `sqlml.spark.trials`."""

    cancelled: Callable[[], bool]
    """Whether the statement was cancelled; if so, ends its tasks."""

    def ask(self, request: dict[str, Any], name: str, client: Client, count: int = 1) -> list[dict[str, Any]]:
        """The answers of so many tasks to a request that is called `trial 3 of 20`; called by several threads.

        Raises:
            SqlmlError: SQLML_CANCELLED; SQLML_ENGINE_FAILED where Spark cannot run the task.
        """
        ...


class Session(Protocol):
    """One statement's view of the world. The implementation over Spark is `sqlml.spark.session`."""

    @property
    def registry(self) -> Registry:
        """The models; one registry a Spark application."""
        ...

    @property
    def user(self) -> str:
        """Who says the statement, as Spark knows it; "" where it does not."""
        ...

    def may(self, action: str, model: str) -> bool:
        """Whether the caller's permissions allow one of `sqlml.policy.ACTIONS`; what a list leaves out silently."""
        ...

    def frame(self, query: str, offset: int = 0) -> Any:
        """A Spark DataFrame of a query, in the caller's own session: its views, its database, its settings.

        `offset` is where the query starts in the user's text, so that Spark's errors carry the user's positions.
        """
        ...

    def generated(self, query: str) -> Any:
        """A Spark DataFrame of a query that we wrote, in which `${…}` is part of a name."""
        ...

    def substituted(self, text: str) -> str:
        """A text of the user's with the values of `${…}`, as Spark reads every text."""
        ...

    def assign(self, variable: str, expression: Piece) -> None:
        """Gives a variable of the caller's session the value of an expression of the user's text."""
        ...

    def check(self, statement: str) -> None:
        """Has Spark read a statement of ours as if the user had said it: its query has to be one, and no command.

        Raises:
            what Spark's parser raises.
        """
        ...

    def sources(self, frame: Any) -> tuple[Source, ...]:
        """What a DataFrame reads: base tables with their versions, files, views."""
        ...

    def outputs(self, frame: Any, select_list: Piece) -> Mapping[str, tuple[str, ...]]:
        """The columns that a select list makes of a DataFrame's rows, and the columns that each one reads.

        Raises:
            SqlmlError: SQLML_TRANSFORM_INVALID for a list that needs more than one row at a time.
        """
        ...

    def selected(self, frame: Any, select_list: Piece, also: Sequence[str]) -> Any:
        """A DataFrame with the columns of a select list, and other columns as they are."""
        ...

    def canonical_texts(self, frame: Any, columns: Sequence[Feature]) -> Any:
        """A DataFrame in which texts that a column's type calls equal are one text."""
        ...

    @property
    def database(self) -> str:
        """The current one, with its catalog."""
        ...

    def meaning(self) -> dict[str, str]:
        """Spark's settings in the caller's session that decide what an expression means."""
        ...

    def collect(self, frame: Any) -> pa.Table:
        """A DataFrame's rows in this process's memory.

        Raises:
            SqlmlError: SQLML_TOO_MANY_ROWS when they are more bytes than `spark.driver.maxResultSize` allows.
        """
        ...

    def value(self, query: str, offset: int, most_bytes: int) -> bytes | str:
        """The one value of a query of one row and one column, BINARY or STRING.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID for a query of more or less; SQLML_MODEL_REFUSED for a larger value.
        """
        ...

    def append(self, table: str, schema: str, row: Mapping[str, Any]) -> None:
        """Adds a row to a table, which is created where it is missing. Columns that the row does not have become NULL.

        Args:
            table: its name as SQL.
            schema: the row's columns as Spark DDL.

        Raises:
            SqlmlError: SQLML_TYPE_MISMATCH, SQLML_COLUMN_NOT_FOUND for a table that has no room for the row.
        """
        ...

    def execute(self, command: str) -> int | None:
        """Runs a command of Spark's; the rows that it wrote, where it tells.

        Raises:
            SqlmlError: SQLML_NOT_SUPPORTED for what the object's catalog cannot keep.
            what Spark raises.
        """
        ...

    def replace_table(self, name: str, command: Callable[[str, bool], str]) -> int | None:
        """Makes a table in the place of another, in one step where its catalog can; else the new one is written whole
        before the old one goes. The rows that were written, where Spark tells.

        Args:
            name: as SQL.
            command: the CREATE TABLE of a name, with OR REPLACE or without.
        """
        ...

    def keeps_properties(self, name: str) -> bool:
        """Whether the catalog of a table keeps its properties and its comment; a database behind JDBC does not."""
        ...

    def located(self, kind: str, name: str) -> str:
        """The full name of a table, view or function (`kind`), with catalog and schema, as SQL."""
        ...

    def has(self, kind: str, name: str, mark: tuple[str, str] | None) -> bool | None:
        """Whether there is such an object, and with that property, or that text in a function's comment; None where
        Spark does not let the user see that."""
        ...

    def type(self, text: str, offset: int) -> str:
        """A type that the user wrote, as Spark's.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID for what is none.
        """
        ...

    @property
    def allowed_paths(self) -> AllowedPaths:
        """The folders below which a statement may name files."""
        ...

    def read_elsewhere(self, uri: str, most_bytes: int) -> bytes:
        """A file of another file system, by Spark.

        Raises:
            SqlmlError: SQLML_PATH_NOT_FOUND; SQLML_MODEL_REFUSED for one that is too large.
        """
        ...

    @property
    def is_local(self) -> bool:
        """Whether the driver is the only executor."""
        ...

    def tasks(self, rows: Path, title: str) -> AbstractContextManager[Tasks]:
        """Spark tasks about the rows of an Arrow file, described by a title."""
        ...

    def progress(self, text: str) -> None:
        """One line to the client's log channel while the statement works."""
        ...

    def cancelled(self) -> bool:
        """Whether the client has cancelled the statement or gone away."""
        ...

    def setting(self, wanted: Setting[T]) -> T:
        """A static Spark setting. What a client `SET`s in its session has no influence."""
        ...
