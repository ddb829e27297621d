"""Substitutes values for the parameter markers `:name` and `?` in statements that Spark's parser never sees.

    TRAIN MODEL m OPTIONS (seed = :s) AS SELECT … WHERE id < :n
    TRAIN MODEL m OPTIONS (seed = 7) AS SELECT … WHERE id < 100

From here on the values are literals in the text, so the statement stored in the registry can be rerun as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import Token, TokenType

from sqlml.errors import ParseError
from sqlml.parser.rewriter import Edit, Rewrite, apply
from sqlml.parser.tokens import is_word, tokenize

_COMPLEX_TYPES = ("STRUCT", "ARRAY", "MAP")
# Tokens that end an operand: a colon after one is not a marker: it extracts a field, `a:b`, or follows a map key.
_ENDS_OPERAND = {
    TokenType.STRING,
    TokenType.RAW_STRING,
    TokenType.IDENTIFIER,
    TokenType.NUMBER,
    TokenType.R_PAREN,
    TokenType.R_BRACKET,
}


@dataclass(frozen=True)
class Values:
    """The values that a client passes with a text, as SQL."""

    named: Mapping[str, str] = field(default_factory=dict)
    positional: Sequence[str] = ()

    @classmethod
    def of(cls, text: str | None) -> Values:
        """Parses the JSON that Java passes."""
        return cls() if text is None else cls(**json.loads(text))


def markers(text: str) -> list[tuple[int, str | None]]:
    """Returns the offset of each marker in the text, and its name; None for `?`."""
    if not ("?" in text or ":" in text):
        return []
    try:
        tokens = tokenize(text)
    except ParseError:
        return []  # The statement's own parser reports the error.
    return [(start, name) for start, _, name in _markers(tokens, text)]


def bound(text: str, values: Values) -> Rewrite:
    """Returns the text with each marker that has a value replaced by it."""
    if (not values.named and not values.positional) or not ("?" in text or ":" in text):
        return Rewrite(text, ())
    try:
        tokens = tokenize(text)
    except ParseError:
        return Rewrite(text, ())  # The statement's own parser reports the error.
    edits: list[Edit] = []
    nth = 0
    for start, stop, name in _markers(tokens, text):
        if name is not None:
            new = values.named.get(name)
        else:
            new = values.positional[nth] if nth < len(values.positional) else None
            nth += 1
        if new is not None:
            edits.append(Edit(start, stop, new))
    return apply(text, edits)


def _markers(tokens: Sequence[Token], text: str) -> Iterator[tuple[int, int, str | None]]:
    """Yields the range of each marker in the text, and its name; None for `?`."""
    depth = 0  # the nesting of types such as STRUCT<a:INT>, whose colons are no markers
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        if token.token_type == TokenType.PLACEHOLDER:
            yield token.start, token.end + 1, None
        elif token.token_type == TokenType.LT and before and before.text.upper() in _COMPLEX_TYPES:
            depth += 1
        elif depth and set(text[token.start : token.end + 1]) == {">"}:
            depth = max(0, depth - (token.end + 1 - token.start))
        elif token.token_type == TokenType.COLON and depth == 0 and at + 1 < len(tokens):
            name = tokens[at + 1]
            named = name.token_type == TokenType.IDENTIFIER or is_word(name, text)
            if named and (before is None or _begins_operand(before, token, text)):
                yield token.start, name.end + 1, name.text


def _begins_operand(before: Token, colon: Token, text: str) -> bool:
    if before.token_type in _ENDS_OPERAND:
        return False
    # `LIMIT :n`, but `a:b` takes a field, and `outer: LOOP` is a label.
    return not is_word(before, text) or before.end + 1 < colon.start
