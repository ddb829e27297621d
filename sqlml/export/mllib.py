"""A fitted MLlib model → ONNX in float64, with MLlib's own arithmetic and decision rules.

The rules are those of Spark's sources (`org.apache.spark.ml.classification` and `.regression`): a binary logistic model
says class 1 when the margin is greater than log(t / (1 - t)) for its threshold t, a multinomial one says the first
class with the largest margin; a forest adds up the class shares of its leaves and says the first largest; boosting says
class 1 when its weighted sum is greater than 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sqlml.estimators.preparation import Preparation
from sqlml.export import outputs, trees
from sqlml.export import preparation as prepared
from sqlml.export.graph import Graph
from sqlml.signature import Signature

_Node = dict[str, Any]


def emit(model: Any, roots: Sequence[_Node], signature: Signature, preparation: Preparation) -> bytes:
    """The model as the bytes of an ONNX file.

    Args:
        model: a fitted model of pyspark.ml, one of those in `_CLASSIFIERS` and `_REGRESSORS`.
        roots: the root nodes of its trees, as `sqlml.estimators.mllib_trees` reads them; empty for a linear model.
        signature: with the labels in the order of the model's class indices.
    """
    graph = Graph()
    x = prepared.emit(graph, signature.features, preparation)
    name = type(model).__name__
    if name in _REGRESSORS:
        outputs.prediction(graph, _REGRESSORS[name](graph, x, model, roots))
    else:
        position, probabilities = _CLASSIFIERS[name](graph, x, model, roots)
        outputs.classes(graph, signature, probabilities, position)
    serialized: bytes = graph.model().SerializeToString(deterministic=True)
    return serialized


# -- linear ------------------------------------------------------------------------------------------------------------


def _margins(graph: Graph, x: str, coefficients: Any, intercepts: Any) -> str:
    """x · coefficientsᵀ + intercepts: [rows, F] → [rows, K]."""
    weights = np.atleast_2d(np.asarray(coefficients, dtype=np.float64)).T
    product = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(weights)))
    return graph.op("Add", product, graph.constant(np.atleast_1d(np.asarray(intercepts, dtype=np.float64))))


def _linear_regression(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> str:
    return _margins(graph, x, model.coefficients.toArray(), model.intercept)


def _logistic_regression(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> tuple[str, str]:
    margins = _margins(graph, x, model.coefficientMatrix.toArray(), model.interceptVector.toArray())
    if model.coefficientMatrix.numRows > 1:
        return outputs.first_largest(graph, margins), graph.op("Softmax", margins, axis=1)
    least = graph.constant([[_margin(model.getThreshold())]])
    position = outputs.whether(graph, graph.op("Greater", margins, least))
    return position, outputs.both(graph, graph.op("Sigmoid", margins))


def _margin(probability: float) -> float:
    """The margin at which class 1 has a probability."""
    if probability in (0.0, 1.0):
        return math.copysign(math.inf, probability - 0.5)
    return math.log(probability / (1.0 - probability))


# -- trees -------------------------------------------------------------------------------------------------------------


def _forest_regressor(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> str:
    total = trees.emit(graph, x, [_tree(root, _prediction) for root in roots], outputs=1)
    return graph.op("Div", total, graph.constant([[float(len(roots))]]))


def _forest_classifier(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> tuple[str, str]:
    votes = trees.emit(graph, x, [_tree(root, _shares) for root in roots], outputs=model.numClasses)
    total = graph.op("ReduceSum", votes, graph.constant([1], np.int64), keepdims=1)
    return outputs.first_largest(graph, votes), graph.op("Div", votes, total)


def _boosted_sum(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> str:
    weighted = [_tree(root, _prediction, times=weight) for root, weight in zip(roots, model.treeWeights, strict=True)]
    return trees.emit(graph, x, weighted, outputs=1)


def _boosted_classifier(graph: Graph, x: str, model: Any, roots: Sequence[_Node]) -> tuple[str, str]:
    margin = _boosted_sum(graph, x, model, roots)
    position = outputs.whether(graph, graph.op("Greater", margin, graph.constant([[0.0]])))
    doubled = graph.op("Mul", margin, graph.constant([[2.0]]))
    return position, outputs.both(graph, graph.op("Sigmoid", doubled))


def _prediction(leaf: _Node) -> list[float]:
    return [float(leaf["prediction"])]


def _shares(leaf: _Node) -> list[float]:
    """The share of each class in a leaf's training weight."""
    weights = [float(weight) for weight in leaf["impurityStats"]["stats"]]
    total = sum(weights)
    return [weight / total for weight in weights]


def _tree(root: _Node, weights_of: Callable[[_Node], list[float]], *, times: float = 1.0) -> trees.Tree:
    """The nested nodes in a row, each before its children; a leaf's weights are multiplied by `times`."""
    nodes = [root]
    feature, threshold, left, right, weights = [], [], [], [], []
    for node in nodes:  # grows while it is read
        if "split" not in node:
            feature.append(0)
            threshold.append(0.0)
            left.append(trees.LEAF)
            right.append(trees.LEAF)
            weights.append(weights_of(node))
            continue
        feature.append(node["split"]["featureIndex"])
        threshold.append(float(node["split"]["threshold"]))
        left.append(len(nodes))
        right.append(len(nodes) + 1)
        nodes += [node["leftChild"], node["rightChild"]]
        weights.append([])
    width = max(map(len, weights))
    return trees.Tree(
        feature=np.array(feature, dtype=np.int64),
        threshold=np.array(threshold, dtype=np.float64),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        # Not a number never reaches a tree: the preparation imputes it. Spark's NaN is greater than any threshold.
        missing_left=np.zeros(len(nodes), dtype=np.bool_),
        weights=times * np.array([row or [0.0] * width for row in weights], dtype=np.float64),
    )


_CLASSIFIERS = {
    "DecisionTreeClassificationModel": _forest_classifier,
    "GBTClassificationModel": _boosted_classifier,
    "LogisticRegressionModel": _logistic_regression,
    "RandomForestClassificationModel": _forest_classifier,
}
_REGRESSORS = {
    "DecisionTreeRegressionModel": _forest_regressor,
    "GBTRegressionModel": _boosted_sum,
    "LinearRegressionModel": _linear_regression,
    "RandomForestRegressionModel": _forest_regressor,
}
