"""Emitter of LightGBM models, read from LightGBM's text format, which keeps all digits.

Everything is float64, as in LightGBM. Its rules are from `include/LightGBM/tree.h` and the objectives' `ConvertOutput`:
left is x ≤ threshold; a missing value counts as 0 if training saw none, and takes the learned branch if it did; a
category goes left if it is in the node's set, and right if it is missing or unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs, trees
from sqlml.export.graph import Graph
from sqlml.export.trees import LEAF, Tree
from sqlml.signature import Signature

# Bits of `decision_type`.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_NAN = 1, 2, 8
# LightGBM treats numbers up to this distance from 0 as 0 when it predicts (kZeroThreshold, a float32).
_ZERO = float(np.float32(1e-35))
# Objectives with a log link: the prediction is the exponential of the sum.
_LOGARITHMIC = ("gamma", "poisson", "tweedie")


def ensemble(model: Any) -> list[Tree]:
    """The trees up to the best iteration, in the order in which LightGBM adds them."""
    return _trees(_text(model), model.booster_.num_model_per_iteration())


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Sigmoid or softmax of the sums; the first largest probability wins."""
    raw, _, factor = _raw(graph, x, model)
    if len(signature.labels) > 2:
        probabilities = graph.op("Softmax", raw, axis=1)
    else:
        probabilities = outputs.binary_probabilities(graph, _sigmoid(graph, raw, factor))
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The sum, its sigmoid or its exponential, depending on the objective."""
    raw, objective, factor = _raw(graph, x, model)
    if objective == "cross_entropy":
        raw = _sigmoid(graph, raw, factor)
    elif objective in _LOGARITHMIC:
        raw = graph.op("Exp", raw)
    outputs.prediction(graph, raw)


def _raw(graph: Graph, x: str, model: Any) -> tuple[str, str, float]:
    """The sums [rows, outputs], the objective's name, and its sigmoid's factor."""
    text, width = _text(model), model.booster_.num_model_per_iteration()
    objective, *settings = _fields(text)["objective"].split()
    factors = [float(setting.removeprefix("sigmoid:")) for setting in settings if setting.startswith("sigmoid:")]
    return trees.emit(graph, x, _trees(text, width), width), objective, factors[0] if factors else 1.0


def _sigmoid(graph: Graph, raw: str, factor: float) -> str:
    """sigmoid(factor · raw)."""
    return graph.op("Sigmoid", raw if factor == 1.0 else graph.op("Mul", raw, graph.constant(factor)))


def _text(model: Any) -> str:
    """The model in LightGBM's text format, up to the best iteration."""
    best: int | None = model.best_iteration_
    text: str = model.booster_.model_to_string(num_iteration=best or -1)
    return text


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _trees(text: str, width: int) -> list[Tree]:
    """The trees of the text format; they take turns between the outputs."""
    blocks = text.partition("end of trees")[0].split("\nTree=")[1:]
    found = [_tree(_fields(block), index % width) for index, block in enumerate(blocks)]
    return found or [trees.constant(0.0, output) for output in range(width)]


def _tree(fields: dict[str, str], output: int) -> Tree:
    """Converts a tree: inner nodes keep their indices, and leaves are appended after them."""
    leaves = _numbers(fields, "leaf_value", np.float64)
    if len(leaves) == 1:
        return trees.constant(float(leaves[0]), output)
    kind = _numbers(fields, "decision_type", np.int64)
    thresholds = _numbers(fields, "threshold", np.float64)
    inner, none = len(kind), np.full(len(leaves), LEAF)
    missing_left = np.where(kind & _MISSING_NAN, kind & _DEFAULT_LEFT, thresholds >= 0.0).astype(bool)
    return Tree(
        feature=np.append(_numbers(fields, "split_feature", np.int64), np.zeros(len(leaves), dtype=np.int64)),
        threshold=np.append(_around_zero(thresholds), np.zeros(len(leaves))),
        left=np.append(_children(fields, "left_child", inner), none),
        right=np.append(_children(fields, "right_child", inner), none),
        missing_left=np.append(missing_left & ~(kind & _CATEGORICAL).astype(bool), none == 0),
        weights=np.append(np.zeros(inner), leaves)[:, np.newaxis],
        output=output,
        members=_members(fields, kind, thresholds),
    )


def _children(fields: dict[str, str], name: str, inner: int) -> NDArray[np.int64]:
    """Child indices. LightGBM writes leaf k as -k - 1; here leaves come after the inner nodes."""
    children = _numbers(fields, name, np.int64)
    return np.where(children < 0, inner - children - 1, children)


def _around_zero(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thresholds adjusted so that every x within kZeroThreshold of 0 goes where 0 goes."""
    near = np.abs(thresholds) <= _ZERO
    return np.where(near, np.where(thresholds < 0.0, np.nextafter(-_ZERO, -np.inf), _ZERO), thresholds)


def _members(
    fields: dict[str, str], kind: NDArray[np.int64], thresholds: NDArray[np.float64]
) -> dict[int, tuple[float, ...]]:
    """Inner node → the category numbers that go left, decoded from the bit set between two boundaries."""
    nodes = np.flatnonzero(kind & _CATEGORICAL)
    if not len(nodes):
        return {}
    boundaries = _numbers(fields, "cat_boundaries", np.int64)
    words = _numbers(fields, "cat_threshold", np.int64).astype("<u4")
    found = {}
    for node, index in zip(nodes.tolist(), thresholds[nodes].astype(np.int64), strict=True):
        own = words[boundaries[index] : boundaries[index + 1]]
        bits = np.unpackbits(own.view(np.uint8), bitorder="little")
        found[node] = tuple(np.flatnonzero(bits).astype(float).tolist())
    return found


def _numbers(fields: dict[str, str], name: str, dtype: Any) -> NDArray[Any]:
    return np.array(fields[name].split(), dtype=dtype)
