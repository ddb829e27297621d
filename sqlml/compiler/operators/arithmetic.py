"""Numbers, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler.node import Node
from sqlml.compiler.scope import SIGMOID, Scope, each, one
from sqlml.compiler.values import FLOAT, Term, Value, is_constant, nullable, of

# Beyond it exp is infinite, and below its opposite 0 (the smallest double is about exp(-744.4)).
_LARGEST_EXPONENT, _SMALLEST_EXPONENT = 709.782712893384, -745.1332191019412
# From here on 1 + exp(-x) is 1.
_SATURATED = 40.0


def absolute(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    found = each(scope, x.type, np.abs, lambda a: exp.Abs(this=a), x)
    for place, element in np.ndenumerate(x.elements):
        size = found.elements[place]
        if isinstance(element, Term) and isinstance(size, Term):
            found.elements[place] = Term(size.number, size.nullable, element.finite, size=element.number)
    return [found]


def add(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return [_binary(scope, np.add, exp.Add, *inputs)]


def subtract(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, y = inputs
    return [_where_not(scope, 0.0, _binary, np.subtract, exp.Sub, x, y)]


def multiply(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, y = inputs
    return [_where_not(scope, 1.0, _binary, np.multiply, exp.Mul, x, y)]


def divide(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, y = inputs
    return [_where_not(scope, 1.0, _binary, np.divide, quotient, x, y)]


def negate(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    return [each(scope, x.type, np.negative, lambda a: exp.Neg(this=a), x)]


def sign(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs

    def build(a: exp.Expression) -> exp.Expression:
        zero = scope.literal(0.0, x.type)
        ifs = [
            exp.If(this=kind(this=a.copy(), expression=zero.copy()), true=scope.literal(value, x.type))
            for kind, value in ((exp.GT, 1.0), (exp.LT, -1.0), (exp.EQ, 0.0))
        ]
        return exp.Case(ifs=ifs)

    return [each(scope, x.type, np.sign, build, x)]


def square_root(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    return [each(scope, x.type, np.sqrt, lambda a: exp.Sqrt(this=a), x)]


def logarithm(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """NULL below 0; where the engine fails on 0, minus infinity."""
    (x,) = inputs

    def build(a: exp.Expression) -> exp.Expression:
        zero = exp.EQ(this=a, expression=scope.literal(0.0, x.type))
        positive = exp.GT(this=a.copy(), expression=scope.literal(0.0, x.type))
        ifs = [
            exp.If(this=positive, true=exp.Ln(this=a.copy())),
            exp.If(this=zero, true=scope.literal(-np.inf, x.type)),
        ]
        return exp.Case(ifs=ifs)

    return [each(scope, x.type, np.log, build, x, nullable=True)]


def sum_of_all(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    found = inputs[0]
    for other in inputs[1:]:
        (found,) = add(node, [found, other], scope)
    return [found]


def floor(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    return [each(scope, x.type, np.floor, lambda a: exp.Floor(this=a), x)]


def power(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, y = inputs
    return [each(scope, x.type, np.power, lambda a, b: exp.Pow(this=a, expression=b), x, y)]


def exponential(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    return [exponentials(scope, x)]


def exponentials(scope: Scope, x: Value, *, never_large: bool = False) -> Value:
    """exp(x), 0 and infinity where it is beyond the doubles, also in an engine whose EXP fails there."""
    if not scope.engine.careful:
        return each(scope, x.type, np.exp, lambda a: exp.Exp(this=a), x)

    def build(a: exp.Expression) -> exp.Expression:
        high, low = scope.literal(_LARGEST_EXPONENT, x.type), scope.literal(_SMALLEST_EXPONENT, x.type)
        too_large = exp.If(this=exp.GT(this=a, expression=high), true=scope.literal(np.inf, x.type))
        too_small = exp.If(this=exp.LT(this=a.copy(), expression=low), true=scope.literal(0.0, x.type))
        return exp.Case(ifs=[too_small] if never_large else [too_large, too_small], default=exp.Exp(this=a.copy()))

    return each(scope, x.type, np.exp, build, x)


def largest_of_pairs(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return [_chosen(scope, np.maximum, exp.GTE, inputs)]


def smallest_of_pairs(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return [_chosen(scope, np.minimum, exp.LTE, inputs)]


def clip(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, low, high = inputs

    def build(a: exp.Expression, b: exp.Expression, c: exp.Expression) -> exp.Expression:
        below = exp.If(this=exp.LT(this=a, expression=b), true=b.copy())
        above = exp.If(this=exp.GT(this=a.copy(), expression=c), true=c.copy())
        return exp.Case(ifs=[below, above], default=a.copy())

    return [each(scope, x.type, np.clip, build, x, low, high)]


def rectify(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs

    def build(a: exp.Expression) -> exp.Expression:
        negative = exp.LT(this=a, expression=scope.literal(0.0, x.type))
        return exp.Case(ifs=[exp.If(this=negative, true=scope.literal(0.0, x.type))], default=a.copy())

    return [each(scope, x.type, lambda a: np.where(a < 0.0, 0.0, a), build, x)]


def sigmoid(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ONNX Runtime's: 1 / (1 + exp(-x)) from 0 on, and 1 less that of -x below; no exponent is large."""
    (x,) = inputs
    if scope.engine.arrays:
        return [each(scope, x.type, _sigmoid, lambda a: exp.Anonymous(this=SIGMOID, expressions=[a]), x)]

    def value(number: float) -> exp.Expression:
        return scope.literal(number, x.type)

    def upper(power: exp.Expression) -> exp.Expression:
        return quotient(this=value(1.0), expression=exp.paren(exp.Add(this=value(1.0), expression=exp.Exp(this=power))))

    def build(a: exp.Expression) -> exp.Expression:
        return exp.Case(
            ifs=[
                exp.If(this=exp.GTE(this=a, expression=value(_SATURATED)), true=value(1.0)),
                exp.If(this=exp.LTE(this=a.copy(), expression=value(-_SATURATED)), true=value(0.0)),
                exp.If(this=exp.GTE(this=a.copy(), expression=value(0.0)), true=upper(exp.Neg(this=a.copy()))),
            ],
            default=exp.Sub(this=value(1.0), expression=upper(a.copy())),
        )

    return [each(scope, x.type, _sigmoid, build, x)]


def hyperbolic_tangent(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """1 - 2 / (exp(2x) + 1)."""
    (x,) = inputs

    def value(number: float) -> exp.Expression:
        return scope.literal(number, x.type)

    def build(a: exp.Expression) -> exp.Expression:
        grown = exp.Exp(this=exp.Mul(this=value(2.0), expression=a))
        share = quotient(this=value(2.0), expression=exp.paren(exp.Add(this=grown, expression=value(1.0))))
        half = _SATURATED / 2.0
        return exp.Case(
            ifs=[
                exp.If(this=exp.GTE(this=a.copy(), expression=value(half)), true=value(1.0)),
                exp.If(this=exp.LTE(this=a.copy(), expression=value(-half)), true=value(-1.0)),
            ],
            default=exp.Sub(this=value(1.0), expression=share),
        )

    return [each(scope, x.type, np.tanh, build, x)]


def product(scope: Scope, element: Any, weight: Any, kind: str) -> Any:
    """One element times a constant."""
    if is_constant(element) or weight != 1.0:
        return one(scope, kind, np.multiply, _infix(exp.Mul), [element, weight], [kind, kind], {})
    return element


def total(scope: Scope, elements: list[Any], kind: str) -> Any:
    """The sum in the order of the elements, but what depends on one subject alone is one table."""
    parts: list[Any] = []
    places: dict[Any, int] = {}
    for element in elements:
        key = "constant" if is_constant(element) else getattr(element, "subject", None)
        if key is not None and key in places:
            parts[places[key]] = _sum(scope, parts[places[key]], element, kind)
            continue
        if key is not None:
            places[key] = len(parts)
        parts.append(element)
    return chain(scope, [part for part in parts if not is_constant(part) or part != 0.0], kind)


def chain(scope: Scope, elements: list[Any], kind: str) -> Any:
    """The sum strictly from left to right."""
    if not elements:
        return 0.0
    found = elements[0]
    for element in elements[1:]:
        found = _sum(scope, found, element, kind)
    return found


def quotient(this: exp.Expression, expression: exp.Expression) -> exp.Expression:
    """A division of doubles; sqlglot would add casts, because it cannot know that they are."""
    return exp.Div(this=this, expression=expression, typed=True, safe=False)


def _sum(scope: Scope, left: Any, right: Any, kind: str) -> Any:
    if kind != FLOAT:
        return one(scope, kind, np.add, _infix(exp.Add), [left, right], [kind, kind], {})
    if is_constant(left) and is_constant(right):
        return one(scope, kind, np.add, _infix(exp.Add), [left, right], [kind, kind], {})
    # float32 plus float32 is float32 in the engines that have it; a cast of every sum would say nothing more.
    tree = exp.Add(this=scope.sql(left, kind), expression=scope.sql(right, kind))
    return scope.define(tree, kind, nullable=nullable(left) or nullable(right))


def _infix(kind: Any) -> Any:
    return lambda a, b: kind(this=a, expression=b)


def _binary(scope: Scope, fold: Any, kind: Any, x: Value, y: Value) -> Value:
    return each(scope, x.type, fold, _infix(kind), x, y)


def _where_not(scope: Scope, neutral: float, apply: Any, fold: Any, kind: Any, x: Value, y: Value) -> Value:
    """The operator where its right side is not the number that changes nothing, as in an unscaled column."""
    left, right = np.broadcast_arrays(x.elements, y.elements)
    found = np.empty(left.shape, dtype=object)
    for place in np.ndindex(found.shape):
        if is_constant(right[place]) and right[place] == neutral:
            found[place] = left[place]
        else:
            pair = of([left[place]], x.type), of([right[place]], y.type)
            found[place] = apply(scope, fold, kind, *pair).elements[0, 0]
    return Value(found, x.type)


def _chosen(scope: Scope, fold: Any, compare: Any, inputs: list[Value]) -> Value:
    """The larger or smaller of two; NULL where one is."""
    found = inputs[0]
    for other in inputs[1:]:

        def build(a: exp.Expression, b: exp.Expression) -> exp.Expression:
            first: exp.Expression = compare(this=a, expression=b)
            either = exp.Or(this=first, expression=exp.Is(this=a.copy(), expression=exp.Null()))
            return exp.Case(ifs=[exp.If(this=either, true=a.copy())], default=b.copy())

        found = each(scope, found.type, fold, build, found, other)
    return found


def _sigmoid(x: Any) -> Any:
    grown = 1.0 / (1.0 + np.exp(-np.abs(x)))
    return np.where(x >= 0.0, grown, 1.0 - grown)
