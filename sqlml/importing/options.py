"""The OPTIONS of IMPORT MODEL: checks the parsed options and turns them into a `Request`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.importing import requested
from sqlml.importing.request import Request
from sqlml.parser.cursor import Cursor, Option
from sqlml.parser.generator import quote_identifier
from sqlml.parser.literals import Call

OPTIONS = (
    "features",
    "signature",
    "target",
    "labels",
    "task",
    "activation",
    "missing",
    "outputs",
    "example",
    "tolerance",
)
_LISTS = ("labels",)


def requested_options(options: Sequence[Option]) -> tuple[Request, str | None]:
    """Returns the request, and the SQL name of the table with rows for the trial run, or None.

    Raises:
        SqlmlError: SQLML_OPTION_NOT_FOUND, SQLML_OPTION_INVALID, SQLML_FEATURE_UNUSABLE.
    """
    words: dict[str, Any] = {}
    for option in options:
        name = option.name.lower()
        if name not in OPTIONS:
            raise SqlmlError(
                "SQLML_OPTION_NOT_FOUND",
                f"IMPORT MODEL has no option {option.name}.",
                hint=did_you_mean(option.name, OPTIONS, limit=len(OPTIONS)),
                offset=option.offset,
            )
        if not _is_plain(option.value) or (name in _LISTS and not isinstance(option.value, tuple)):
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{name} must be a list of values." if name in _LISTS else f"{name} cannot be a function call.",
                hint="Write labels = ['no', 'yes']." if name in _LISTS else "",
                offset=option.offset,
            )
        # NULL means the option's default.
        if option.value is not None:
            words[name] = option.value
    example = words.pop("example", None)
    return requested(**words), None if example is None else _table(example)


def _is_plain(value: Any) -> bool:
    """Whether an option's value has no function call in it, which would need evaluation."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return not isinstance(value, Call)


def _table(name: Any) -> str:
    """Parses and quotes the name of the example's table."""
    if not isinstance(name, str):
        raise SqlmlError("SQLML_OPTION_INVALID", f"example must be the name of a table or a view, not {name!r}.")
    try:
        cursor = Cursor(name)
        parts = cursor.identifiers("a table's name")
        cursor.expect_end()
    except SqlmlError as error:
        raise SqlmlError("SQLML_OPTION_INVALID", f"example is not the name of a table. {error.message}") from None
    return ".".join(map(quote_identifier, parts))
