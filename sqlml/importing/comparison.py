"""A graph against the model it was made of: both have answered the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from sqlml.estimators import REGRESSION
from sqlml.export import fidelity
from sqlml.importing.outputs import Reading
from sqlml.importing.request import NO_ACTIVATION, SIGMOID, SOFTMAX
from sqlml.jobs.job import Fidelity
from sqlml.scoring.scorer import Scorer, plain_labels


def compared(
    onnx: bytes, reading: Reading, rows: pa.Table, native: Mapping[str, NDArray[Any]], tolerance: float
) -> Fidelity:
    """Compares, where there is something to compare with.

    Args:
        native: the outputs of the native model by the graph's names, [rows, …] each; empty where there are none.

    Raises:
        SqlmlError: SQLML_FIDELITY with the worst row.
    """
    if not native:
        return Fidelity(0, 0.0, 0)
    positions, scores = _expected(reading, native)
    if reading.signature.task == REGRESSION or reading.scores is not None:
        return fidelity.check(onnx, reading.signature, rows, positions, scores, tolerance)
    # Nothing but labels to compare.
    labels = plain_labels(reading.signature)
    said = pa.array(Scorer(onnx, reading.signature).raw(rows.columns)["label"], labels.type)
    chosen = pa.compute.index_in(said, value_set=labels).to_numpy()
    return fidelity.compare(positions, scores, chosen, scores, rows, tolerance, reading.signature)


def _expected(
    reading: Reading, native: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """What the native outputs mean, worked out in numpy: positions of the labels, and scores or predictions."""
    answer = reading.scores or reading.label
    assert answer is not None
    raw = native[answer.name]
    flat = raw.reshape(len(raw), -1)
    if reading.signature.task == REGRESSION:
        return None, flat.astype(np.float64)
    said = None if reading.label is None else native[reading.label.name].ravel().tolist()
    positions = None if said is None else np.array([reading.known.index(value) for value in said], np.int64)
    if reading.scores is None:
        assert positions is not None
        return positions, np.eye(len(reading.known))[positions]
    scores = flat.astype(np.float64)
    before = scores
    if reading.single:
        before = np.hstack([-scores, scores]) if reading.activation else np.hstack([1.0 - scores, scores])
    if positions is None:
        positions = before.argmax(axis=1)
    return positions, _activated(before, reading)


def _activated(before: NDArray[np.float64], reading: Reading) -> NDArray[np.float64]:
    if reading.activation in (None, NO_ACTIVATION):
        return before
    if reading.activation == SIGMOID:
        with np.errstate(over="ignore"):
            return 1.0 / (1.0 + np.exp(-before))
    assert reading.activation == SOFTMAX
    powers = np.exp(before - before.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
