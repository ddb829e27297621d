"""The attributes of ONNX's tree operators as one set of arrays: of TreeEnsemble, and of the two older operators.

Where ONNX Runtime and the specification differ, ONNX Runtime counts; a use where its result is plainly a defect is
refused. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html, and likewise TreeEnsembleRegressor and
TreeEnsembleClassifier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.compiler.node import Node, NoRuleError

# Enumerations of ai.onnx.ml 5, then the names that the older operators have for them.
AVERAGE, SUM, SMALLEST, LARGEST = range(4)
NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, PROBIT = range(5)
LESS_OR_EQUAL, LESS, GREATER_OR_EQUAL, GREATER, EQUAL, NOT_EQUAL, MEMBER = range(7)
_AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
_TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
_MODES = tuple(
    f"BRANCH_{mode}" for mode in ("LEQ", "LT", "GTE", "GT", "EQ", "NEQ", "MEMBER")
)  # and LEAF, which tests nothing
# The meaning of the sums: plain numbers; one score, of the second of two classes, from which the first's is derived;
# the scores of two classes, the label follows from the second; the scores of several, the label is the first largest.
NUMBERS, ONE_OF_TWO, TWO, SEVERAL = range(4)
_TYPES = {"float": np.float32, "double": np.float64}


@dataclass(frozen=True)
class Votes:
    """The leaves' contributions to the sums: leaf i has the entries starts[i] to starts[i + 1] of `targets` and
    `weights`."""

    starts: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Trees:
    """The inner nodes as columns, and how the leaves' votes become the output.

    Attributes:
        splits: thresholds, in the input's own precision; without meaning where the mode is MEMBER.
        missing: whether NaN goes to yes.
        yes, no: the index of the next inner node, or −1 − i for leaf i; `roots` likewise.
        members: inner node → the set that it tests for.
        targets: the number of sums.
        base: for each sum the value that is added in the end; or empty.
        narrow: whether the result is float32 whatever the type of the sums.
        label: NUMBERS, or how the label follows from the sums.
        all_positive: whether the second class wins above 0.5 instead of above 0.
    """

    features: NDArray[np.int64]
    splits: NDArray[Any]
    modes: NDArray[np.int64]
    missing: NDArray[np.bool_]
    yes: NDArray[np.int64]
    no: NDArray[np.int64]
    roots: NDArray[np.int64]
    votes: Votes
    targets: int
    members: dict[int, list[float]] = field(default_factory=dict)
    aggregate: int = SUM
    transform: int = NONE
    base: tuple[float, ...] = ()
    narrow: bool = False
    label: int = NUMBERS
    all_positive: bool = False


def read(node: Node, kind: str) -> Trees:
    """Reads and validates the trees of a node whose input is "float" or "double".

    Raises:
        NoRuleError: it is used in a way that only ONNX Runtime should compute.
    """
    if kind not in _TYPES:
        raise NoRuleError(f"has the input type {kind}")
    try:
        found = _newer(node, _TYPES[kind]) if node.kind == "TreeEnsemble" else _older(node, _TYPES[kind])
    except (IndexError, KeyError, ValueError) as error:
        raise NoRuleError("has attributes that do not fit together") from error
    inner, leaves = len(found.modes), len(found.votes.starts) - 1
    columns = (found.features, found.splits, found.missing, found.yes, found.no)
    if any(len(column) != inner for column in columns) or len(found.votes.targets) != len(found.votes.weights):
        raise NoRuleError("has attributes that do not fit together")
    for numbers in (found.yes, found.no, found.roots):
        if np.any(numbers >= inner) or np.any(numbers < -leaves):
            raise NoRuleError("refers to a node that does not exist")
    asks = found.modes != MEMBER
    if not np.all(np.isfinite(found.votes.weights)) or np.any(np.isnan(found.splits[asks])):
        raise NoRuleError("has thresholds or weights that are not numbers")
    if np.any(found.features < 0) or np.any((found.votes.targets < 0) | (found.votes.targets >= found.targets)):
        raise NoRuleError("refers to a column or a target that does not exist")
    if found.targets == 1 and np.any(np.diff(found.votes.starts) != 1):
        raise NoRuleError("has leaves with no weight or several weights for one target")
    return found


def _newer(node: Node, real: Any) -> Trees:
    """Reads a TreeEnsemble, whose attributes are close to the arrays here: a flag tells leaves from inner nodes."""
    attributes = node.attributes
    modes = np.asarray(attributes["nodes_modes"], dtype=np.int64)
    if np.any(modes > MEMBER):
        raise NoRuleError("has an unknown comparison")
    splits = _numbers(attributes["nodes_splits"], real)
    yes, no = (
        np.where(np.asarray(attributes[f"nodes_{way}leafs"]) != 0, -1 - number, number)
        for way, number in ((way, _whole(attributes[f"nodes_{way}nodeids"])) for way in ("true", "false"))
    )
    weights = _numbers(attributes["leaf_weights"], real)
    targets = int(attributes.get("n_targets", 1))
    transform = int(attributes.get("post_transform", NONE))
    if transform != NONE and (targets > 1 or transform == PROBIT):
        # ONNX Runtime 1.32 takes SOFTMAX for LOGISTIC and the other way round, and leaves a single number as it is.
        raise NoRuleError("is followed by a transformation that ONNX Runtime interprets differently")
    return Trees(
        _whole(attributes["nodes_featureids"]),
        splits,
        modes,
        _flags(attributes.get("nodes_missing_value_tracks_true"), len(modes)),
        yes,
        no,
        _whole(attributes["tree_roots"]),
        Votes(np.arange(len(weights) + 1), _whole(attributes["leaf_targetids"]), weights.astype(np.float64)),
        targets,
        _sets(modes, attributes.get("membership_values", np.zeros(0, dtype=real)), real),
        int(attributes.get("aggregate_function", SUM)),
    )


def _older(node: Node, real: Any) -> Trees:
    """Reads a TreeEnsembleRegressor or TreeEnsembleClassifier.

    Their nodes are named by (tree, node) and listed with the leaves among them. So first the nodes are renumbered, then
    the leaves' votes are gathered, then base values, transform and the kind of label are derived.
    """
    attributes = node.attributes
    prefix = "class" if node.kind == "TreeEnsembleClassifier" else "target"
    # The nodes: their names, and which of them are leaves.
    ids = list(zip(attributes.get("nodes_treeids", ()), attributes.get("nodes_nodeids", ()), strict=True))
    rank = {one: number for number, one in enumerate(ids)}
    words = attributes.get("nodes_modes", ())
    asks = np.array([word != "LEAF" for word in words], dtype=bool)
    if len(rank) != len(ids) or len(words) != len(ids):
        raise NoRuleError("has two nodes with the same name")
    # Inner nodes have the indices 0, 1, …, leaves −1, −2, …
    number = np.where(asks, np.cumsum(asks) - 1, -np.cumsum(~asks))
    # Children and roots as such indices; a tree's root is its first node.
    kept = np.flatnonzero(asks).tolist()
    yes, no = (
        np.array([number[rank[ids[one][0], attributes[f"nodes_{way}nodeids"][one]]] for one in kept], dtype=np.int64)
        for way in ("true", "false")
    )
    firsts: dict[int, int] = {}
    for one, (tree, _) in enumerate(ids):
        firsts.setdefault(tree, one)
    # The thresholds of the splits, then the votes of the leaves and the tree of each leaf.
    splits = _numbers_of(attributes, "nodes_values", real)[kept]
    targets, label = int(attributes.get("n_targets", 1)), NUMBERS
    votes = _votes(attributes, prefix, rank, number, int(np.sum(~asks)), real)
    leaf_trees = np.array(
        [tree for (tree, _), inner in zip(ids, asks.tolist(), strict=True) if not inner], dtype=np.int64
    )
    base = tuple(_numbers_of(attributes, "base_values", real).astype(np.float64).tolist())
    transform = _TRANSFORMS.index(attributes.get("post_transform", "NONE"))
    if transform == PROBIT:
        raise NoRuleError("is followed by PROBIT, whose float32 digits differ between programs")
    all_positive = False
    if prefix == "class":
        numbers = attributes.get("classlabels_int64s") or ()
        targets = len(attributes.get("classlabels_strings") or numbers)
        certain = _certain(votes, leaf_trees, targets)
        targets, label, all_positive = _classes(targets, votes, certain, base)
        if label == TWO and 0 in votes.targets and numbers and list(numbers) != [0, 1]:
            # ONNX Runtime answers 0 and 1 whatever the labels are.
            raise NoRuleError("has weights for both of two classes whose labels are not 0 and 1")
        if label == ONE_OF_TWO and transform != LOGISTIC:
            transform = NONE
    elif targets == 1:
        # ONNX Runtime leaves a single number as it is.
        transform = NONE
    elif targets > 1 and base and not all(_certain(votes, leaf_trees, targets)):
        raise NoRuleError("has base values for targets without a weight in every row")
    if base and len(base) != targets:
        raise NoRuleError("does not have one base value for each number")
    missing = _flags(attributes.get("nodes_missing_value_tracks_true"), len(ids))[kept]
    return Trees(
        _whole(attributes.get("nodes_featureids", ()))[kept],
        splits,
        np.array([_MODES.index(words[one]) for one in kept], dtype=np.int64),
        missing,
        yes,
        no,
        np.array([number[one] for one in firsts.values()], dtype=np.int64),
        votes,
        targets,
        {},
        _AGGREGATES.index(attributes.get("aggregate_function", "SUM")),
        transform,
        base,
        narrow=True,
        label=label,
        all_positive=all_positive,
    )


def _votes(attributes: dict[str, Any], prefix: str, rank: Any, number: Any, leaves: int, real: Any) -> Votes:
    names = zip(attributes.get(f"{prefix}_treeids", ()), attributes.get(f"{prefix}_nodeids", ()), strict=True)
    voters = np.array([-1 - number[rank[one]] for one in names], dtype=np.int64)
    if np.any(voters < 0):
        raise NoRuleError("has weights at nodes that are not leaves")
    order = np.argsort(voters, kind="stable")
    starts = np.searchsorted(voters[order], np.arange(leaves + 1))
    weights = _numbers_of(attributes, f"{prefix}_weights", real).astype(np.float64)
    return Votes(starts, _whole(attributes.get(f"{prefix}_ids", ()))[order], weights[order])


def _certain(votes: Votes, leaf_trees: NDArray[np.int64], targets: int) -> list[bool]:
    """For each target, whether every row gets a weight for it: some tree has one in each of its leaves."""
    if np.any((votes.targets < 0) | (votes.targets >= targets)):
        raise NoRuleError("has a weight for a target that does not exist")
    has = np.zeros((len(leaf_trees), targets), dtype=bool)
    has[np.repeat(np.arange(len(leaf_trees)), np.diff(votes.starts)), votes.targets] = True
    trees, numbers = np.unique(leaf_trees, return_inverse=True)
    all_have = np.ones((len(trees), targets), dtype=bool)
    np.logical_and.at(all_have, numbers, has)
    certain: list[bool] = np.any(all_have, axis=0).tolist()
    return certain


def _classes(count: int, votes: Votes, certain: list[bool], base: tuple[float, ...]) -> tuple[int, int, bool]:
    """Returns the number of sums of a classifier, how the label follows from them, and whether its limit is 0.5 rather
    than 0."""
    seen = set(votes.targets.tolist())
    positive = bool(np.all(votes.weights >= 0))
    if count == 2 and seen == {0} and np.all(np.diff(votes.starts) == 1):
        return 1, ONE_OF_TWO, positive
    if count == 2 and not base and seen in ({1}, {0, 1}) and all(certain[index] for index in seen):
        return 2, TWO, positive and seen == {1}
    if count > 2 and (len(base) == count or all(certain)):
        return count, SEVERAL, False
    raise NoRuleError("gives no score to a class, which ONNX Runtime handles differently")


def _sets(modes: NDArray[np.int64], values: Any, real: Any) -> dict[int, list[float]]:
    """Returns the members for each node with a set; NaN separates the sets in the attribute."""
    ends = np.flatnonzero(np.isnan(values))
    parts = np.split(np.asarray(values, dtype=real), ends + 1)
    members = np.flatnonzero(modes == MEMBER).tolist()
    return {number: part[~np.isnan(part)].tolist() for number, part in zip(members, parts[: len(members)], strict=True)}


def _numbers(tensor: Any, real: Any) -> NDArray[Any]:
    found = np.asarray(tensor)
    if found.dtype != real:
        raise NoRuleError(f"has {found.dtype} numbers for an input of {np.dtype(real)}")
    return found


def _numbers_of(attributes: dict[str, Any], name: str, real: Any) -> NDArray[Any]:
    """Reads a list of float32, or its `_as_tensor` twin where the input is double."""
    if f"{name}_as_tensor" in attributes:
        return _numbers(attributes[f"{name}_as_tensor"], real)
    return np.asarray(attributes.get(name, ()), dtype=np.float32).astype(real)


def _whole(numbers: Any) -> NDArray[np.int64]:
    return np.asarray(list(numbers), dtype=np.int64)


def _flags(numbers: Any, count: int) -> NDArray[np.bool_]:
    return np.zeros(count, dtype=bool) if not numbers else np.asarray(list(numbers), dtype=np.int64) == 1
