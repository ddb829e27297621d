"""Rules for decision trees and ensembles as CASE expressions: TreeEnsemble and its two predecessors.

A library that rounds x to float32 first compares `float32(x) <= t`. That is `x <= b` for a double b: the largest double
that rounds to a float32 not above t (`boundary`). So SQL rounds nothing, and every double takes the branch that it
takes in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts, tree_attributes
from sqlml.compiler.lookup_keys import is_null
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators.arithmetic import add, chain, divide
from sqlml.compiler.operators.classical import chosen_above, label_at, labels_of, second_of_two, transformed
from sqlml.compiler.operators.matrices import first_largest_of
from sqlml.compiler.operators.shapes import converted
from sqlml.compiler.operators.trees_as_arrays import check_sets, in_arrays, label_place
from sqlml.compiler.scope import Scope
from sqlml.compiler.tree_attributes import Trees
from sqlml.compiler.values import DOUBLE, DTYPES, FLOAT, Lookup, Rounded, Term, Value, is_constant, of, plain

_TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")
_NOTHING = Node("", (), (), {})
# Nested CASE up to this depth form one expression; deeper branches become a column of their own.
_MOST_NESTED = 30
_LARGEST_FLOAT, _TOO_LARGE = float(np.finfo(np.float32).max), 2.0**128 - 2.0**103


@dataclass(frozen=True)
class _Choice:
    """A split that SQL has to decide. `test` builds a new copy of the condition at each call."""

    test: Callable[[], exp.Expression]
    yes: Any
    no: Any
    # The depth of nested CASE; a chain through ELSE is one CASE with several WHEN.
    nested: int


def _choice(test: Callable[[], exp.Expression], yes: Any, no: Any) -> _Choice:
    return _Choice(test, yes, no, max(_nested(yes) + 1, _nested(no)))


def tree_ensemble(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """TreeEnsemble: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html

    The sum or the mean of the trees for each target, in the order of the trees.
    """
    if scope.engine.arrays:
        return [in_arrays(node, inputs, scope)]
    (x,) = inputs
    trees = _read(node, x, scope)
    return [_sums(trees, x, scope)]


def tree_ensemble_regressor(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """TreeEnsembleRegressor: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html"""
    if scope.engine.arrays:
        return [in_arrays(node, inputs, scope, FLOAT)]
    (x,) = inputs
    trees = _read(node, x, scope)
    sums = converted(scope, _sums(trees, x, scope), FLOAT)
    return [transformed(node, sums, scope, _TRANSFORMS[trees.transform])]


def tree_ensemble_classifier(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """TreeEnsembleClassifier: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html

    Returns the label and the scores; `org.sqlml.expressions.EnsembleOutputs` documents how the label follows from the
    scores.
    """
    labels = labels_of(node, "classlabels_int64s")
    if scope.engine.arrays:
        found = in_arrays(node, inputs, scope, FLOAT)
        return [label_at(label_place(scope, found), labels), of(found.elements[0, :-1], FLOAT)]
    (x,) = inputs
    trees = _read(node, x, scope)
    transform = _TRANSFORMS[trees.transform]
    sums = _sums(trees, x, scope)
    sums = of([scope.term(element, x.type) for element in sums.elements[0]], x.type)
    single = converted(scope, sums, FLOAT)
    if trees.label == tree_attributes.SEVERAL:
        return [label_at(first_largest_of(scope, sums), labels), transformed(node, single, scope, transform)]
    second = of(sums.elements[0, -1:], x.type)
    label = chosen_above(scope, second, 0.5 if trees.all_positive else 0.0, labels)
    if trees.label == tree_attributes.ONE_OF_TWO:
        return [label, second_of_two(node, single, scope, transform, from_one=trees.all_positive)]
    return [label, transformed(node, single, scope, transform)]


def _read(node: Node, x: Value, scope: Scope) -> Trees:
    if x.elements.ndim != 2:
        raise NoRuleError("does not read a row")
    trees = tree_attributes.read(node, x.type)
    if trees.aggregate not in (tree_attributes.SUM, tree_attributes.AVERAGE):
        raise NoRuleError("does not add its trees")
    check_sets(trees, x)
    scope.grow(len(trees.modes))
    return trees


def _sums(trees: Trees, x: Value, scope: Scope) -> Value:
    """For each target the sum or mean of its trees, plus the base value."""
    forest = _Forest(trees, list(x.elements[0]), x.type, scope)
    parts: list[list[Any]] = [[] for _ in range(trees.targets)]
    for root in trees.roots.tolist():
        for target, tree in forest.tree(root):
            parts[target].append(tree)
    found = of([chain(scope, terms, x.type) for terms in parts], x.type)
    if trees.aggregate == tree_attributes.AVERAGE:
        (found,) = divide(_NOTHING, [found, plain(np.array(len(trees.roots), dtype=DTYPES[x.type]))], scope)
    if trees.base:
        (found,) = add(_NOTHING, [found, plain(np.array([trees.base], dtype=DTYPES[x.type]))], scope)
    return found


class _Forest:
    """Translates the trees of a TreeEnsemble to SQL, with every split normalized to `x ≤ t`."""

    def __init__(self, trees: Trees, x: list[Any], kind: str, scope: Scope) -> None:
        if set(trees.modes.tolist()) & {tree_attributes.EQUAL, tree_attributes.NOT_EQUAL}:
            raise NoRuleError("tests whether numbers are equal")
        self._x, self._kind, self._scope = [_numbered(element, scope) for element in x], kind, scope
        self._features = trees.features.tolist()
        self._members = trees.members
        self._known = facts.of_values(np.append(trees.votes.weights, 0.0), kind)
        # x < t is x ≤ the floating-point number before t; x > t is x ≤ t with the two branches swapped.
        before = np.nextafter(trees.splits, trees.splits.dtype.type(-np.inf))
        lower = np.isin(trees.modes, (tree_attributes.LESS, tree_attributes.GREATER_OR_EQUAL))
        self._splits = np.where(lower, before, trees.splits).tolist()
        turned = np.isin(trees.modes, (tree_attributes.GREATER, tree_attributes.GREATER_OR_EQUAL))
        self._missing = (trees.missing ^ turned).tolist()
        self._yes = np.where(turned, trees.no, trees.yes).tolist()
        self._no = np.where(turned, trees.yes, trees.no).tolist()
        self._starts = trees.votes.starts.tolist()
        self._targets = trees.votes.targets.tolist()
        self._weights = trees.votes.weights.tolist()

    def tree(self, root: int) -> Iterator[tuple[int, Any]]:
        """Yields each target that any leaf of a tree has a weight for, with the tree's contribution to it."""
        targets: set[int] = set()
        places = [root]
        for place in places:
            if len(places) > 2 * len(self._yes) + 1:
                raise NoRuleError("has trees that share their nodes")
            if place < 0:
                leaf = -1 - place
                targets.update(self._targets[self._starts[leaf] : self._starts[leaf + 1]])
            else:
                places += (self._yes[place], self._no[place])
        for target in sorted(targets):
            yield target, self._of(root, target)

    def _of(self, root: int, target: int) -> Any:
        found = self._branch(root, target)
        if isinstance(found, _Choice):
            case = _flat(found, self._value) if self._scope.engine.flat else self._case(found)
            tree = self._scope.cast_real(case) if self._kind == FLOAT else case
            found = self._scope.define(tree, self._kind, nullable=False, facts=self._known)
        return found

    # -- the nodes from the leaves up ----------------------------------------------------------------------------------

    def _branch(self, number: int, target: int) -> Any:
        """Builds a subtree bottom-up: a number, or a `_Choice`. A split with equal branches or a known outcome is
        folded away."""
        if number < 0:
            return self._leaf(-1 - number, target)
        yes, no = self._branch(self._yes[number], target), self._branch(self._no[number], target)
        if not isinstance(yes, _Choice) and not isinstance(no, _Choice) and yes == no:
            return yes
        element = self._x[self._features[number]]
        missing = bool(self._missing[number])
        if is_constant(element):
            return yes if self._goes(number, np.array([element]))[0] else no
        if isinstance(element, Lookup):
            return self._by_table(element, self._goes(number, element.values), yes, no)
        return self._by_number(element, number, missing, yes, no)

    def _leaf(self, leaf: int, target: int) -> float:
        votes = range(self._starts[leaf], self._starts[leaf + 1])
        weights = [self._weights[vote] for vote in votes if self._targets[vote] == target]
        if len(weights) > 1:
            raise NoRuleError("has leaves of several weights for one target")
        return weights[0] if weights else 0.0

    def _goes(self, number: int, values: Any) -> Any:
        """Evaluates a split for known values: a mask of those that take the branch of yes."""
        values = np.asarray(values, dtype=np.float32 if self._kind == FLOAT else np.float64)
        members = self._members.get(number)
        found = values <= self._splits[number] if members is None else np.isin(values, members)
        return np.where(np.isnan(values), bool(self._missing[number]), found)

    def _by_table(self, element: Lookup, goes: Any, yes: Any, no: Any) -> Any:
        if goes.all() or not goes.any():
            return yes if goes[0] else no
        if _nested(yes) > _nested(no):
            goes, yes, no = ~goes, no, yes
        places = np.flatnonzero(goes).tolist()
        return _choice(lambda: element.subject.condition(places, self._scope.tools), yes, no)

    def _by_number(self, element: Term | Rounded, number: int, missing: bool, yes: Any, no: Any) -> Any:
        term = element.term if isinstance(element, Rounded) else element
        rounds = isinstance(element, Rounded)
        if number in self._members:
            members = self._members[number]
            return _choice(lambda: self._member(term, members, rounds, missing and term.nullable), yes, no)
        limit = boundary(self._splits[number]) if rounds else self._splits[number]
        # A condition on NULL does not hold, so NULL takes ELSE. The condition is turned such that ELSE is the branch of
        # missing values; without missing values such that the deeper branch is in ELSE, which nests no CASE.
        if missing if term.nullable else _nested(yes) > _nested(no):
            return _choice(lambda: exp.GT(this=self._column(term), expression=self._value(limit)), no, yes)
        return _choice(lambda: exp.LTE(this=self._column(term), expression=self._value(limit)), yes, no)

    def _member(self, term: Term, members: list[float], rounds: bool, missing: bool) -> exp.Expression:
        """The condition that a number is in a set; with `missing` also where it is NULL."""
        parts: list[exp.Expression] = []
        if rounds:
            # A member matches every double that rounds to it in float32: an interval instead of an equality.
            for value in members:
                below = float(np.nextafter(np.float32(value), np.float32(-np.inf)))
                low, high = self._value(boundary(below)), self._value(boundary(value))
                above = exp.GT(this=self._column(term), expression=low)
                parts.append(exp.And(this=above, expression=exp.LTE(this=self._column(term), expression=high)))
        elif members:
            values = [self._value(value) for value in members]
            parts.append(exp.In(this=self._column(term), expressions=values))
        if missing:
            parts.append(is_null(self._column(term)))
        if not parts:
            return self._scope.literal(False, "bool")
        found = parts[0]
        for part in parts[1:]:
            found = exp.Or(this=found, expression=part)
        return found

    # -- as SQL --------------------------------------------------------------------------------------------------------

    def _column(self, term: Term) -> exp.Expression:
        return self._scope.sql(term, self._kind)

    def _value(self, number: float) -> exp.Expression:
        # Also in a tree of float32: its leaves are float32 values already, and one cast is around the whole CASE.
        return self._scope.literal(number, "double")

    def _case(self, choice: _Choice) -> exp.Expression:
        """Nested CASE: a branch of yes is a CASE inside THEN, a branch of no continues the same CASE with another
        WHEN."""
        whens: list[exp.If] = []
        rest: Any = choice
        while isinstance(rest, _Choice):
            whens.append(exp.If(this=rest.test(), true=self._then(rest.yes)))
            rest = rest.no
        return exp.Case(ifs=whens, default=self._value(rest))

    def _then(self, branch: Any) -> exp.Expression:
        """A branch of yes; every `_MOST_NESTED` levels it becomes a column of its own."""
        if not isinstance(branch, _Choice):
            return self._value(branch)
        case = self._case(branch)
        if branch.nested % _MOST_NESTED:
            return case
        return self._scope.sql(self._scope.define(case, "double", nullable=False), "double")


def _numbered(element: Any, scope: Scope) -> Any:
    """The element with NULL for NaN, so that NaN takes ELSE, the branch of missing values."""
    if isinstance(element, Rounded):
        return Rounded(scope.numbered(element.term, DOUBLE))
    return scope.numbered(element, DOUBLE) if isinstance(element, Term) else element


def _flat(choice: _Choice, value: Callable[[float], exp.Expression]) -> exp.Expression:
    """One CASE without nested CASE, for engines that limit the nesting.

    There is one WHEN per leaf from left to right, with the conditions under which its path takes yes. The conditions
    under which it takes no are implied: a row that meets one of those has reached an earlier leaf.
    """
    whens: list[exp.If] = []
    open_branches: list[tuple[tuple[_Choice, ...], Any]] = [((), choice)]
    last: Any = None
    while open_branches:
        held, branch = open_branches.pop()
        if isinstance(branch, _Choice):
            open_branches += [(held, branch.no), ((*held, branch), branch.yes)]
            continue
        if not held:
            last = branch
            break
        condition = held[0].test()
        for one in held[1:]:
            condition = exp.And(this=condition, expression=one.test())
        whens.append(exp.If(this=condition, true=value(branch)))
    return exp.Case(ifs=whens, default=value(last))


def _nested(branch: Any) -> int:
    return branch.nested if isinstance(branch, _Choice) else 0


def boundary(split: float) -> float:
    """Returns the largest double that rounds to a float32 not above the split.

    It is the midpoint between the largest float32 not above the split and the next float32. Ties round to the even one,
    so where that is the upper one it is the double before the midpoint.
    """
    if split >= _LARGEST_FLOAT:
        return math.inf if math.isinf(split) else math.nextafter(_TOO_LARGE, 0.0)
    if split < -_LARGEST_FLOAT:
        return -_TOO_LARGE
    low = np.float32(split)
    if float(low) > split:
        low = np.nextafter(low, np.float32(-np.inf))
    high = np.nextafter(low, np.float32(np.inf))
    middle = (float(low) + float(high)) / 2.0
    if math.isinf(float(high)):
        middle = _TOO_LARGE
    even = int(low.view(np.uint32)) % 2 == 0
    return middle if even else math.nextafter(middle, -math.inf)
