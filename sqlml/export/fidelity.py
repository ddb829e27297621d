"""The fidelity check: the library's predictions and the ONNX graph's are compared on the same rows, and a graph that
differs by more than the tolerance is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Fidelity
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.scoring.scorer import Scorer, plain_labels
from sqlml.signature import Signature

# Two classes whose scores differ by less than this, relative above 1, are tied; either may come first.
_TIE = 1e-9
_MOST_COLUMNS_SHOWN = 12


def check(
    onnx: bytes,
    signature: Signature,
    rows: pa.Table,
    positions: NDArray[np.int64] | None,
    scores: NDArray[np.float64],
    tolerance: float,
) -> Fidelity:
    """Scores the rows with the graph and compares with the library's scores.

    Args:
        rows: the features' columns, in the signature's order and under their names.
        positions: [rows] the label indices chosen by the library; None for a regression.
        scores: [rows, classes] probabilities or scores, or [rows] predictions, of the library.
        tolerance: the largest allowed difference, absolute below 1 and relative above.

    Raises:
        SqlmlError: SQLML_FIDELITY with the worst row.
    """
    answered = Scorer(onnx, signature).raw(rows.columns)
    if positions is None:
        return compare(None, scores, None, answered["prediction"], rows, tolerance, signature)
    labels = plain_labels(signature)
    chosen = pa.compute.index_in(pa.array(answered["label"], labels.type), value_set=labels)
    returned = answered["probabilities" if signature.probabilities else "scores"]
    return compare(positions, scores, chosen.to_numpy(), returned, rows, tolerance, signature)


def compare(
    expected_positions: NDArray[np.int64] | None,
    expected_scores: NDArray[np.float64],
    actual_positions: NDArray[np.int64] | None,
    actual_scores: NDArray[np.float64],
    rows: pa.Table,
    tolerance: float,
    signature: Signature,
) -> Fidelity:
    """The comparison alone; the arguments are those of `check`."""
    count = len(expected_scores)
    if count == 0:
        return Fidelity(0, 0.0, 0)
    expected, actual = expected_scores.reshape(count, -1), actual_scores.reshape(count, -1)
    if expected.shape != actual.shape:
        raise SqlmlError(
            "SQLML_FIDELITY",
            f"The ONNX graph returns {actual.shape[1]} numbers per row, and the library {expected.shape[1]}.",
        )
    differences = _differences(expected, actual)
    if differences.max() > tolerance:
        row, column = np.unravel_index(np.argmax(differences), differences.shape)
        score = "probability" if signature.probabilities else "score"
        what = f"the {score} of {signature.labels[column]!r}" if signature.labels else "the prediction"
        raise _refusal(
            f"{what} is {actual[row, column]:.9g} by ONNX and {expected[row, column]:.9g} by the library", rows, row
        )
    # Label mismatches are only tolerated between tied classes.
    mismatches = 0
    if expected_positions is not None and actual_positions is not None:
        wrong = np.flatnonzero(expected_positions != actual_positions)
        mismatches = len(wrong)
        for row in wrong:
            best, other = expected_positions[row], actual_positions[row]
            gap, size = expected[row, best] - expected[row, other], abs(expected[row, best])
            if not abs(gap) <= _TIE * max(1.0, size):
                raise _refusal(
                    f"the label is {signature.labels[other]!r} by ONNX and {signature.labels[best]!r} by the library",
                    rows,
                    row,
                )
    return Fidelity(count, float(differences.max()), mismatches)


def _differences(expected: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.float64]:
    """|a - b| / max(1, |a|); 0 if both are NaN or the same infinity, infinite if only one is."""
    with np.errstate(invalid="ignore"):
        differences = np.abs(expected - actual) / np.maximum(1.0, np.abs(expected))
    same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
    return np.where(same, 0.0, np.where(np.isnan(differences), np.inf, differences))


def _refusal(what: str, rows: pa.Table, row: Any) -> SqlmlError:
    one = rows.slice(int(row), 1)
    shown = ", ".join(f"{name} = {_literal(one.column(name))}" for name in rows.column_names[:_MOST_COLUMNS_SHOWN])
    more = ", …" if len(rows.column_names) > _MOST_COLUMNS_SHOWN else ""
    return SqlmlError(
        "SQLML_FIDELITY",
        f"The predictions of the ONNX graph differ from those of the library: {what}, where {shown}{more}.",
        hint="The model was not registered. Use another estimator, or allow a difference with OPTIONS (tolerance = …).",
    )


def _literal(column: pa.ChunkedArray) -> str:
    """A column's single value as text. Arrow converts it, because its calendar is wider than Python's."""
    text = column.cast(pa.string())[0].as_py()
    if text is None or text == NULL_TEXT:
        return "NULL"
    return text if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) else repr(text)
