"""Emitters of scikit-learn's encoders of categories, and of its imputer: what depends on single values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import numpy_helper

from sqlml.export.graph import Graph
from sqlml.export.sklearn.blocks import Block, NoEmitterError, columns, joined
from sqlml.scoring.feature_values import NULL_TEXT


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
    for index, column in enumerate(columns(graph, blocks)):
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
    for index, column in enumerate(columns(graph, blocks)):
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
    for index, column in enumerate(columns(graph, blocks)):
        for output, mean in enumerate(means):
            codes = [float(code) for code in model.encodings_[index * len(means) + output]]
            values.append(_encoded(graph, column, model.categories_[index], codes, float(mean)))
    return Block(graph.concat(values), len(values))


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
