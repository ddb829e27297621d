"""Rows for an imported model's trial run: generated from a fixed seed, or the usable rows of the user's example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.scoring.scorer import required_values
from sqlml.signature import BOOLEAN, DATE, INTEGERS, TEXT, TIMESTAMP, Feature

COUNT = 16
# The most rows taken from an example.
MOST = 10_000
_SEED = 7
# Whole numbers may be indices into an embedding of unknown size: smaller and smaller ranges are tried.
_LARGEST = (9, 1, 0)
_DAYS = 20_000
_TEXTS = ("", "a", "b", "yes", "no")


def attempts(features: Sequence[Feature]) -> Iterator[pa.Table]:
    """Yields tables of the features' columns, with smaller and smaller integers."""
    for largest in _LARGEST:
        yield _table(features, largest)
        if not any(feature.type.lower() in INTEGERS for feature in features):
            return


def _table(features: Sequence[Feature], largest: int) -> pa.Table:
    random = np.random.default_rng(_SEED)
    columns = {feature.name: _column(feature, largest, random) for feature in features}
    return pa.table(columns)


def _column(feature: Feature, largest: int, random: np.random.Generator) -> pa.Array:
    if feature.kind == TEXT:
        return pa.array(random.choice(_TEXTS, COUNT).tolist(), pa.string())
    if feature.kind == BOOLEAN:
        return pa.array(random.integers(0, 2, COUNT) == 1)
    if feature.type.lower() in INTEGERS:
        return pa.array(random.integers(0, largest + 1, COUNT))
    if feature.kind in (DATE, TIMESTAMP):
        days = pa.array(random.integers(0, _DAYS, COUNT), pa.int32()).cast(pa.date32())
        return days if feature.kind == DATE else days.cast(pa.timestamp("us", tz="UTC"))
    # Standard normal, and three values of the size of amounts of money.
    numbers = random.normal(0.0, 1.0, COUNT)
    numbers[-3:] *= 100.0
    # Rounded to float32, so that float and double inputs get the same number.
    return pa.array(numbers.astype(np.float32).astype(np.float64))


def chosen(table: pa.Table, features: Sequence[Feature]) -> pa.Table:
    """The example's columns of the features, renamed to the features, without rows that have no prediction.

    Raises:
        SqlmlError: SQLML_COLUMN_NOT_FOUND; SQLML_TYPE_MISMATCH for a column that does not convert;
            SQLML_TOO_FEW_ROWS where no row is left.
    """
    lowered = {name.lower(): name for name in table.column_names}
    columns = {}
    present = np.ones(len(table), np.bool_)
    for feature in features:
        if feature.name.lower() not in lowered:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The example has no column {feature.name}.",
                hint=did_you_mean(feature.name, table.column_names),
            )
        column = table.column(lowered[feature.name.lower()])
        try:
            _, missing = required_values(feature, column)
        except pa.ArrowInvalid as error:
            raise SqlmlError(
                "SQLML_TYPE_MISMATCH",
                f"The example's column {feature.name} cannot be converted to {feature.type.upper()}: {error}",
            ) from error
        present &= ~missing | (not feature.required)
        columns[feature.name] = column
    if not present.any():
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The example has no row in which every feature has a value.")
    return pa.table(columns).filter(pa.array(present)).slice(0, MOST)
