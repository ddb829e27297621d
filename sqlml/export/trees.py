"""Tree ensembles of any library as one `TreeEnsemble` node in float64,
https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html.

ONNX Runtime compares in the tensor's own type and adds up leaves in the order of the trees. So the graph's sums are
equal bit for bit if the library gets the same x and adds in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from sqlml.export.graph import Graph

# Codes of ai.onnx.ml 5: `nodes_modes` (≤, ∈), `aggregate_function`, `post_transform`.
_LESS_OR_EQUAL, _MEMBER = 0, 6
_SUM, _NO_POST_TRANSFORM = 1, 0
LEAF = -1


@dataclass(frozen=True)
class Tree:
    """A decision tree as arrays over its nodes; node 0 is the root, and a parent comes before its children.

    Attributes:
        feature: [nodes] the column of x that an inner node tests; ignored at a leaf.
        threshold: [nodes] x goes left if x ≤ threshold; ignored at a leaf.
        left, right: [nodes] indices of the children; both `LEAF` at a leaf.
        missing_left: [nodes] True if NaN goes left.
        weights: [nodes, outputs] the addends of a leaf for each output; ignored at an inner node.
        output: index of the ensemble's output for the first column of `weights`.
        members: inner node → the values that go left, for a split by a set instead of a threshold.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    weights: NDArray[np.float64]
    output: int = 0
    members: dict[int, tuple[float, ...]] = field(default_factory=dict)


def constant(weight: float, output: int) -> Tree:
    """A tree that is a single leaf."""
    leaf, zero, never = np.array([LEAF]), np.zeros(1), np.zeros(1, dtype=bool)
    return Tree(np.zeros(1, dtype=np.int64), zero, leaf, leaf, never, np.array([[weight]]), output)


def emit(graph: Graph, x: str, trees: Sequence[Tree], outputs: int, dtype: Any = np.float64) -> str:
    """Adds a TreeEnsemble node; returns the name of its sums, [rows, outputs] in `dtype`.

    Args:
        x: the name of [rows, width] in `dtype`.
        trees: at least one; the sum of each output follows their order.
        dtype: float64, or float32 for a library that compares and adds in float32.
    """
    columns = _Columns()
    for tree in trees:
        for target, weights in enumerate(tree.weights.T.copy(), start=tree.output):
            columns.add(tree, weights, target)
    return graph.ml("TreeEnsemble", x, n_targets=outputs, **columns.attributes(dtype))


class _Columns:
    """The attributes of a TreeEnsemble node, appended tree by tree. A leaf adds to one output, so a tree of several
    outputs is written once for each, pruned to the splits that matter for that output."""

    def __init__(self) -> None:
        self._nodes = 0
        self._leaves = 0
        self._roots: list[int] = []
        self._members: list[float] = []
        self._parts: dict[str, list[NDArray[Any]]] = {}

    def add(self, tree: Tree, weights: NDArray[np.float64], target: int) -> None:
        """Appends one tree for one output: prunes it, renumbers its nodes, and appends inner nodes and leaves to the
        attributes."""
        left, right = _without_idle_splits(tree, weights)
        reached = _reachable(left, right)
        inner, leaves = reached[left[reached] != LEAF], reached[left[reached] == LEAF]
        if not len(inner):
            self._constant(weights[0], target)
            return
        # New index of each child, among all inner nodes or among all leaves.
        rank = np.zeros(len(left), dtype=np.int64)
        rank[inner] = self._nodes + np.arange(len(inner))
        rank[leaves] = self._leaves + np.arange(len(leaves))
        modes = np.full(len(left), _LESS_OR_EQUAL, dtype=np.uint8)
        modes[list(tree.members)] = _MEMBER
        for node in inner[modes[inner] == _MEMBER]:
            self._members += [*tree.members[int(node)], np.nan]
        self._roots.append(self._nodes)
        self._append(
            nodes_modes=modes[inner],
            nodes_featureids=tree.feature[inner],
            nodes_splits=np.where(modes[inner] == _MEMBER, 0.0, tree.threshold[inner]),
            nodes_missing_value_tracks_true=tree.missing_left[inner],
            nodes_truenodeids=rank[left[inner]],
            nodes_trueleafs=left[left[inner]] == LEAF,
            nodes_falsenodeids=rank[right[inner]],
            nodes_falseleafs=left[right[inner]] == LEAF,
            leaf_weights=weights[leaves],
            leaf_targetids=np.full(len(leaves), target),
        )
        self._nodes += len(inner)
        self._leaves += len(leaves)

    def _constant(self, weight: float, target: int) -> None:
        """Appends a tree without a split, as a root with two leaves of the same weight.

        A leaf shared by both branches will not do: ONNX Runtime 1.32 adds it twice in some ensembles of several outputs
        whose other trees split by sets.
        """
        self._roots.append(self._nodes)
        self._append(
            nodes_modes=np.array([_LESS_OR_EQUAL], dtype=np.uint8),
            nodes_featureids=np.array([0]),
            nodes_splits=np.array([0.0]),
            nodes_missing_value_tracks_true=np.array([False]),
            nodes_truenodeids=np.array([self._leaves]),
            nodes_trueleafs=np.array([True]),
            nodes_falsenodeids=np.array([self._leaves + 1]),
            nodes_falseleafs=np.array([True]),
            leaf_weights=np.array([weight, weight]),
            leaf_targetids=np.array([target, target]),
        )
        self._nodes += 1
        self._leaves += 2

    def _append(self, **columns: NDArray[Any]) -> None:
        for name, column in columns.items():
            self._parts.setdefault(name, []).append(column)

    def attributes(self, dtype: Any) -> dict[str, Any]:
        """The node's attributes; thresholds, leaf weights and set members have the type `dtype`."""
        joined = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        numbers = {name: joined.pop(name).astype(dtype) for name in ("nodes_splits", "leaf_weights")}
        if self._members:
            numbers["membership_values"] = np.array(self._members, dtype=dtype)
        tensors = {name: numpy_helper.from_array(column) for name, column in numbers.items()}
        tensors["nodes_modes"] = numpy_helper.from_array(joined.pop("nodes_modes"))
        return {
            **tensors,
            **{name: column.astype(np.int64).tolist() for name, column in joined.items()},
            "tree_roots": self._roots,
            "aggregate_function": _SUM,
            "post_transform": _NO_POST_TRANSFORM,
        }


def _levels(left: NDArray[np.int64], right: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The nodes level by level, from the root down."""
    level = np.array([0])
    while len(level):
        yield level
        inner = level[left[level] != LEAF]
        level = np.concatenate([left[inner], right[inner]])


def _reachable(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.sort(np.concatenate(list(_levels(left, right))))


def _without_idle_splits(tree: Tree, weights: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The children of each node after pruning: a subtree whose leaves all have the same weight becomes a leaf.

    With many classes, most leaves of a class have weight 0; pruning keeps the copies small. Changes `weights` in place:
    a new leaf gets the common weight.
    """
    left, right = tree.left.copy(), tree.right.copy()
    for level in reversed(list(_levels(tree.left, tree.right))):
        inner = level[left[level] != LEAF]
        a, b = left[inner], right[inner]
        idle = inner[(left[a] == LEAF) & (left[b] == LEAF) & (weights[a] == weights[b])]
        weights[idle] = weights[left[idle]]
        left[idle] = right[idle] = LEAF
    return left, right
