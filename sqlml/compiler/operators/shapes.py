"""Types and shapes; no arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto
from sqlglot import exp

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import Scope
from sqlml.compiler.subjects import Condition, Place
from sqlml.compiler.values import BOOL, DOUBLE, DTYPES, FLOAT, INT64, STRING, Rounded, Term, Value, folded, table

_TYPES = {
    TensorProto.BOOL: BOOL,
    TensorProto.DOUBLE: DOUBLE,
    TensorProto.FLOAT: FLOAT,
    TensorProto.INT64: INT64,
    TensorProto.STRING: STRING,
}


def cast(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    kind = _TYPES.get(node.attributes["to"], "")
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        found[place] = _cast(scope, element, x.type, kind)
    return [Value(found, kind)]


def concatenate(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    joined = np.concatenate([value.elements for value in inputs], axis=node.attributes["axis"])
    return [Value(joined, inputs[0].type)]


def gather(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Elements at known places; or at a place that depends on the row, of elements that do not."""
    data, places = inputs
    axis = node.attributes.get("axis", 0)
    if places.known:
        return [Value(np.take(data.elements, places.constant, axis=axis), data.type)]
    if not data.known or data.elements.ndim != 1 or not len(data.elements):
        raise NoRuleError("takes numbers of a row from places that depend on the row")
    found = np.empty(places.elements.shape, dtype=object)
    for place, element in np.ndenumerate(places.elements):
        found[place] = folded(lambda index: data.constant[index], [_by_place(element, len(data.elements))], [INT64])
    return [Value(found, data.type)]


def _by_place(element: Any, count: int) -> Any:
    """A place that is computed, as a table of the places that there are."""
    if not isinstance(element, Term):
        return element
    return table(Place(element.number, tuple(range(count - 1))), np.arange(count))


def identity(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return inputs[:1]


def squeeze(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, axes = inputs
    return [Value(np.squeeze(x.elements, axis=tuple(axes.constant.tolist())), x.type)]


def unsqueeze(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, axes = inputs
    return [Value(np.expand_dims(x.elements, axis=tuple(axes.constant.tolist())), x.type)]


def _cast(scope: Scope, element: Any, before: str, after: str) -> Any:
    if before == after:
        return element
    if not isinstance(element, (Term, Rounded)) and after in (DOUBLE, FLOAT, INT64) and before != STRING:
        return folded(lambda value: value.astype(DTYPES[after]), [element], [before])
    if before == BOOL and isinstance(element, Term):
        return table(Condition(element.number, (True,)), np.array([1, 0], dtype=DTYPES[after]))
    if (before, after) == (DOUBLE, FLOAT) and isinstance(element, Term):
        return Rounded(element)
    if (before, after) == (FLOAT, DOUBLE):
        return element if isinstance(element, Rounded) or scope.engine.real is None else _as_double(scope, element)
    if (before, after) == (DOUBLE, INT64) and isinstance(element, Term):
        return _truncated(scope, element)
    if (before, after) == (INT64, DOUBLE):
        return _as_double(scope, element)
    raise NoRuleError(f"makes {after or 'another type'} of {before}")


def _truncated(scope: Scope, element: Term) -> Term:
    """Cut towards 0, which engines' own casts do not all do; it stays a double."""
    value = scope.sql(element, DOUBLE)
    below = exp.LT(this=value.copy(), expression=scope.literal(0.0, DOUBLE))
    up = exp.Neg(this=exp.Floor(this=exp.Neg(this=value.copy())))
    tree = exp.Case(ifs=[exp.If(this=below, true=up)], default=exp.Floor(this=value))
    return scope.define(tree, INT64, nullable=element.nullable, finite=element.finite)


def _as_double(scope: Scope, element: Term) -> Term:
    return scope.define(
        exp.cast(scope.sql(element, FLOAT), exp.DataType.Type.DOUBLE, copy=False),
        DOUBLE,
        nullable=element.nullable,
        finite=element.finite,
    )
