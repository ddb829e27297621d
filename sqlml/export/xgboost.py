"""Emitter of XGBoost models, read from XGBoost's JSON format, which keeps all digits of a float32.

XGBoost rounds x to float32 and adds leaves in float32, and so does the graph, step by step. Only exponentials are
computed in float64 and rounded, which is what a good float32 exponential gives. The rules are from
`src/predictor/predict_fn.h` and the objectives' `PredTransform`: left is x < threshold; a missing value takes the
learned branch; a category goes right if it is in the node's set, and left otherwise.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs, trees
from sqlml.export.graph import DOUBLE, FLOAT, Graph
from sqlml.export.trees import LEAF, Tree
from sqlml.signature import Signature

_LOGISTIC = ("binary:logistic", "reg:logistic")
# Objectives with a log link: the prediction is the exponential of the sum.
_LOGARITHMIC = ("count:poisson", "reg:gamma", "reg:tweedie")
# XGBoost clips the exponent of its sigmoid here.
_LARGEST_EXPONENT = 88.7
_LARGEST = np.finfo(np.float32).max


def ensemble(model: Any) -> list[Tree]:
    """The base score as constants, then the trees up to the best iteration, in the order in which they are added."""
    return _trees(_learner(model), _rounds(model))


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Two classes: sigmoid of the sum, second class if above 0.5. More classes: softmax of the sums, first largest
    class."""
    raw, _ = _raw(graph, x, model)
    if len(signature.labels) > 2:
        probabilities = _softmax(graph, raw)
        position = outputs.first_largest(graph, probabilities)
    else:
        second = _sigmoid(graph, raw)
        first = graph.op("Sub", _constant(graph, 1.0), second)
        probabilities = graph.concat([first, second])
        position = outputs.binary_class_index(graph, graph.op("Greater", second, _constant(graph, 0.5)))
    outputs.classes(graph, signature, graph.cast(probabilities, DOUBLE), position)


def regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The sum, its sigmoid or its exponential, depending on the objective."""
    raw, objective = _raw(graph, x, model)
    if objective in _LOGISTIC:
        raw = _sigmoid(graph, raw)
    elif objective in _LOGARITHMIC:
        raw = _exp(graph, raw)
    outputs.prediction(graph, graph.cast(raw, DOUBLE))


# -- arithmetic in float32 ---------------------------------------------------------------------------------------------


def _raw(graph: Graph, x: str, model: Any) -> tuple[str, str]:
    """The sums, [rows, outputs] in float32, and the objective's name."""
    learner = _learner(model)
    found = _trees(learner, _rounds(model))
    raw = trees.emit(graph, graph.cast(x, FLOAT), found, _width(learner), np.float32)
    return raw, learner["objective"]["name"]


def _sigmoid(graph: Graph, raw: str) -> str:
    """1 / (exp(min(-x, 88.7)) + 1)."""
    exponent = graph.op("Min", graph.op("Neg", raw), _constant(graph, _LARGEST_EXPONENT))
    return graph.op("Div", _constant(graph, 1.0), graph.op("Add", _exp(graph, exponent), _constant(graph, 1.0)))


def _softmax(graph: Graph, raw: str) -> str:
    """exp(x - max) / Σ exp(x - max), with the sum in float64."""
    classes = graph.constant([1], np.int64)
    powers = _exp(graph, graph.op("Sub", raw, graph.op("ReduceMax", raw, classes, keepdims=1)))
    total = graph.op("ReduceSum", graph.cast(powers, DOUBLE), classes, keepdims=1)
    return graph.op("Div", powers, graph.cast(total, FLOAT))


def _exp(graph: Graph, value: str) -> str:
    """The exponential in float64, rounded to float32."""
    return graph.cast(graph.op("Exp", graph.cast(value, DOUBLE)), FLOAT)


def _constant(graph: Graph, value: float) -> str:
    return graph.constant([[value]], np.float32)


# -- trees -------------------------------------------------------------------------------------------------------------


def _learner(model: Any) -> dict[str, Any]:
    learner: dict[str, Any] = json.loads(model.get_booster().save_raw("json"))["learner"]
    return learner


def _rounds(model: Any) -> int | None:
    """The number of boosting rounds up to the best one after early stopping; None for all."""
    best = model.get_booster().attr("best_iteration")
    return None if best is None else int(best) + 1


def _width(learner: dict[str, Any]) -> int:
    return max(1, int(learner["learner_model_param"]["num_class"]))


def _trees(learner: dict[str, Any], rounds: int | None) -> list[Tree]:
    stored = learner["gradient_booster"]["model"]
    count = len(stored["trees"]) if rounds is None else stored["iteration_indptr"][rounds]
    start = [trees.constant(float(value), output) for output, value in enumerate(_start(learner))]
    pairs = zip(stored["trees"][:count], stored["tree_info"][:count], strict=True)
    return start + [_tree(tree, output) for tree, output in pairs]


def _start(learner: dict[str, Any]) -> NDArray[np.float32]:
    """The base score of each output, before the objective's transformation: logit or logarithm of the stored value."""
    scores = np.array(json.loads(learner["learner_model_param"]["base_score"]), dtype=np.float32).reshape(-1)
    objective, one = learner["objective"]["name"], np.float32(1.0)
    if objective in _LOGISTIC:
        scores = -np.log(one / scores - one)
    elif objective in _LOGARITHMIC:
        scores = np.log(scores)
    found: NDArray[np.float32] = np.broadcast_to(scores, _width(learner))
    return found


def _tree(tree: dict[str, Any], output: int) -> Tree:
    """Converts a tree of the JSON format; a node that splits by a set has its children swapped."""
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    values = np.array(tree["split_conditions"], dtype=np.float32)
    members = _members(tree)
    # Here set members go left, in XGBoost they go right.
    swapped = np.isin(np.arange(len(left)), list(members))
    missing_left = np.array(tree["default_left"], dtype=bool) ^ swapped
    return Tree(
        feature=np.array(tree["split_indices"]),
        threshold=_up_to(values).astype(np.float64),
        left=np.where(swapped, right, left),
        right=np.where(swapped, left, right),
        missing_left=missing_left,
        weights=np.where(left == LEAF, values, 0.0)[:, np.newaxis],
        output=output,
        # -1 is the unknown category, and goes where missing values go.
        members={node: (*([-1.0] if missing_left[node] else []), *values) for node, values in members.items()},
    )


def _up_to(thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest float32 below each threshold, because x < t is x ≤ predecessor of t. If that is the largest float32,
    it becomes infinity: numbers beyond float32, which XGBoost sees as the largest, must go left too."""
    below: NDArray[np.float32] = np.nextafter(thresholds, np.float32(-np.inf))
    return np.where(below == _LARGEST, np.float32(np.inf), below)


def _members(tree: dict[str, Any]) -> dict[int, tuple[float, ...]]:
    """Inner node → the categories in its set."""
    parts = (tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"])
    return {
        node: tuple(float(value) for value in tree["categories"][start : start + size])
        for node, start, size in zip(*parts, strict=True)
    }
