"""MLlib's clusters. Where it knows no probabilities, the scores are the opposite of the distances to the centres."""

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
    scores = _scores(graph, x, model)
    outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))


def bisecting_k_means(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """From the root down, always the nearer of two halves: not always the nearest of all centres in the end.

    Args:
        parts: one, the root of the tree of clusters.
    """
    scores, steps = _scores(graph, x, model), list(_steps(parts[0]))
    if not steps:
        return outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))
    # Each step says 1 for its second half and -1 for its first. A leaf whose way agrees with all the steps that lead
    # to it gets 0, and every other leaf less.
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
    """Each component's weighted density, to which MLlib adds the machine epsilon, over their sum.

    Args:
        parts: for each component `root` (the inverse root of its covariance, by rows), `rooted` (that times the mean)
            and `constant` (the logarithm of the density at the mean).
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
    return graph.op("Neg", graph.op("Sqrt", squares(graph, x, np.array(model.clusterCenters()))))


def _steps(node: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The two halves of every cluster that was divided; where only one has rows left, there is nothing to decide."""
    halves = node["children"]
    here = [(halves[0], halves[1])] if len(halves) == 2 else []
    return here + [step for half in halves for step in _steps(half)]


def _leaves(node: dict[str, Any]) -> list[int]:
    """The labels of the clusters that a node was divided into."""
    if not node["children"]:
        return [node["index"]]
    return [leaf for child in node["children"] for leaf in _leaves(child)]


def _centre(node: dict[str, Any]) -> list[float]:
    centre: list[float] = node["centerWithNorm"]["vector"]["values"]
    return centre
