"""DECLARE @variable"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import Token, TokenType

from sqlml.errors import ParseError, SqlmlError
from sqlml.parser.call_tokens import CLOSING, OPENING
from sqlml.parser.cursor import Cursor, Piece
from sqlml.parser.generator import identifier
from sqlml.parser.leading_words import after_first_word
from sqlml.parser.rewriter import Edit, apply
from sqlml.parser.tsql import spark_type, value
from sqlml.parser.tsql_names import edits, joined
from sqlml.policy import READ
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class Variable:
    """One of the variables that a statement declares."""

    name: str
    type: str
    expression: Piece | None = None

    def sql(self) -> str:
        text = f"@{identifier(self.name)} {self.type}"
        return text if self.expression is None else f"{text} = {self.expression.text}"


@dataclass(frozen=True)
class Declare(Statement):
    """DECLARE @name [AS] type [= expression] [, @name …]

    Keeps a model in a variable for later queries, PREDICT(MODEL = @name, …), as T-SQL does. It creates or replaces the
    Spark session variable of that name. Its value is an expression, which can be a scalar subquery. Types are those of
    T-SQL or Spark: VARBINARY(MAX) is BINARY. As in T-SQL, an expression cannot use the variables of the same statement.
    DECLARE without an @ is Spark's own statement.

    Returns the variables and their types.

    Errors: SQLML_SYNTAX_ERROR, and Spark's own about an expression.
    """

    HEADS: ClassVar = (("DECLARE",),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = "variable STRING, type STRING"

    variables: tuple[Variable, ...]

    @property
    def models(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def is_meant(cls, text: str) -> bool:
        """Whether it is not Spark's statement, whose values may be as long as they like."""
        return text.startswith("@", after_first_word(text))

    @classmethod
    def parse(cls, cursor: Cursor) -> Declare:
        cursor.expect("DECLARE")
        found: dict[str, Variable] = {}
        more = True
        while more:
            offset = cursor.offset
            cursor.expect_symbol(TokenType.PARAMETER, "@")
            name = cursor.column().name
            if name.lower() in found:
                raise ParseError(f"@{name} is declared twice.", offset=offset)
            cursor.accept("AS")
            written, more = _written(cursor)
            found[name.lower()] = _variable(name, written, cursor.text)
        return cls(tuple(found.values()))

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        for one in self.variables:
            if session.caller.cancelled():
                raise SqlmlError("SQLML_CANCELLED", "The statement was cancelled.")
            session.catalog.declare(one.name, one.type)
        for one in self.variables:
            if one.expression is not None:
                session.catalog.assign(one.name, one.expression)
        return [(one.name, one.type) for one in self.variables]

    def sql(self) -> str:
        return "DECLARE " + ", ".join(one.sql() for one in self.variables)


def _written(cursor: Cursor) -> tuple[Sequence[Token], bool]:
    """The tokens of a type and its value, and whether another variable follows. Commas inside a type are skipped."""
    first = cursor.index
    if cursor.at_end():
        raise cursor.error("a type such as VARBINARY(MAX)")
    assigned = False
    while True:
        assigned |= "=" in cursor.item("a type or a value").text
        written = cursor.index
        if not cursor.accept_symbol(TokenType.COMMA):
            cursor.expect_end()
            return cursor.tokens(first, written), False
        if cursor.at_end() or cursor.sees_symbol(TokenType.PARAMETER):
            return cursor.tokens(first, written), True
        if assigned:
            raise cursor.error("@ and the next variable's name")


def _variable(name: str, tokens: Sequence[Token], text: str) -> Variable:
    """A variable from its tokens: the type up to the first = outside brackets, the value after it."""
    depth, at = 0, 0
    while at < len(tokens) and not (depth == 0 and tokens[at].token_type == TokenType.EQ):
        depth += (tokens[at].token_type in OPENING) - (tokens[at].token_type in CLOSING)
        at += 1
    if at == 0:
        raise ParseError("Expected a type such as VARBINARY(MAX).", offset=tokens[0].start)
    kind = spark_type(tokens[:at], text)
    value_tokens = tokens[at + 1 :]
    if at == len(tokens):
        return Variable(name, kind)
    if not value_tokens:
        raise ParseError("Expected a value after =.", offset=tokens[at].end + 1)
    first, stop = value_tokens[0].start, value_tokens[-1].end + 1
    if len(value_tokens) == 1 and value_tokens[0].token_type == TokenType.HEX_STRING:
        return Variable(name, kind, Piece(value(value_tokens, text).new or "", first))
    # The edits are offsets in the whole text; made relative to the value, which alone is copied.
    named = [Edit(edit.start - first, edit.stop - first, edit.new) for edit in edits(joined(value_tokens, text), text)]
    return Variable(name, kind, Piece(apply(text[first:stop], named).text, first))
