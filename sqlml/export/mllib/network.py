"""Emitter of MLlib's multilayer perceptron: sigmoid layers, then softmax."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlml.export.graph import Graph
from sqlml.export.mllib import decisions
from sqlml.signature import Signature


def classifier(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """x = sigmoid(x·W + b) for each layer; the last one has softmax instead."""
    weights, start = model.weights.toArray(), 0
    sizes = list(pairwise(model.getLayers()))
    for number, (inputs, units) in enumerate(sizes, start=1):
        # All layers are in one vector: for each a matrix by rows of inputs, then the intercepts.
        middle, end = start + inputs * units, start + inputs * units + units
        product = graph.op("MatMul", x, graph.constant(weights[start:middle].reshape(inputs, units)))
        x, start = graph.op("Add", product, graph.constant([weights[middle:end]])), end
        if number < len(sizes):
            x = graph.op("Sigmoid", x)
    decisions.softmax(graph, model, signature, x)
