"""A fitted scikit-learn model → ONNX, with scikit-learn's own arithmetic and decision rules.

Sources are scikit-learn's `predict` and `predict_proba` of each class. Its trees (not the histogram ones) compare
float32 values with float64 thresholds, so x is rounded to float32 first; everything else is float64. Where two classes
are equal: a forest takes the first; gradient boosting takes the second (raw ≥ 0); histogram boosting and logistic
regression the first (raw > 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.estimators.preparation import Preparation
from sqlml.export import outputs, trees
from sqlml.export import preparation as prepared
from sqlml.export.graph import FLOAT, Graph
from sqlml.export.trees import LEAF, Tree
from sqlml.signature import Signature


def emit(model: Any, signature: Signature, preparation: Preparation) -> bytes:
    """The model's bytes.

    Args:
        model: fitted to the prepared matrix; a classifier to the positions of the signature's labels.
    """
    graph = Graph()
    sets = getattr(model, "is_categorical_", None) is not None
    x = prepared.emit(graph, signature.features, preparation, one_hot=not sets)
    _EMITTERS[type(model).__name__](graph, x, model, signature)
    content: bytes = graph.model().SerializeToString(deterministic=True)
    return content


def ensemble(model: Any) -> list[Tree]:
    """The model's trees in the order in which it adds them up; none for a linear model."""
    read = _TREES.get(type(model).__name__)
    return read(model) if read else []


# -- linear models -----------------------------------------------------------------------------------------------------


def _linear(graph: Graph, x: str, model: Any) -> str:
    """x · coefficients + intercept: [rows, outputs]."""
    coefficients = np.atleast_2d(model.coef_).T
    product = graph.op("MatMul", x, graph.constant(coefficients))
    intercept = np.broadcast_to(model.intercept_, coefficients.shape[1])
    return graph.op("Add", product, graph.constant([intercept]))


def _linear_regression(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    outputs.prediction(graph, _linear(graph, x, model))


def _logistic_regression(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    raw = _linear(graph, x, model)
    if len(signature.labels) == 2:
        _two_classes(graph, signature, raw, graph.op("Greater", raw, graph.constant([[0.0]])))
    else:
        _many_classes(graph, signature, raw)


def _two_classes(graph: Graph, signature: Signature, raw: str, second: str) -> None:
    probabilities = outputs.both(graph, graph.op("Sigmoid", raw))
    outputs.classes(graph, signature, probabilities, outputs.whether(graph, second))


def _many_classes(graph: Graph, signature: Signature, raw: str) -> None:
    probabilities = graph.op("Softmax", raw, axis=1)
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, raw))


# -- trees and forests -------------------------------------------------------------------------------------------------


def _as_float32(graph: Graph, x: str) -> str:
    return graph.cast(graph.cast(x, FLOAT))


def _forest_sums(graph: Graph, x: str, model: Any, width: int) -> str:
    """The mean over the trees: [rows, width]."""
    found = ensemble(model)
    sums = trees.emit(graph, _as_float32(graph, x), found, width)
    return sums if len(found) == 1 else graph.op("Div", sums, graph.constant(float(len(found))))


def _forest_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    count = len(signature.labels)
    if count == 2:
        probabilities = outputs.both(graph, _forest_sums(graph, x, model, 1))
    else:
        probabilities = _forest_sums(graph, x, model, count)
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def _forest_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    outputs.prediction(graph, _forest_sums(graph, x, model, 1))


def _gradient_boosting_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    raw = trees.emit(graph, _as_float32(graph, x), ensemble(model), model.n_trees_per_iteration_)
    if len(signature.labels) > 2:
        return _many_classes(graph, signature, raw)
    second = graph.op("GreaterOrEqual", raw, graph.constant([[0.0]]))
    if model.loss == "exponential":  # its link is half the logarithm of the odds
        raw = graph.op("Mul", raw, graph.constant([[2.0]]))
    return _two_classes(graph, signature, raw, second)


def _gradient_boosting_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    outputs.prediction(graph, trees.emit(graph, _as_float32(graph, x), ensemble(model), 1))


def _hist_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    raw = trees.emit(graph, x, ensemble(model), model.n_trees_per_iteration_)
    if len(signature.labels) > 2:
        return _many_classes(graph, signature, raw)
    return _two_classes(graph, signature, raw, graph.op("Greater", raw, graph.constant([[0.0]])))


def _hist_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    raw = trees.emit(graph, x, ensemble(model), 1)
    # The losses for positive targets predict the logarithm.
    outputs.prediction(graph, graph.op("Exp", raw) if model.loss in ("poisson", "gamma") else raw)


# -- scikit-learn's trees as ours --------------------------------------------------------------------------------------


def _tree(fitted: Any, weights: Any, output: int = 0) -> Tree:
    structure = fitted.tree_
    return Tree(
        feature=structure.feature,
        threshold=structure.threshold,
        left=structure.children_left,
        right=structure.children_right,
        missing_left=structure.missing_go_to_left.astype(bool),
        weights=weights,
        output=output,
    )


def _classifier_trees(fitted: Sequence[Any]) -> list[Tree]:
    """Leaves hold the classes' shares. For two classes only the second is added up."""
    shares = [one.tree_.value[:, 0, :] for one in fitted]
    return [
        _tree(one, share[:, 1:] if share.shape[1] == 2 else share) for one, share in zip(fitted, shares, strict=True)
    ]


def _regressor_trees(fitted: Sequence[Any]) -> list[Tree]:
    return [_tree(one, one.tree_.value[:, 0, :]) for one in fitted]


def _boosting_trees(model: Any) -> list[Tree]:
    """The prediction before the first tree, then the trees: it adds them up in that order."""
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))[0]
    return _constants(start) + [
        _tree(one, one.tree_.value[:, 0, :] * model.learning_rate, output)
        for stage in model.estimators_
        for output, one in enumerate(stage)
    ]


def _histogram_trees(model: Any) -> list[Tree]:
    columns = _histogram_columns(model)
    found = _constants(model._baseline_prediction.ravel())
    for stage in model._predictors:
        for output, predictor in enumerate(stage):
            nodes = predictor.nodes
            leaf = nodes["is_leaf"].astype(bool)
            found.append(
                Tree(
                    feature=columns[nodes["feature_idx"]],
                    threshold=nodes["num_threshold"],
                    left=np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
                    right=np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
                    missing_left=nodes["missing_go_to_left"].astype(bool),
                    weights=nodes["value"][:, np.newaxis],
                    output=output,
                    members=_histogram_members(predictor),
                )
            )
    return found


def _histogram_columns(model: Any) -> NDArray[np.int64]:
    """The column of x for each feature of the trees: within the model, those split by sets come first."""
    if model.is_categorical_ is None:
        return np.arange(model.n_features_in_)
    return np.concatenate([np.flatnonzero(model.is_categorical_), np.flatnonzero(~model.is_categorical_)])


def _histogram_members(predictor: Any) -> dict[int, tuple[float, ...]]:
    """Inner node → the categories' numbers that go left; -1, which is no category, goes where a missing value goes."""
    found = {}
    for node in np.flatnonzero(predictor.nodes["is_categorical"] & ~predictor.nodes["is_leaf"].astype(bool)):
        words = predictor.raw_left_cat_bitsets[predictor.nodes["bitset_idx"][node]]
        bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
        unknown = [-1.0] if predictor.nodes["missing_go_to_left"][node] else []
        found[int(node)] = (*unknown, *np.flatnonzero(bits).astype(float).tolist())
    return found


def _constants(values: Sequence[float]) -> list[Tree]:
    """A tree of one leaf for each output."""
    leaf, zero, never = np.array([LEAF]), np.zeros(1), np.zeros(1, dtype=bool)
    return [
        Tree(np.zeros(1, dtype=np.int64), zero, leaf, leaf, never, np.array([[value]]), output)
        for output, value in enumerate(values)
    ]


_TREES: dict[str, Callable[[Any], list[Tree]]] = {
    "DecisionTreeClassifier": lambda model: _classifier_trees([model]),
    "DecisionTreeRegressor": lambda model: _regressor_trees([model]),
    "GradientBoostingClassifier": _boosting_trees,
    "GradientBoostingRegressor": _boosting_trees,
    "HistGradientBoostingClassifier": _histogram_trees,
    "HistGradientBoostingRegressor": _histogram_trees,
    "RandomForestClassifier": lambda model: _classifier_trees(model.estimators_),
    "RandomForestRegressor": lambda model: _regressor_trees(model.estimators_),
}
_EMITTERS: dict[str, Callable[[Graph, str, Any, Signature], None]] = {
    "DecisionTreeClassifier": _forest_classifier,
    "DecisionTreeRegressor": _forest_regressor,
    "GradientBoostingClassifier": _gradient_boosting_classifier,
    "GradientBoostingRegressor": _gradient_boosting_regressor,
    "HistGradientBoostingClassifier": _hist_classifier,
    "HistGradientBoostingRegressor": _hist_regressor,
    "LinearRegression": _linear_regression,
    "LogisticRegression": _logistic_regression,
    "RandomForestClassifier": _forest_classifier,
    "RandomForestRegressor": _forest_regressor,
}
