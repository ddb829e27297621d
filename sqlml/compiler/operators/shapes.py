"""Types and shapes; no arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto
from sqlglot import exp

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import Scope
from sqlml.compiler.subjects import Condition, Place
from sqlml.compiler.values import BOOL, DOUBLE, DTYPES, FLOAT, INT64, STRING, Rounded, Term, Value, folded, plain, table

_TYPES = {
    TensorProto.BOOL: BOOL,
    TensorProto.DOUBLE: DOUBLE,
    TensorProto.FLOAT: FLOAT,
    TensorProto.INT32: INT64,
    TensorProto.INT64: INT64,
    TensorProto.STRING: STRING,
}


def cast(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    return [converted(scope, x, _TYPES.get(node.attributes["to"], ""))]


def converted(scope: Scope, x: Value, kind: str) -> Value:
    """The same in another type."""
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        found[place] = _cast(scope, element, x.type, kind)
    return Value(found, kind)


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


def extract_features(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Some elements of the last axis; of a list, as one row."""
    data, places = inputs
    if data.elements.ndim == 1:
        (found,) = gather(node, [data, Value(places.elements.reshape(-1), places.type)], scope)
        return [Value(found.elements[np.newaxis], found.type)]
    if not places.known:
        raise NoRuleError("takes numbers of a row from places that depend on the row")
    return [Value(data.elements[..., places.constant.reshape(-1)], data.type)]


def flatten(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    (x,) = inputs
    if node.attributes.get("axis", 1) != 1:
        raise NoRuleError("joins rows")
    return [Value(x.elements.reshape(len(x.elements), -1), x.type)]


def reshape(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Another form of a row; what stands for the rows must say that it is as many as there are."""
    x, shape = inputs
    sizes = shape.constant.tolist()
    if x.known:
        return [Value(x.elements.reshape(sizes), x.type)]
    if not sizes or sizes[0] not in (-1, 0):
        raise NoRuleError("makes another number of rows")
    sizes = [x.elements.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    found = x.elements.reshape([1, *sizes[1:]])
    return [Value(found, x.type)]


def cut(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Slice, with constant bounds, along other axes than the rows."""
    x, starts, ends, *more = inputs
    first, last = starts.constant.tolist(), ends.constant.tolist()
    axes = more[0].constant.tolist() if more else list(range(len(first)))
    steps = more[1].constant.tolist() if len(more) > 1 else [1] * len(first)
    found = x.elements
    for axis, start, end, step in zip(axes, first, last, steps, strict=True):
        if axis % found.ndim == 0 or step < 1:
            raise NoRuleError("leaves out rows, or goes backwards")
        found = found[(slice(None),) * (axis % found.ndim) + (slice(start, end, step),)]
    return [Value(found, x.type)]


def squeeze(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, axes = inputs[0], _axes(node, inputs)
    return [Value(np.squeeze(x.elements, axis=axes), x.type)]


def unsqueeze(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    x, axes = inputs[0], _axes(node, inputs)
    return [Value(np.expand_dims(x.elements, axis=axes), x.type)]


def constant(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    return [plain(np.asarray(node.attributes["value"]))]


def _axes(node: Node, inputs: list[Value]) -> tuple[int, ...]:
    """An input, or in older graphs an attribute."""
    return tuple(inputs[1].constant.tolist() if len(inputs) > 1 else node.attributes["axes"])


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
    if (before, after) == (INT64, FLOAT):
        return Rounded(_as_double(scope, element))
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
