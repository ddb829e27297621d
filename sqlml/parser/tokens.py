"""The tokenizer: sqlglot's, with the words of the language.

Only the tokenizer comes from sqlglot, and only `Dialect` and `Tokenizer` are subclassed: subclasses of its parser or
expression classes stop working as soon as sqlglot's compiled build is installed beside it. The user's SQL is never
printed back from a tree either, so hints, comments and literals survive byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from sqlglot import Token, TokenType
from sqlglot.dialects.spark import Spark
from sqlglot.errors import TokenError

from sqlml.errors import ParseError, SqlmlError


class Sqlml(Spark):
    """Spark's tokens, except that no first word swallows the rest of its line as one opaque command."""

    class Tokenizer(Spark.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()


_DIALECT = Sqlml()
_WORD = re.compile(r"[^\W\d]\w*\Z")
_OPENING = re.compile(r"--|/\*|['\"`]")
_CLOSED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`]|``)*`", re.DOTALL)


# The maximum number of characters of a statement of ours, or of a text that calls PREDICT: reading that many takes
# about a second, in a process that serves all sessions.
LONGEST_STATEMENT = 1_000_000


def tokenize(text: str) -> list[Token]:
    """Returns the tokens of a text. `token.start` and `token.end` are inclusive character offsets.

    Raises:
        ParseError: a quote or a comment that never ends, at the offset where it starts.
        SqlmlError: SQLML_STATEMENT_TOO_LONG.
    """
    if len(text) > LONGEST_STATEMENT:
        raise SqlmlError(
            "SQLML_STATEMENT_TOO_LONG",
            f"The statement has {len(text):,} characters, and the limit is {LONGEST_STATEMENT:,}.",
            hint="Put long lists of values into a table or a temporary view, and join it.",
        )
    try:
        return _DIALECT.tokenize(text)
    except TokenError:
        offset = _unterminated(text)
        raise ParseError("A string literal, a quoted name or a comment is not closed.", offset=offset) from None


def _unterminated(text: str) -> int:
    """The offset of the first quote or comment that the text does not close."""
    return max(stop for _, stop in _plain_parts(text))


def plain_text(text: str) -> str:
    """Returns a text with each quoted part and comment replaced by a blank, up to one that is never closed."""
    return " ".join(text[start:stop] for start, stop in _plain_parts(text))


def _plain_parts(text: str) -> Iterator[tuple[int, int]]:
    """Yields the ranges of a text between its quotes and comments.

    The last range ends where a quote or comment begins that is never closed, or at the end of the text.
    """
    at = 0
    # An unclosed one ends the search, because scanning on from each of them would take quadratic time.
    while opening := _OPENING.search(text, at):
        yield at, opening.start()
        closed = _CLOSED.match(text, opening.start())
        if closed is None:
            return
        at = closed.end()
    yield at, len(text)


def is_word(token: Token, text: str) -> bool:
    """Returns whether a token is a bare word, keyword or not (`model`, `comment`), and no quoted name or symbol."""
    return _WORD.match(text[token.start : token.end + 1]) is not None
