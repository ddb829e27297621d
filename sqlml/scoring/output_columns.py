"""Computes several outputs of a model as Arrow columns in one run of its graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlml.binding.outputs import COMPONENT, MAPPED, PREDICTION, PROBABILITY, RANKED, Output
from sqlml.scoring.arrow import arrow_doubles, arrow_numbers, arrow_offsets
from sqlml.scoring.scorer import Scorer, labels_of, placed, probability_maps, typed_labels
from sqlml.signature import Signature

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_OF_PROBABILITIES = "probabilities"


def columns(
    scorer: Scorer,
    signature: Signature,
    inputs: Sequence[pa.Array],
    outputs: Sequence[Output],
    threshold: float | None,
) -> pa.StructArray:
    """Returns a struct with one field per output; each is NULL in a row that the graph cannot answer.

    Args:
        threshold: the second of two labels is predicted where its probability is above it; None leaves it to the graph.
    """
    import pyarrow as pa

    says = scorer.says
    by_threshold = threshold is not None
    needed = {says if output.kind in (PREDICTION, COMPONENT) else _OF_PROBABILITIES for output in outputs}
    if by_threshold:
        needed = {_OF_PROBABILITIES}
    found, indices = scorer.run(sorted(needed), inputs)
    fields = []
    for output in outputs:
        if output.kind == COMPONENT:
            column = arrow_doubles(found[says][:, output.index])
        elif output.kind == PREDICTION:
            column = _prediction(signature, says, found, threshold)
        else:
            column = _of_probabilities(signature, output, found[_OF_PROBABILITIES])
        fields.append(placed(column, indices))
    return pa.StructArray.from_arrays(fields, names=[output.name for output in outputs])


def _prediction(signature: Signature, says: str, found: dict[str, NDArray[Any]], threshold: float | None) -> pa.Array:

    if threshold is not None:
        second = found[_OF_PROBABILITIES][:, 1] > threshold
        return typed_labels(signature).take(arrow_numbers(second.astype("int64")))
    if says == "prediction":
        return arrow_doubles(found[says])
    return labels_of(signature, found)


def _of_probabilities(signature: Signature, output: Output, found: NDArray[Any]) -> pa.Array:
    """An output that is derived from the probabilities [rows, classes]."""

    if output.kind == MAPPED:
        return probability_maps(signature, found)
    if output.kind == RANKED:
        return _ranked(signature, found)
    if output.kind == PROBABILITY:
        return arrow_doubles(found[:, output.index])
    two = found.shape[1] == 2
    return arrow_doubles(found[:, 1] if two else found.max(axis=1, initial=0.0))


def _ranked(signature: Signature, found: NDArray[Any]) -> pa.ListArray:
    """Labels and probabilities, the most probable first; ties are in the order of the labels."""
    import numpy as np
    import pyarrow as pa

    rows, classes = found.shape
    order = np.argsort(-found, axis=1, kind="stable")
    labels = typed_labels(signature).take(arrow_numbers(order.ravel()))
    numbers = arrow_doubles(np.take_along_axis(found, order, axis=1).ravel())
    pairs = pa.StructArray.from_arrays([labels, numbers], names=["label", "prob"])
    return pa.ListArray.from_arrays(arrow_offsets(rows, classes), pairs)
