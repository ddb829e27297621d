"""MLlib's factorization machines: a linear model, and a product of factors for every pair of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.graph import Graph
from sqlml.export.mllib import decisions
from sqlml.export.mllib.linear import margins
from sqlml.signature import Signature


def regressor(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    outputs.prediction(graph, _sum(graph, x, model))


def classifier(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Unlike the others it computes the second class's probability, and the first has the rest."""
    margin = _sum(graph, x, model)
    probabilities = outputs.both(graph, decisions.sigmoid(graph, margin))
    decisions.two_classes(graph, model, signature, margin, probabilities)


def _sum(graph: Graph, x: str, model: Any) -> str:
    """Linear + Σ over factors of ((Σ vx)² - Σ (vx)²) / 2 (Rendle 2010): [rows, 1]."""
    factors = model.factors.toArray()
    summed = graph.op("MatMul", x, graph.constant(factors))
    squared = graph.op("MatMul", graph.op("Mul", x, x), graph.constant(factors * factors))
    pairs = graph.op("Sub", graph.op("Mul", summed, summed), squared)
    total = graph.op("ReduceSum", pairs, graph.constant([1], np.int64), keepdims=1)
    linear = margins(graph, x, model.linear.toArray(), model.intercept)
    return graph.op("Add", linear, graph.op("Mul", total, graph.constant(0.5)))
