"""Rules for elementwise arithmetic: sums, products, powers, logarithms, activations.

A rule folds constants with numpy and builds a SQL expression for the rest. NULL stands for NaN, and engines whose
functions fail outside their domain get a CASE around them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import POWER, SIGMOID, Scope, aligned, compared, each, numbered, one
from sqlml.compiler.values import DTYPES, FLOAT, INT64, Term, Value, facts_of, is_constant, nullable, plain

# exp(x) of a double is infinite above the first and 0 below the second (the smallest double is about exp(-744.4)).
_LARGEST_EXPONENT, _SMALLEST_EXPONENT = 709.782712893384, -745.1332191019412
# For x from here on, 1 + exp(-x) is 1 in a double.
_SATURATED = 40.0


def absolute(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Abs: https://onnx.ai/onnx/operators/onnx__Abs.html

    Remembers the element as the term's `size`, from which a norm is built.
    """
    (x,) = inputs
    found = each(scope, x.type, np.abs, lambda a: exp.Abs(this=a), x, knows=facts.absolute)
    for place, element in np.ndenumerate(x.elements):
        size = found.elements[place]
        if isinstance(element, Term) and isinstance(size, Term):
            found.elements[place] = replace(size, size=element.number)
    return [found]


def add(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Add: https://onnx.ai/onnx/operators/onnx__Add.html"""
    return [_binary(scope, np.add, exp.Add, facts.add, *inputs)]


def subtract(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Sub: https://onnx.ai/onnx/operators/onnx__Sub.html"""
    x, y = inputs
    return [_where_not(scope, 0.0, np.subtract, exp.Sub, facts.subtract, x, y)]


def multiply(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Mul: https://onnx.ai/onnx/operators/onnx__Mul.html"""
    x, y = inputs
    return [_where_not(scope, 1.0, np.multiply, exp.Mul, facts.multiply, x, y)]


def divide(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Div: https://onnx.ai/onnx/operators/onnx__Div.html"""
    x, y = inputs
    return [_where_not(scope, 1.0, np.divide, quotient, facts.divide, x, y)]


def negate(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Neg: https://onnx.ai/onnx/operators/onnx__Neg.html"""
    (x,) = inputs
    return [each(scope, x.type, np.negative, lambda a: exp.Neg(this=a), x, knows=facts.negate)]


def sign(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Sign: https://onnx.ai/onnx/operators/onnx__Sign.html. No branch of the CASE holds for NaN, which becomes NULL."""
    (x,) = inputs

    def build(a: exp.Expression) -> exp.Expression:
        zero = scope.literal(0.0, x.type)
        ifs = [
            exp.If(this=kind(this=a.copy(), expression=zero.copy()), true=scope.literal(value, x.type))
            for kind, value in ((exp.GT, 1.0), (exp.LT, -1.0), (exp.EQ, 0.0))
        ]
        return exp.Case(ifs=ifs)

    return [each(scope, x.type, np.sign, build, numbered(scope, x), knows=facts.sign)]


def square_root(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Sqrt: https://onnx.ai/onnx/operators/onnx__Sqrt.html

    Engines fail on negative numbers, so a CASE guards the root where the value may be negative.
    """
    (x,) = inputs
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        fails = not scope.engine.arrays and facts_of(element, x.type).low < 0.0
        build, known = (_root_or_null, {"nullable": True}) if fails else (_root, {})
        root = partial(build, scope, x.type)
        found[place] = one(scope, x.type, np.sqrt, root, [element], [x.type], facts.square_root, **known)
    return [Value(found, x.type)]


def logarithm(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Log: https://onnx.ai/onnx/operators/onnx__Log.html. NULL below 0; -∞ at 0, where LN of some engines fails."""
    (x,) = inputs

    def build(a: exp.Expression) -> exp.Expression:
        zero = exp.EQ(this=a, expression=scope.literal(0.0, x.type))
        positive = exp.GT(this=a.copy(), expression=scope.literal(0.0, x.type))
        ifs = [
            exp.If(this=positive, true=exp.Ln(this=a.copy())),
            exp.If(this=zero, true=scope.literal(-np.inf, x.type)),
        ]
        return exp.Case(ifs=ifs)

    return [each(scope, x.type, np.log, build, compared(scope, x), knows=facts.logarithm, nullable=True)]


def sum_of_all(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Sum: https://onnx.ai/onnx/operators/onnx__Sum.html"""
    found = inputs[0]
    for other in inputs[1:]:
        (found,) = add(node, [found, other], scope)
    return [found]


def floor(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Floor: https://onnx.ai/onnx/operators/onnx__Floor.html"""
    (x,) = inputs
    return [each(scope, x.type, np.floor, lambda a: exp.Floor(this=a), x, knows=facts.floor)]


def power(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Pow: https://onnx.ai/onnx/operators/onnx__Pow.html. x^0 and 1^y are 1 even where the other operand is missing."""
    x, y = inputs
    if x.type != y.type:
        raise NoRuleError("has an exponent of another type")
    missing = any(scope.may_be_missing(element, x.type) for element in (*x.elements.flat, *y.elements.flat))
    if scope.engine.arrays:

        def own(a: exp.Expression, b: exp.Expression) -> exp.Expression:
            return exp.Anonymous(this=POWER, expressions=[a, b])

        known = facts.power_of_missing if missing else facts.power
        return [each(scope, x.type, np.power, own, x, y, knows=known, nullable=False)]
    if missing and not all(is_constant(power) and power not in (0.0, np.inf, -np.inf) for power in y.elements.flat):
        raise NoRuleError("takes numbers that may be missing")
    return [each(scope, x.type, np.power, _infix(exp.Pow), x, y, knows=facts.power)]


def exponential(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Exp: https://onnx.ai/onnx/operators/onnx__Exp.html"""
    (x,) = inputs
    return [exponentials(scope, x)]


def exponentials(scope: Scope, x: Value, *, never_large: bool = False) -> Value:
    """Returns exp(x), 0 or infinite outside the range of doubles, also in an engine whose EXP fails there."""
    if not scope.engine.careful:
        return each(scope, x.type, np.exp, lambda a: exp.Exp(this=a), x, knows=facts.exponential)

    def build(a: exp.Expression) -> exp.Expression:
        high, low = scope.literal(_LARGEST_EXPONENT, x.type), scope.literal(_SMALLEST_EXPONENT, x.type)
        too_large = exp.If(this=exp.GT(this=a, expression=high), true=scope.literal(np.inf, x.type))
        too_small = exp.If(this=exp.LT(this=a.copy(), expression=low), true=scope.literal(0.0, x.type))
        return exp.Case(ifs=[too_small] if never_large else [too_large, too_small], default=exp.Exp(this=a.copy()))

    return each(scope, x.type, np.exp, build, compared(scope, x), knows=facts.exponential)


def largest_of_pairs(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Max: https://onnx.ai/onnx/operators/onnx__Max.html"""
    return [_chosen(scope, np.maximum, exp.GTE, facts.larger, inputs)]


def smallest_of_pairs(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Min: https://onnx.ai/onnx/operators/onnx__Min.html"""
    return [_chosen(scope, np.minimum, exp.LTE, facts.smaller, inputs)]


def clip(node: Node, inputs: list[Any], scope: Scope) -> list[Value]:
    """Clip between two constants: https://onnx.ai/onnx/operators/onnx__Clip.html. NaN stays NaN.

    An absent limit is the type's largest finite number, as the specification has it.
    """
    x, limits = inputs[0], [*inputs[1:], None, None][:2]
    ends = [plain(np.array(end, dtype=DTYPES[x.type])) for end in _ends(x.type)]
    low, high = (end if given is None else given for given, end in zip(limits, ends, strict=True))
    if not (low.known and high.known and low.elements.size == high.elements.size == 1):
        raise NoRuleError("has limits that depend on the row")
    if not low.constant.item() <= high.constant.item():
        raise NoRuleError("has a lower limit above the upper one")
    low, high = (Value(value.elements.reshape(()), value.type) for value in (low, high))
    infinite = x.type != INT64 and any(facts_of(element, x.type).infinite != facts.NEVER for element in x.elements.flat)

    def build(a: exp.Expression, b: exp.Expression, c: exp.Expression) -> exp.Expression:
        below = exp.If(this=exp.LT(this=a, expression=b), true=b.copy())
        above = exp.If(this=exp.GT(this=a.copy(), expression=c), true=c.copy())
        ifs = [branch for branch, limit in ((below, limits[0]), (above, limits[1])) if infinite or limit is not None]
        return exp.Case(ifs=ifs, default=a.copy()) if ifs else a

    return [each(scope, x.type, np.clip, build, compared(scope, x), low, high, knows=facts.clip)]


def rectify(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Relu, max(0, x): https://onnx.ai/onnx/operators/onnx__Relu.html"""
    (x,) = inputs

    def build(a: exp.Expression) -> exp.Expression:
        negative = exp.LT(this=a, expression=scope.literal(0.0, x.type))
        return exp.Case(ifs=[exp.If(this=negative, true=scope.literal(0.0, x.type))], default=a.copy())

    return [each(scope, x.type, lambda a: np.where(a < 0.0, 0.0, a), build, x, knows=facts.rectify)]


def leaky_rectify(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """LeakyRelu, x or below 0 alpha·x: https://onnx.ai/onnx/operators/onnx__LeakyRelu.html"""
    (x,) = inputs
    alpha = plain(np.array(node.attributes.get("alpha", 0.01), dtype=DTYPES[x.type]))

    def build(a: exp.Expression, b: exp.Expression) -> exp.Expression:
        negative = exp.LT(this=a, expression=scope.literal(0.0, x.type))
        return exp.Case(ifs=[exp.If(this=negative, true=exp.Mul(this=a.copy(), expression=b))], default=a.copy())

    def knows(kind: str, a: facts.Facts, b: facts.Facts) -> facts.Facts:
        return facts.either(kind, a, facts.multiply(kind, a, b))

    return [each(scope, x.type, lambda a, b: np.where(a < 0.0, a * b, a), build, x, alpha, knows=knows)]


def sigmoid(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Sigmoid: https://onnx.ai/onnx/operators/onnx__Sigmoid.html

    As ONNX Runtime computes it, 1 / (1 + exp(-x)) for x ≥ 0 and 1 - 1 / (1 + exp(x)) below, so that no exponent is
    large.
    """
    (x,) = inputs
    if scope.engine.arrays:
        return [each(scope, x.type, _sigmoid, _sigmoid_call, x, knows=facts.sigmoid)]

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

    return [each(scope, x.type, _sigmoid, build, compared(scope, x), knows=facts.sigmoid)]


def hyperbolic_tangent(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Tanh, as 1 - 2 / (exp(2x) + 1): https://onnx.ai/onnx/operators/onnx__Tanh.html"""
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

    x = compared(scope, x)
    return [each(scope, x.type, np.tanh, build, x, knows=facts.hyperbolic_tangent)]


def product(scope: Scope, element: Any, weight: Any, kind: str) -> Any:
    """Returns one element times a constant."""
    if is_constant(element) or weight != 1.0:
        return one(scope, kind, np.multiply, _infix(exp.Mul), [element, weight], [kind, kind], facts.multiply)
    return element


def total(scope: Scope, elements: list[Any], kind: str) -> Any:
    """Returns the sum of the elements in their order, after those of one lookup subject are merged into one table."""
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
    """Returns the sum strictly from left to right."""
    if not elements:
        return 0.0
    found = elements[0]
    for element in elements[1:]:
        found = _sum(scope, found, element, kind)
    return found


def quotient(this: exp.Expression, expression: exp.Expression) -> exp.Expression:
    """A division of doubles; sqlglot would add casts, because it cannot know the operands' types."""
    return exp.Div(this=this, expression=expression, typed=True, safe=False)


def _sum(scope: Scope, left: Any, right: Any, kind: str) -> Any:
    if kind != FLOAT or (is_constant(left) and is_constant(right)):
        return one(scope, kind, np.add, _infix(exp.Add), [left, right], [kind, kind], facts.add)
    # float32 + float32 is float32 in the engines that have the type, so the sum needs no cast.
    tree = exp.Add(this=scope.sql(left, kind), expression=scope.sql(right, kind))
    known = facts.add(kind, facts_of(left, kind), facts_of(right, kind))
    return scope.define(tree, kind, nullable=nullable(left) or nullable(right), facts=known)


def _infix(kind: Any) -> Any:
    return lambda a, b: kind(this=a, expression=b)


def _binary(scope: Scope, fold: Any, kind: Any, knows: facts.Rule, x: Value, y: Value) -> Value:
    return each(scope, x.type, fold, _infix(kind), x, y, knows=knows)


def _where_not(scope: Scope, neutral: float, fold: Any, kind: Any, knows: facts.Rule, x: Value, y: Value) -> Value:
    """The operator, left out where its right operand is the neutral element (x - 0, x · 1, x / 1)."""
    aligned([x, y])
    left, right = np.broadcast_arrays(x.elements, y.elements)
    found = np.empty(left.shape, dtype=object)
    for place in np.ndindex(found.shape):
        if is_constant(right[place]) and right[place] == neutral:
            found[place] = left[place]
        else:
            pair = [left[place], right[place]]
            squared = knows is facts.multiply and isinstance(pair[0], Term) and pair[0] == pair[1]
            known = {"facts": facts.square(x.type, facts_of(pair[0], x.type))} if squared else {}
            found[place] = one(scope, x.type, fold, _infix(kind), pair, [x.type, y.type], knows, **known)
    return Value(found, x.type)


def _root(scope: Scope, kind: str, a: exp.Expression) -> exp.Expression:
    return exp.Sqrt(this=a)


def _root_or_null(scope: Scope, kind: str, a: exp.Expression) -> exp.Expression:
    has_root = exp.GTE(this=a, expression=scope.literal(0.0, kind))
    return exp.Case(ifs=[exp.If(this=has_root, true=exp.Sqrt(this=a.copy()))])


def _ends(kind: str) -> tuple[float, float]:
    limits: Any = np.iinfo(np.int64) if kind == INT64 else np.finfo(DTYPES[kind])
    return limits.min, limits.max


def _sigmoid_call(a: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=SIGMOID, expressions=[a])


def _chosen(scope: Scope, fold: Any, compare: Any, knows: facts.Rule, inputs: list[Value]) -> Value:
    """Max or Min of two operands at a time; NULL where either is NULL."""
    found, *others = (numbered(scope, value) for value in inputs)
    for other in others:

        def build(a: exp.Expression, b: exp.Expression) -> exp.Expression:
            first: exp.Expression = compare(this=a, expression=b)
            either = exp.Or(this=first, expression=exp.Is(this=a.copy(), expression=exp.Null()))
            return exp.Case(ifs=[exp.If(this=either, true=a.copy())], default=b.copy())

        found = each(scope, found.type, fold, build, found, other, knows=knows)
    return found


def _sigmoid(x: Any) -> Any:
    grown = 1.0 / (1.0 + np.exp(-np.abs(x)))
    return np.where(x >= 0.0, grown, 1.0 - grown)
