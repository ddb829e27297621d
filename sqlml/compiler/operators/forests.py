"""Trees as arrays, in an engine that walks them outside of SQL: see `sqlml.compiler.forest`."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from sqlml.compiler.forest import outputs, pack
from sqlml.compiler.node import Node
from sqlml.compiler.scope import FOREST, SUM, Scope
from sqlml.compiler.values import DOUBLE, NUMBERS, Rounded, Value, of


def forest(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """The numbers that an ensemble of trees gives, all of one walk. What no tree looks at is not computed."""
    (x,) = inputs
    looked_at = {
        feature
        for feature, mode in zip(node.attributes["nodes_featureids"], _modes(node), strict=True)
        if mode not in ("LEAF", b"LEAF")
    }
    operands = [
        _operand(element, x.type, scope) if place in looked_at else scope.literal(0.0, DOUBLE)
        for place, element in enumerate(x.elements[0])
    ]
    walked = scope.define(scope.call(FOREST, pack(node, x.type), *operands), NUMBERS)
    sums = [_sum(scope, walked.number, place, x.type) for place in range(outputs(node))]
    return [of(sums, x.type)]


def _modes(node: Node) -> list[Any]:
    return list(node.attributes["nodes_modes"])


def _operand(element: Any, kind: str, scope: Scope) -> exp.Expression:
    # The trees round by themselves.
    return scope.sql(element.term if isinstance(element, Rounded) else element, kind)


def _sum(scope: Scope, walked: int, place: int, kind: str) -> Any:
    operands = [exp.Placeholder(this=str(walked)), exp.Literal(this=str(place), is_string=False)]
    tree = exp.Anonymous(this=SUM, expressions=operands)
    return scope.define(scope.cast_real(tree) if kind == "float" else tree, kind, nullable=False)
