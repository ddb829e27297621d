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
        """`SCHEMA`; a statement whose clauses change the result's columns overrides this."""
        return self.SCHEMA

    @property
    def recorded(self) -> bool:
        """Whether the audit log records the statement."""
        return self.ACTION in CHANGES

    @property
    @abstractmethod
    def models(self) -> tuple[str, ...]:
        """The names of the models that the action applies to; empty if it applies to all of them."""

    @property
    def query_offset(self) -> int | None:
        """The offset of the statement's own query in the user's text, so that Spark can check it at once."""
        return None

    @property
    def query_end(self) -> int | None:
        """The offset at which that query ends; None if nothing follows it."""
        return None

    @classmethod
    @abstractmethod
    def parse(cls, cursor: Cursor) -> Self:
        """Reads one statement; the cursor stands before its first word.

        Raises:
            ParseError: with the offset in the user's text.
        """

    @abstractmethod
    def run(self, session: Session) -> list[tuple[Any, ...]]:
        """Does the work; returns rows of `SCHEMA`.

        Raises:
            SqlmlError: the conditions that the statement's docstring lists.
        """

    @abstractmethod
    def sql(self) -> str:
        """The statement as text; `parse(sql())` gives an equal statement."""
