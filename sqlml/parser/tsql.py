"""Translates T-SQL's types, variables, binary literals and bracketed names to Spark's.

Used by the table form of PREDICT, DECLARE @… and ENRICH TABLE; other parts of a T-SQL query are not translated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import Token, TokenType

from sqlml.errors import ParseError
from sqlml.parser.call_tokens import CLOSING, OPENING, is_name, quoted_model
from sqlml.parser.generator import quote_identifier
from sqlml.parser.literals import number
from sqlml.parser.references import model_name
from sqlml.parser.rewriter import Moved, Placed
from sqlml.parser.tokens import is_word
from sqlml.parser.tsql_names import joined

# T-SQL's types whose name or meaning differs in Spark. FLOAT has 53 bits, REAL 24; TINYINT is unsigned.
# Lengths of texts are dropped, so nothing is truncated.
TYPES: dict[str, str] = {
    "BINARY": "BINARY",
    "BIT": "BOOLEAN",
    "CHAR": "STRING",
    "DATETIME": "TIMESTAMP",
    "DATETIME2": "TIMESTAMP",
    "DATETIMEOFFSET": "TIMESTAMP",
    "FLOAT": "DOUBLE",
    "IMAGE": "BINARY",
    "INTEGER": "INT",
    "MONEY": "DECIMAL(19,4)",
    "NCHAR": "STRING",
    "NTEXT": "STRING",
    "NVARCHAR": "STRING",
    "REAL": "FLOAT",
    "SMALLDATETIME": "TIMESTAMP",
    "SMALLMONEY": "DECIMAL(10,4)",
    "SYSNAME": "STRING",
    "TEXT": "STRING",
    "TINYINT": "SMALLINT",
    "UNIQUEIDENTIFIER": "STRING",
    "VARBINARY": "BINARY",
    "VARCHAR": "STRING",
    "XML": "STRING",
}
_DECIMALS = ("DEC", "DECIMAL", "NUMERIC")
# T-SQL's default precision and scale of DECIMAL.
_DECIMAL_DIGITS = "(18,0)"
_DOUBLE_BITS = 24


@dataclass(frozen=True)
class Alias:
    """An alias in back quotes, as Spark takes it."""

    quoted: str


@dataclass(frozen=True)
class ResultColumn:
    """`score FLOAT NOT NULL`: the name, Spark's type, and the range in the text."""

    name: str
    type: str
    start: int
    stop: int


@dataclass(frozen=True)
class Value:
    """The value of MODEL = ….

    Attributes:
        reference: a model's reference, where it is a plain name or text.
        new: its spelling in Spark SQL; None where Spark reads it unchanged.
    """

    reference: str | None
    new: str | None


def value(tokens: Sequence[Token], text: str) -> Value:
    """Translates a name, a text, `@variable`, `0x…`, a bracketed name, or any expression that Spark itself reads.

    Raises:
        ParseError: no name follows the @.
        SqlmlError: SQLML_INVALID_NAME.
    """
    first = tokens[0]
    if first.token_type in (TokenType.STRING, TokenType.RAW_STRING) and len(tokens) == 1:
        return Value(first.text, None)
    if is_name(tokens, text):
        return Value(model_name("".join(token.text for token in tokens), first.start), None)
    if first.token_type == TokenType.PARAMETER:
        if len(tokens) != 2 or not is_word(tokens[1], text):
            raise ParseError("Expected a variable's name after @.", offset=first.start)
        # Fully qualified, because a column of the same name would shadow the variable.
        return Value(None, f"system.session.{quote_identifier(tokens[1].text)}")
    source = text[first.start : first.end + 1]
    if len(tokens) == 1 and source[:2].lower() == "0x":
        return Value(None, f"X'{source[2:]}'")
    return Value(None, None)


def alias(tokens: Sequence[Token], at: int, text: str, what: str, missing: int | None = None) -> tuple[Alias, int]:
    """Returns the alias at an index, and its end in the text.

    Args:
        what: the alias's name in the error message.
        missing: the offset for the error where no token is left.

    Raises:
        ParseError: there is no name.
    """
    token = tokens[at] if at < len(tokens) else None
    if token is None or not _can_be_alias(token, text):
        offset = missing if missing is not None else token.start if token else len(text)
        raise ParseError(f"Expected {what}.", offset=offset)
    return Alias(quote_identifier(token.text)), token.end + 1


# Words that continue a query and so are no alias.
_NO_ALIAS = frozenset(
    {"ANTI", "CROSS", "EXCEPT", "FULL", "GROUP", "HAVING", "INNER", "INTERSECT", "JOIN", "LATERAL", "LEFT", "LIMIT"}
    | {"MINUS", "NATURAL", "ON", "ORDER", "PIVOT", "RIGHT", "SEMI", "UNION", "UNPIVOT", "USING", "WHERE", "WINDOW"}
)


def _can_be_alias(token: Token, text: str) -> bool:
    if token.token_type == TokenType.IDENTIFIER:
        return True
    return is_word(token, text) and token.text.upper().split()[0] not in _NO_ALIAS


def result_columns(items: Sequence[Sequence[Token]], text: str, start: int) -> list[ResultColumn]:
    """Parses the columns between the parentheses of WITH.

    Raises:
        ParseError: at the offset.
    """
    columns: list[ResultColumn] = []
    names: set[str] = set()
    for item in items or [[]]:
        column = _result_column(item, text, start)
        if column.name.lower() in names:
            raise ParseError(f"The column {column.name} is listed twice.", offset=column.start)
        columns.append(column)
        names.add(column.name.lower())
        start = item[-1].end + 1
    return columns


def _result_column(item: Sequence[Token], text: str, start: int) -> ResultColumn:
    if not item:
        raise ParseError("Expected a column and its type, such as score FLOAT.", offset=start)
    if len(item) == 2 and is_word(item[0], text) and is_word(item[1], text):
        return ResultColumn(item[0].text, _plain_type(item[1].text.upper()), item[0].start, item[1].end + 1)
    name, *rest = joined(item, text, quotes=True)
    if name.token_type != TokenType.IDENTIFIER and not is_word(name, text):
        raise ParseError("Expected a column's name.", offset=name.start)
    if not rest:
        raise ParseError(
            f"The type of the column {name.text} is missing. Write it after the name, such as {name.text} FLOAT.",
            offset=name.end + 1,
        )
    rest = _without_constraints(rest)
    return ResultColumn(name.text, spark_type(rest, text), item[0].start, item[-1].end + 1)


def _without_constraints(tokens: list[Token]) -> list[Token]:
    """A type without a trailing `NOT NULL`, `NULL` or `COLLATE name`."""
    kept = list(tokens)
    while len(kept) > 1:
        if kept[-1].text.upper() == "NULL":
            kept = kept[: -2 if kept[-2].text.upper() == "NOT" and len(kept) > 2 else -1]
        elif len(kept) > 2 and kept[-2].text.upper() == "COLLATE":
            kept = kept[:-2]
        else:
            break
    return kept


def spark_type(tokens: Sequence[Token], text: str) -> str:
    """Returns a T-SQL or Spark type in Spark's spelling.

    Raises:
        ParseError: it does not have the form of a type.
    """
    tokens = joined(tokens, text)
    first = tokens[0]
    plain = first.token_type == TokenType.IDENTIFIER or is_word(first, text)
    if not first.text or (not plain and first.text.upper() != "DOUBLE PRECISION"):
        raise ParseError("Expected a type such as FLOAT or NVARCHAR(20).", offset=first.start)
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        depth += token.text.count("<") - token.text.count(">")
        if at and depth == 0 and token.token_type not in CLOSING and not token.text.endswith(">"):
            raise ParseError(f"Expected a comma or ), found {token.text!r}.", offset=token.start)
    word = first.text.upper()
    digits = text[tokens[1].start : tokens[-1].end + 1] if len(tokens) > 1 else ""
    if word == "DOUBLE PRECISION":
        return "DOUBLE"
    if word in _DECIMALS:
        return f"DECIMAL{digits or _DECIMAL_DIGITS}"
    if word == "FLOAT" and len(tokens) == 4 and tokens[2].text.isdigit():
        return "FLOAT" if number(tokens[2].text, tokens[2].start) <= _DOUBLE_BITS else "DOUBLE"
    return TYPES[word] if word in TYPES else word + digits


def _plain_type(word: str) -> str:
    """Translates a type that is one word."""
    return f"DECIMAL{_DECIMAL_DIGITS}" if word in _DECIMALS else TYPES.get(word, word)


def model_argument(argument: Sequence[Token], text: str) -> Moved | Placed:
    """Returns the model as an argument of `predict_outputs`: a text, bytes, a variable or a scalar subquery."""
    start, stop = argument[0].start, argument[-1].end + 1
    if is_name(argument, text):
        return Placed(quoted_model(argument), start, stop)
    new = value(argument, text).new
    return Moved(start, stop) if new is None else Placed(new, start, stop)
