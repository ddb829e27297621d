"""Rules for trees in an engine with arrays: one function walks all trees of a node
(`sqlml.compiler.forest_packing`)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.facts import Facts
from sqlml.compiler.forest_packing import outputs, pack
from sqlml.compiler.lookup_keys import Place
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import FOREST, SUM, Scope
from sqlml.compiler.tree_attributes import MEMBER, Trees, read
from sqlml.compiler.values import DOUBLE, INT64, NUMBERS, Lookup, Rounded, Term, Value, facts_of, of, table

# The kind of packed trees that round doubles to float32 themselves; see `sqlml.compiler.forest_packing.pack`.
ROUNDED = "rounded"


def in_arrays(node: Node, inputs: list[Value], scope: Scope, result: str | None = None) -> Value:
    """Returns the outputs of a tree ensemble, computed by one walk. Columns that no split tests are pruned.

    Args:
        result: the type of the outputs; None for that of the input.
    """
    (x,) = inputs
    if x.elements.ndim != 2:
        raise NoRuleError("does not read a row")
    trees = read(node, x.type)
    check_sets(trees, x)
    looked_at = set(trees.features.tolist())
    kind, packed = _packed(node, x, looked_at)
    operands = [
        _operand(element, kind, scope) if place in looked_at else scope.literal(0.0, DOUBLE)
        for place, element in enumerate(x.elements[0])
    ]
    walked = scope.define(scope.call(FOREST, packed, *operands), NUMBERS)
    kind = result or x.type
    # A bound for all outputs: a sum is at most all weights together, a label's index at most the number of outputs.
    most = max(float(np.abs(trees.votes.weights).sum() + np.abs(trees.base).sum()), float(outputs(node)))
    known = facts.made(kind, -most, most, facts.NEVER, facts.NEVER)
    return of([_sum(scope, walked.number, place, kind, known) for place in range(outputs(node))], kind)


def check_sets(trees: Trees, x: Value) -> None:
    """Raises NoRuleError for a set membership test of a number that may have a fraction.

    In ONNX Runtime the answer to 2.5 ∈ {2} depends on the other members of the set.
    """
    for node in np.flatnonzero(trees.modes == MEMBER).tolist():
        if not facts_of(x.elements[0, trees.features[node]], x.type).whole:
            raise NoRuleError("tests whether a number that can have a fraction is in a set")


def label_place(scope: Scope, found: Value) -> Any:
    """Returns the index of a classifier's label, its last output, as a lookup."""
    place = exp.cast(scope.sql(found.elements[0, -1], found.type), exp.DataType.Type.BIGINT, copy=False)
    count = found.elements.shape[1] - 1
    subject = Place(scope.define(place, INT64).number, tuple(range(count - 1)))
    return table(subject, np.arange(count))


def _packed(node: Node, x: Value, looked_at: set[int]) -> tuple[str, bytes]:
    """The kind and the bytes of the packed trees. Doubles that are all rounded to float32 are left to the trees to
    round."""
    elements = [element for place, element in enumerate(x.elements[0]) if place in looked_at]
    if x.type == DOUBLE and all(_is_single(element) for element in elements):
        # Trees with other comparisons than ≤ cannot round themselves; their operands are rounded one by one.
        with suppress(NoRuleError):
            return ROUNDED, pack(node, ROUNDED)
    return x.type, pack(node, x.type)


def _is_single(element: Any) -> bool:
    """Returns whether an element is exact in float32, or rounded to it by whoever reads it."""
    if isinstance(element, (Rounded, Term)):
        return isinstance(element, Rounded)
    values = np.asarray(element.values if isinstance(element, Lookup) else element, dtype=np.float64)
    return bool(np.array_equal(values, values.astype(np.float32), equal_nan=True))


def _operand(element: Any, kind: str, scope: Scope) -> exp.Expression:
    # Trees of the kinds "float" and "rounded" round their operands; those of "double" need each one rounded.
    if isinstance(element, Rounded) and kind != DOUBLE:
        return scope.sql(element.term, DOUBLE)
    return scope.sql(element, DOUBLE if kind == ROUNDED else kind)


def _sum(scope: Scope, walked: int, place: int, kind: str, known: Facts) -> Any:
    operands = [exp.Placeholder(this=str(walked)), exp.Literal(this=str(place), is_string=False)]
    tree = exp.Anonymous(this=SUM, expressions=operands)
    return scope.define(scope.cast_real(tree) if kind == "float" else tree, kind, nullable=False, facts=known)
