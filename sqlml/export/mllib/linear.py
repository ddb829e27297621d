"""Emitters of MLlib's linear models: x·β + b, then each model's link or decision rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.graph import Graph
from sqlml.export.mllib import decisions
from sqlml.signature import Signature


def margins(graph: Graph, x: str, coefficients: Any, intercepts: Any) -> str:
    """x · coefficientsᵀ + intercepts: [rows, F] → [rows, K]."""
    weights = np.atleast_2d(np.asarray(coefficients, dtype=np.float64)).T
    product = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(weights)))
    return graph.op("Add", product, graph.constant(np.atleast_1d(np.asarray(intercepts, dtype=np.float64))))


def regression(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """x·β + b."""
    outputs.prediction(graph, margins(graph, x, model.coefficients.toArray(), model.intercept))


def survival(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """The accelerated failure time model: exp(x·β + b), the scale of a Weibull distribution."""
    margin = margins(graph, x, model.coefficients.toArray(), model.intercept)
    outputs.prediction(graph, graph.op("Exp", margin))


def logistic_regression(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Sigmoid or softmax of the margins. A binary model predicts class 1 if the margin exceeds the threshold's
    logit."""
    found = margins(graph, x, model.coefficientMatrix.toArray(), model.interceptVector.toArray())
    if model.coefficientMatrix.numRows > 1:
        return decisions.softmax(graph, model, signature, found)
    least = graph.constant([[decisions.margin_of(_threshold(model))]])
    position = outputs.binary_class_index(graph, graph.op("Greater", found, least))
    return outputs.classes(graph, signature, decisions.logistic(graph, found), position)


def _threshold(model: Any) -> float:
    """The threshold for class 1. PySpark's `getThreshold` divides by the second threshold, which may be 0."""
    if model.isSet("thresholds") and model.getThresholds()[1] == 0.0:
        return 0.0
    return float(model.getThreshold())


def support_vector_classifier(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """LinearSVC: class 1 if the margin exceeds the threshold; the scores are ∓margin."""
    margin = margins(graph, x, model.coefficients.toArray(), model.intercept)
    second = graph.op("Greater", margin, graph.constant([[float(model.getThreshold())]]))
    outputs.classes(graph, signature, outputs.opposite(graph, margin), outputs.binary_class_index(graph, second))


def one_against_the_rest(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """One-vs-rest of logistic models: the first class with the largest margin."""
    coefficients = np.array([one.coefficientMatrix.toArray()[-1] for one in model.models])
    found = margins(graph, x, coefficients, [one.interceptVector.toArray()[-1] for one in model.models])
    outputs.classes(graph, signature, found, outputs.first_largest(graph, found))
