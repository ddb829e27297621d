"""Joins T-SQL's quoted names, `[dbo].[t]` and `"dbo"."t"`, into identifier tokens like Spark's names in back quotes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Token, TokenType

from sqlml.parser.call_tokens import CLOSING, OPENING
from sqlml.parser.generator import quote_identifier
from sqlml.parser.rewriter import Edit
from sqlml.parser.tokens import is_word

# After one of these words a bracket begins a name; after any other name it is a subscript, `a[0]`.
_BEFORE_NAME = frozenset(
    {"ALL", "AND", "AS", "BETWEEN", "BY", "CASE", "DISTINCT", "ELSE", "FROM", "HAVING", "IN", "INTO", "JOIN", "LIKE"}
    | {"NOT", "ON", "OR", "SELECT", "THEN", "USING", "WHEN", "WHERE"}
)
_VALUES = frozenset({TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING, TokenType.RAW_STRING})


def joined(tokens: Sequence[Token], text: str, *, quotes: bool = False) -> list[Token]:
    """Returns the tokens with each bracketed name as one identifier token.

    Args:
        quotes: whether a text in double quotes, outside of parentheses, is a name too; for Spark it is a string.
    """
    found: list[Token] = []
    depth = at = 0
    while at < len(tokens):
        token = tokens[at]
        stop = _closing(tokens, at) if token.token_type == TokenType.L_BRACKET and _begins_name(found, text) else None
        if stop is not None:
            found.append(_name(text[token.start + 1 : tokens[stop].start], token, tokens[stop]))
            at = stop + 1
            continue
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        quoted = quotes and depth == 0 and token.token_type == TokenType.STRING and text[token.start] == '"'
        found.append(_name(token.text, token, token) if quoted else token)
        at += 1
    return found


def edits(names: Sequence[Token], text: str) -> list[Edit]:
    """Returns the edits that put the names of `joined` in back quotes.

    A plain name keeps its length, so the offsets of everything after it stay the same.
    """
    return [
        Edit(token.start, token.end + 1, quote_identifier(token.text))
        for token in names
        if token.token_type == TokenType.IDENTIFIER and text[token.start] in '["'
    ]


def _begins_name(before: Sequence[Token], text: str) -> bool:
    """Returns whether a bracket after these tokens begins a name rather than a subscript."""
    if not before:
        return True
    last = before[-1]
    if last.token_type in _VALUES or last.token_type in CLOSING:
        return False
    if len(before) > 1 and before[-2].token_type == TokenType.DOT:
        return False  # in a.in[0] the word is a column's name, not a keyword
    # `ORDER BY` is one token of two words.
    return not is_word(last, text) or last.text.upper().split()[-1] in _BEFORE_NAME


def _closing(tokens: Sequence[Token], opening: int) -> int | None:
    """Returns the index of the bracket that ends a name; None without one, or for an empty name."""
    for at in range(opening + 1, len(tokens)):
        if tokens[at].token_type == TokenType.R_BRACKET:
            return at if at > opening + 1 else None
        if tokens[at].token_type == TokenType.L_BRACKET:
            return None
    return None


def _name(name: str, first: Token, last: Token) -> Token:
    return Token(TokenType.IDENTIFIER, name, first.line, first.col, first.start, last.end)
