"""The SQL of one model under construction: a list of definitions in static single assignment form.

Each is a small expression over earlier ones, to which it refers by placeholders with their numbers. Which definitions
become columns of a step, and which are inlined, is decided when all are known (`sqlml.compiler.steps`). Here are also
the helpers that apply an operator element by element, with constant folding and interval facts (`each`, `one`).
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

# The least number of characters of a comparison or a product.
_LEAST_TEXT = 16
_LEAST_WHOLE = -(2**63)
# In an engine with arrays, a lookup of more texts than this is a hash table instead of a chain of comparisons.
_MOST_COMPARED_TEXTS = 3
REALS = (DOUBLE, FLOAT)
# sqlml's own functions in an engine with arrays; see `sqlml.compiler.catalyst`.
PLACE, TABLE, FOREST, SUM = "sqlml_place", "sqlml_table", "sqlml_forest", "sqlml_sum"
OF_ARRAYS = (PLACE, TABLE, FOREST)
FINITE, FIRST_LARGEST, POWER = "sqlml_finite", "sqlml_first_largest", "sqlml_power"
FLOOR, QUOTIENT, SIGMOID, WHOLE = "sqlml_floor", "sqlml_quotient", "sqlml_sigmoid", "sqlml_whole"


@dataclass(frozen=True)
class Definition:
    """A typed expression. An `input` is a column of the table with its cast, inlined wherever that is short."""

    tree: exp.Expression
    type: str
    nullable: bool
    input: bool = False


class Scope:
    """All definitions of a model, and the conversion of tensor elements to SQL of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.definitions: list[Definition] = []
        # The arrays that sqlml's own functions take; in SQL their first argument is the index here.
        self.arrays: list[Any] = []
        # The shape of each tensor of the graph, for one row.
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._indices: dict[Text, Term] = {}
        self.tools = Tools(self._reference, self._text, engine.booleans)
        self._operations = 0
        self._numbered: dict[int, Term] = {}
        self._rounded: dict[tuple[Rounded, str], Term] = {}
        self._infinity: Any = parse_one(engine.infinity, dialect=engine.name)

    def define(self, tree: exp.Expression, kind: str, **known: Any) -> Term:
        """Appends a definition and returns its term; `known` are the attributes of the term."""
        self.grow(1)
        known.setdefault("facts", facts.unknown(kind))
        term = Term(len(self.definitions), **known)
        self.definitions.append(Definition(tree, kind, term.nullable))
        return term

    def grow(self, operations: int) -> None:
        """Adds to the estimated cost of a row.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_SQL as soon as no query of the engine could hold the model, so that its text is
                never built.
        """
        self._operations += operations
        if self._operations * _LEAST_TEXT > self.engine.most_text:
            raise SqlmlError(
                "SQLML_MODEL_NOT_SQL",
                f"The model is too large for a query of {self.engine.name}, which takes at most"
                f" {self.engine.most_text:,} characters.",
                hint="Train a model with fewer trees, support vectors, units or features, or use FORMAT onnx, which"
                " has no limit.",
            )

    def input(self, tree: exp.Expression, kind: str, **known: Any) -> Term:
        """Appends a definition for a column of the table."""
        known.setdefault("facts", facts.unknown(kind))
        term = Term(len(self.definitions), **known)
        self.definitions.append(Definition(tree, kind, term.nullable, input=True))
        return term

    def sql(self, element: Any, kind: str) -> exp.Expression:
        """Returns an element as a new expression; a BOOL element as a condition."""
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
        """Returns an element as a definition, so that it can be used more than once."""
        if isinstance(element, Term):
            return element
        if isinstance(element, Rounded):
            return self.rounded(element, kind)
        return self.define(self.sql(element, kind), kind, nullable=nullable(element), facts=facts_of(element, kind))

    def may_be_nan(self, element: Any, kind: str) -> bool:
        """Returns whether an element may be NaN rather than NULL in SQL.

        An overflow counts only in Catalyst expressions (`Engine.arrays`): SQL text assumes that columns hold no numbers
        that large.
        """
        least = NEVER if self.engine.arrays else BY_OVERFLOW
        return kind in REALS and self.engine.not_a_number and facts_of(element, kind).nan > least

    def may_be_missing(self, element: Any, kind: str) -> bool:
        """Returns whether an element may be NaN in the graph: NULL or NaN in SQL."""
        return nullable(element) or self.may_be_nan(element, kind)

    def may_be_infinite(self, element: Any, kind: str) -> bool:
        """Returns whether an element may be infinite; overflow as in `may_be_nan`."""
        least = NEVER if self.engine.arrays else BY_OVERFLOW
        return kind in REALS and facts_of(element, kind).infinite > least

    def numbered(self, element: Any, kind: str) -> Any:
        """Returns the element with NULL for NaN, for consumers that must tell NaN from a number.

        Some engines sort NaN above all numbers, so a comparison with it could hold.
        """
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
        """A call of one of sqlml's own functions; its first argument is the index of the array."""
        self.arrays.append(array)
        index = exp.Literal(this=str(len(self.arrays) - 1), is_string=False)
        return exp.Anonymous(this=function, expressions=[index, *operands])

    def _at(self, element: Lookup, kind: str) -> exp.Expression:
        """A lookup by text through a hash table: the text's index (computed once per text column), then the value at
        that index."""
        subject = element.subject
        assert isinstance(subject, Text)
        if subject not in self._indices:
            found = self.call(PLACE, subject.keys, self._reference(subject.number))
            self._indices[subject] = self.define(found, INT64)
        index = self._reference(self._indices[subject].number)
        value = self.call(TABLE, np.asarray(element.values, dtype=np.float64), index)
        return self.cast_real(value) if kind == FLOAT else value

    def rounded(self, element: Rounded, kind: str) -> Term:
        """Returns the element rounded to float32, as a FLOAT or as a DOUBLE.

        An engine without float32 gets the double itself, a relative difference of about 1e-7.
        """
        if self.engine.real is None:
            return element.term
        if (element, kind) not in self._rounded:
            tree = self.cast_real(self._reference(element.term.number))
            if kind == DOUBLE:
                # Without this cast a sum with it would be computed in float32.
                tree = exp.cast(tree, exp.DataType.Type.DOUBLE, copy=False)
            known = facts_of(element, kind)
            self._rounded[element, kind] = self.define(tree, kind, nullable=element.term.nullable, facts=known)
        return self._rounded[element, kind]

    def literal(self, value: Any, kind: str) -> exp.Expression:
        """Returns a constant. A double has all its digits and an exponent, because without one some engines read a
        decimal."""
        if kind == STRING:
            return self._text(value)
        if kind == BOOL:
            one, other = (exp.Literal(this=digit, is_string=False) for digit in ("1", "1" if value else "0"))
            return exp.EQ(this=one, expression=other)
        if kind in (INT32, INT64):
            if value == _LEAST_WHOLE:
                # The magnitude of the least BIGINT, written without its sign, fits no integer type.
                almost, last = _signed(str(-_LEAST_WHOLE - 1), negative=True), _signed("1", negative=False)
                return exp.Paren(this=exp.Sub(this=almost, expression=last))
            return _signed(str(abs(int(value))), value < 0)
        if math.isnan(value):
            # sqlml's own functions need a typed NULL.
            null: exp.Expression = exp.Null()
            return exp.cast(null, exp.DataType.Type.DOUBLE) if self.engine.arrays else null
        if math.isinf(value):
            return exp.Neg(this=self._infinity.copy()) if value < 0 else self._infinity.copy()
        digits = repr(abs(float(value))).removesuffix(".0")
        tree = _signed(digits if "e" in digits else f"{digits}e0", value < 0)
        return self.cast_real(tree) if kind == FLOAT else tree

    def is_number(self, tree: exp.Expression) -> exp.Expression:
        """Returns the condition that a double is neither missing nor infinite, without an infinity, which some engines
        lack."""
        return exp.LTE(this=exp.Abs(this=tree), expression=self.literal(sys.float_info.max, DOUBLE))

    def cast_real(self, tree: exp.Expression) -> exp.Expression:
        """Returns the expression rounded to float32, where the engine has the type."""
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
    # Literal.number would parse and reformat the digits.
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
    """Applies an elementwise operator with broadcasting.

    Args:
        kind: the result's type.
        fold: the operator in numpy, for constant folding.
        build: builds the SQL of one element from the SQL of its operands.
        knows: derives the facts of the result from its type and the facts of its operands.
        known: attributes of the results' terms; by default a result is nullable where an operand is.

    Raises:
        NoRuleError: the operands' rows are along different axes.
    """
    aligned(operands)
    arrays = np.broadcast_arrays(*(operand.elements for operand in operands))
    kinds = [operand.type for operand in operands]
    found = np.empty(arrays[0].shape, dtype=object)
    for index in np.ndindex(found.shape):
        elements = [array[index] for array in arrays]
        found[index] = one(scope, kind, fold, build, elements, kinds, knows, **known)
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
    """Applies the operator of `each` to one element.

    Constants, and lookup tables with the same subject (key), are folded; anything else becomes a definition.
    """
    subjects = {element.subject for element in elements if isinstance(element, Lookup)}
    if len(subjects) <= 1 and not any(isinstance(element, (Term, Rounded)) for element in elements):
        return folded(fold, elements, kinds)
    tree = build(*(scope.sql(element, own) for element, own in zip(elements, kinds, strict=True)))
    attributes: dict[str, Any] = {"nullable": any(nullable(element) for element in elements), **known}
    if knows is not None and "facts" not in attributes:
        attributes["facts"] = knows(kind, *map(facts_of, elements, kinds))
    return scope.define(scope.cast_real(tree) if kind == FLOAT else tree, kind, **attributes)


def aligned(operands: Sequence[Value]) -> None:
    """Checks that broadcasting keeps the rows on the first axis.

    Raises:
        NoRuleError: operands that depend on the row differ in rank, or a constant has a higher rank or several rows.
    """
    rows = {operand.elements.ndim for operand in operands if not operand.known}
    if not rows:
        return
    shape = np.broadcast_shapes(*(operand.elements.shape for operand in operands))
    if rows != {len(shape)} or shape[0] != 1:
        raise NoRuleError("combines rows along different axes")


def numbered(scope: Scope, x: Value) -> Value:
    """Returns the tensor with NULL for NaN; see `Scope.numbered`."""
    found = np.empty(x.elements.shape, dtype=object)
    for index, element in np.ndenumerate(x.elements):
        found[index] = scope.numbered(element, x.type)
    return Value(found, x.type)


def compared(scope: Scope, x: Value) -> Value:
    """Returns the tensor ready for comparisons, none of which holds for NaN.

    sqlml's Catalyst expressions compare like that (IEEE 754). SQL engines may sort NaN above all numbers, so SQL text
    gets NULL instead.
    """
    return x if scope.engine.arrays else numbered(scope, x)
