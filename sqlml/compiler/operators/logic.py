"""Rules for comparisons, boolean operators and Where. NULL stands for NaN, with which no comparison holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.lookup_keys import Condition, is_null, not_null
from sqlml.compiler.node import Node
from sqlml.compiler.scope import FINITE, Scope, aligned, compared, each, numbered
from sqlml.compiler.values import (
    BOOL,
    DOUBLE,
    DTYPES,
    STRING,
    Rounded,
    Term,
    Value,
    facts_of,
    folded,
    is_constant,
    nullable,
    table,
)


def less(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Less: https://onnx.ai/onnx/operators/onnx__Less.html

    `|x| < ∞`, the exporters' test for a finite number, has a form of its own, because not every engine has an infinity.
    """
    x, y = inputs
    found = _but_beyond(_compared(scope, np.less, exp.LT, x, y), y, -np.inf)
    sizes, limits = np.broadcast_arrays(x.elements, y.elements)
    for place, size in np.ndenumerate(sizes):
        limit = limits[place]
        if isinstance(size, Term) and size.size is not None and is_constant(limit) and limit == np.inf:
            found.elements[place] = scope.define(_is_number(scope, size), BOOL, nullable=True, present=size.size)
    return [found]


def less_or_equal(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """LessOrEqual: https://onnx.ai/onnx/operators/onnx__LessOrEqual.html"""
    return [_compared(scope, np.less_equal, exp.LTE, *inputs)]


def greater(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Greater: https://onnx.ai/onnx/operators/onnx__Greater.html"""
    return [_but_beyond(_compared(scope, np.greater, exp.GT, *inputs), inputs[1], np.inf)]


def greater_or_equal(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """GreaterOrEqual: https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html"""
    return [_compared(scope, np.greater_equal, exp.GTE, *inputs)]


def equal(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Equal: https://onnx.ai/onnx/operators/onnx__Equal.html"""
    return [_compared(scope, np.equal, exp.EQ, *inputs)]


def both(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """And: https://onnx.ai/onnx/operators/onnx__And.html"""
    return [each(scope, BOOL, np.logical_and, lambda a, b: exp.And(this=a, expression=b), *inputs)]


def either(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Or: https://onnx.ai/onnx/operators/onnx__Or.html"""
    return [each(scope, BOOL, np.logical_or, lambda a, b: exp.Or(this=a, expression=b), *inputs)]


def negation(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Not: https://onnx.ai/onnx/operators/onnx__Not.html

    Also true where the condition is NULL, because a comparison with a missing value is false in the graph.
    """
    (x,) = inputs
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        if isinstance(element, Term):
            found[place] = table(Condition(element.number, (True,)), np.array([False, True]))
        else:
            found[place] = folded(np.logical_not, [element], [BOOL])
    return [Value(found, BOOL)]


def is_missing(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """IsNaN: https://onnx.ai/onnx/operators/onnx__IsNaN.html"""
    (x,) = inputs
    return [each(scope, BOOL, np.isnan, is_null, numbered(scope, x), nullable=False)]


def where(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Where: https://onnx.ai/onnx/operators/onnx__Where.html"""
    condition, yes, no = inputs
    aligned(inputs)
    arrays = np.broadcast_arrays(condition.elements, yes.elements, no.elements)
    found = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = _chosen(scope, arrays[0][place], arrays[1][place], arrays[2][place], yes.type)
    return [Value(found, yes.type)]


def _compared(scope: Scope, fold: Any, kind: Any, x: Value, y: Value) -> Value:
    x, y = compared(scope, x), compared(scope, y)
    return each(scope, BOOL, fold, lambda a, b: kind(this=a, expression=b), x, y)


def _but_beyond(found: Value, limits: Value, end: float) -> Value:
    """Folds comparisons `< -∞` and `> ∞` to false, because not every engine has an infinity."""
    for place, limit in np.ndenumerate(np.broadcast_to(limits.elements, found.elements.shape)):
        if is_constant(limit) and limit == end:
            found.elements[place] = False
    return found


def _is_number(scope: Scope, size: Term) -> exp.Expression:
    """The condition that the number whose absolute value this is is finite."""
    assert size.size is not None
    column = scope.sql(Term(size.size), DOUBLE)
    return not_null(column) if size.finite else scope.is_number(column)


def _chosen(scope: Scope, condition: Any, yes: Any, no: Any, kind: str) -> Any:
    """One element of Where: folded if everything is constant or a table of one subject, else a CASE.

    `CASE WHEN x is a number THEN x ELSE y` is recognized as imputation.
    """
    if is_constant(condition):
        return yes if condition else no
    if isinstance(condition, Term) and is_constant(yes) and is_constant(no):
        return table(Condition(condition.number, (True,)), np.array([yes, no], dtype=DTYPES[kind]))
    subjects = {one.subject for one in (condition, yes, no) if hasattr(one, "subject")}
    if len(subjects) == 1 and not any(isinstance(one, (Term, Rounded)) for one in (condition, yes, no)):
        return folded(np.where, [condition, yes, no], [BOOL, kind, kind])
    if isinstance(condition, Term) and isinstance(yes, Term) and condition.present == yes.number:
        return _imputed(scope, condition, yes, no, kind)
    tree = exp.Case(
        ifs=[exp.If(this=scope.sql(condition, BOOL), true=scope.sql(yes, kind))], default=scope.sql(no, kind)
    )
    known = facts.either(kind, facts_of(yes, kind), facts_of(no, kind)) if kind != STRING else facts.unknown(kind)
    return scope.define(tree, kind, nullable=nullable(yes) or nullable(no), facts=known)


def _imputed(scope: Scope, present: Term, x: Term, instead: Any, kind: str) -> Any:
    """x where it is a finite number, else the replacement: COALESCE where x cannot be infinite or NaN."""
    missing = is_constant(instead) and instead != instead
    if x.finite:
        if missing:
            return x
        tree: exp.Expression = exp.Coalesce(this=scope.sql(x, kind), expressions=[scope.sql(instead, kind)])
    elif scope.engine.arrays and kind == DOUBLE and not missing:
        tree = exp.Anonymous(this=FINITE, expressions=[scope.sql(x, kind), scope.sql(instead, kind)])
    else:
        tree = exp.Case(ifs=[exp.If(this=scope.sql(present, BOOL), true=scope.sql(x, kind))])
        if not missing:
            tree.set("default", scope.sql(instead, kind))
    known = facts.imputed(kind, x.facts, facts_of(instead, kind))
    return scope.define(tree, kind, nullable=nullable(instead), facts=known)
