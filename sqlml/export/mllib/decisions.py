"""MLlib's decision rules: the predicted class from raw scores, probabilities and thresholds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def two_classes(graph: Graph, model: Any, signature: Signature, margin: str, probabilities: str) -> None:
    """Predicts class 1 if its margin is above 0, unless the model has thresholds."""
    position = outputs.binary_class_index(graph, graph.op("Greater", margin, graph.constant([[0.0]])))
    outputs.classes(graph, signature, probabilities, _by_thresholds(graph, model, probabilities) or position)


def many_classes(graph: Graph, model: Any, signature: Signature, raw: str, probabilities: str) -> None:
    """Predicts the first class with the largest raw score, unless the model has thresholds."""
    position = _by_thresholds(graph, model, probabilities) or outputs.first_largest(graph, raw)
    outputs.classes(graph, signature, probabilities, position)


def logistic(graph: Graph, odds: str) -> str:
    """The probabilities of two classes, [rows, 2], from the second's log odds.

    As most models in MLlib do, it computes the first's and gets the second's by subtraction, so the second's is 0 if
    the first's rounds to 1.
    """
    first = sigmoid(graph, graph.op("Neg", odds))
    return graph.concat([first, graph.op("Sub", graph.constant([[1.0]]), first)])


def sigmoid(graph: Graph, value: str) -> str:
    """1 / (1 + exp(-x)), written out. ONNX Runtime's Sigmoid is 0 below -37, which matters for a threshold of 0."""
    grown = graph.op("Exp", graph.op("Neg", value))
    return graph.op("Div", graph.constant(1.0), graph.op("Add", graph.constant(1.0), grown))


def softmax(graph: Graph, model: Any, signature: Signature, raw: str) -> None:
    """Probabilities by softmax of raw scores, and the class by `many_classes`."""
    many_classes(graph, model, signature, raw, graph.op("Softmax", raw, axis=1))


def margin_of(probability: float) -> float:
    """The logit of a probability: the margin at which class 1 has it."""
    if probability in (0.0, 1.0):
        return math.copysign(math.inf, probability - 0.5)
    return math.log(probability / (1.0 - probability))


def _by_thresholds(graph: Graph, model: Any, probabilities: str) -> str | None:
    """The first class with the largest probability / threshold; None without thresholds.

    One threshold may be 0: its class is predicted if it has any probability, and never if it has none.
    """
    if not model.isDefined("thresholds"):
        return None
    scaled = graph.op("Div", probabilities, graph.constant([np.asarray(model.getThresholds(), dtype=np.float64)]))
    least = graph.constant(-math.inf)
    return outputs.first_largest(graph, graph.op("Where", graph.op("IsNaN", scaled), least, scaled))
