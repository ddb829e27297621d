"""Clauses that several statements have, and how clauses are read that may come in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.grammar import Cursor, Option
from sqlml.printing import print_value

if TYPE_CHECKING:
    from sqlml.registry import Registry

Clauses = Mapping[str, Callable[[Cursor], dict[str, Any]]]
"""What reads each clause after its first word, into arguments of the statement."""

COMMON: Clauses = {
    "COMMENT": lambda cursor: {"comment": cursor.string()},
    "OPTIONS": lambda cursor: {"options": cursor.options()},
    "TAGS": lambda cursor: {"tags": cursor.options()},
}


def read(cursor: Cursor, clauses: Clauses, ended: Callable[[], bool], end: str) -> dict[str, Any]:
    """All clauses up to the end of the statement's list of them.

    Args:
        end: what `ended` looks for, in words for an error.
    """
    given: dict[str, Any] = {}
    seen: set[str] = set()
    while not ended():
        word = next((word for word in clauses if cursor.sees(word)), None)
        if word is None:
            raise cursor.error(f"{end}, or one of {', '.join(clauses)}, expected")
        if word in seen:
            raise cursor.error(f"{word} can be given once; {end} expected")
        seen.add(word)
        cursor.expect(word)
        given |= clauses[word](cursor)
    return given


def checked_tags(registry: Registry, tags: Sequence[Option]) -> dict[str, str]:
    """TAGS as texts.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for one that MLflow would refuse, with its place.
    """
    texts = {tag.name: tag.value if isinstance(tag.value, str) else print_value(tag.value) for tag in tags}
    for tag in tags:
        try:
            registry.check_tag(tag.name, texts[tag.name])
        except SqlmlError as error:
            raise error.at(tag.offset) from None
    return texts
