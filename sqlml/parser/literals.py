"""Values of literals, and identifiers inside a string."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlglot import TokenType

from sqlml.errors import ParseError
from sqlml.parser.tokens import is_word, tokenize

# No sensible number is longer, and Python limits the digits that it converts.
_MOST_DIGITS = 1_000
_FLOATS = (TokenType.DOUBLE, TokenType.FLOAT, TokenType.DECIMAL)


@dataclass(frozen=True)
class Call:
    """A function call as an option's value: `hparam_range(1, 10)`."""

    name: str
    arguments: tuple[Any, ...]


def number(text: str, offset: int, kind: TokenType | None = None) -> int | float:
    """Returns the value of a number's token.

    Args:
        kind: the type that a suffix letter denotes: D, F and BD are no integers.

    Raises:
        ParseError: the tokenizer accepts texts that are no numbers, such as `1e`.
    """
    if len(text) > _MOST_DIGITS:
        raise ParseError(f"The number has {len(text):,} digits, and the limit is {_MOST_DIGITS:,}.", offset=offset)
    try:
        value = int(text) if text.isdigit() and kind not in _FLOATS else float(text)
    except ValueError:
        raise ParseError(f"{text} is not a number.", offset=offset) from None
    if math.isinf(value):
        raise ParseError(f"{text} is too large for a number.", offset=offset)
    if kind is not None and kind not in _FLOATS and not isinstance(value, int):
        raise ParseError(f"{text} is not an integer, but its suffix stands for one.", offset=offset)
    return value


def called(name: str, arguments: tuple[Any, ...], offset: int) -> Any:
    """Returns the value of a call; `array(…)` and `map(…)`, the form in which parameters arrive, become values.

    Raises:
        ParseError: a map whose keys are no texts, or without a value.
    """
    if name == "array":
        return arguments
    if name != "map":
        return Call(name, arguments)
    keys, values = arguments[::2], arguments[1::2]
    if len(keys) != len(values) or not all(isinstance(key, str) for key in keys):
        raise ParseError("The arguments of map must be pairs of a string and a value.", offset=offset)
    return dict(zip(keys, values, strict=True))


def identifiers(text: str, offset: int) -> tuple[str, ...]:
    """Returns the identifiers of a name inside a string, `sales.churn`.

    Raises:
        ParseError: the text is no name; at the offset of the string.
    """
    try:
        tokens = tokenize(text)
    except ParseError:
        tokens = []
    names, dots = tokens[::2], tokens[1::2]
    plain = all(token.token_type == TokenType.IDENTIFIER or is_word(token, text) for token in names)
    if len(tokens) % 2 == 0 or not plain or any(token.token_type != TokenType.DOT for token in dots):
        raise ParseError(f"{text[:60]!r} is not a valid name.", offset=offset)
    return tuple(token.text for token in names)
