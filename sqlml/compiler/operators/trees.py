"""Decision trees as CASE expressions.

A library that rounds x to float32 first compares `float32(x) <= t`. That is `x <= b` for a double b: the largest double
that is rounded to a float32 not above t. So nothing is rounded in SQL, and every double goes the way it goes in the
graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators.arithmetic import chain
from sqlml.compiler.operators.forests import in_arrays
from sqlml.compiler.scope import Scope
from sqlml.compiler.subjects import is_null
from sqlml.compiler.values import FLOAT, Lookup, Rounded, Term, Value, is_constant, of

# Codes of ai.onnx.ml 5.
_LESS_OR_EQUAL, _MEMBER, _SUM, _NO_POST_TRANSFORM = 0, 6, 1, 0
# CASE within CASE up to this depth is one expression; what is deeper is a column of its own.
_MOST_NESTED = 30
_LARGEST_FLOAT, _TOO_LARGE = float(np.finfo(np.float32).max), 2.0**128 - 2.0**103


@dataclass(frozen=True)
class _Choice:
    """A split that is left for SQL to decide: `test` makes the condition anew whenever it is called."""

    test: Callable[[], exp.Expression]
    yes: Any
    no: Any
    # How many CASE stand within each other; the way through ELSE is one CASE.
    nested: int


def _choice(test: Callable[[], exp.Expression], yes: Any, no: Any) -> _Choice:
    return _Choice(test, yes, no, max(_nested(yes) + 1, _nested(no)))


def tree_ensemble(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """The sum of the trees for each target, in the order of the trees."""
    if scope.engine.arrays:
        return in_arrays(node, inputs, scope)
    (x,) = inputs
    read = node.attributes
    if read.get("aggregate_function", _SUM) != _SUM or read.get("post_transform", 0) != _NO_POST_TRANSFORM:
        raise NoRuleError("makes something else of its trees than their sum")
    scope.grow(len(read["nodes_modes"]))
    forest = _Forest(read, list(x.elements[0]), x.type, scope)
    parts: list[list[Any]] = [[] for _ in range(read["n_targets"])]
    for root in read["tree_roots"]:
        target, tree = forest.tree(root)
        parts[target].append(tree)
    return [of([chain(scope, trees, x.type) for trees in parts], x.type)]


class _Forest:
    """The attributes of a TreeEnsemble, and its trees as SQL."""

    def __init__(self, read: dict[str, Any], x: list[Any], kind: str, scope: Scope) -> None:
        self._x, self._kind, self._scope = x, kind, scope
        self._features = read["nodes_featureids"]
        self._splits = read["nodes_splits"].tolist()
        self._modes = read["nodes_modes"].tolist()
        self._missing = read.get("nodes_missing_value_tracks_true") or [0] * len(self._modes)
        self._yes = list(zip(read["nodes_trueleafs"], read["nodes_truenodeids"], strict=True))
        self._no = list(zip(read["nodes_falseleafs"], read["nodes_falsenodeids"], strict=True))
        self._weights = read["leaf_weights"].tolist()
        self._targets = read["leaf_targetids"]
        self._members = self._sets(read)
        if set(self._modes) - {_LESS_OR_EQUAL, _MEMBER}:
            raise NoRuleError("compares by something else than ≤ and ∈")

    def tree(self, root: int) -> tuple[int, Any]:
        """The target of a tree, and what it adds to it."""
        targets: set[int] = set()
        found = self._branch(root, targets)
        if len(targets) != 1:
            raise NoRuleError("has trees of several targets")
        if isinstance(found, _Choice):
            case = _flat(found, self._value) if self._scope.engine.flat else self._case(found)
            found = self._scope.define(
                self._scope.cast_real(case) if self._kind == FLOAT else case, self._kind, nullable=False
            )
        return targets.pop(), found

    def _sets(self, read: dict[str, Any]) -> dict[int, list[float]]:
        """The members of each node that splits by a set: one set ends where NaN stands."""
        members = iter(read.get("membership_values", np.zeros(0)).tolist())
        sets: dict[int, list[float]] = {}
        for number, mode in enumerate(self._modes):
            if mode == _MEMBER:
                # `takewhile` takes the NaN too, and leaves it out.
                sets[number] = list(takewhile(lambda value: not math.isnan(value), members))
        return sets

    # -- the nodes from the leaves up ----------------------------------------------------------------------------------

    def _branch(self, number: int, targets: set[int]) -> Any:
        yes, no = (
            self._leaf(place, targets) if leaf else self._branch(place, targets)
            for leaf, place in (self._yes[number], self._no[number])
        )
        if not isinstance(yes, _Choice) and not isinstance(no, _Choice) and yes == no:
            return yes
        element = self._x[self._features[number]]
        missing = bool(self._missing[number])
        if is_constant(element):
            return yes if self._goes(number, np.array([element]))[0] else no
        if isinstance(element, Lookup):
            return self._by_table(element, self._goes(number, element.values), yes, no)
        return self._by_number(element, number, missing, yes, no)

    def _leaf(self, place: int, targets: set[int]) -> float:
        targets.add(self._targets[place])
        weight: float = self._weights[place]
        return weight

    def _goes(self, number: int, values: Any) -> Any:
        """Which of some known values go the way of yes."""
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
        # A condition on NULL does not hold, and ELSE is where NULL goes: the way that missing values go.
        if missing if term.nullable else _nested(yes) > _nested(no):
            return _choice(lambda: exp.GT(this=self._column(term), expression=self._value(limit)), no, yes)
        return _choice(lambda: exp.LTE(this=self._column(term), expression=self._value(limit)), yes, no)

    def _member(self, term: Term, members: list[float], rounds: bool, missing: bool) -> exp.Expression:
        parts: list[exp.Expression] = []
        if rounds:
            # Whole numbers of which float32 has all, and all doubles that are rounded to one of them.
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
        # A double also in a tree of float32, whose CASE is rounded as a whole: a leaf is a float32 already.
        return self._scope.literal(number, "double")

    def _case(self, choice: _Choice) -> exp.Expression:
        """CASE within THEN, while ELSE goes on with the same CASE."""
        whens: list[exp.If] = []
        rest: Any = choice
        while isinstance(rest, _Choice):
            whens.append(exp.If(this=rest.test(), true=self._then(rest.yes)))
            rest = rest.no
        return exp.Case(ifs=whens, default=self._value(rest))

    def _then(self, branch: Any) -> exp.Expression:
        if not isinstance(branch, _Choice):
            return self._value(branch)
        case = self._case(branch)
        if branch.nested % _MOST_NESTED:
            return case
        return self._scope.sql(self._scope.define(case, "double", nullable=False), "double")


def _flat(choice: _Choice, value: Callable[[float], exp.Expression]) -> exp.Expression:
    """One CASE without another in it.

    The leaves from left to right, each with the conditions that hold on the way to it. Those that do not hold need not
    be said: a row that fails one of them has met an earlier leaf.
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
    """The largest double that, rounded to float32, is not above a split.

    It is the middle between the largest float32 not above the split and the next one, if ties go down there (to the
    one whose last bit is 0), and the double before it if they go up.
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
