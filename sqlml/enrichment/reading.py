"""The parser of ENRICH TABLE's clauses, and their printer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlglot import TokenType

from sqlml.enrichment.outputs import Wanted
from sqlml.parser.cursor import Column, Cursor, Piece
from sqlml.parser.generator import identifier, print_value

SHOW_SQL, SHOW_MAP = "SHOW SQL", "SHOW MAP"
VIEW, TABLE, INSERT, FUNCTION = "view", "table", "insert", "function"
# The first words of the final clause, for errors.
DEEDS = "SHOW SQL, SHOW MAP, CREATE or INSERT INTO"


@dataclass(frozen=True)
class Deed:
    """The final clause of the statement: what to show, or which object to make."""

    kind: str
    name: tuple[str, ...] = ()
    replace: bool = False
    temporary: bool = False
    using: str | None = None
    offset: int | None = field(default=None, compare=False)

    def sql(self) -> str:
        name = ".".join(map(identifier, self.name))
        if self.kind in (SHOW_SQL, SHOW_MAP):
            return self.kind
        if self.kind == INSERT:
            return f"INSERT INTO {name}"
        words = f"CREATE {'OR REPLACE ' * self.replace}{'TEMPORARY ' * self.temporary}{self.kind.upper()} {name}"
        return words + (f" USING {identifier(self.using)}" if self.using else "")


def deed_begins(cursor: Cursor) -> bool:
    return any(cursor.sees(word) for word in ("SHOW", "CREATE", "INSERT"))


def deed(cursor: Cursor) -> Deed:
    """Parses the final clause: SHOW SQL, SHOW MAP, INSERT INTO or CREATE."""
    for shown in (SHOW_SQL, SHOW_MAP):
        if cursor.accept(*shown.split()):
            return Deed(shown)
    offset = cursor.offset
    if cursor.accept("INSERT", "INTO"):
        cursor.accept("TABLE")
        return Deed(INSERT, cursor.identifiers("a table's name"), offset=offset)
    if not cursor.accept("CREATE"):
        raise cursor.error(DEEDS)
    replaces = cursor.accept("OR", "REPLACE")
    temporary = cursor.accept("TEMPORARY") or cursor.accept("TEMP")
    kinds = (VIEW, FUNCTION) if temporary else (VIEW, TABLE, FUNCTION)
    kind = next((kind for kind in kinds if cursor.accept(kind.upper())), None)
    if kind is None:
        raise cursor.error("VIEW or FUNCTION" if temporary else "VIEW, TABLE or FUNCTION")
    name = cursor.identifiers(f"a {kind}'s name")
    using = cursor.dotted("a format") if kind == TABLE and cursor.accept("USING") else None
    return Deed(kind, name, replaces, temporary, using, offset)


def _map(cursor: Cursor) -> dict[str, Any]:
    found: list[tuple[Column, Piece]] = []
    for _ in _listed(cursor):
        feature = cursor.column()
        cursor.expect_symbol(TokenType.EQ, "=")
        found.append((feature, cursor.item("an expression")))
    return {"map": tuple(found)}


def _output(cursor: Cursor) -> dict[str, Any]:
    return {"output": tuple(_wanted(cursor) for _ in _listed(cursor))}


def _wanted(cursor: Cursor) -> Wanted:
    offset = cursor.offset
    name = cursor.column().name
    label = ()
    if cursor.sees_symbol(TokenType.L_PAREN):
        label = tuple(cursor.value() for _ in _listed(cursor))[:1]
    column = cursor.column() if cursor.accept("AS") else None
    ends = cursor.sees_symbol(TokenType.COMMA) or cursor.sees_symbol(TokenType.R_PAREN)
    kind = None if ends else cursor.item("AS and a column's name, or a type", angled=True)
    return Wanted(name, label, column, kind, offset)


def _listed(cursor: Cursor) -> Iterator[None]:
    """Parses a parenthesised list: yields once per item."""
    cursor.expect_symbol(TokenType.L_PAREN, "(")
    yield
    while cursor.accept_symbol(TokenType.COMMA):
        yield
    cursor.expect_symbol(TokenType.R_PAREN, ") or a comma")


def output_sql(wanted: Wanted) -> str:
    text = identifier(wanted.name) + (f"({print_value(wanted.label[0])})" if wanted.label else "")
    text += f" AS {identifier(wanted.column.name)}" if wanted.column else ""
    return text + (f" {wanted.type.text}" if wanted.type else "")


CLAUSES: dict[str, Callable[[Cursor], dict[str, Any]]] = {"MAP": _map, "OUTPUT": _output}
