"""Sums of products, and what is made of all elements of an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators.arithmetic import add, divide, exponentials, multiply, product, quotient, total
from sqlml.compiler.scope import Scope, each
from sqlml.compiler.subjects import FirstLargest
from sqlml.compiler.values import DTYPES, INT64, Term, Value, is_constant, nullable, of, plain, table

# A function of more arguments is not taken by every engine.
_MOST_ARGUMENTS = 50
# So many numbers are compared each with each; more of them with the largest one.
_MOST_COMPARED = 3


def matrix_product(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """[1, n] times a constant [n, m]. A weight of 0 leaves the column out, unless that may be missing."""
    x, weights = inputs
    if not weights.known or x.elements.ndim != 2:
        raise NoRuleError("multiplies two matrices that depend on the row")
    row, columns = x.elements[0], weights.constant.T
    sums = []
    for column in columns.tolist():
        terms = [
            product(scope, element, weight, x.type)
            for element, weight in zip(row, column, strict=True)
            if weight != 0.0 or nullable(element)
        ]
        sums.append(total(scope, terms, x.type))
    return [of(sums, x.type)]


def general_product(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Gemm: alpha × x × weights + beta × bias."""
    x, weights, *bias = inputs
    read = node.attributes
    if read.get("transA", 0):
        raise NoRuleError("turns the rows into columns")
    if read.get("transB", 0):
        weights = Value(weights.elements.T, weights.type)
    (found,) = matrix_product(node, [x, weights], scope)
    alpha, beta = (plain(np.array([[read.get(name, 1.0)]], dtype=DTYPES[x.type])) for name in ("alpha", "beta"))
    (found,) = multiply(node, [found, alpha], scope)
    if bias:
        (found,) = add(node, [found, *multiply(node, [bias[0], beta], scope)], scope)
    return [found]


def reduce_mean(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (sums,) = reduce_sum(node, inputs, scope)
    count = inputs[0].elements.size // max(1, sums.elements.size)
    return divide(node, [sums, plain(np.array(float(count), dtype=DTYPES[sums.type]))], scope)


def reduce_sum(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return [_reduced(scope, node, inputs, total)]


def reduce_max(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return [_reduced(scope, node, inputs, largest)]


def first_largest(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ArgMax along the columns."""
    (x,) = inputs
    if node.attributes.get("axis", 0) not in (1, -1) or x.elements.ndim != 2:
        raise NoRuleError("goes along another axis than the columns")
    return [of([first_largest_of(scope, x)], INT64, (1, 1) if node.attributes.get("keepdims", 1) else (1,))]


def first_largest_of(scope: Scope, x: Value) -> Any:
    """The place of the first largest element of [1, n]."""
    row = list(x.elements[0])
    if x.known:
        return int(np.argmax(x.constant))
    numbers = tuple(scope.term(element, x.type).number for element in row)
    best = largest(scope, [Term(number, nullable(e)) for number, e in zip(numbers, row, strict=True)], x.type)
    subject = FirstLargest(
        numbers[0], tuple(range(len(row) - 1)), numbers, best.number if len(row) > _MOST_COMPARED else None
    )
    return table(subject, np.arange(len(row)))


def softmax(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """exp(x - largest x) over their sum."""
    (x,) = inputs
    if node.attributes.get("axis", -1) not in (1, -1) or x.elements.ndim != 2:
        raise NoRuleError("goes along another axis than the columns")
    best = of([largest(scope, list(x.elements[0]), x.type)], x.type)
    apart = each(scope, x.type, np.subtract, lambda a, b: exp.Sub(this=a, expression=b), x, best)
    powers = exponentials(scope, apart, never_large=True)
    whole = of([total(scope, list(powers.elements[0]), x.type)], x.type)
    return [each(scope, x.type, np.divide, quotient, powers, whole)]


def largest(scope: Scope, elements: list[Any], kind: str) -> Any:
    """The largest of some elements; NULL where one of them is."""
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
        return scope.define(exp.Anonymous(this=scope.engine.greatest, expressions=operands), kind)
    left, right = (scope.term(element, kind) for element in group)
    condition: exp.Expression = exp.GTE(this=scope.sql(left, kind), expression=scope.sql(right, kind))
    if left.nullable:
        condition = exp.Or(this=condition, expression=exp.Is(this=scope.sql(left, kind), expression=exp.Null()))
    tree = exp.Case(ifs=[exp.If(this=condition, true=scope.sql(left, kind))], default=scope.sql(right, kind))
    return scope.define(tree, kind, nullable=anything)


def _reduced(scope: Scope, node: Node, inputs: list[Value], reduce: Any) -> Value:
    x, *axes = inputs
    given = axes[0].constant.tolist() if axes else node.attributes.get("axes", ())
    if len(given) != 1 or given[0] % x.elements.ndim == 0:
        raise NoRuleError("adds up rows, or several axes")
    (axis,) = given
    moved = np.moveaxis(x.elements, axis, -1)
    found = np.empty(moved.shape[:-1], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = reduce(scope, list(moved[place]), x.type)
    return Value(np.expand_dims(found, axis) if node.attributes.get("keepdims", 1) else found, x.type)
