"""Emitters of scikit-learn's multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

from sqlml.export import outputs
from sqlml.export.graph import Graph
from sqlml.signature import Signature

_ACTIVATIONS = {"identity": "Identity", "logistic": "Sigmoid", "relu": "Relu", "tanh": "Tanh"}


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Sigmoid or softmax of the last layer."""
    raw = _layers(graph, x, model)
    if len(signature.labels) > 2:
        probabilities = graph.op("Softmax", raw, axis=1)
        return outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))
    second = graph.op("Sigmoid", raw)
    position = outputs.binary_class_index(graph, graph.op("Greater", second, graph.constant([[0.5]])))
    return outputs.classes(graph, signature, outputs.binary_probabilities(graph, second), position)


def regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The last layer, or its exponential."""
    raw = _layers(graph, x, model)
    # A network with Poisson loss has a log link.
    outputs.prediction(graph, graph.op("Exp", raw) if model.out_activation_ == "exp" else raw)


def _layers(graph: Graph, x: str, model: Any) -> str:
    """x = activation(x·W + b) for each layer; the last one without its activation: [rows, outputs]."""
    layers = list(zip(model.coefs_, model.intercepts_, strict=True))
    for number, (weights, bias) in enumerate(layers, start=1):
        x = graph.op("Add", graph.op("MatMul", x, graph.constant(weights)), graph.constant([bias]))
        if number < len(layers):
            x = graph.op(_ACTIVATIONS[model.activation], x)
    return x
