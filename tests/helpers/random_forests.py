"""Random tree ensembles as ONNX nodes of both kinds, with rows on their thresholds and beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from sqlml.compiler.node import Node

REALS: dict[str, Any] = {"float": np.float32, "double": np.float64, "rounded": np.float64}
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
MEMBER = 6
_WAYS = ("truenodeids", "falsenodeids", "trueleafs", "falseleafs")
WIDTH = 5


def random_tree(random: np.random.Generator, depth: int, shape: str) -> list[Any]:
    """[yes, no] of an inner node, and None for a leaf."""
    if depth == 0 or (shape == "ragged" and random.random() < 0.25):
        return []
    if shape == "chain":
        deep, side = random_tree(random, depth - 1, shape), []
        return [deep, side] if random.random() < 0.5 else [side, deep]
    return [random_tree(random, depth - 1, shape), random_tree(random, depth - 1, shape)]


def _number(random: np.random.Generator, real: Any) -> float:
    special = (
        0.0,
        -0.0,
        1.0,
        2.0,
        -1.0,
        math.inf,
        -math.inf,
        1e-40,
        3.4028235e38,
        1e300 if real is np.float64 else 1e30,
    )
    return float(real(random.choice(special) if random.random() < 0.3 else random.normal()))


def _weight(random: np.random.Generator, real: Any) -> float:
    return float(real(random.normal() * 10.0 ** random.integers(-6, 6)))


def newer_node(
    random: np.random.Generator, kind: str, trees: list[Any], modes: tuple[int, ...], **more: Any
) -> NodeProto:
    real, targets = REALS[kind], more.get("n_targets", 1)
    nodes: dict[str, list[Any]] = {
        name: [] for name in ("modes", "featureids", "splits", "missing_value_tracks_true", *_WAYS)
    }
    weights: list[float] = []
    targetids: list[int] = []
    roots: list[int] = []
    sets: dict[int, list[float]] = {}

    def leaf() -> tuple[int, int]:
        weights.append(_weight(random, real))
        targetids.append(int(random.integers(targets)))
        return len(weights) - 1, 1

    def inner(tree: list[Any]) -> tuple[int, int]:
        number = len(nodes["modes"])
        mode = int(random.choice(modes))
        if mode == MEMBER:
            sets[number] = [*random.choice(np.arange(-2.0, 9.0), random.integers(1, 6), replace=False), math.nan]
        for name, value in (
            ("modes", mode),
            ("featureids", int(random.integers(WIDTH))),
            ("splits", 0.0 if mode == MEMBER else _number(random, real)),
            ("missing_value_tracks_true", int(random.integers(2))),
        ):
            nodes[name].append(value)
        for way in ("true", "false"):
            nodes[f"{way}nodeids"].append(0)
            nodes[f"{way}leafs"].append(0)
        for way, child in zip(("true", "false"), tree, strict=True):
            nodes[f"{way}nodeids"][number], nodes[f"{way}leafs"][number] = inner(child) if child else leaf()
        return number, 0

    for tree in trees:
        # A tree of one leaf is a node whose two ways lead to it.
        roots.append(inner(tree or [[], []])[0])
    tensors = {
        "nodes_modes": np.array(nodes.pop("modes"), dtype=np.uint8),
        "nodes_splits": np.array(nodes.pop("splits"), dtype=real),
        "leaf_weights": np.array(weights, dtype=real),
    }
    if sets:
        tensors["membership_values"] = np.array([one for number in sorted(sets) for one in sets[number]], dtype=real)
    attributes = {f"nodes_{name}": values for name, values in nodes.items()}
    attributes |= {name: numpy_helper.from_array(values) for name, values in tensors.items()}
    attributes |= {"leaf_targetids": targetids, "tree_roots": roots, "n_targets": 1, "aggregate_function": 1, **more}
    return helper.make_node("TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", **attributes)


def older_node(random: np.random.Generator, kind: str, trees: list[Any], names: dict[str, Any]) -> NodeProto:
    """A TreeEnsembleRegressor, or with `classlabels_int64s` a TreeEnsembleClassifier; `names["ids"]` are what each leaf
    votes for, or any "one" of them, or each tree for one in "turn"."""
    real = REALS[kind]
    names = dict(names)
    ids, positive = names.pop("ids", [0]), names.pop("positive", False)
    prefix = "class" if "classlabels_int64s" in names else "target"
    nodes: dict[str, list[Any]] = {
        name: []
        for name in ("treeids", "nodeids", "featureids", "modes", "values", "missing_value_tracks_true", *_WAYS[:2])
    }
    votes: dict[str, list[Any]] = {"treeids": [], "nodeids": [], "ids": [], "weights": []}

    def add(tree: list[Any], number: int) -> int:
        place = len(nodes["modes"])
        node = place - first
        for name, value in (
            ("treeids", number),
            ("nodeids", node),
            ("featureids", int(random.integers(WIDTH))),
            ("modes", _MODES[random.integers(6)] if tree else "LEAF"),
            ("values", _number(random, real)),
            ("truenodeids", 0),
            ("falsenodeids", 0),
            ("missing_value_tracks_true", int(random.integers(2))),
        ):
            nodes[name].append(value)
        if not tree:
            some = int(random.integers(names.get("n_targets", 3))) if ids == "one" else number % 3
            for one in ids if isinstance(ids, list) else [some]:
                weight = _weight(random, real) / 1e5
                for name, value in (("treeids", number), ("nodeids", node), ("ids", one)):
                    votes[name].append(value)
                votes["weights"].append(abs(weight) if positive else weight)
            return node
        nodes["truenodeids"][place] = add(tree[0], number)
        nodes["falsenodeids"][place] = add(tree[1], number)
        return node

    for number, tree in enumerate(trees):
        first = len(nodes["modes"])
        add(tree, number)
    given: dict[str, Any] = {
        "nodes_values": nodes.pop("values"),
        f"{prefix}_weights": votes.pop("weights"),
        "base_values": names.pop("base_values", None),
    }
    attributes: dict[str, Any] = {f"nodes_{name}": values for name, values in nodes.items()}
    attributes |= {f"{prefix}_{name}": values for name, values in votes.items()}
    for name, values in given.items():
        if values is None:
            continue
        if kind == "double":
            attributes[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(values, dtype=np.float64))
        else:
            attributes[name] = values
    kind_of, found = ("Classifier", ["label", "y"]) if prefix == "class" else ("Regressor", ["y"])
    return helper.make_node(f"TreeEnsemble{kind_of}", ["x"], found, domain="ai.onnx.ml", **attributes, **names)


def random_rows(random: np.random.Generator, node: NodeProto, kind: str) -> NDArray[np.float64]:
    """Ordinary numbers, special ones, and every threshold with what is beside it in both precisions."""
    read = Node.of(node).attributes
    splits = np.unique(
        np.asarray(read.get("nodes_splits", read.get("nodes_values_as_tensor", read.get("nodes_values"))), dtype=float)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        near = [splits, -splits]
        for way in (-np.inf, np.inf):
            near += [np.nextafter(splits, way), np.nextafter(splits.astype(np.float32), np.float32(way)).astype(float)]
            near.append(np.nextafter(near[-1], -way))
        # Half-way between two float32.
        near += [(splits + near[1]) / 2, (splits + near[-2]) / 2]
    pool = np.concatenate([*near, [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e-46], np.arange(-3.0, 10.0)])
    rows = random.choice(pool, (400, WIDTH))
    rows[:150] = random.normal(size=(150, WIDTH))
    rows[100:200][random.random((100, WIDTH)) < 0.3] = np.nan
    return rows
