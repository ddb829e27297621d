"""The words of the language: sqlglot's tokens.

Only the tokenizer comes from sqlglot, and only `Dialect` and `Tokenizer` are subclassed: subclasses of its parser or
expression classes stop working as soon as sqlglot's compiled build is installed beside it. The user's SQL is never
printed back from a tree either, so hints, comments and literals survive byte for byte.
"""

from __future__ import annotations

import re
from typing import ClassVar

from sqlglot import Token, TokenType
from sqlglot.dialects.spark import Spark
from sqlglot.errors import TokenError

from sqlml.errors import ParseError


class Sqlml(Spark):
    """Spark's tokens, except that no first word swallows the rest of its line as one opaque command."""

    class Tokenizer(Spark.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()


_DIALECT = Sqlml()
_WORD = re.compile(r"[^\W\d]\w*\Z")
_OPENING = re.compile(r"--|/\*|['\"`]")
_CLOSED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`]|``)*`", re.DOTALL)


def tokenize(text: str) -> list[Token]:
    """The tokens of a text. `token.start` and `token.end` are inclusive character offsets.

    Raises:
        ParseError: a quote or a comment that never ends, at the place where it starts.
    """
    try:
        return _DIALECT.tokenize(text)
    except TokenError:
        offset = _unterminated(text)
        raise ParseError("A quoted text or a comment is never closed.", offset=offset) from None


def _unterminated(text: str) -> int:
    """Where the first quote or comment starts that the text does not close."""
    at = 0
    # One that is not closed ends the search: to look behind it too would take the square of the text's length.
    while (opening := _OPENING.search(text, at)) and (closed := _CLOSED.match(text, opening.start())):
        at = closed.end()
    return opening.start() if opening else len(text)


def is_word(token: Token, text: str) -> bool:
    """Whether a token is a bare word, keyword or not (`model`, `comment`), rather than a quoted name or a symbol."""
    return _WORD.match(text[token.start : token.end + 1]) is not None
