"""The splitter of SQL texts into statements: at semicolons outside quotes and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlml.errors import line_and_column
from sqlml.parser.leading_words import first_words

_PIECE = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
    | (?P<opening>/\*)
    | (?P<semicolon>;)
    | [rR]'[^']*' | [rR]"[^"]*"                               # raw strings know no backslash
    | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `[^`]*`
    | ['"`].*                                                 # never closed: Spark says so
    | \w+ | .
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Statement:
    """One statement of a script.

    Args:
        text: the statement with the comments before it, without the semicolon.
        line: 1-based line of the script where the text begins.
        column: 0-based column there.
    """

    text: str
    line: int
    column: int = 0

    @property
    def comment(self) -> str:
        """The `--` comment lines before the statement, without dashes."""
        lines = self.text[: self._start].splitlines()
        return "\n".join(line.strip().removeprefix("--").strip() for line in lines if line.strip().startswith("--"))

    @property
    def body(self) -> str:
        """The statement without the comments before it."""
        return self.text[self._start :]

    @property
    def _start(self) -> int:
        at = 0
        while (piece := _piece(self.text, at)) and piece[1] == "blank":
            at = piece[0]
        return at


def statements(text: str) -> Iterator[Statement]:
    """Yields every statement that is not empty.

    A SQL script (`BEGIN … END`) is one statement: from its BEGIN to the end of the text.
    """
    start = at = 0
    empty = True
    while piece := _piece(text, at):
        end, kind = piece
        if kind == "semicolon":
            if not empty:
                yield _statement(text, start, at)
            start, empty = end, True
        elif kind == "other" and empty:
            empty = False
            if first_words(text[at:], 1) == ("BEGIN",):
                yield _statement(text, start, len(text))
                return
        at = end
    if not empty:
        yield _statement(text, start, len(text))


def _piece(text: str, at: int) -> tuple[int, str] | None:
    """The end offset of the token at an offset, and its kind: blank (or comment), semicolon, other."""
    found = _PIECE.match(text, at)
    if found is None:
        return None
    if found.lastgroup == "opening":
        return _end_of_comment(text, at), "blank"
    return found.end(), found.lastgroup or "other"


def _end_of_comment(text: str, at: int) -> int:
    """The end offset of a bracketed comment; they nest, as in Spark."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _statement(text: str, start: int, end: int) -> Statement:
    chunk = text[start:end]
    return Statement(chunk.strip(), *line_and_column(text, start + len(chunk) - len(chunk.lstrip())))
