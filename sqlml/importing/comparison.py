"""The fidelity check of an imported model: compares the adapted graph with the native model on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.estimators import REGRESSION
from sqlml.export import fidelity
from sqlml.importing.outputs import Reading
from sqlml.importing.request import NO_ACTIVATION, SIGMOID, SOFTMAX
from sqlml.jobs.job import Fidelity
from sqlml.scoring.scorer import Scorer, plain_labels


def compared(
    onnx: bytes, reading: Reading, rows: pa.Table, native: Mapping[str, NDArray[Any]], tolerance: float
) -> Fidelity:
    """Compares predictions; without a native model it returns a Fidelity of 0 rows.

    Args:
        native: the outputs of the native model by the graph's names, [rows, …] each; empty without a native model.

    Raises:
        SqlmlError: SQLML_FIDELITY with the worst row.
    """
    if not native:
        return Fidelity(0, 0.0, 0)
    positions, scores = _expected(reading, native)
    if reading.signature.task == REGRESSION or reading.scores is not None:
        return fidelity.check(onnx, reading.signature, rows, positions, scores, tolerance)
    # The model has no scores: labels are compared.
    labels = plain_labels(reading.signature)
    returned = pa.array(Scorer(onnx, reading.signature).raw(rows.columns)["label"], labels.type)
    chosen = pa.compute.index_in(returned, value_set=labels).to_numpy()
    return fidelity.compare(positions, scores, chosen, scores, rows, tolerance, reading.signature)


def _expected(
    reading: Reading, native: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """Interprets the native outputs in numpy: the label indices [rows], and the scores or predictions [rows, k]."""
    answer = reading.scores or reading.label
    assert answer is not None
    raw = native[answer.name]
    flat = raw.reshape(len(raw), -1)
    if reading.signature.task == REGRESSION:
        return None, flat.astype(np.float64)
    returned = None if reading.label is None else native[reading.label.name].ravel().tolist()
    positions = None if returned is None else np.array([_index(reading, value) for value in returned], np.int64)
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


def _index(reading: Reading, value: Any) -> int:
    """The index of a native label among the graph's labels."""
    if value not in reading.known:
        raise SqlmlError(
            "SQLML_FIDELITY",
            f"The model predicts {value!r}, which is not one of the graph's labels:"
            f" {', '.join(map(repr, reading.known[:12]))}.",
        )
    return reading.known.index(value)


def _activated(before: NDArray[np.float64], reading: Reading) -> NDArray[np.float64]:
    """Applies the sigmoid, 1 / (1 + e^-x), or the softmax, e^x / Σ e^x, that the adapter adds to the graph."""
    if reading.activation in (None, NO_ACTIVATION):
        return before
    if reading.activation == SIGMOID:
        with np.errstate(over="ignore"):
            return 1.0 / (1.0 + np.exp(-before))
    assert reading.activation == SOFTMAX
    powers = np.exp(before - before.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
