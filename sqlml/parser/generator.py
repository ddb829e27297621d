"""Names and values as SQL text: the one place where a text of ours is quoted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import TokenType

from sqlml.parser.cursor import Option
from sqlml.parser.literals import Call
from sqlml.parser.tokens import tokenize


def quote_string(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def quote_identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def identifier(name: str) -> str:
    """A name as SQL, back-quoted only where it has to be."""
    return name if re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", name) else quote_identifier(name)


def dotted(name: str) -> str:
    """Identifiers joined by dots, each quoted where it has to be."""
    return ".".join(identifier(part) for part in name.split("."))


def print_value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return quote_string(value)
    if isinstance(value, Call):
        return f"{value.name}({', '.join(map(print_value, value.arguments))})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote_string(key)}: {print_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(print_value, value))}]"
    return repr(value)


def print_options(options: Sequence[Option], keys: Callable[[str], str] = identifier) -> str:
    return f"({', '.join(f'{keys(option.name)} = {print_value(option.value)}' for option in options)})"


def word(name: str) -> str:
    """A name that stands where a keyword or a literal could (`true`, `current_date`), quoted where it is not plain."""
    tokens = tokenize(name) if re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", name) else []
    plain = len(tokens) == 1 and tokens[0].token_type == TokenType.VAR
    return name if plain and not name.lower().startswith(_LITERALS) else quote_identifier(name)


def reference(column: str, table: str | None) -> str:
    """A column in an expression, with the alias of its table where it has one."""
    return word(column) if table is None else f"{word(table)}.{word(column)}"


# Words that are calls without parentheses.
_LITERALS = ("current_", "local", "session_", "now")
