"""The clauses that several statements share, and the parser of clauses in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlml.errors import ParseError
from sqlml.parser.cursor import Cursor

Clauses = Mapping[str, Callable[[Cursor], dict[str, Any]]]
"""First keyword of a clause → parser of the rest, which returns fields of the statement."""

COMMON: Clauses = {
    "COMMENT": lambda cursor: {"comment": cursor.string()},
    "OPTIONS": lambda cursor: {"options": cursor.options()},
    "TAGS": lambda cursor: {"tags": cursor.options()},
}


def read(cursor: Cursor, clauses: Clauses, ended: Callable[[], bool], end: str) -> dict[str, Any]:
    """All clauses up to the end of the statement's list of them.

    Args:
        end: what `ended` looks for, as worded in the error "Expected …".
    """
    values: dict[str, Any] = {}
    seen: set[str] = set()
    while not ended():
        word = next((word for word in clauses if cursor.sees(word)), None)
        if word is None:
            raise cursor.error(f"{end}, or one of {', '.join(clauses)}")
        if word in seen:
            raise ParseError(f"{word} can be given only once.", offset=cursor.offset)
        seen.add(word)
        cursor.expect(word)
        values |= clauses[word](cursor)
    return values
