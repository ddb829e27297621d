"""Emitters of scikit-learn's dummies, whose prediction is the same for every row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs, trees
from sqlml.export.graph import Graph
from sqlml.export.sklearn.blocks import NoEmitterError
from sqlml.signature import Signature


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The shares of the labels in the training rows, or 1 for the most frequent one; the first largest wins.

    Raises:
        NoEmitterError: for a strategy that predicts at random.
    """
    if model.strategy in ("stratified", "uniform"):
        raise NoEmitterError(f"with strategy = {model.strategy!r} predicts at random")
    probabilities = _rows(graph, x, model.predict_proba(np.zeros((1, 1)))[0])
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The mean, the median, a quantile or a constant."""
    outputs.prediction(graph, _rows(graph, x, np.ravel(model.constant_)))


def _rows(graph: Graph, x: str, values: NDArray[np.float64]) -> str:
    """These values for each row of x: [rows, values]. Trees of one leaf have them whatever x is, also NaN."""
    leaves = [trees.constant(float(value), output) for output, value in enumerate(values)]
    return trees.emit(graph, x, leaves, len(leaves))
