"""Emitters of scikit-learn's tree ensembles.

Trees other than the histogram ones compare float32 values with float64 thresholds, so x is rounded to float32 first;
everything else is float64. Ties between two classes: forests take the first; gradient boosting takes the second (raw ≥
0); histogram boosting and AdaBoost take the first (raw > 0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble._iforest import _average_path_length

from sqlml.export import outputs, trees
from sqlml.export.graph import FLOAT, Graph
from sqlml.export.sklearn.linear import many_classes, two_classes
from sqlml.export.sklearn.trees import ensemble
from sqlml.signature import Signature


def _as_float32(graph: Graph, x: str) -> str:
    return graph.cast(graph.cast(x, FLOAT))


def _forest_sums(graph: Graph, x: str, model: Any, width: int) -> str:
    """The mean over the trees: [rows, width]."""
    found = ensemble(model)
    sums = trees.emit(graph, _as_float32(graph, x), found, width)
    return sums if len(found) == 1 else graph.op("Div", sums, graph.constant(float(len(found))))


def forest_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The mean of the trees' class probabilities; the first largest wins."""
    count = len(signature.labels)
    if count == 2:
        probabilities = outputs.binary_probabilities(graph, _forest_sums(graph, x, model, 1))
    else:
        probabilities = _forest_sums(graph, x, model, count)
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def forest_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The mean of the trees' predictions."""
    outputs.prediction(graph, _forest_sums(graph, x, model, 1))


def gradient_boosting_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Sigmoid or softmax of the sums; with exponential loss, sigmoid of twice the sum."""
    raw = trees.emit(graph, _as_float32(graph, x), ensemble(model), model.n_trees_per_iteration_)
    if len(signature.labels) > 2:
        return many_classes(graph, signature, raw)
    second = graph.op("GreaterOrEqual", raw, graph.constant([[0.0]]))
    if model.loss == "exponential":  # its link is half the logarithm of the odds
        raw = graph.op("Mul", raw, graph.constant([[2.0]]))
    return two_classes(graph, signature, raw, second)


def gradient_boosting_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The sum of the initial prediction and the trees."""
    outputs.prediction(graph, trees.emit(graph, _as_float32(graph, x), ensemble(model), 1))


def hist_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Sigmoid or softmax of the sums."""
    raw = trees.emit(graph, x, ensemble(model), model.n_trees_per_iteration_)
    if len(signature.labels) > 2:
        return many_classes(graph, signature, raw)
    return two_classes(graph, signature, raw, graph.op("Greater", raw, graph.constant([[0.0]])))


def hist_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The sum of the trees, or its exponential."""
    raw = trees.emit(graph, x, ensemble(model), 1)
    # Losses for positive targets have a log link.
    outputs.prediction(graph, graph.op("Exp", raw) if model.loss in ("poisson", "gamma") else raw)


def ada_boost_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """SAMME: the weighted votes for each class, whose softmax gives the probabilities (Zhu et al. 2009, equation
    15)."""
    classes = len(signature.labels)
    votes = trees.emit(graph, _as_float32(graph, x), ensemble(model), 1 if classes == 2 else classes)
    shares = graph.op("Div", votes, graph.constant(float(model.estimator_weights_.sum())))
    if classes == 2:
        # The first class has the negated votes, and the decision is their difference.
        decision = graph.op("Add", shares, shares)
        return two_classes(graph, signature, decision, graph.op("Greater", decision, graph.constant([[0.0]])))
    probabilities = graph.op("Softmax", graph.op("Div", shares, graph.constant(classes - 1.0)), axis=1)
    return outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, shares))


def ada_boost_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The weighted median: the smallest prediction at which the cumulated weight reaches half of the total.

    TopK sorts the trees' predictions, CumSum cumulates their weights, and ArgMax finds the first that reaches half.
    """
    found = ensemble(model)
    predictions = trees.emit(graph, _as_float32(graph, x), found, len(found))
    count = graph.constant([len(found)], np.int64)
    ordered, indices = graph.ops("TopK", predictions, count, outputs=2, axis=1, largest=0)
    weights = graph.op("Gather", graph.constant(model.estimator_weights_[: len(found)]), indices)
    reached = graph.op("CumSum", weights, graph.constant(1, np.int64))
    last = graph.op("Gather", reached, graph.constant([len(found) - 1], np.int64), axis=1)
    half = graph.op("Mul", last, graph.constant(0.5))
    median = graph.op("ArgMax", graph.cast(graph.op("GreaterOrEqual", reached, half)), axis=1, keepdims=1)
    outputs.prediction(graph, graph.op("GatherElements", ordered, median, axis=1))


def isolation_forest(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The anomaly score 2^(-mean depth / expected depth) plus the offset (Liu, Ting, Zhou 2008)."""
    depths = trees.emit(graph, _as_float32(graph, x), ensemble(model), 1)
    expected = len(model.estimators_) * float(_average_path_length([model._max_samples])[0])
    # The expected depth for one row is 0; scikit-learn then uses 1 as the quotient.
    quotient = graph.op("Div", depths, graph.constant(expected)) if expected else _ones(graph, depths)
    share = graph.op("Neg", quotient)
    score = graph.op("Pow", graph.constant([[2.0]]), share)
    outputs.anomaly(graph, signature, graph.op("Add", score, graph.constant(float(model.offset_))))


def _ones(graph: Graph, like: str) -> str:
    """A tensor of ones in the shape of another tensor of finite numbers."""
    return graph.op("Add", graph.op("Mul", like, graph.constant(0.0)), graph.constant(1.0))
