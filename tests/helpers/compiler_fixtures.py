"""The graphs of `fixtures/compiler` as models, with hard rows for each."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.sql_engines import model_of, sections
from sqlml.compiler.operators.trees_as_case import boundary
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Signature

# Graphs whose sums of float32 no two programs add up in the same order.
FLOAT32 = ("classifiers", "imported")


def fixture(path: Path) -> tuple[SimpleNamespace, pa.Table]:
    """A model with `onnx` and `signature`, and hard rows for it."""
    parts = sections(path)
    model = SimpleNamespace(onnx=model_of(parts).SerializeToString(), signature=Signature.from_json(parts["signature"]))
    columns = {}
    for number, feature in enumerate(model.signature.features, start=1):
        values = _HARD[feature.kind]
        if feature.required:
            values = [value for value in values if value is not None and math.isfinite(value)]
        if path.stem in FLOAT32 and feature.kind == NUMBER:
            # Beyond it a square is infinite in float32, which not every engine has, and a sum is of its order.
            values = [value for value in values if value is None or not 1e18 < abs(value) < math.inf]
        # Every value beside several of the other columns.
        columns[feature.name] = [values[row * number % len(values)] for row in range(120)]
    kinds = {"date": pa.date32(), "timestamp": pa.timestamp("us")}
    arrays = {
        feature.name: pa.array(columns[feature.name], kinds.get(feature.kind)) for feature in model.signature.features
    }
    return model, pa.table(arrays)


def _around(*values: float) -> list[float]:
    """Numbers, and the doubles beside the boundaries that they have in float32."""
    ends = [boundary(value) for value in values]
    ends += [boundary(float(np.nextafter(np.float32(value), np.float32(-np.inf)))) for value in values]
    return [*values, *ends, *(math.nextafter(end, math.inf) for end in ends)]


_HARD: dict[str, list[Any]] = {
    NUMBER: [
        None,
        math.nan,
        math.inf,
        -math.inf,
        -0.0,
        1e-300,
        1e30,
        -1e30,
        *_around(0.0, 0.1, 0.3, 0.5, 2.0, 2.5, 5.0),
    ],
    TEXT: ["a", "b", "c", "basic", "O'Hara", "", "A", None, "NULL"],
    BOOLEAN: [True, False, None],
    DATE: [0, -1, 19_782, -719_162, 2_932_896, None],
    TIMESTAMP: [0, -1, 1_709_251_199_999_999, -62_135_596_800_000_000, 253_402_300_799_999_999, None],
}
