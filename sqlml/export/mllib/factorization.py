"""Emitters of MLlib's factorization machines: a linear model plus a factorized weight for every pair of columns."""

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
    """The factorization machine's sum."""
    outputs.prediction(graph, _sum(graph, x, model))


def classifier(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Sigmoid of the sum. Unlike other models of MLlib it computes the second class's probability and subtracts for the
    first's."""
    margin = _sum(graph, x, model)
    probabilities = outputs.binary_probabilities(graph, decisions.sigmoid(graph, margin))
    decisions.two_classes(graph, model, signature, margin, probabilities)


def _sum(graph: Graph, x: str, model: Any) -> str:
    """linear + Σ over factors of ((Σ v·x)² - Σ (v·x)²) / 2 (Rendle 2010): [rows, 1]."""
    factors = model.factors.toArray()
    summed = graph.op("MatMul", x, graph.constant(factors))
    squared = graph.op("MatMul", graph.op("Mul", x, x), graph.constant(factors * factors))
    pairs = graph.op("Sub", graph.op("Mul", summed, summed), squared)
    total = graph.op("ReduceSum", pairs, graph.constant([1], np.int64), keepdims=1)
    linear = margins(graph, x, model.linear.toArray(), model.intercept)
    return graph.op("Add", linear, graph.op("Mul", total, graph.constant(0.5)))
