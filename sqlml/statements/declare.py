"""DECLARE @variable"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlglot import TokenType

from sqlml.calls import CLOSING, OPENING
from sqlml.errors import ParseError
from sqlml.grammar import Cursor, Piece, tokenize
from sqlml.policy import READ
from sqlml.printing import identifier, quote_identifier
from sqlml.session import Session
from sqlml.statements.base import Statement
from sqlml.tsql import spark_type, value


@dataclass(frozen=True)
class Declare(Statement):
    """DECLARE @name [AS] type [= expression]

    T-SQL's way to keep a model for the queries that follow, PREDICT(MODEL = @name, …). It makes the Spark session
    variable of that name, whatever it was before, with the value of an expression, which may be a scalar subquery.
    Types are T-SQL's or Spark's: VARBINARY(MAX) is BINARY. DECLARE without an @ is Spark's own statement.

    Returns the variable and its type.

    Errors: SQLML_SYNTAX_ERROR, and Spark's own about the expression.
    """

    HEADS: ClassVar = (("DECLARE",),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = "variable STRING, type STRING"

    name: str
    type: str
    expression: Piece | None = None
    start: int = field(default=0, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def is_meant(cls, cursor: Cursor) -> bool:
        """Whether it is not Spark's statement."""
        return cursor.accept("DECLARE") and cursor.sees_symbol(TokenType.PARAMETER)

    @classmethod
    def parse(cls, cursor: Cursor) -> Declare:
        start = cursor.offset
        cursor.expect("DECLARE")
        cursor.expect_symbol(TokenType.PARAMETER, "@")
        name = cursor.column().name
        cursor.accept("AS")
        if cursor.at_end():
            raise cursor.error("A type expected, such as VARBINARY(MAX)")
        rest, offset = cursor.query()
        tokens = tokenize(rest)
        depth, at = 0, 0
        while at < len(tokens) and not (depth == 0 and tokens[at].token_type == TokenType.EQ):
            depth += (tokens[at].token_type in OPENING) - (tokens[at].token_type in CLOSING)
            at += 1
        if at == 0:
            raise ParseError("A type expected, such as VARBINARY(MAX).", offset=offset)
        try:
            kind = spark_type(tokens[:at], rest)
        except ParseError as error:
            raise ParseError(error.message, offset=offset + (error.offset or 0)) from None
        given = tokens[at + 1 :]
        if at == len(tokens):
            return cls(name, kind, None, start)
        if not given:
            raise ParseError("A value expected after =.", offset=offset + tokens[at].end + 1)
        literal = value(given, rest).new if len(given) == 1 and given[0].token_type == TokenType.HEX_STRING else None
        first = given[0].start
        return cls(name, kind, Piece(literal or rest[first : given[-1].end + 1], offset + first), start)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        session.frame(f"DECLARE OR REPLACE VARIABLE {quote_identifier(self.name)} {self.type}")
        if self.expression is not None:
            session.assign(self.name, self.expression)
        return [(self.name, self.type)]

    def sql(self) -> str:
        text = f"DECLARE @{identifier(self.name)} {self.type}"
        return text if self.expression is None else f"{text} = {self.expression.text}"
