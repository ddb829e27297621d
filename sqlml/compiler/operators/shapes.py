"""Rules for operators that change types and shapes: casts, concatenation, gathering, reshaping. No arithmetic.

Most of them work on the numpy array of elements and write no SQL. They refuse whatever would touch the axis of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.lookup_keys import Condition, Place
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import WHOLE, Scope
from sqlml.compiler.values import (
    BOOL,
    DOUBLE,
    DTYPES,
    FLOAT,
    INT32,
    INT64,
    STRING,
    Rounded,
    Term,
    Value,
    facts_of,
    folded,
    nullable,
    plain,
    table,
)

_TYPES = {
    TensorProto.BOOL: BOOL,
    TensorProto.DOUBLE: DOUBLE,
    TensorProto.FLOAT: FLOAT,
    TensorProto.INT32: INT32,
    TensorProto.INT64: INT64,
    TensorProto.STRING: STRING,
}
# The types of the attributes in which Constant has its numbers.
_CONSTANTS = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
_INTEGERS = (INT32, INT64)
_NUMBERS = (DOUBLE, FLOAT, INT32, INT64)
# Integers up to here are exact doubles, so that one converted to float32 by way of double is rounded once.
_EXACT = 2.0**53


def cast(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Cast: https://onnx.ai/onnx/operators/onnx__Cast.html"""
    (x,) = inputs
    return [converted(scope, x, _TYPES.get(node.attributes["to"], ""))]


def converted(scope: Scope, x: Value, kind: str) -> Value:
    """Returns the tensor in another type."""
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        found[place] = _cast(scope, element, x.type, kind)
    return Value(found, kind)


def concatenate(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Concat: https://onnx.ai/onnx/operators/onnx__Concat.html"""
    axis = node.attributes["axis"] % inputs[0].elements.ndim
    if axis == 0 and not all(value.known for value in inputs):
        raise NoRuleError("stacks rows")
    joined = np.concatenate([value.elements for value in inputs], axis=axis)
    return [Value(joined, inputs[0].type)]


def gather(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Gather: https://onnx.ai/onnx/operators/onnx__Gather.html

    Either any elements at constant indices, or constant elements at an index that depends on the row.
    """
    data, places = inputs
    axis = node.attributes.get("axis", 0)
    if places.known:
        if axis % data.elements.ndim == 0 and not data.known:
            raise NoRuleError("selects rows")
        return [Value(np.take(data.elements, places.constant, axis=axis), data.type)]
    if not data.known or data.elements.ndim != 1 or not len(data.elements):
        raise NoRuleError("selects numbers of a row by indices that depend on the row")
    found = np.empty(places.elements.shape, dtype=object)
    for place, element in np.ndenumerate(places.elements):
        found[place] = folded(lambda index: data.constant[index], [_by_place(element, len(data.elements))], [INT64])
    return [Value(found, data.type)]


def _by_place(element: Any, count: int) -> Any:
    """A computed index as a lookup table over the valid indices; ONNX Runtime fails on others, so they are refused."""
    if not isinstance(element, Term):
        return element
    if element.facts.low < 0.0 or element.facts.high > count - 1:
        raise NoRuleError("selects numbers by indices that may not exist")
    return table(Place(element.number, tuple(range(count - 1))), np.arange(count))


def identity(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Identity: https://onnx.ai/onnx/operators/onnx__Identity.html"""
    return inputs[:1]


def extract_features(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """ArrayFeatureExtractor: https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html

    Selects elements of the last axis; the result of a vector is a matrix of one row.
    """
    data, places = inputs
    if data.elements.ndim == 1:
        (found,) = gather(node, [data, Value(places.elements.reshape(-1), places.type)], scope)
        return [Value(found.elements[np.newaxis], found.type)]
    if not places.known:
        raise NoRuleError("selects numbers of a row by indices that depend on the row")
    if np.any(places.constant < 0):
        raise NoRuleError("uses indices from the end")
    return [Value(data.elements[..., places.constant.reshape(-1)], data.type)]


def flatten(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Flatten, with the rows as its first axis: https://onnx.ai/onnx/operators/onnx__Flatten.html"""
    (x,) = inputs
    if node.attributes.get("axis", 1) != 1:
        raise NoRuleError("joins rows")
    return [Value(x.elements.reshape(len(x.elements), -1), x.type)]


def reshape(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Reshape: https://onnx.ai/onnx/operators/onnx__Reshape.html. The first axis has to stay the rows (0 or -1)."""
    x, shape = inputs
    # With allowzero, which has no rule, 0 would mean an empty axis; here it copies the length.
    sizes = [
        x.elements.shape[axis] if size == 0 and axis < x.elements.ndim else size
        for axis, size in enumerate(shape.constant.tolist())
    ]
    if x.known:
        return [Value(x.elements.reshape(sizes), x.type)]
    if not sizes or shape.constant.ravel()[0] not in (-1, 0):
        raise NoRuleError("changes the number of rows")
    found = x.elements.reshape([1, *sizes[1:]])
    return [Value(found, x.type)]


def cut(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Slice: https://onnx.ai/onnx/operators/onnx__Slice.html. Constant bounds, along other axes than the rows."""
    x, starts, ends, *more = inputs
    first, last = starts.constant.tolist(), ends.constant.tolist()
    axes, steps = (None if value is None else value.constant.tolist() for value in [*more, None, None][:2])
    axes, steps = axes or list(range(len(first))), steps or [1] * len(first)
    found = x.elements
    for axis, start, end, step in zip(axes, first, last, steps, strict=True):
        if axis % found.ndim == 0 or step < 1:
            raise NoRuleError("leaves out rows, or runs backwards")
        found = found[(slice(None),) * (axis % found.ndim) + (slice(start, end, step),)]
    return [Value(found, x.type)]


def squeeze(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Squeeze: https://onnx.ai/onnx/operators/onnx__Squeeze.html"""
    x, axes = inputs[0], _axes(node, inputs)
    if not x.known and any(axis % x.elements.ndim == 0 for axis in axes):
        raise NoRuleError("leaves out the rows")
    return [Value(np.squeeze(x.elements, axis=axes), x.type)]


def unsqueeze(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Unsqueeze: https://onnx.ai/onnx/operators/onnx__Unsqueeze.html"""
    x, axes = inputs[0], _axes(node, inputs)
    if not x.known and any(axis % (x.elements.ndim + len(axes)) == 0 for axis in axes):
        raise NoRuleError("adds an axis before the rows")
    return [Value(np.expand_dims(x.elements, axis=axes), x.type)]


def constant(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Constant: https://onnx.ai/onnx/operators/onnx__Constant.html"""
    ((name, value),) = node.attributes.items()
    return [plain(np.asarray(value, dtype=_CONSTANTS.get(name)))]


def _axes(node: Node, inputs: Sequence[Value | None]) -> tuple[int, ...]:
    """The axes: the second input, or in older graphs an attribute."""
    return tuple(
        inputs[1].constant.ravel().tolist() if len(inputs) > 1 and inputs[1] is not None else node.attributes["axes"]
    )


def _cast(scope: Scope, element: Any, before: str, after: str) -> Any:
    """Converts one element.

    Constants and tables are folded; a `Rounded` element is exact in DOUBLE. Integers are truncated or wrapped, an
    integer becomes a real through DOUBLE where that is exact, and a cast to FLOAT is left to the consumer (`Rounded`).
    """
    if before == after:
        return element
    if after not in _NUMBERS or before == STRING:
        raise NoRuleError(f"makes {after or 'another type'} of {before}")
    if not isinstance(element, (Term, Rounded)):
        return folded(lambda value: _as(value, after), [element], [before])
    if isinstance(element, Rounded):
        return _cut_off(scope, element, before, after) if after in _INTEGERS else element
    if before == BOOL:
        return table(Condition(element.number, (True,)), np.array([1, 0], dtype=DTYPES[after]))
    if after in _INTEGERS:
        return _cut_off(scope, element, before, after) if before not in _INTEGERS else _wrapped(scope, element, after)
    if before in _INTEGERS:
        if after == DOUBLE or max(-element.facts.low, element.facts.high) <= _EXACT:
            double = _as_double(scope, element)
            return double if after == DOUBLE else Rounded(double)
        real = scope.cast_real(scope.sql(element, before)) if scope.engine.real else _double(scope.sql(element, before))
        return scope.define(real, FLOAT, facts=facts.converted(FLOAT, element.facts))
    if after == FLOAT:
        return Rounded(element)
    return element if scope.engine.real is None else _as_double(scope, element)


def _as(values: Any, kind: str) -> Any:
    """Converts as ONNX Runtime does on x86: a number that an integer type cannot hold becomes its least value."""
    if kind not in _INTEGERS or values.dtype.kind != "f":
        return values.astype(DTYPES[kind])
    limits = np.iinfo(DTYPES[kind])
    fits = (values > float(limits.min) - 1.0) & (values < -float(limits.min))
    fits |= values == float(limits.min)
    return np.where(fits, values, limits.min).astype(DTYPES[kind])


def _wrapped(scope: Scope, element: Term, after: str) -> Any:
    """An integer wrapped to the width of another type. Equal facts mean that every value fits, so nothing wraps."""
    known = facts.converted(after, element.facts)
    if known == facts.converted(INT64, element.facts):
        return element
    if not scope.engine.arrays:
        raise NoRuleError("casts integers to 32 bits that may be larger")
    narrow = exp.cast(scope.sql(element, INT64), exp.DataType.Type.INT, copy=False)
    return scope.define(narrow, after, nullable=element.nullable, facts=known)


def _cut_off(scope: Scope, element: Term | Rounded, before: str, after: str) -> Term:
    """Truncation towards 0, which not all engines' casts do.

    NaN, and a number that the type cannot hold, become its least value: ONNX leaves that open, and x86 processors do
    it.
    """
    given = facts_of(element, before)
    known, least = facts.unknown(after), facts.unknown(after).low
    if not nullable(element) and given.nan == facts.NEVER:
        known = facts.made(after, np.trunc(given.low), np.trunc(given.high), facts.NEVER, facts.NEVER)
    if scope.engine.arrays:
        operands = [scope.sql(element, before), exp.Literal(this=str(64 if after == INT64 else 32), is_string=False)]
        return scope.define(exp.Anonymous(this=WHOLE, expressions=operands), after, facts=known)
    value = scope.sql(element, before)
    below = exp.LT(this=value.copy(), expression=scope.literal(0.0, before))
    up = exp.Neg(this=exp.Floor(this=exp.Neg(this=value.copy())))
    tree: exp.Expression = exp.Case(ifs=[exp.If(this=below, true=up)], default=exp.Floor(this=value.copy()))
    if scope.may_be_missing(element, before) or not (least <= given.low and given.high < -least):
        # It stays a DOUBLE that holds an integer. No comparison holds for NULL and NaN, which take ELSE.
        fits = exp.LT(this=exp.Abs(this=value.copy()), expression=scope.literal(-least, DOUBLE))
        tree = exp.Case(ifs=[exp.If(this=fits, true=tree)], default=scope.literal(least, DOUBLE))
    return scope.define(tree, after, facts=known)


def _as_double(scope: Scope, element: Term) -> Term:
    known = facts.converted(DOUBLE, element.facts)
    return scope.define(_double(scope.sql(element, FLOAT)), DOUBLE, nullable=element.nullable, facts=known)


def _double(tree: exp.Expression) -> exp.Expression:
    found: exp.Expression = exp.cast(tree, exp.DataType.Type.DOUBLE, copy=False)
    return found
