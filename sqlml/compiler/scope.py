"""The SQL of one model while it is being made: a list of definitions, each a small expression over earlier ones.

An expression refers to another definition by a placeholder with its number. Which of them become columns of a step and
which are written in place is decided when all are known: see `sqlml.compiler.steps`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp, parse_one

from sqlml.compiler.engines import Engine
from sqlml.compiler.subjects import Text, Tools
from sqlml.compiler.values import BOOL, DOUBLE, FLOAT, INT64, STRING, Lookup, Rounded, Term, Value, folded, nullable
from sqlml.errors import SqlmlError

# The characters of a comparison or a product, at least.
_LEAST_TEXT = 16
# Where there are arrays, a table of more texts is one: one search instead of one comparison after another.
_MOST_COMPARED_TEXTS = 3
REALS = (DOUBLE, FLOAT)
# The functions of an engine with arrays; see `sqlml.compiler.catalyst`.
PLACE, TABLE, FOREST, SUM = "sqlml_place", "sqlml_table", "sqlml_forest", "sqlml_sum"
OF_ARRAYS = (PLACE, TABLE, FOREST)
FINITE, QUOTIENT, SIGMOID = "sqlml_finite", "sqlml_quotient", "sqlml_sigmoid"


@dataclass(frozen=True)
class Definition:
    """An expression of a type; an `input` is a column of the table, written in place wherever that is short."""

    tree: exp.Expression
    type: str
    nullable: bool
    input: bool = False


class Scope:
    """All definitions of a model, and how elements become SQL in its engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.definitions: list[Definition] = []
        # What functions of sqlml's own take besides SQL, where the engine has them: they name it by its place.
        self.arrays: list[Any] = []
        # Of each tensor of the graph, for one row.
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._places: dict[Text, Term] = {}
        self.tools = Tools(self._reference, self._text, engine.booleans)
        self._operations = 0
        self._rounded: dict[tuple[Rounded, str], Term] = {}
        self._infinity: Any = parse_one(engine.infinity, dialect=engine.name)

    def define(self, tree: exp.Expression, kind: str, **known: Any) -> Term:
        """One more definition; `known` are the attributes of its term."""
        self.grow(1)
        term = Term(len(self.definitions), **known)
        self.definitions.append(Definition(tree, kind, term.nullable))
        return term

    def grow(self, operations: int) -> None:
        """Counts what a row will cost, so that a model that no query can hold is refused before it is written."""
        self._operations += operations
        if self._operations * _LEAST_TEXT > self.engine.most_text:
            raise SqlmlError(
                "SQLML_MODEL_NOT_SQL",
                f"The model is too large for a query of {self.engine.name}, which takes {self.engine.most_text:,}"
                " characters.",
                hint="A model with fewer trees, support vectors, units or features may do; FORMAT onnx has no limit.",
            )

    def input(self, tree: exp.Expression, kind: str, **known: Any) -> Term:
        term = Term(len(self.definitions), **known)
        self.definitions.append(Definition(tree, kind, term.nullable, input=True))
        return term

    def sql(self, element: Any, kind: str) -> exp.Expression:
        """An element as a new expression; a BOOL one as a condition."""
        if isinstance(element, Term):
            return self._reference(element.number)
        if isinstance(element, Rounded):
            return self._reference(self.rounded(element, kind).number)
        if not isinstance(element, Lookup):
            return self.literal(element, kind)
        if kind == BOOL:
            return element.subject.condition(np.flatnonzero(element.values).tolist(), self.tools)
        if self.engine.arrays and _is_long(element, kind):
            return self._at(element, kind)
        return element.subject.case(element.values.tolist(), lambda value: self.literal(value, kind), self.tools)

    def term(self, element: Any, kind: str) -> Term:
        """An element as a definition, so that it can be used more than once."""
        if isinstance(element, Term):
            return element
        if isinstance(element, Rounded):
            return self.rounded(element, kind)
        return self.define(self.sql(element, kind), kind, nullable=nullable(element))

    def call(self, function: str, array: Any, *operands: exp.Expression) -> exp.Expression:
        """A function of sqlml's own; its first argument says which array."""
        self.arrays.append(array)
        place = exp.Literal(this=str(len(self.arrays) - 1), is_string=False)
        return exp.Anonymous(this=function, expressions=[place, *operands])

    def _at(self, element: Lookup, kind: str) -> exp.Expression:
        subject = element.subject
        assert isinstance(subject, Text)
        if subject not in self._places:
            found = self.call(PLACE, subject.keys, self._reference(subject.number))
            self._places[subject] = self.define(found, INT64)
        place = self._reference(self._places[subject].number)
        value = self.call(TABLE, np.asarray(element.values, dtype=np.float64), place)
        return self.cast_real(value) if kind == FLOAT else value

    def rounded(self, element: Rounded, kind: str) -> Term:
        """As a FLOAT, or as a DOUBLE that float32 has; in an engine without float32 the double itself, which differs by
        a ten-millionth of it."""
        if self.engine.real is None:
            return element.term
        if (element, kind) not in self._rounded:
            tree = self.cast_real(self._reference(element.term.number))
            if kind == DOUBLE:
                # Or it would be added to others as a float32.
                tree = exp.cast(tree, exp.DataType.Type.DOUBLE, copy=False)
            self._rounded[element, kind] = self.define(tree, kind, nullable=element.term.nullable)
        return self._rounded[element, kind]

    def literal(self, value: Any, kind: str) -> exp.Expression:
        """A constant. A double is written with all its digits and an exponent: without one some engines read a
        decimal."""
        if kind == STRING:
            return self._text(value)
        if kind == BOOL:
            one, other = (exp.Literal(this=digit, is_string=False) for digit in ("1", "1" if value else "0"))
            return exp.EQ(this=one, expression=other)
        if kind == INT64:
            return _signed(str(abs(int(value))), value < 0)
        if math.isnan(value):
            return exp.Null()
        if math.isinf(value):
            return exp.Neg(this=self._infinity.copy()) if value < 0 else self._infinity.copy()
        digits = repr(abs(float(value))).removesuffix(".0")
        tree = _signed(digits if "e" in digits else f"{digits}e0", value < 0)
        return self.cast_real(tree) if kind == FLOAT else tree

    def is_number(self, tree: exp.Expression) -> exp.Expression:
        """The condition that a double is neither missing nor infinite; not every engine can say infinity."""
        return exp.LTE(this=exp.Abs(this=tree), expression=self.literal(sys.float_info.max, DOUBLE))

    def cast_real(self, tree: exp.Expression) -> exp.Expression:
        """Rounded to float32, where the engine has it."""
        if self.engine.real is None:
            return tree
        return exp.Cast(this=tree, to=exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=self.engine.real))

    def _reference(self, number: int) -> exp.Expression:
        return exp.Placeholder(this=str(number))

    def _text(self, value: str) -> exp.Expression:
        if self.engine.national and not value.isascii():
            return exp.National(this=value)
        return exp.Literal.string(value)


def _is_long(element: Lookup, kind: str) -> bool:
    return isinstance(element.subject, Text) and len(element.subject.keys) > _MOST_COMPARED_TEXTS and kind in REALS


def _signed(digits: str, negative: bool) -> exp.Expression:
    # Not Literal.number, which reads the digits and writes them anew.
    literal = exp.Literal(this=digits, is_string=False)
    return exp.Neg(this=literal) if negative else literal


def each(
    scope: Scope,
    kind: str,
    fold: Callable[..., Any],
    build: Callable[..., exp.Expression],
    *operands: Value,
    **known: Any,
) -> Value:
    """An operator that works element by element.

    Args:
        kind: the result's type.
        fold: the same in numpy, for what is known already.
        build: the SQL of one element from the SQL of its operands.
        known: attributes of the results' terms; whether they are nullable follows the operands otherwise.
    """
    arrays = np.broadcast_arrays(*(operand.elements for operand in operands))
    kinds = [operand.type for operand in operands]
    found = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(found.shape):
        elements = [array[place] for array in arrays]
        found[place] = one(scope, kind, fold, build, elements, kinds, known)
    return Value(found, kind)


def one(
    scope: Scope,
    kind: str,
    fold: Callable[..., Any],
    build: Callable[..., exp.Expression],
    elements: Sequence[Any],
    kinds: list[str],
    known: dict[str, Any],
) -> Any:
    """One element of `each`."""
    subjects = {element.subject for element in elements if isinstance(element, Lookup)}
    if len(subjects) <= 1 and not any(isinstance(element, (Term, Rounded)) for element in elements):
        return folded(fold, elements, kinds)
    tree = build(*(scope.sql(element, own) for element, own in zip(elements, kinds, strict=True)))
    attributes = {"nullable": any(nullable(element) for element in elements), **known}
    return scope.define(scope.cast_real(tree) if kind == FLOAT else tree, kind, **attributes)
