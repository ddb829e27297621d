"""Packs the trees of an ONNX node into the flat arrays that `org.sqlml.expressions.Forest` walks: one string of bytes.

Every split is normalized to `x ≤ t`, so that the walk has one kind of step and no branch:

- x and t are integers in the order of the floating-point numbers that they stand for, their keys. −0.0 has the key of
  0.0, and the number below t has the key before: `x < t` is `key(x) ≤ key(t) − 1`. `x > t` is `x ≤ t` with the two
  children swapped.
- `x = t` and `x ∈ {…}` are binary searches among the keys of the members and those before them.
- A slot is what a node reads: a column with a rule for NaN, which is above all numbers (it goes to no) or below all
  (it goes to yes). A column that any node reads has one slot for each rule. Slot 0 is below everything: a leaf reads
  it and stays where it is.
- Keys of doubles are halved, so that the difference of two of them fits in a long. For an odd t, `x ≤ t` is
  `x >> 1 ≤ t >> 1`; for an even one it is `(x + 1) >> 1 ≤ t >> 1`, and a slot of its own has that half.

The two children of a node are adjacent, so a node is a key, a slot and the distance to its children. A leaf's distance
is 0, and its key the index of the leaf.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.tree_attributes import (
    EQUAL,
    GREATER,
    GREATER_OR_EQUAL,
    LESS,
    LESS_OR_EQUAL,
    MEMBER,
    NOT_EQUAL,
    Trees,
    read,
)

VERSION = 1
_MAGIC = b"SQFR"
# For each kind of input: the type that x is rounded to, the integers of that width, and the type of the sums.
KINDS: dict[str, tuple[Any, Any, Any]] = {
    "float": (np.float32, np.int32, np.float32),
    "double": (np.float64, np.int64, np.float64),
    "rounded": (np.float32, np.int32, np.float64),
}
# The second half of a node, its link: the low bits are the slot, the others the signed distance to its children.
_SLOT_BITS = 12
_MOST_SLOTS, _FARTHEST = 1 << _SLOT_BITS, 1 << (31 - _SLOT_BITS)
_DEEPEST = 10_000
# The number of integers in the header; how many trees the kernel walks together, and how many of a rest one by one.
_HEAD, _TOGETHER, _FEW = 15, 10, 2
# Bits of a slot: NaN is below all numbers; the key is rounded up when halved.
_BELOW, _UP = 1, 2


def pack(node: Node, kind: str) -> bytes:
    """Returns the packed trees of a TreeEnsemble, TreeEnsembleRegressor or TreeEnsembleClassifier.

    The layout: the magic number, the header, and the arrays of `parts` one after another, all little-endian.

    Args:
        kind: the type of the input tensor, "float" or "double"; or "rounded" for doubles that are all rounded to
            float32 before the comparison. The kernel rounds them itself and is as fast as for "float".

    Raises:
        NoRuleError: the node is used in a way that ONNX Runtime has to compute.
    """
    if kind not in KINDS:
        raise NoRuleError(f"has the input type {kind}")
    trees = read(node, "float" if kind == "float" else "double")
    # Normalize the splits, lay the nodes out, and give each its slot.
    questions = _Questions(trees, kind)
    roots = questions.numbered(trees.roots)
    order, starts, delta = _layout(questions, roots)
    leaf = order >= questions.count
    columns, numbers = questions.slots()
    if np.any(numbers >= _MOST_SLOTS) or np.any(np.abs(delta) >= _FARTHEST):
        raise NoRuleError("has a tree or a row that is too large for the kernel")
    # The arrays of nodes: for a leaf the key is its index, the slot 0 and the distance 0.
    inner = np.where(leaf, 0, order)
    _, whole, _ = KINDS[kind]
    keys = np.where(leaf, order - questions.count, np.append(questions.half_keys(), 0)[inner]).astype(whole)
    slot = np.where(leaf, 0, np.append(numbers, 0)[inner])
    links = (np.where(leaf, 0, delta) << _SLOT_BITS | slot).astype(np.int32)
    # The header, whose fields `org.sqlml.expressions.Forest` reads in this order, and the arrays after it.
    depths = questions.depths()
    votes = trees.votes
    head = (
        VERSION,
        list(KINDS).index(kind),
        trees.aggregate,
        trees.transform,
        trees.label,
        int(trees.all_positive),
        int(trees.narrow),
        max(questions.feature, default=-1) + 1,
        trees.targets,
        len(trees.roots),
        len(order),
        len(votes.starts) - 1,
        len(votes.targets),
        len(columns),
        len(trees.base),
    )
    real = KINDS[kind][2]
    parts: list[tuple[Any, Any]] = [
        (columns, np.int32),
        (starts, np.int32),
        (depths[roots], np.int32),
        (keys, whole),
        (links, np.int32),
        (votes.starts, np.int32),
        (votes.targets, np.int32),
        (votes.weights, real),
        (trees.base, real),
    ]
    content = b"".join(np.asarray(part).astype(np.dtype(dtype).newbyteorder("<")).tobytes() for part, dtype in parts)
    return _MAGIC + struct.pack(f"<{len(head)}i", *head) + content


def outputs(node: Node) -> int:
    """Returns how many numbers a node gives for a row: its targets.

    For a TreeEnsembleClassifier these are the scores of its classes and then the index of the label among them.
    """
    if node.kind != "TreeEnsembleClassifier":
        return int(node.attributes.get("n_targets", 1))
    labels = node.attributes.get("classlabels_strings") or node.attributes.get("classlabels_int64s")
    return len(labels or ()) + 1


class Work(NamedTuple):
    """The work of walking all trees for one row.

    Attributes:
        together: steps in the kernel, which walks ten trees at once down to the depth of the deepest of them, and one
            or two that are left over by themselves.
        apart: expected steps where each walk stops at its leaf, if both answers of a split are equally likely.
        votes: expected number of votes that are added up, if all leaves are equally likely.
    """

    together: int
    apart: float
    votes: float


def work(packed: bytes) -> Work:
    """Returns the work per row for the result of `pack`."""
    head = struct.unpack_from(f"<{_HEAD}i", packed, len(_MAGIC))
    kind, trees, nodes, leaves, votes, columns = head[1], *head[9:14]
    whole = KINDS[list(KINDS)[kind]][1]
    start = len(_MAGIC) + 4 * (_HEAD + columns)
    roots, depths = np.frombuffer(packed, "<i4", 2 * trees, start).reshape(2, -1)
    far = np.frombuffer(packed, "<i4", nodes, start + 8 * trees + np.dtype(whole).itemsize * nodes) >> _SLOT_BITS
    deepest = np.sort(depths)[_TOGETHER - 1 :: _TOGETHER]
    over = trees % _TOGETHER
    last = _TOGETHER if over > _FEW else over
    together = _TOGETHER * int(deepest.sum()) + last * int(depths.max(initial=0))
    apart, level, share = 0.0, roots, np.ones(trees)
    while len(level):
        inner = far[level] != 0
        level, share = level[inner], share[inner]
        apart += float(share.sum())
        level = level + far[level]
        # A node with several parents is visited once, with the sum of their probabilities.
        level, first = np.unique(np.concatenate([level, level + 1]), return_inverse=True)
        share = np.bincount(first, np.concatenate([share, share]) / 2)
    return Work(together, apart, trees * votes / max(leaves, 1))


class _Questions:
    """All splits of some trees, normalized to `key(x) ≤ t`.

    A branch leads to a split by its index, or to a leaf: indices from `count` on.
    """

    def __init__(self, trees: Trees, kind: str) -> None:
        self._real, self._whole, _ = KINDS[kind]
        self._halved = kind == "double"
        modes, splits = trees.modes, trees.splits
        if kind == "rounded":
            if np.any(modes != LESS_OR_EQUAL):
                raise NoRuleError("compares rounded numbers by another operator than ≤")
            splits = _at_most(splits)
        # Comparisons with < or ≥ use the key before; > and ≥ swap the children, and with them the way of NaN.
        key = self._key(splits)
        key = np.where((modes == LESS) | (modes == GREATER_OR_EQUAL), key - 1, key)
        turned = (modes == GREATER) | (modes == GREATER_OR_EQUAL)
        missing = trees.missing.copy()
        # As in ONNX Runtime, NaN ≠ t holds whatever the node says of missing values.
        missing[modes == NOT_EQUAL] = True
        yes, no = trees.yes, trees.no
        # Leaves have negative indices until all splits are known, because a membership test adds splits.
        self.feature = trees.features.tolist()
        self._keys: list[int] = key.tolist()
        self._below = (missing ^ turned).tolist()
        self._yes: list[int] = np.where(turned, no, yes).tolist()
        self._no: list[int] = np.where(turned, yes, no).tolist()
        # Equality and membership become binary searches, which append further splits.
        for number in np.flatnonzero(modes >= EQUAL).tolist():
            members = [int(key[number])]
            if modes[number] == MEMBER:
                members = self._key(np.array(trees.members[number])).tolist()
            ways = (yes[number], no[number]) if modes[number] != NOT_EQUAL else (no[number], yes[number])
            among, beside = map(int, ways)
            missing_among = bool(missing[number]) != (modes[number] == NOT_EQUAL)
            self._search(number, sorted(set(members)), among, beside, missing_among)
        self.count = len(self.feature)
        self.ways = self.numbered(np.array([self._yes, self._no], dtype=np.int64).reshape(2, -1))
        self.leaves = len(trees.votes.starts) - 1

    def numbered(self, ways: NDArray[np.int64]) -> NDArray[np.int64]:
        """Translates the negative indices of leaves to indices from `count` on."""
        return np.where(ways < 0, self.count - 1 - ways, ways)

    def _key(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """The integers whose order is that of the floating-point numbers: negative ones have their bits flipped."""
        with np.errstate(over="ignore"):
            rounded = np.asarray(numbers, dtype=self._real) + self._real(0)
        bits = rounded.view(self._whole)
        largest = np.iinfo(self._whole).max
        found: NDArray[np.int64] = np.where(bits < 0, bits ^ largest, bits).astype(np.int64)
        return found

    def _search(self, number: int, members: list[int], among: int, beside: int, missing_among: bool) -> None:
        """Replaces the membership test of a node by a binary search among its members.

        The keys are cut into stretches that all members or no members are in; `between` builds the search over them.
        Where NaN does not go the way of non-members, a split above ∞ comes first and catches it.
        """
        feature = self.feature[number]
        # The last key of each stretch and its branch; keys above all stretches are not members.
        stretches: list[tuple[int, int]] = []
        for member in members:
            if not stretches or stretches[-1][0] != member - 1:
                stretches.append((member - 1, beside))
            stretches.append((member, among))

        def ask(key: int, yes: int, no: int, index: int | None = None) -> int:
            if index is None:
                index = len(self.feature)
                for column, value in ((self.feature, feature), (self._keys, 0), (self._below, False)):
                    column.append(value)
                self._yes.append(0)
                self._no.append(0)
            self._keys[index], self._below[index] = key, False
            self._yes[index], self._no[index] = yes, no
            return index

        def between(first: int, last: int, index: int | None = None) -> int:
            if first == last:
                return stretches[first][1] if first < len(stretches) else beside
            middle = (first + last) // 2
            return ask(stretches[middle][0], between(first, middle), between(middle + 1, last), index)

        infinite = int(self._key(np.array([np.inf]))[0])
        if missing_among or not stretches:
            ask(infinite, between(0, len(stretches)), among if missing_among else beside, number)
        else:
            between(0, len(stretches), number)

    # -- what the kernel reads -----------------------------------------------------------------------------------------

    def slots(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the columns that any split reads, and the slot of each split."""
        columns, ranks = np.unique(np.array(self.feature, dtype=np.int64), return_inverse=True)
        rules = np.array(self._below, dtype=np.int64) * _BELOW
        if self._halved:
            rules += np.where(np.array(self._keys, dtype=np.int64) % 2 == 0, _UP, 0)
        return columns, 1 + ranks * (4 if self._halved else 2) + rules

    def half_keys(self) -> NDArray[np.int64]:
        """Returns the keys in the width of the kernel's comparison."""
        keys = np.array(self._keys, dtype=np.int64)
        return keys >> 1 if self._halved else keys

    def depths(self) -> NDArray[np.int64]:
        """Returns the largest number of splits below each split or leaf, by fixed-point iteration."""
        depths = np.zeros(self.count + self.leaves, dtype=np.int64)
        for _ in range(_DEEPEST):
            longer = 1 + np.maximum(*depths[self.ways])
            if np.array_equal(longer, depths[: self.count]):
                return depths
            depths[: self.count] = longer
        raise NoRuleError("has a tree that is too deep for the kernel")


def _layout(questions: _Questions, roots: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Orders nodes tree by tree and level by level, with siblings adjacent.

    Returns the split or leaf at each index, the index of each tree's root, and the distance of each index to its
    children. A split with several parents occurs at several indices, its children once.

    The loop expands all trees level by level at once; a stable sort by tree then makes each tree contiguous.
    """
    trees = np.arange(len(roots))
    level, owner = np.asarray(roots, dtype=np.int64), trees
    levels, owners = [level], [owner]
    done = np.zeros(questions.count, dtype=bool)
    parents: list[NDArray[np.int64]] = []
    # Breadth-first over all trees at once: expand each split of the level that no earlier one has expanded.
    while True:
        inner = np.flatnonzero(level < questions.count)
        fresh, first = np.unique(level[inner], return_index=True)
        first = np.sort(first[~done[fresh]])
        if not len(first):
            break
        chosen = inner[first]
        done[level[chosen]] = True
        parents.append(level[chosen])
        owner = np.repeat(owner[chosen], 2)
        level = questions.ways[:, level[chosen]].T.reshape(-1)
        levels.append(level)
        owners.append(owner)
    # Regroup by tree; the children of the n-th parent are the n-th pair after the roots.
    order, tree = np.concatenate(levels), np.concatenate(owners)
    ranks = np.argsort(tree, kind="stable")
    positions = np.empty(len(order), dtype=np.int64)
    positions[ranks] = np.arange(len(order))
    children = np.zeros(questions.count, dtype=np.int64)
    if parents:
        children[np.concatenate(parents)] = positions[len(roots) :: 2]
    order = order[ranks]
    leaf = order >= questions.count
    delta = np.append(children, 0)[np.where(leaf, -1, order)] - np.arange(len(order))
    return order, positions[: len(roots)], np.where(leaf, 0, delta)


def _at_most(splits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above each split."""
    with np.errstate(over="ignore"):
        rounded = splits.astype(np.float32)
        return np.where(rounded > splits, np.nextafter(rounded, np.float32(-np.inf)), rounded)
