"""Emitters of scikit-learn's linear models: x·β + b, then each class's link or decision rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def regression(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """x·β + b."""
    outputs.prediction(graph, _raw(graph, x, model))


def partial_least_squares(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """(x - mean)·β + b."""
    outputs.prediction(graph, _raw(graph, graph.op("Sub", x, graph.constant([model._x_mean])), model))


def generalized(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Poisson, gamma and Tweedie: exp(x·β + b), or x·β + b with the identity link."""
    raw = _raw(graph, x, model)
    link = type(model._base_loss.link).__name__
    outputs.prediction(graph, {"IdentityLink": raw}.get(link) or graph.op("Exp", raw))


def logistic(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Sigmoid for two classes, softmax for more; also for linear discriminant analysis."""
    raw = _raw(graph, x, model)
    if len(signature.labels) == 2:
        two_classes(graph, signature, raw, graph.op("Greater", raw, graph.constant([[0.0]])))
    else:
        many_classes(graph, signature, raw)


def stochastic(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """SGDClassifier: one-vs-rest probabilities for the losses log_loss and modified_huber, scores for the others.

    The classes' sigmoids, or clip(raw, -1, 1) / 2 + 1/2, are divided by their sum; uniform if that is 0.
    """
    if model.loss not in ("log_loss", "modified_huber"):
        return scored(graph, x, model, signature)
    raw = _raw(graph, x, model)
    share = graph.op("Sigmoid", raw) if model.loss == "log_loss" else _clipped(graph, raw)
    if len(signature.labels) == 2:
        second = graph.op("Greater", raw, graph.constant([[0.0]]))
        return outputs.classes(
            graph, signature, outputs.binary_probabilities(graph, share), outputs.binary_class_index(graph, second)
        )
    total = graph.op("ReduceSum", share, graph.constant([1], np.int64), keepdims=1)
    nothing = graph.op("Equal", total, graph.constant([[0.0]]))
    uniform = graph.constant([[1.0 / len(signature.labels)]])
    probabilities = graph.op("Where", nothing, uniform, graph.op("Div", share, total))
    return outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, raw))


def scored(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Classifiers without probabilities: the decision function, and class 1 if it is above 0."""
    raw = _raw(graph, x, model)
    if len(signature.labels) > 2:
        return outputs.classes(graph, signature, raw, outputs.first_largest(graph, raw))
    second = graph.op("Greater", raw, graph.constant([[0.0]]))
    return outputs.classes(graph, signature, outputs.opposite(graph, raw), outputs.binary_class_index(graph, second))


def two_classes(graph: Graph, signature: Signature, raw: str, second: str) -> None:
    """The probabilities by sigmoid, and the class by a condition."""
    probabilities = outputs.binary_probabilities(graph, graph.op("Sigmoid", raw))
    outputs.classes(graph, signature, probabilities, outputs.binary_class_index(graph, second))


def many_classes(graph: Graph, signature: Signature, raw: str) -> None:
    """The probabilities by softmax, and the first class with the largest raw score."""
    probabilities = graph.op("Softmax", raw, axis=1)
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, raw))


def _raw(graph: Graph, x: str, model: Any) -> str:
    """x·β + b: [rows, outputs]."""
    coefficients = np.atleast_2d(model.coef_).T
    product = graph.op("MatMul", x, graph.constant(coefficients))
    return graph.op("Add", product, graph.constant([np.broadcast_to(model.intercept_, coefficients.shape[1])]))


def _clipped(graph: Graph, raw: str) -> str:
    """(clip(raw, -1, 1) + 1) / 2."""
    clipped = graph.op("Clip", raw, graph.constant(-1.0), graph.constant(1.0))
    return graph.op("Div", graph.op("Add", clipped, graph.constant(1.0)), graph.constant(2.0))
