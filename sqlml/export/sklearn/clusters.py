"""Clusters by the nearest centre."""

from __future__ import annotations

from typing import Any

from sqlml.export import outputs
from sqlml.export.distances import squares
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def k_means(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The nearest centre is the answer; the scores are the opposite of the distances."""
    scores = graph.op("Neg", graph.op("Sqrt", squares(graph, x, model.cluster_centers_)))
    outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))
