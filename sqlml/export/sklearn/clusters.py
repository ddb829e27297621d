"""Emitter of scikit-learn's k-means."""

from __future__ import annotations

from typing import Any

from sqlml.export import outputs
from sqlml.export.distances import squares
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def k_means(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The nearest centre; scores are -‖x - centre‖."""
    scores = graph.op("Neg", graph.op("Sqrt", squares(graph, x, model.cluster_centers_)))
    outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))
