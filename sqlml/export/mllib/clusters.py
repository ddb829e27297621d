"""Emitters of MLlib's clustering models. For models without probabilities the scores are negative distances to the
centres."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.distances import squares
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def k_means(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """The nearest centre; scores are -‖x - centre‖."""
    scores = _scores(graph, x, model)
    outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))


def bisecting_k_means(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Descends the tree of clusters from the root, to the nearer of two centres at each step, so the result is not
    always the nearest leaf's centre.

    All steps are evaluated at once: turns·ways - Σ|ways| is 0 for the leaf whose path agrees with all steps, and less
    for every other leaf; ArgMax finds it.

    Args:
        parts: one element, the root of the tree of clusters.
    """
    scores, steps = _scores(graph, x, model), list(_steps(parts[0]))
    if not steps:
        return outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))
    # Each step is 1 for its second half and -1 for its first; `ways` is [steps, leaves], 0 where a step is not on the
    # path.
    ways = np.zeros((len(steps), len(signature.labels)))
    for number, (first, second) in enumerate(steps):
        ways[number, _leaves(first)], ways[number, _leaves(second)] = -1.0, 1.0
    to_first, to_second = (squares(graph, x, np.array([_centre(halves[side]) for halves in steps])) for side in (0, 1))
    nearer = graph.op("Less", to_second, to_first)
    turns = graph.op("Where", nearer, graph.constant(1.0), graph.constant(-1.0))
    agreed = graph.op("MatMul", turns, graph.constant(ways))
    reached = graph.op("Sub", agreed, graph.constant([np.abs(ways).sum(axis=0)]))
    return outputs.classes(graph, signature, scores, outputs.first_largest(graph, reached))


def gaussian_mixture(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Each component's weighted density plus the machine epsilon, as in MLlib, divided by their sum.

    The density is exp(constant - ‖root·x - rooted‖²/2).

    Args:
        parts: for each component `root` (the inverse root of its covariance, by rows), `rooted` (root · mean) and
            `constant` (the log density at the mean).
    """
    densities = []
    for part, weight in zip(parts, model.weights, strict=True):
        turned = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(np.array(part["root"]).T)))
        apart = graph.op("Sub", turned, graph.constant([part["rooted"]]))
        norm = graph.op("ReduceSum", graph.op("Mul", apart, apart), graph.constant([1], np.int64), keepdims=1)
        exponent = graph.op("Sub", graph.constant(part["constant"]), graph.op("Mul", norm, graph.constant(0.5)))
        density = graph.op("Mul", graph.constant(float(weight)), graph.op("Exp", exponent))
        densities.append(graph.op("Add", graph.constant(sys.float_info.epsilon), density))
    joined = graph.concat(densities)
    total = graph.op("ReduceSum", joined, graph.constant([1], np.int64), keepdims=1)
    probabilities = graph.op("Div", joined, total)
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def _scores(graph: Graph, x: str, model: Any) -> str:
    """Negative Euclidean distances to the centres: [rows, clusters]."""
    return graph.op("Neg", graph.op("Sqrt", squares(graph, x, np.array(model.clusterCenters()))))


def _steps(node: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The two halves of every divided cluster; a cluster with rows in one half only needs no step."""
    halves = node["children"]
    here = [(halves[0], halves[1])] if len(halves) == 2 else []
    return here + [step for half in halves for step in _steps(half)]


def _leaves(node: dict[str, Any]) -> list[int]:
    """The cluster indices below a node."""
    if not node["children"]:
        return [node["index"]]
    return [leaf for child in node["children"] for leaf in _leaves(child)]


def _centre(node: dict[str, Any]) -> list[float]:
    centre: list[float] = node["centerWithNorm"]["vector"]["values"]
    return centre
