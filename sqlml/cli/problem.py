"""The presentation of errors, sqlml's and Spark's: a short message, and the line of SQL with a caret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError, line_and_column

if TYPE_CHECKING:
    from rich.console import Console

    from sqlml.cli.script import Statement

# Spark writes a position as `; line 1 pos 7;` or `(line 1, pos 7)`, then again with a copy of the text and a plan.
_PLACE = re.compile(
    r"\(line (\d+), pos (\d+)\)|; line (\d+) pos (\d+)|^== SQL \(line (\d+), position (\d+)\)", re.MULTILINE
)
_NOISE = re.compile(r";? ?\(?line \d+,? pos \d+\)?.*|\n== SQL.*|\n*JVM stacktrace:.*|\n\tat .*", re.DOTALL)
_CONDITION = re.compile(r"\[[A-Z][A-Z0-9_.]+\] ")


@dataclass(frozen=True)
class Problem:
    """An error to show.

    Args:
        message: one or a few lines.
        line: 1-based line within the statement, or None.
        column: 0-based column in that line.
    """

    message: str
    line: int | None = None
    column: int = 0


def problem(error: BaseException, sql: str) -> Problem:
    """Extracts the message and the position from a statement's exception.

    Args:
        error: a SqlmlError, an error of PySpark, or a Java exception through Py4J.
        sql: the statement's text.
    """
    if isinstance(error, SqlmlError):
        if error.offset is None:
            return Problem(str(error))
        return Problem(str(error), *line_and_column(sql, error.offset))
    java = getattr(error, "java_exception", None)
    text = _deepest(java) if java is not None else str(error).strip()
    text = _python_error(text)
    position = _PLACE.search(text)
    message = _NOISE.sub("", text).strip() or type(error).__name__
    if position is None:
        return Problem(message)
    line, column, *_ = [int(number) for number in position.groups() if number is not None]
    one_based = position.group(5) is not None
    return Problem(message, line, column - 1 if one_based else column)


def _deepest(java: Any) -> str:
    """The message of the innermost cause with an error condition, or else of the innermost cause."""
    text = ""
    while java is not None:
        message = java.getMessage()
        if message and (_CONDITION.search(message) or not _CONDITION.search(text)):
            text = message
        java = java.getCause()
    return text.strip()


def _python_error(text: str) -> str:
    """Shortens the traceback of an executor's Python to its last line."""
    if "Traceback (most recent call last)" not in text:
        return text
    before, _, after = text.partition("Traceback (most recent call last)")
    python = re.split(r"\n\s*(?:\tat |SQLSTATE|Driver stacktrace|JVM stacktrace)", after)[0]
    last = [line for line in python.splitlines() if line and not line[0].isspace()][-1:]
    return f"{before.strip()}\n{''.join(last)}"


def show(found: Problem, statement: Statement, source: str, console: Console) -> None:
    """Prints a problem with its line.

    Args:
        source: the file, or "" where the SQL came from the command line.
    """
    from rich.text import Text

    console.print(Text("error: ", style="bold red") + Text(found.message, style="bold"), soft_wrap=True)
    lines = statement.text.splitlines()
    at = found.line if found.line is not None and found.line <= len(lines) else None
    first = statement.text[: -len(statement.body)].count("\n") + 1
    number = statement.line + (at or first) - 1
    name = source or "line "
    column = found.column + (statement.column if at == 1 else 0)
    location = f"{name}{':' if source else ''}{number}" + (f":{column + 1}" if at else "")
    console.print(Text(f"  --> {location}", style="dim"), soft_wrap=True)
    shown = lines[(at or first) - 1]
    margin = f"{number:>5} | "
    console.print(Text(margin, style="dim") + Text(shown), soft_wrap=True)
    if at:
        # Tabs are kept, so that the caret is below its character.
        before = "".join(character if character == "\t" else " " for character in shown[: found.column])
        console.print(Text(" " * len(margin) + before) + Text("^", style="bold red"), soft_wrap=True)
