"""Emitters of scikit-learn's transformers in float64: scalers, imputers, encoders of categories, known functions.

Each takes the columns of its input as blocks and returns its output as one block. A missing text is NULL_TEXT, as
`sqlml.scoring.scorer` feeds it, and a missing number NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import numpy_helper

from sqlml.export import components
from sqlml.export.graph import Graph
from sqlml.scoring.feature_values import NULL_TEXT


@dataclass(frozen=True)
class Block:
    """Some columns of one type: a tensor [rows, width] of doubles or of strings.

    `missing` is what NULL_TEXT stands for in the library: NaN, or None where the model was fitted to that.
    """

    value: str
    width: int
    text: bool = False
    missing: Any = float("nan")


Emit = Callable[[Graph, Sequence[Block], Any], Block]


class NoEmitterError(Exception):
    """A use of a transformer that its emitter does not cover; the text completes "X …"."""


def standard_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """(x - mean) / scale."""
    x = _numbers(graph, blocks)
    value = x.value
    if model.mean_ is not None and model.with_mean:
        value = graph.op("Sub", value, graph.constant([model.mean_]))
    if model.scale_ is not None:
        value = graph.op("Div", value, graph.constant([model.scale_]))
    return Block(value, x.width)


def min_max_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """x · scale + min, with `clip` within the range."""
    x = _numbers(graph, blocks)
    value = graph.op("Mul", x.value, graph.constant([model.scale_]))
    value = graph.op("Add", value, graph.constant([model.min_]))
    if model.clip:
        low, high = model.feature_range
        value = graph.op("Clip", value, graph.constant(float(low)), graph.constant(float(high)))
    return Block(value, x.width)


def max_abs_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """x / scale, with `clip` within -1 to 1."""
    x = _numbers(graph, blocks)
    value = graph.op("Div", x.value, graph.constant([model.scale_]))
    if getattr(model, "clip", False):
        value = graph.op("Clip", value, graph.constant(-1.0), graph.constant(1.0))
    return Block(value, x.width)


def robust_scaler(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """(x - median) / range of quantiles."""
    x = _numbers(graph, blocks)
    value = x.value
    if model.with_centering:
        value = graph.op("Sub", value, graph.constant([model.center_]))
    if model.with_scaling:
        value = graph.op("Div", value, graph.constant([model.scale_]))
    return Block(value, x.width)


def normalizer(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """x / ‖x‖ by row; a norm of 0 counts as 1."""
    x = _numbers(graph, blocks)
    axis = graph.constant([1], np.int64)
    if model.norm == "l2":
        squares = graph.op("Mul", x.value, x.value)
        norm = graph.op("Sqrt", graph.op("ReduceSum", squares, axis, keepdims=1))
    else:
        kind = {"l1": "ReduceSum", "max": "ReduceMax"}[model.norm]
        norm = graph.op(kind, graph.op("Abs", x.value), axis, keepdims=1)
    nothing = graph.op("Equal", norm, graph.constant([[0.0]]))
    return Block(graph.op("Div", x.value, graph.op("Where", nothing, graph.constant([[1.0]]), norm)), x.width)


def simple_imputer(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """Where(missing, statistic, x); columns without a value are dropped, and flags of missing values appended."""
    x = joined(graph, blocks)
    missing = _is(graph, x, model.missing_values)
    statistics = np.asarray(model.statistics_, dtype=object)
    kept = [index for index, value in enumerate(statistics) if x.text or not _is_nan(value)]
    if x.text:
        fill = graph.constant([[NULL_TEXT if _is_missing(value) else value for value in statistics]], object)
    else:
        fill = graph.constant([statistics.astype(np.float64)])
    found = replace(x, value=graph.op("Where", missing, fill, x.value))
    if len(kept) < x.width:
        value = graph.op("Gather", found.value, graph.constant(kept, np.int64), axis=1)
        found = replace(found, value=value, width=len(kept))
    if not model.add_indicator:
        return found
    if x.text:
        raise NoEmitterError("flags missing texts")
    columns = [int(index) for index in model.indicator_.features_]
    flags = graph.cast(graph.op("Gather", missing, graph.constant(columns, np.int64), axis=1))
    return Block(graph.concat([found.value, flags]), found.width + len(columns))


def one_hot_encoder(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """Equal(index of the category, indices of the columns); infrequent categories share a column, `drop` leaves out
    one."""
    values, width = [], 0
    for index, column in enumerate(_columns(graph, blocks)):
        groups = _groups(model, index)
        unknown = -1.0
        if model.handle_unknown == "infrequent_if_exist" and (shared := _infrequent(model, index)) is not None:
            unknown = float(groups[shared])
        dropped = None if model.drop_idx_ is None else model._drop_idx_after_grouping[index]
        wanted = [group for group in range(int(max(groups)) + 1) if group != dropped]
        code = _encoded(graph, column, model.categories_[index], groups, unknown)
        values.append(graph.cast(graph.op("Equal", code, graph.constant([wanted]))))
        width += len(wanted)
    return Block(graph.concat(values), width)


def ordinal_encoder(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """The index of the category; `unknown_value` for another one, and `encoded_missing_value` for a missing one."""
    values = []
    for index, column in enumerate(_columns(graph, blocks)):
        categories = model.categories_[index]
        codes = [
            float(model.encoded_missing_value) if _is_missing(category) else group
            for category, group in zip(categories, _groups(model, index), strict=True)
        ]
        unknown = np.nan if model.unknown_value is None else float(model.unknown_value)
        if model.handle_unknown == "use_encoded_value" and (shared := _infrequent(model, index)) is not None:
            unknown = codes[shared]
        values.append(_encoded(graph, column, categories, codes, unknown))
    return Block(graph.concat(values), len(values))


def target_encoder(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """The mean of the target for the category, by class where there are more than two; an unknown one has the target's
    own mean."""
    means, values = np.atleast_1d(model.target_mean_), []
    for index, column in enumerate(_columns(graph, blocks)):
        for output, mean in enumerate(means):
            codes = [float(code) for code in model.encodings_[index * len(means) + output]]
            values.append(_encoded(graph, column, model.categories_[index], codes, float(mean)))
    return Block(graph.concat(values), len(values))


def bins(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """KBinsDiscretizer: the number of inner edges up to x, as it is or one-hot."""
    values, width = [], 0
    for column, edges in zip(_columns(graph, blocks), model.bin_edges_, strict=True):
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
    x = _numbers(graph, blocks)
    # A column of ones for the factors that a product lacks; x · 0 would be NaN for an infinite x.
    first = graph.op("Gather", x.value, graph.constant([0], np.int64), axis=1)
    ones = graph.op("Where", graph.op("Equal", first, first), graph.constant([[1.0]]), graph.constant([[1.0]]))
    with_one = graph.concat([ones, x.value])
    factors = [np.repeat(np.arange(x.width), powers) + 1 for powers in model.powers_.astype(int)]
    degree = max(1, *(len(one) for one in factors))
    indices = np.array([[*one, *[0] * (degree - len(one))] for one in factors], dtype=np.int64)
    value = graph.op("Gather", with_one, graph.constant(indices[:, 0], np.int64), axis=1)
    for column in range(1, degree):
        factor = graph.op("Gather", with_one, graph.constant(indices[:, column], np.int64), axis=1)
        value = graph.op("Mul", value, factor)
    return Block(value, len(factors))


def power_transformer(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """Box and Cox 1964: (xˡ - 1) / l; Yeo and Johnson 2000: the same of x + 1, and mirrored below 0. Then scaled."""
    x = _numbers(graph, blocks)
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
    x = _numbers(graph, blocks)
    return Block(FUNCTIONS[function](graph, x.value), x.width)


def principal(graph: Graph, blocks: Sequence[Block], model: Any) -> Block:
    """PCA: see `components.principal`."""
    x = _numbers(graph, blocks)
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
    "OneHotEncoder": one_hot_encoder,
    "OrdinalEncoder": ordinal_encoder,
    "PCA": principal,
    "PolynomialFeatures": polynomial,
    "PowerTransformer": power_transformer,
    "RobustScaler": robust_scaler,
    "SimpleImputer": simple_imputer,
    "StandardScaler": standard_scaler,
    "TargetEncoder": target_encoder,
}
"""The transformers that have an emitter, by the name of their class."""


# -- columns -----------------------------------------------------------------------------------------------------------


def joined(graph: Graph, blocks: Sequence[Block]) -> Block:
    """All columns as one block.

    Raises:
        NoEmitterError: for numbers beside texts, which numpy joins as objects.
    """
    if len({block.text for block in blocks}) > 1:
        raise NoEmitterError("joins numbers and texts")
    width = sum(block.width for block in blocks)
    return replace(blocks[0], value=graph.concat([block.value for block in blocks]), width=width)


def _numbers(graph: Graph, blocks: Sequence[Block]) -> Block:
    found = joined(graph, blocks)
    if found.text:
        raise NoEmitterError("computes with texts")
    return found


def _columns(graph: Graph, blocks: Sequence[Block]) -> list[Block]:
    """Each column as a block of its own."""
    found = []
    for block in blocks:
        if block.width == 1:
            found.append(block)
            continue
        for index in range(block.width):
            value = graph.op("Gather", block.value, graph.constant([index], np.int64), axis=1)
            found.append(replace(block, value=value, width=1))
    return found


# -- categories --------------------------------------------------------------------------------------------------------


def _groups(model: Any, index: int) -> list[float]:
    """For each category of a feature its code: its own index, or the one that infrequent categories share."""
    mappings = getattr(model, "_default_to_infrequent_mappings", None) if model._infrequent_enabled else None
    mapping = None if mappings is None else mappings[index]
    if mapping is None:
        return [float(code) for code in range(len(model.categories_[index]))]
    known = [float(code) for code in mapping]
    # A missing category is not in the mapping of an OrdinalEncoder.
    return known + [np.nan] * (len(model.categories_[index]) - len(known))


def _infrequent(model: Any, index: int) -> int | None:
    """The index of one of a feature's infrequent categories, None without any."""
    indices = getattr(model, "_infrequent_indices", None) if model._infrequent_enabled else None
    found = None if indices is None else indices[index]
    return None if found is None or not len(found) else int(found[0])


def _encoded(graph: Graph, column: Block, categories: Sequence[Any], codes: Sequence[float], unknown: float) -> str:
    """A category as its code, [rows, 1] in double: LabelEncoder of texts, Equal of numbers."""
    if column.text:
        pairs = [pair for pair in zip(categories, codes, strict=True) if _is_reachable(column, pair[0])]
        keys = [NULL_TEXT if _is_missing(category) else category for category, _ in pairs]
        codes = [code for _, code in pairs]
        if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
            raise NoEmitterError("has categories of several types in one column")
        return graph.ml(
            "LabelEncoder",
            column.value,
            keys_strings=keys,
            values_tensor=numpy_helper.from_array(np.array(codes, dtype=np.float64)),
            default_tensor=numpy_helper.from_array(np.array([unknown], dtype=np.float64)),
        )
    code = graph.constant([[unknown]])
    for category, group in zip(categories, codes, strict=True):
        code = graph.op("Where", _is(graph, column, category), graph.constant([[group]]), code)
    return code


def _is(graph: Graph, x: Block, value: Any) -> str:
    """Whether each element equals a value, which may stand for a missing one."""
    if x.text:
        wanted = NULL_TEXT if _is_missing(value) else str(value)
        if not _is_reachable(x, value):
            wanted = f"{NULL_TEXT} of another kind"  # no column has it
        return graph.op("Equal", x.value, graph.constant([[wanted]], object))
    return graph.op("IsNaN", x.value) if _is_missing(value) else graph.op("Equal", x.value, graph.constant([[value]]))


def _is_reachable(block: Block, value: Any) -> bool:
    """Whether a column can have a value: of None and NaN it has the one that its missing values are."""
    return not _is_missing(value) or _is_nan(value) == _is_nan(block.missing)


def _is_missing(value: Any) -> bool:
    return value is None or _is_nan(value) or type(value).__name__ == "NAType"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))
