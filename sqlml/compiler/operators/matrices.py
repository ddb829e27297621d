"""Rules for matrix products, and for operators that reduce an axis: sum, mean, maximum, arg max, softmax."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.lookup_keys import FirstLargest, Place
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators.arithmetic import add, divide, exponentials, multiply, product, quotient, total
from sqlml.compiler.scope import FIRST_LARGEST, Scope, each
from sqlml.compiler.values import DOUBLE, DTYPES, INT64, Term, Value, facts_of, is_constant, nullable, of, plain, table

# Not every engine accepts a function with more arguments.
_MOST_ARGUMENTS = 50
# Up to this many numbers, arg max compares them pairwise; more are compared with their maximum.
_MOST_COMPARED = 3


def matrix_product(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """MatMul of [1, n] and a constant [n, m]: https://onnx.ai/onnx/operators/onnx__MatMul.html

    A product with weight 0 is dropped, unless it may be NaN because the element may be missing or infinite.
    """
    x, weights = inputs
    if not weights.known or weights.elements.ndim != 2:
        raise NoRuleError("does not multiply by a constant matrix")
    if x.elements.ndim != 2 or x.elements.shape[0] != 1:
        raise NoRuleError("does not multiply a row")
    row, columns = x.elements[0], weights.constant.T
    sums = []
    for column in columns.tolist():
        terms = [
            product(scope, element, weight, x.type)
            for element, weight in zip(row, column, strict=True)
            if weight != 0.0 or scope.may_be_missing(element, x.type) or scope.may_be_infinite(element, x.type)
        ]
        sums.append(total(scope, terms, x.type))
    return [of(sums, x.type)]


def general_product(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Gemm, alpha × x × weights + beta × bias: https://onnx.ai/onnx/operators/onnx__Gemm.html"""
    x, weights, *bias = (value for value in inputs if value is not None)
    read = node.attributes
    if read.get("transA", 0):
        raise NoRuleError("transposes rows to columns")
    if read.get("transB", 0):
        weights = Value(weights.elements.T, weights.type)
    (found,) = matrix_product(node, [x, weights], scope)
    alpha, beta = (plain(np.array([[read.get(name, 1.0)]], dtype=DTYPES[x.type])) for name in ("alpha", "beta"))
    (found,) = multiply(node, [found, alpha], scope)
    if bias:
        (found,) = add(node, [found, *multiply(node, [bias[0], beta], scope)], scope)
    return [found]


def reduce_mean(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ReduceMean: https://onnx.ai/onnx/operators/onnx__ReduceMean.html"""
    (sums,) = reduce_sum(node, inputs, scope)
    count = inputs[0].elements.size // max(1, sums.elements.size)
    return divide(node, [sums, plain(np.array(float(count), dtype=DTYPES[sums.type]))], scope)


def reduce_sum(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ReduceSum: https://onnx.ai/onnx/operators/onnx__ReduceSum.html"""
    return [_reduced(scope, node, inputs, total)]


def reduce_max(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ReduceMax: https://onnx.ai/onnx/operators/onnx__ReduceMax.html

    Only for elements that are not NaN: ONNX Runtime's result for NaN depends on its index and on the number of rows.
    """
    x = inputs[0]
    if any(nullable(element) or facts_of(element, x.type).nan == facts.POSSIBLE for element in x.elements.flat):
        raise NoRuleError("compares numbers that may be missing")
    return [_reduced(scope, node, inputs, largest)]


def first_largest(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ArgMax along the columns: https://onnx.ai/onnx/operators/onnx__ArgMax.html"""
    (x,) = inputs
    if node.attributes.get("axis", 0) not in (1, -1) or x.elements.ndim != 2:
        raise NoRuleError("works along another axis than the columns")
    return [of([first_largest_of(scope, x)], INT64, (1, 1) if node.attributes.get("keepdims", 1) else (1,))]


def first_largest_of(scope: Scope, x: Value) -> Any:
    """Returns the index of the first maximum of [1, n], as a lookup; NaN is skipped, but 0 where the first is NaN.

    Constants are folded. An engine with arrays has a function for it. Other engines get a CASE over comparisons, after
    a missing first element became +∞ and any other missing one −∞.
    """
    row = list(x.elements[0])
    if x.known and x.elements.shape[0] == 1:
        return _first_largest(x.constant[0].tolist())
    if scope.engine.arrays:
        place = exp.Anonymous(this=FIRST_LARGEST, expressions=[scope.sql(element, x.type) for element in row])
        return table(Place(scope.define(place, INT64).number, tuple(range(len(row) - 1))), np.arange(len(row)))
    row = [_never_chosen(scope, element, x.type, -np.inf if place else np.inf) for place, element in enumerate(row)]
    numbers = tuple(scope.term(element, x.type).number for element in row)
    best = largest(scope, [Term(number, nullable(e)) for number, e in zip(numbers, row, strict=True)], x.type)
    subject = FirstLargest(
        numbers[0], tuple(range(len(row) - 1)), numbers, best.number if len(row) > _MOST_COMPARED else None
    )
    return table(subject, np.arange(len(row)))


def softmax(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Softmax, exp(x − max x) / Σ exp(x − max x): https://onnx.ai/onnx/operators/onnx__Softmax.html"""
    (x,) = inputs
    if node.attributes.get("axis", -1) not in (1, -1) or x.elements.ndim != 2:
        raise NoRuleError("works along another axis than the columns")
    best = of([largest(scope, list(x.elements[0]), x.type)], x.type)
    apart = each(scope, x.type, np.subtract, lambda a, b: exp.Sub(this=a, expression=b), x, best, knows=facts.subtract)
    powers = exponentials(scope, apart, never_large=True)
    whole = of([total(scope, list(powers.elements[0]), x.type)], x.type)
    known = facts.shared([facts_of(element, x.type) for element in x.elements[0]])
    return [each(scope, x.type, np.divide, quotient, powers, whole, facts=known)]


def largest(scope: Scope, elements: list[Any], kind: str) -> Any:
    """Returns the maximum of some elements as a tree of GREATEST or CASE; NULL where one of them is NULL."""
    if len(elements) == 1:
        return elements[0]
    if all(is_constant(element) for element in elements):
        return max(elements)
    function = scope.engine.greatest
    step = 2 if function is None or any(nullable(element) for element in elements) else _MOST_ARGUMENTS
    groups = [elements[start : start + step] for start in range(0, len(elements), step)]
    return largest(scope, [_largest(scope, group, kind) for group in groups], kind)


def _largest(scope: Scope, group: list[Any], kind: str) -> Any:
    if len(group) == 1:
        return group[0]
    anything = any(nullable(element) for element in group)
    if scope.engine.greatest and not anything:
        operands = [scope.sql(element, kind) for element in group]
        best = exp.Anonymous(this=scope.engine.greatest, expressions=operands)
        return scope.define(best, kind, facts=facts.larger(kind, *(facts_of(element, kind) for element in group)))
    left, right = (scope.term(element, kind) for element in group)
    condition: exp.Expression = exp.GTE(this=scope.sql(left, kind), expression=scope.sql(right, kind))
    if left.nullable:
        condition = exp.Or(this=condition, expression=exp.Is(this=scope.sql(left, kind), expression=exp.Null()))
    tree = exp.Case(ifs=[exp.If(this=condition, true=scope.sql(left, kind))], default=scope.sql(right, kind))
    known = facts.larger(kind, left.facts, right.facts)
    return scope.define(tree, kind, nullable=anything, facts=known)


def _reduced(scope: Scope, node: Node, inputs: list[Value], reduce: Any) -> Value:
    """Reduces one axis, not the rows, with a function of a list of elements."""
    x, *axes = inputs
    listed = axes[0].constant.ravel().tolist() if axes and axes[0] is not None else node.attributes.get("axes", ())
    if len(listed) != 1 or listed[0] % x.elements.ndim == 0:
        raise NoRuleError("adds rows, or along several axes")
    given = [axis % x.elements.ndim for axis in listed]
    (axis,) = given
    moved = np.moveaxis(x.elements, axis, -1)
    found = np.empty(moved.shape[:-1], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = reduce(scope, list(moved[place]), x.type)
    return Value(np.expand_dims(found, axis) if node.attributes.get("keepdims", 1) else found, x.type)


def _never_chosen(scope: Scope, element: Any, kind: str, instead: float) -> Any:
    """The element, or another number where it is missing."""
    if not scope.may_be_missing(element, kind):
        return element
    tree = exp.Coalesce(
        this=scope.sql(scope.numbered(element, kind), kind), expressions=[scope.literal(instead, DOUBLE)]
    )
    return scope.define(tree, kind, facts=replace(facts_of(element, kind), nan=facts.NEVER))


def _first_largest(row: list[float]) -> int:
    found = 0
    for place, number in enumerate(row):
        found = place if number > row[found] else found
    return found
