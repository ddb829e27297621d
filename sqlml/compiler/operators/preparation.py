"""The preparation of columns, as converters of scikit-learn write it: scaled, filled, one-hot, normalised."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators import arithmetic
from sqlml.compiler.operators.arithmetic import quotient, total
from sqlml.compiler.operators.logic import greater
from sqlml.compiler.operators.matrices import largest
from sqlml.compiler.operators.shapes import converted
from sqlml.compiler.scope import Scope, each, numbered
from sqlml.compiler.subjects import Condition, Text, is_null
from sqlml.compiler.values import (
    BOOL,
    DOUBLE,
    DTYPES,
    FLOAT,
    INT64,
    STRING,
    Term,
    Value,
    facts_of,
    folded,
    of,
    plain,
    table,
)

_REAL = (FLOAT, DOUBLE)


def scaler(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """(x − offset) × scale in x's precision, as float32."""
    (x,) = inputs
    if x.type not in _REAL:
        raise NoRuleError(f"scales {x.type}")
    offset, scale = (_constants(node.attributes[name], x) for name in ("offset", "scale"))
    (centred,) = arithmetic.subtract(node, [x, offset], scope)
    return [converted(scope, arithmetic.multiply(node, [centred, scale], scope)[0], FLOAT)]


def imputer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """What is missing, or has the value that stands for it, gets another value."""
    (x,) = inputs
    if x.type != FLOAT:
        raise NoRuleError(f"fills {x.type}")
    replaced = np.float32(node.attributes.get("replaced_value_float", 0.0))
    instead = _constants(node.attributes["imputed_value_floats"], x)

    def build(a: exp.Expression, b: exp.Expression) -> exp.Expression:
        if np.isnan(replaced):
            return exp.Coalesce(this=a, expressions=[b])
        same = exp.EQ(this=a, expression=scope.literal(float(replaced), FLOAT))
        return exp.Case(ifs=[exp.If(this=same, true=b)], default=a.copy())

    def fold(a: Any, b: Any) -> Any:
        return np.where(np.isnan(a) if np.isnan(replaced) else a == replaced, b, a)

    known = {"nullable": False} if np.isnan(replaced) else {}
    return [each(scope, FLOAT, fold, build, numbered(scope, x), instead, knows=facts.either, **known)]


def one_hot_encoder(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """1 where the element is the category and 0 elsewhere: [1, n] becomes [1, n, categories]."""
    (x,) = inputs
    texts, numbers = node.attributes.get("cats_strings", ()), node.attributes.get("cats_int64s", ())
    if (texts and numbers) or len(set(texts or numbers)) < len(texts or numbers):
        raise NoRuleError("has the same category twice, or of two types")
    if x.type != (STRING if texts else INT64):
        raise NoRuleError(f"makes columns of {x.type}")
    found = np.empty((*x.elements.shape, len(texts or numbers)), dtype=object)
    for place, element in np.ndenumerate(x.elements):
        for number, category in enumerate(texts or numbers):
            found[*place, number] = _is(scope, element, category, x.type, tuple(texts))
    return [Value(found, FLOAT)]


def _is(scope: Scope, element: Any, category: Any, kind: str, texts: tuple[str, ...]) -> Any:
    if not isinstance(element, Term):
        return folded(lambda value: (value == category).astype(np.float32), [element], [kind])
    if kind == STRING:
        return table(Text(element.number, texts), np.array([*(one == category for one in texts), False], np.float32))
    condition = exp.EQ(this=scope.sql(element, kind), expression=scope.literal(category, kind))
    return _flag(scope.define(condition, BOOL, nullable=True))


def normalizer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Each row over its largest number, the sum of its absolute numbers, or its length; unchanged where that is 0."""
    (x,) = inputs
    if x.type not in _REAL or x.elements.ndim != 2:
        raise NoRuleError(f"normalises {x.type}")
    norm = node.attributes.get("norm", "MAX")
    row = list(x.elements[0])
    if norm == "MAX":
        if any(scope.may_be_missing(element, x.type) for element in row):
            raise NoRuleError("compares numbers that may be missing")
        size = of([largest(scope, row, x.type)], x.type)
    elif norm == "L1":
        absolute = arithmetic.absolute(node, [x], scope)[0]
        size = of([total(scope, list(absolute.elements[0]), x.type)], x.type)
    else:
        named = of([scope.term(element, x.type) for element in row], x.type)
        (squares,) = arithmetic.multiply(node, [named, named], scope)
        sums = of([total(scope, list(squares.elements[0]), x.type)], x.type)
        (size,) = arithmetic.square_root(node, [sums], scope)
    size = of([scope.term(size.elements[0, 0], x.type)], x.type)

    def build(a: exp.Expression, b: exp.Expression) -> exp.Expression:
        empty = exp.EQ(this=b, expression=scope.literal(0.0, x.type))
        return exp.Case(ifs=[exp.If(this=empty, true=a)], default=quotient(a.copy(), b.copy()))

    known: dict[str, Any] = (
        {} if norm == "MAX" else {"facts": facts.shared([facts_of(element, x.type) for element in row])}
    )
    found = each(scope, x.type, lambda a, b: np.where(b == 0, a, a / b), build, x, size, **known)
    return [converted(scope, found, FLOAT)]


def binarizer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """1 above the threshold and 0 elsewhere; a missing value stays missing, where ONNX Runtime fails."""
    (x,) = inputs
    if x.type not in _REAL:
        raise NoRuleError(f"compares {x.type}")
    (above,) = greater(node, [x, _constants([node.attributes.get("threshold", 0.0)], x)], scope)
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(above.elements):
        original = x.elements[place]
        if not isinstance(element, Term):
            found[place] = folded(lambda value: value.astype(np.float64), [element], [BOOL])
            continue
        flag = exp.Case(
            ifs=[
                exp.If(this=scope.sql(element, BOOL), true=scope.literal(1.0, x.type)),
                exp.If(this=is_null(scope.sql(original, x.type)), true=exp.Null()),
            ],
            default=scope.literal(0.0, x.type),
        )
        found[place] = scope.define(flag, x.type, nullable=element.nullable)
    return [Value(found, x.type)]


def feature_vectorizer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """The columns of all inputs, as float32."""
    widths = [value.elements.shape[-1] for value in inputs]
    if list(node.attributes.get("inputdimensions", widths)) != widths or any(v.elements.ndim != 2 for v in inputs):
        raise NoRuleError("has other sizes than its inputs")
    parts = [converted(scope, value, FLOAT).elements for value in inputs]
    return [Value(np.concatenate(parts, axis=1), FLOAT)]


def _flag(condition: Term) -> Any:
    return table(Condition(condition.number, (True,)), np.array([1.0, 0.0], dtype=np.float32))


def _constants(numbers: Any, x: Value) -> Value:
    """A row of float32 constants in x's precision: one for each of its columns, or one for all."""
    if len(numbers) not in (1, x.elements.shape[-1]):
        raise NoRuleError("has not as many constants as columns")
    return plain(np.array([numbers], dtype=np.float32).astype(DTYPES[x.type]))
