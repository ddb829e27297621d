"""Emitters of scikit-learn's transformers in float64: scalers, bins, polynomials, known functions; and their table.

Each takes the columns of its input as blocks and returns its output as one block. A missing text is NULL_TEXT, as
`sqlml.scoring.scorer` feeds it, and a missing number NaN. The encoders of categories are in `encoders`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sqlml.export import components
from sqlml.export.graph import Graph
from sqlml.export.products import products
from sqlml.export.sklearn import encoders
from sqlml.export.sklearn.blocks import Block, Emit, NoEmitterError, columns, joined, numbers


def standard_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """(x - mean) / scale."""
    x = numbers(graph, blocks)
    value = x.value
    if model.mean_ is not None and model.with_mean:
        value = graph.op("Sub", value, graph.constant([model.mean_]))
    if model.scale_ is not None:
        value = graph.op("Div", value, graph.constant([model.scale_]))
    return Block(value, x.width)


def min_max_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """x · scale + min, with `clip` within the range."""
    x = numbers(graph, blocks)
    value = graph.op("Mul", x.value, graph.constant([model.scale_]))
    value = graph.op("Add", value, graph.constant([model.min_]))
    if model.clip:
        low, high = model.feature_range
        value = graph.op("Clip", value, graph.constant(float(low)), graph.constant(float(high)))
    return Block(value, x.width)


def max_abs_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """x / scale, with `clip` within -1 to 1."""
    x = numbers(graph, blocks)
    value = graph.op("Div", x.value, graph.constant([model.scale_]))
    if getattr(model, "clip", False):
        value = graph.op("Clip", value, graph.constant(-1.0), graph.constant(1.0))
    return Block(value, x.width)


def robust_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """(x - median) / range of quantiles."""
    x = numbers(graph, blocks)
    value = x.value
    if model.with_centering:
        value = graph.op("Sub", value, graph.constant([model.center_]))
    if model.with_scaling:
        value = graph.op("Div", value, graph.constant([model.scale_]))
    return Block(value, x.width)


def normalizer(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """x / ‖x‖ by row; a norm of 0 counts as 1."""
    x = numbers(graph, blocks)
    axis = graph.constant([1], np.int64)
    if model.norm == "l2":
        squares = graph.op("Mul", x.value, x.value)
        norm = graph.op("Sqrt", graph.op("ReduceSum", squares, axis, keepdims=1))
    else:
        kind = {"l1": "ReduceSum", "max": "ReduceMax"}[model.norm]
        norm = graph.op(kind, graph.op("Abs", x.value), axis, keepdims=1)
    nothing = graph.op("Equal", norm, graph.constant([[0.0]]))
    return Block(graph.op("Div", x.value, graph.op("Where", nothing, graph.constant([[1.0]]), norm)), x.width)


def bins(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """KBinsDiscretizer: the number of inner edges up to x, as it is or one-hot."""
    values, width = [], 0
    for column, edges in zip(columns(graph, blocks), model.bin_edges_, strict=True):
        if column.text:
            raise NoEmitterError("computes with texts")
        above = graph.cast(graph.op("GreaterOrEqual", column.value, graph.constant([edges[1:-1]])))
        code = graph.op("ReduceSum", above, graph.constant([1], np.int64), keepdims=1)
        if model.encode == "ordinal":
            values.append(code)
            width += 1
            continue
        # A column of few different values may have a single bin, which is 1 in every row.
        values.append(graph.cast(graph.op("Equal", code, graph.constant([np.arange(len(edges) - 1)]))))
        width += len(edges) - 1
    return Block(graph.concat(values), width)


def polynomial(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """PolynomialFeatures: products of columns, multiplied from left to right."""
    x = numbers(graph, blocks)
    factors = [np.repeat(np.arange(x.width), powers).tolist() for powers in model.powers_.astype(int)]
    return Block(products(graph, x.value, factors), len(factors))


def power_transformer(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """Box and Cox 1964: (xˡ - 1) / l; Yeo and Johnson 2000: the same of x + 1, and mirrored below 0. Then scaled."""
    x = numbers(graph, blocks)
    lambdas = np.asarray(model.lambdas_, dtype=np.float64)
    if model.method == "box-cox":
        value = _box_cox(graph, x.value, lambdas)
    else:
        positive = graph.op("GreaterOrEqual", x.value, graph.constant([[0.0]]))
        zero, one = graph.constant([[0.0]]), graph.constant([[1.0]])
        above = graph.op("Add", graph.op("Where", positive, x.value, zero), one)
        below = graph.op("Sub", one, graph.op("Where", positive, zero, x.value))
        mirrored = graph.op("Neg", _box_cox(graph, below, 2.0 - lambdas))
        value = graph.op("Where", positive, _box_cox(graph, above, lambdas), mirrored)
    return (
        standard_scaler(graph, [Block(value, x.width)], model._scaler) if model.standardize else Block(value, x.width)
    )


def _box_cox(graph: Graph, x: str, lambdas: Any) -> str:
    """(xˡ - 1) / l, and the logarithm where l is 0."""
    logarithms = np.abs(lambdas) < np.finfo(np.float64).eps
    safe = np.where(logarithms, 1.0, lambdas)
    powers = graph.op("Sub", graph.op("Pow", x, graph.constant([safe])), graph.constant([[1.0]]))
    powers = graph.op("Div", powers, graph.constant([safe]))
    if not logarithms.any():
        return powers
    return graph.op("Where", graph.constant([logarithms], np.bool_), graph.op("Log", x), powers)


def function_transformer(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """A function of numpy that is an operator of ONNX, see FUNCTIONS."""
    function = model.func
    if function is None:
        return joined(graph, blocks)
    if model.kw_args or function not in FUNCTIONS:
        name = getattr(function, "__name__", type(function).__name__)
        known = ", ".join(sorted(f"numpy.{one.__name__}" for one in FUNCTIONS))
        raise NoEmitterError(f"calls {name}, and only these functions have operators: {known}")
    x = numbers(graph, blocks)
    return Block(FUNCTIONS[function](graph, x.value), x.width)


def principal(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """PCA: see `components.principal`."""
    x = numbers(graph, blocks)
    return Block(components.principal_of(graph, x.value, model), len(model.components_))


def _log1p(graph: Graph, x: str) -> str:
    return graph.op("Log", graph.op("Add", x, graph.constant([[1.0]])))


def _expm1(graph: Graph, x: str) -> str:
    return graph.op("Sub", graph.op("Exp", x), graph.constant([[1.0]]))


FUNCTIONS: dict[Any, Callable[[Graph, str], str]] = {
    np.abs: lambda graph, x: graph.op("Abs", x),
    np.exp: lambda graph, x: graph.op("Exp", x),
    np.expm1: _expm1,
    np.log: lambda graph, x: graph.op("Log", x),
    np.log1p: _log1p,
    np.sqrt: lambda graph, x: graph.op("Sqrt", x),
    np.square: lambda graph, x: graph.op("Mul", x, x),
}
"""The functions that a FunctionTransformer may call, and the nodes that compute them."""

TRANSFORMERS: dict[str, Emit] = {
    "FunctionTransformer": function_transformer,
    "KBinsDiscretizer": bins,
    "MaxAbsScaler": max_abs_scaler,
    "MinMaxScaler": min_max_scaler,
    "Normalizer": normalizer,
    "OneHotEncoder": encoders.one_hot_encoder,
    "OrdinalEncoder": encoders.ordinal_encoder,
    "PCA": principal,
    "PolynomialFeatures": polynomial,
    "PowerTransformer": power_transformer,
    "RobustScaler": robust_scaler,
    "SimpleImputer": encoders.simple_imputer,
    "StandardScaler": standard_scaler,
    "TargetEncoder": encoders.target_encoder,
}
"""The transformers that have an emitter, by the name of their class."""
