"""The base class of statements: a frozen value that parses, runs and prints itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sqlml.policy import CHANGES

if TYPE_CHECKING:
    from sqlml.parser.cursor import Cursor
    from sqlml.session import Session


@dataclass(frozen=True)
class Statement(ABC):
    """One statement of the language.

    A subclass is one file of this folder and one row of `STATEMENTS`. Its docstring is its manual page: the grammar
    first, then what it does.
    """

    HEADS: ClassVar[tuple[tuple[str, ...], ...]]
    """The words a text of this statement can begin with."""

    ACTION: ClassVar[str]
    """What it does, as permissions name it: one of `sqlml.policy.ACTIONS`."""

    SCHEMA: ClassVar[str]
    """The columns of its result, as Spark DDL. Known before the statement runs, because clients ask for it first."""

    @property
    def schema(self) -> str:
        """`SCHEMA`, or for a statement of several results the one that this is."""
        return self.SCHEMA

    @property
    def recorded(self) -> bool:
        """Whether the audit log tells of it."""
        return self.ACTION in CHANGES

    @property
    @abstractmethod
    def models(self) -> tuple[str, ...]:
        """The names of the models it does that to; none where it is about all of them."""

    @property
    def query_offset(self) -> int | None:
        """Where the statement's own query starts in the user's text, so that Spark can check it at once."""
        return None

    @property
    def query_end(self) -> int | None:
        """Where that query ends; None where nothing follows it."""
        return None

    @classmethod
    @abstractmethod
    def parse(cls, cursor: Cursor) -> Self:
        """Reads one statement; the cursor stands before its first word.

        Raises:
            ParseError: with the place in the user's text.
        """

    @abstractmethod
    def run(self, session: Session) -> list[tuple[Any, ...]]:
        """Does the work; returns rows of `SCHEMA`.

        Raises:
            SqlmlError: what the statement's docstring says.
        """

    @abstractmethod
    def sql(self) -> str:
        """The statement as text; `parse(sql())` gives an equal statement."""
