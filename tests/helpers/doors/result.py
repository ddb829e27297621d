"""What a statement gave at a door: a table of texts, or an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Failure:
    """An error as the user sees it.

    `line` is 1-based and `position` 0-based, as Spark counts; None where the message names no place.
    """

    condition: str
    sqlstate: str
    message: str
    line: int | None = None
    position: int | None = None

    @property
    def place(self) -> str:
        return "" if self.line is None else f" at line {self.line}, position {self.position}"


@dataclass(frozen=True)
class Result:
    """A result's columns as (name, Spark type or None where the door has none), its cells as Spark's Hive text."""

    columns: tuple[tuple[str, str | None], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    failure: Failure | None = None
    raw: str = field(default="", compare=False)


class Door(Protocol):
    name: str
    shows_types: bool
    """Whether `Result.columns` has types."""
    keeps_lines: bool
    """Whether a statement's lines arrive as they were written, so that the places in errors are the user's."""

    def run(self, statements: Sequence[str]) -> list[Result]:
        """Runs the statements one after another in a session of their own, going on after errors."""
        ...

    def close(self) -> None: ...


_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]")
_EXCEPTION = re.compile(r"[\w.]+(?:Exception|Error): *(?:\[|$)")
_PLACE = re.compile(r"line (\d+),? pos (\d+)")


def failure_from(text: str) -> Failure:
    """The error in a client's text, whatever the client wraps around it.

    The Thrift server says `Error running query: [X] some.Exception: [X] message SQLSTATE: 12345; line 1 pos 7;`, the
    shell and PySpark only the last part. Only the message's first line counts: plans and stacks may follow.
    """
    found = _CONDITION.search(text)
    if found is None:
        return Failure("", "", text.strip().partition("\n")[0])
    condition = found.group(1)
    # The first of the repetitions that no exception's name follows is the message itself.
    messages = (text[found.end() :].partition("\n")[0] for found in re.finditer(rf"\[{re.escape(condition)}\] *", text))
    message = next((message for message in messages if message and not _EXCEPTION.match(message)), "")
    sqlstate = re.search(r"SQLSTATE: (\w{5})", text)
    place = _PLACE.search(text)
    message = re.split(r" *SQLSTATE: \w{5}| \(line \d+, pos \d+\)|; line \d+ pos \d+", message)[0]
    return Failure(
        condition,
        sqlstate.group(1) if sqlstate else "",
        message.rstrip(),
        int(place.group(1)) if place else None,
        int(place.group(2)) if place else None,
    )
