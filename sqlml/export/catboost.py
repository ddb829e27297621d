"""Emitter of CatBoost models, read from CatBoost's JSON format, which keeps all digits.

CatBoost rounds x to float32 for its comparisons and adds leaves in float64, and so does the graph; CatBoost's own
export to ONNX adds in float32. A tree goes right if x > border, so a missing value goes left, unless `nan_mode = 'Max'`
sends it right: https://catboost.ai/docs/en/concepts/algorithm-missing-values-processing. An oblivious tree has one
border a level, and the comparison of level i is bit i of the leaf's index.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs, trees
from sqlml.export.graph import FLOAT, Graph
from sqlml.export.trees import LEAF, Tree
from sqlml.signature import Signature

# Losses with a log link: the prediction is the exponential of the sum.
_LOGARITHMIC = ("Poisson", "Tweedie")


def ensemble(model: Any) -> list[Tree]:
    """The trees in the order in which CatBoost adds them."""
    return _trees(_saved(model))


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """One sum: its sigmoid, and the second class if it is above 0. A sum for each class (more than two, or the loss
    MultiClass): their softmax, and the first largest."""
    raw, width = _raw(graph, x, model)
    if width > 1:
        probabilities, position = graph.op("Softmax", raw, axis=1), outputs.first_largest(graph, raw)
    else:
        probabilities = outputs.binary_probabilities(graph, graph.op("Sigmoid", raw))
        position = outputs.binary_class_index(graph, graph.op("Greater", raw, graph.constant([[0.0]])))
    outputs.classes(graph, signature, probabilities, position)


def regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The sum, or its exponential, depending on the loss."""
    raw, _ = _raw(graph, x, model)
    loss = model.get_all_params()["loss_function"].partition(":")[0]
    outputs.prediction(graph, graph.op("Exp", raw) if loss in _LOGARITHMIC else raw)


def _raw(graph: Graph, x: str, model: Any) -> tuple[str, int]:
    """scale · Σ leaves + bias, [rows, outputs], and the number of outputs."""
    saved = _saved(model)
    scale, bias = saved["scale_and_bias"]
    raw = trees.emit(graph, graph.cast(graph.cast(x, FLOAT)), _trees(saved), len(bias))
    if scale != 1:
        raw = graph.op("Mul", raw, graph.constant(float(scale)))
    if any(bias):
        raw = graph.op("Add", raw, graph.constant([bias]))
    return raw, len(bias)


def _saved(model: Any) -> dict[str, Any]:
    """The model in CatBoost's JSON format, which it writes into files only."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _trees(saved: dict[str, Any]) -> list[Tree]:
    features = [_Feature(one) for one in saved["features_info"]["float_features"]]
    width = len(saved["scale_and_bias"][1])
    found = [_oblivious(tree, features, width) for tree in saved.get("oblivious_trees", ())]
    found += [_branching(tree, features, width) for tree in saved.get("trees", ())]
    return found or [trees.constant(0.0, output) for output in range(width)]


class _Feature:
    """A feature's column of x, and whether its missing values go left."""

    def __init__(self, saved: dict[str, Any]) -> None:
        self.column = int(saved["flat_feature_index"])
        self.missing_left = saved["nan_value_treatment"] != "AsTrue"


def _oblivious(saved: dict[str, Any], features: list[_Feature], width: int) -> Tree:
    """A symmetric tree as a complete binary one in the order of a heap: the last comparison is at the root, so that
    leaves stand in the order of their indices."""
    splits = list(reversed(saved["splits"]))
    leaves = np.asarray(saved["leaf_values"], dtype=np.float64).reshape(-1, width)
    inner = len(leaves) - 1
    levels = [int(np.log2(node + 1)) for node in range(inner)]
    at = [splits[level] for level in levels]
    children = 2 * np.arange(inner) + 1
    none = np.full(len(leaves), LEAF)
    used = [features[split["float_feature_index"]] for split in at]
    return Tree(
        feature=np.append([one.column for one in used], np.zeros(len(leaves))).astype(np.int64),
        threshold=np.append([split["border"] for split in at], np.zeros(len(leaves))),
        left=np.append(children, none),
        right=np.append(children + 1, none),
        missing_left=np.append([one.missing_left for one in used], none == 0).astype(bool),
        weights=np.concatenate([np.zeros((inner, width)), leaves]),
    )


def _branching(saved: dict[str, Any], features: list[_Feature], width: int) -> Tree:
    """A tree of `grow_policy` Depthwise or Lossguide, whose nodes contain each other."""
    nodes: list[dict[str, Any]] = [saved]
    left, right = list[int](), list[int]()
    for node in nodes:
        inner = "split" in node
        left.append(len(nodes) if inner else LEAF)
        right.append(len(nodes) + 1 if inner else LEAF)
        nodes += [node["left"], node["right"]] if inner else []
    used = [features[node["split"]["float_feature_index"]] if "split" in node else None for node in nodes]
    return Tree(
        feature=np.array([one.column if one else 0 for one in used]),
        threshold=np.array([node["split"]["border"] if "split" in node else 0.0 for node in nodes]),
        left=np.array(left),
        right=np.array(right),
        missing_left=np.array([bool(one and one.missing_left) for one in used]),
        weights=np.array([_leaf(node, width) for node in nodes]),
    )


def _leaf(node: dict[str, Any], width: int) -> NDArray[np.float64]:
    return np.zeros(width) if "split" in node else np.asarray(node["value"], dtype=np.float64).reshape(width)
