"""Generates SQL text for names and values: the one place where generated text is quoted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import TokenType

from sqlml.parser.cursor import Option
from sqlml.parser.literals import Call
from sqlml.parser.tokens import tokenize


def quote_string(text: str) -> str:
    """Returns a text as a SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def quote_identifier(name: str) -> str:
    """Returns a name in back quotes."""
    return "`" + name.replace("`", "``") + "`"


def identifier(name: str) -> str:
    """Returns a name, in back quotes only where it needs them."""
    return name if re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", name) else quote_identifier(name)


def dotted(name: str) -> str:
    """Returns a dotted name, each part quoted where it needs it."""
    return ".".join(identifier(part) for part in name.split("."))


def print_value(value: Any) -> str:
    """Returns an option's value as SQL: a literal, list, map or call."""
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
    """Returns options as `(key = value, …)`."""
    return f"({', '.join(f'{keys(option.name)} = {print_value(option.value)}' for option in options)})"


def word(name: str) -> str:
    """Returns a name for use in an expression: in back quotes if Spark could read it as a keyword, a literal (`true`)
    or a function call without parentheses (`current_date`)."""
    tokens = tokenize(name) if re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", name) else []
    plain = len(tokens) == 1 and tokens[0].token_type == TokenType.VAR
    return name if plain and not name.lower().startswith(_WITHOUT_PARENTHESES) else quote_identifier(name)


def reference(column: str, table: str | None) -> str:
    """Returns a column in an expression, qualified by its table's alias if there is one."""
    return word(column) if table is None else f"{word(table)}.{word(column)}"


# Prefixes of functions that are called without parentheses.
_WITHOUT_PARENTHESES = ("current_", "local", "session_", "now")
