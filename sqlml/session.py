"""What a statement's `run` sees: the caller's Spark session, the registry, and the way back to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlml.registry import Registry


class Session(Protocol):
    """One statement's view of the world. The implementation over Spark is `sqlml.spark.session`."""

    @property
    def registry(self) -> Registry:
        """The models; one registry a Spark application."""
        ...

    @property
    def user(self) -> str:
        """Who runs the statement, as far as the door knows."""
        ...

    def frame(self, query: str, offset: int = 0) -> Any:
        """A Spark DataFrame of a query, in the caller's own session: its views, its database, its settings.

        `offset` is where the query starts in the user's text, so that Spark's errors carry the user's positions.
        """
        ...

    def progress(self, text: str) -> None:
        """One line to the client's log channel while the statement works."""
        ...

    def cancelled(self) -> bool:
        """Whether the client has cancelled the statement or gone away."""
        ...

    def setting(self, key: str, default: str) -> str:
        """A static Spark setting. What a client `SET`s in its session has no influence."""
        ...
