"""The sample rows of the fidelity check for scikit-learn, CatBoost, LightGBM and XGBoost: real ones and edge cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sqlml.estimators import hard_values
from sqlml.export.trees import LEAF, Tree
from sqlml.jobs.preparation import Preparation
from sqlml.signature import DATE, TEXT, TIMESTAMP, Feature

MOST_ROWS = 10_000
_MOST_THRESHOLDS = 20


def rows(
    table: pa.Table,
    features: Sequence[Feature],
    thresholds: Mapping[str, Sequence[float]],
    *,
    inside: bool = False,
    single: bool = False,
) -> pa.Table:
    """The features of a table, then one row for each edge-case value of each feature: NULL, NaN, infinity, unseen text,
    the ends of ranges and calendars, and a tree's own thresholds.

    Numbers and booleans become doubles, so that an edge case fits whatever the column's own type is.

    Args:
        table: at least one row.
        thresholds: feature → thresholds of tree splits, for features of kind NUMBER.
        single: True if a model computes in float32, so that numbers beyond its range are edge cases too.
        inside: True to keep numbers, dates and times within the ranges of the table.
    """
    real = pa.table(
        {feature.name: table.column(feature.name).cast(_arrow_type(feature), safe=False) for feature in features}
    ).combine_chunks()
    beyond = hard_values.BEYOND_FLOAT32 if single else ()
    hard = [
        _hard_values(feature, real.column(feature.name), (*beyond, *_near(thresholds.get(feature.name, ()))))
        for feature in features
    ]
    if inside:
        hard = [
            hard_values.inside(values, real.column(feature.name))
            for feature, values in zip(features, hard, strict=True)
        ]
    count = sum(len(values) for values in hard) + 1
    columns, start = [], 0
    for feature, values in zip(features, hard, strict=True):
        # Each edge-case row is the first real row with one value replaced. NULL is the first edge case, and the last
        # row is NULL in all columns.
        choices = pa.concat_arrays([real.column(feature.name).slice(0, 1).combine_chunks(), values])
        indices = np.zeros(count, dtype=np.int64)
        indices[start : start + len(values)] = np.arange(1, len(values) + 1)
        indices[-1] = 1
        columns.append(choices.take(pa.array(indices)))
        start += len(values)
    return pa.concat_tables([real, pa.table(columns, schema=real.schema)]).combine_chunks()


def thresholds(trees: Sequence[Tree], preparation: Preparation) -> dict[str, list[float]]:
    """Up to 20 split thresholds of each feature that trees see unchanged."""
    found: dict[str, list[float]] = {}
    for tree in trees:
        inner = tree.left != LEAF
        for index, threshold in zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True):
            column = preparation.numbers[index] if index < len(preparation.numbers) else None
            if column and not column.part and len(found.setdefault(column.feature, [])) < _MOST_THRESHOLDS:
                found[column.feature].append(threshold)
    return found


def _arrow_type(feature: Feature) -> pa.DataType:
    return {TEXT: pa.string(), DATE: pa.date32(), TIMESTAMP: pa.timestamp("us")}.get(feature.kind, pa.float64())


def _near(thresholds: Sequence[float]) -> list[float]:
    """Each threshold and the next double on either side."""
    return [side for value in thresholds for side in (value, np.nextafter(value, -np.inf), np.nextafter(value, np.inf))]


def _hard_values(feature: Feature, column: pa.ChunkedArray, others: Sequence[float]) -> pa.Array:
    hard = hard_values.of_kind(feature.kind, column.type)
    if hard is not None:
        return hard
    ends: dict[str, Any] = pa.compute.min_max(column).as_py()
    return pa.array([None, *hard_values.NUMBERS, ends["min"], ends["max"], *others], pa.float64())
