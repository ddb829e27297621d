"""T-SQL's quoted names, `[dbo].[t]` and `"dbo"."t"`, as the one token that a name in back quotes is for Spark."""

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
    """The tokens with each name in brackets as one of them.

    Args:
        quotes: whether what stands in double quotes is a name too, outside of parentheses; for Spark it is a text.
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
    """What makes the names of `joined` names for Spark. In back quotes a plain one is as long as it was, so whatever
    follows it stays where it is."""
    return [
        Edit(token.start, token.end + 1, quote_identifier(token.text))
        for token in names
        if token.token_type == TokenType.IDENTIFIER and text[token.start] in '["'
    ]


def _begins_name(before: Sequence[Token], text: str) -> bool:
    if not before:
        return True
    last = before[-1]
    if last.token_type in _VALUES or last.token_type in CLOSING:
        return False
    if len(before) > 1 and before[-2].token_type == TokenType.DOT:
        return False  # a.in[0] is a column's element.
    # `ORDER BY` is one token.
    return not is_word(last, text) or last.text.upper().split()[-1] in _BEFORE_NAME


def _closing(tokens: Sequence[Token], opening: int) -> int | None:
    """The bracket that ends a name; None where there is none, or nothing before it."""
    for at in range(opening + 1, len(tokens)):
        if tokens[at].token_type == TokenType.R_BRACKET:
            return at if at > opening + 1 else None
        if tokens[at].token_type == TokenType.L_BRACKET:
            return None
    return None


def _name(name: str, first: Token, last: Token) -> Token:
    return Token(TokenType.IDENTIFIER, name, first.line, first.col, first.start, last.end)
