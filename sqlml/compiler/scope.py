"""The SQL of one model while it is being made: a list of definitions, each a small expression over earlier ones.

An expression refers to another definition by a placeholder with its number. Which of them become columns of a step and
which are written in place is decided when all are known: see `sqlml.compiler.steps`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlglot import exp, parse_one

from sqlml.compiler import facts
from sqlml.compiler.dialects import Engine
from sqlml.compiler.facts import BY_OVERFLOW, NEVER
from sqlml.compiler.lookup_keys import Text, Tools
from sqlml.compiler.node import NoRuleError
from sqlml.compiler.values import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT32,
    INT64,
    STRING,
    Lookup,
    Rounded,
    Term,
    Value,
    facts_of,
    folded,
    nullable,
)
from sqlml.errors import SqlmlError

# The characters of a comparison or a product, at least.
_LEAST_TEXT = 16
_LEAST_WHOLE = -(2**63)
# Where there are arrays, a table of more texts is one: one search instead of one comparison after another.
_MOST_COMPARED_TEXTS = 3
REALS = (DOUBLE, FLOAT)
# The functions of an engine with arrays; see `sqlml.compiler.catalyst`.
PLACE, TABLE, FOREST, SUM = "sqlml_place", "sqlml_table", "sqlml_forest", "sqlml_sum"
OF_ARRAYS = (PLACE, TABLE, FOREST)
FINITE, FIRST_LARGEST, POWER = "sqlml_finite", "sqlml_first_largest", "sqlml_power"
FLOOR, QUOTIENT, SIGMOID, WHOLE = "sqlml_floor", "sqlml_quotient", "sqlml_sigmoid", "sqlml_whole"


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
        self._numbered: dict[int, Term] = {}
        self._rounded: dict[tuple[Rounded, str], Term] = {}
        self._infinity: Any = parse_one(engine.infinity, dialect=engine.name)

    def define(self, tree: exp.Expression, kind: str, **known: Any) -> Term:
        """One more definition; `known` are the attributes of its term."""
        self.grow(1)
        known.setdefault("facts", facts.unknown(kind))
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
        known.setdefault("facts", facts.unknown(kind))
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
        return self.define(self.sql(element, kind), kind, nullable=nullable(element), facts=facts_of(element, kind))

    def may_be_nan(self, element: Any, kind: str) -> bool:
        """Whether an element may be NaN in SQL, and not NULL. Only Spark's own code reckons with sums that overflow: in
        the text for another engine a column has no numbers as large."""
        least = NEVER if self.engine.arrays else BY_OVERFLOW
        return kind in REALS and self.engine.not_a_number and facts_of(element, kind).nan > least

    def may_be_missing(self, element: Any, kind: str) -> bool:
        """Whether an element may be NaN in the graph."""
        return nullable(element) or self.may_be_nan(element, kind)

    def may_be_infinite(self, element: Any, kind: str) -> bool:
        least = NEVER if self.engine.arrays else BY_OVERFLOW
        return kind in REALS and facts_of(element, kind).infinite > least

    def numbered(self, element: Any, kind: str) -> Any:
        """The same element, but NULL where it is NaN: for whoever can tell NaN from a number. Other engines take it for
        the largest number."""
        if not self.may_be_nan(element, kind):
            return element
        term = self.term(element, kind)
        known = facts_of(element, kind)
        if term.number not in self._numbered:
            number = exp.LTE(this=self._reference(term.number), expression=self.literal(math.inf, kind))
            tree = exp.Case(ifs=[exp.If(this=number, true=self._reference(term.number))])
            self._numbered[term.number] = self.define(tree, kind, nullable=True, facts=replace(known, nan=NEVER))
        return self._numbered[term.number]

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
            known = facts_of(element, kind)
            self._rounded[element, kind] = self.define(tree, kind, nullable=element.term.nullable, facts=known)
        return self._rounded[element, kind]

    def literal(self, value: Any, kind: str) -> exp.Expression:
        """A constant. A double is written with all its digits and an exponent: without one some engines read a
        decimal."""
        if kind == STRING:
            return self._text(value)
        if kind == BOOL:
            one, other = (exp.Literal(this=digit, is_string=False) for digit in ("1", "1" if value else "0"))
            return exp.EQ(this=one, expression=other)
        if kind in (INT32, INT64):
            if value == _LEAST_WHOLE:
                # Without its sign it is a number that no integer type has.
                almost, last = _signed(str(-_LEAST_WHOLE - 1), negative=True), _signed("1", negative=False)
                return exp.Paren(this=exp.Sub(this=almost, expression=last))
            return _signed(str(abs(int(value))), value < 0)
        if math.isnan(value):
            # Functions of sqlml's own need its type.
            null: exp.Expression = exp.Null()
            return exp.cast(null, exp.DataType.Type.DOUBLE) if self.engine.arrays else null
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
    knows: facts.Rule | None = None,
    **known: Any,
) -> Value:
    """An operator that works element by element.

    Args:
        kind: the result's type.
        fold: the same in numpy, for what is known already.
        build: the SQL of one element from the SQL of its operands.
        knows: the facts of the result from the type and the facts of its operands.
        known: attributes of the results' terms; whether they are nullable follows the operands otherwise.

    Raises:
        NoRuleError: the operands' rows stand along different axes.
    """
    aligned(operands)
    arrays = np.broadcast_arrays(*(operand.elements for operand in operands))
    kinds = [operand.type for operand in operands]
    found = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(found.shape):
        elements = [array[place] for array in arrays]
        found[place] = one(scope, kind, fold, build, elements, kinds, knows, **known)
    return Value(found, kind)


def one(
    scope: Scope,
    kind: str,
    fold: Callable[..., Any],
    build: Callable[..., exp.Expression],
    elements: Sequence[Any],
    kinds: Sequence[str],
    knows: facts.Rule | None = None,
    **known: Any,
) -> Any:
    """One element of `each`."""
    subjects = {element.subject for element in elements if isinstance(element, Lookup)}
    if len(subjects) <= 1 and not any(isinstance(element, (Term, Rounded)) for element in elements):
        return folded(fold, elements, kinds)
    tree = build(*(scope.sql(element, own) for element, own in zip(elements, kinds, strict=True)))
    attributes: dict[str, Any] = {"nullable": any(nullable(element) for element in elements), **known}
    if knows is not None and "facts" not in attributes:
        attributes["facts"] = knows(kind, *map(facts_of, elements, kinds))
    return scope.define(scope.cast_real(tree) if kind == FLOAT else tree, kind, **attributes)


def aligned(operands: Sequence[Value]) -> None:
    """Raises NoRuleError where tensors that depend on the row meet along another axis than the rows, which is the first
    one of each: a list beside a matrix, or a constant that has more axes or several rows."""
    rows = {operand.elements.ndim for operand in operands if not operand.known}
    if not rows:
        return
    shape = np.broadcast_shapes(*(operand.elements.shape for operand in operands))
    if rows != {len(shape)} or shape[0] != 1:
        raise NoRuleError("meets rows along different axes")


def numbered(scope: Scope, x: Value) -> Value:
    """With NULL for NaN; see `Scope.numbered`."""
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        found[place] = scope.numbered(element, x.type)
    return Value(found, x.type)


def compared(scope: Scope, x: Value) -> Value:
    """As it is compared: no comparison with NaN holds, as in Spark's own code. For other engines NaN is above all
    numbers, so that they get NULL instead."""
    return x if scope.engine.arrays else numbered(scope, x)
