"""Emitters of MLlib's decision trees, forests and gradient-boosted trees.

A forest sums up the class shares of its leaves and predicts the first class with the largest sum. Boosting
predicts class 1 if its weighted sum is above 0. Thresholds override both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sqlml.export import outputs, trees
from sqlml.export.graph import Graph
from sqlml.export.mllib import decisions
from sqlml.signature import Signature

_Node = dict[str, Any]


def forest_regressor(graph: Graph, x: str, model: Any, roots: Sequence[_Node], signature: Signature) -> None:
    """The mean of the trees' predictions."""
    total = trees.emit(graph, x, [_tree(root, _prediction) for root in roots], outputs=1)
    outputs.prediction(graph, graph.op("Div", total, graph.constant([[float(len(roots))]])))


def forest_classifier(graph: Graph, x: str, model: Any, roots: Sequence[_Node], signature: Signature) -> None:
    """The sums of the trees' class shares, divided by their total."""
    votes = trees.emit(graph, x, [_tree(root, _shares) for root in roots], outputs=model.numClasses)
    total = graph.op("ReduceSum", votes, graph.constant([1], np.int64), keepdims=1)
    decisions.many_classes(graph, model, signature, votes, graph.op("Div", votes, total))


def boosted_regressor(graph: Graph, x: str, model: Any, roots: Sequence[_Node], signature: Signature) -> None:
    """The weighted sum of the trees' predictions."""
    outputs.prediction(graph, _boosted_sum(graph, x, model, roots))


def boosted_classifier(graph: Graph, x: str, model: Any, roots: Sequence[_Node], signature: Signature) -> None:
    """Sigmoid of twice the weighted sum of the trees."""
    margin = _boosted_sum(graph, x, model, roots)
    doubled = graph.op("Mul", margin, graph.constant([[2.0]]))
    decisions.two_classes(graph, model, signature, margin, decisions.logistic(graph, doubled))


def _boosted_sum(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> str:
    weighted = [_tree(root, _prediction, times=weight) for root, weight in zip(roots, model.treeWeights, strict=True)]
    return trees.emit(graph, x, weighted, outputs=1)


def _prediction(leaf: _Node) -> list[float]:
    return [float(leaf["prediction"])]


def _shares(leaf: _Node) -> list[float]:
    """The share of each class in a leaf's training weight."""
    weights = [float(weight) for weight in leaf["impurityStats"]["stats"]]
    total = sum(weights)
    return [weight / total for weight in weights]


def _tree(root: _Node, weights_of: Callable[[_Node], list[float]], *, times: float = 1.0) -> trees.Tree:
    """Converts nested nodes to a `Tree` by breadth-first search; leaf weights are multiplied by `times`."""
    nodes = [root]
    feature, threshold, left, right, weights = [], [], [], [], []
    members: dict[int, tuple[float, ...]] = {}
    for node in nodes:  # grows while it is read
        if "split" not in node:
            feature.append(0)
            threshold.append(0.0)
            left.append(trees.LEAF)
            right.append(trees.LEAF)
            weights.append(weights_of(node))
            continue
        split, first, second = node["split"], node["leftChild"], node["rightChild"]
        feature.append(split["featureIndex"])
        threshold.append(float(split.get("threshold", 0.0)))
        if "threshold" not in split:
            # Spark keeps the smaller set, and an unknown category is in neither: it goes to the other side.
            known = set(split["_leftCategories"])
            if not split["isLeft"]:
                known = set(map(float, range(split["numCategories"]))) - known
                first, second = second, first
            members[len(feature) - 1] = tuple(sorted(known))
        left.append(len(nodes))
        right.append(len(nodes) + 1)
        nodes += [first, second]
        weights.append([])
    width = max(map(len, weights))
    return trees.Tree(
        feature=np.array(feature, dtype=np.int64),
        threshold=np.array(threshold, dtype=np.float64),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        # NaN never reaches a tree, because the preparation imputes it. Spark orders NaN above any threshold.
        missing_left=np.zeros(len(nodes), dtype=np.bool_),
        weights=times * np.array([row or [0.0] * width for row in weights], dtype=np.float64),
        members=members,
    )
