"""The column references in a user's expression, found by token. Spark has resolved the expression before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import Token, TokenType

from sqlml.parser.tokens import is_word, tokenize


def read_by(expression: str, columns: Sequence[str], qualifiers: Sequence[str]) -> tuple[str, ...]:
    """The table's columns that an expression reads, in its order, without duplicates.

    Args:
        qualifiers: the names that may qualify a column: the table's alias, or else its name.
    """
    known = {column.lower(): column for column in columns}
    found = (known[token.text.lower()] for token, _ in _references(expression, set(known), qualifiers))
    return tuple(dict.fromkeys(found))


def unqualified(expression: str, columns: Sequence[str], qualifiers: Sequence[str]) -> str:
    """Removes the qualifiers of columns (`d.age` → `age`), because a function's body refers to parameters."""
    text = expression
    known = {column.lower() for column in columns}
    for token, start in reversed(list(_references(expression, known, qualifiers))):
        text = text[:start] + text[token.start :]
    return text


def only(expression: str, columns: Sequence[str], qualifiers: Sequence[str]) -> str | None:
    """The column, if the expression is a bare column reference; else None."""
    found = read_by(expression, columns, qualifiers)
    stripped = unqualified(expression, columns, qualifiers).strip().strip("`")
    return found[0] if len(found) == 1 and stripped.lower() == found[0].lower() else None


def _references(expression: str, known: set[str], qualifiers: Sequence[str]) -> Iterator[tuple[Token, int]]:
    """Yields each column's token, and the offset where its qualified name begins."""
    tokens = tokenize(expression)
    allowed = {qualifier.lower() for qualifier in qualifiers}
    for at, token in enumerate(tokens):
        if token.text.lower() not in known or not _is_name(token, expression):
            continue
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if following is not None and following.token_type == TokenType.L_PAREN:
            continue  # the name of a function
        if at == 0 or tokens[at - 1].token_type != TokenType.DOT:
            yield token, token.start
        elif (
            at > 1
            and tokens[at - 2].text.lower() in allowed
            and (at == 2 or tokens[at - 3].token_type != TokenType.DOT)
        ):
            yield token, tokens[at - 2].start


def _is_name(token: Token, text: str) -> bool:
    return token.token_type == TokenType.IDENTIFIER or is_word(token, text)
