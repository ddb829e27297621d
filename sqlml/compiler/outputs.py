"""The outputs of a graph as columns of a SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlglot import exp

from sqlml.compiler.inputs import is_there
from sqlml.compiler.names import unique
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import DOUBLE, INT64, STRING, Lookup, Value
from sqlml.signature import INTEGERS, Signature

PREDICTION = "prediction"
_CONDITIONAL = {"probabilities": "probability", "scores": "score"}


def columns_of(
    found: dict[str, Value], signature: Signature, sources: Sequence[str], scope: Scope, taken: Sequence[str]
) -> list[tuple[str, exp.Expression]]:
    """Returns names and expressions: `prediction`, and for each label `probability_<label>`.

    The latter are called `score_<label>` where the library has no probabilities. A model with several numbers has a
    column for each, named by the signature's outputs.

    Args:
        sources: the column of each feature.
        taken: names of other columns; a name that collides gets a number.
    """
    columns: list[tuple[str, exp.Expression]] = []

    def add(name: str, tree: exp.Expression) -> None:
        columns.append((unique(name, [*taken, *(known for known, _ in columns)]), tree))

    if "label" in found:
        add(PREDICTION, label_of(found["label"].elements.flat[0], signature, scope))
        for output, word in _CONDITIONAL.items():
            if output in found:
                for label, element in zip(signature.labels, found[output].elements.flat, strict=True):
                    add(f"{word}_{_shown(label)}", scope.sql(element, DOUBLE))
    else:
        elements = found[PREDICTION].elements.flat
        for name, element in zip(signature.outputs or [PREDICTION], elements, strict=True):
            add(name, scope.sql(element, DOUBLE))
    required = required_are_there(signature, sources, scope)
    return [(name, only_where(required, tree)) for name, tree in columns]


def _shown(label: Any) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def label_of(element: Any, signature: Signature, scope: Scope) -> exp.Expression:
    """Returns a label in the target's own type."""
    known = signature.target_type.lower().split("(")[0].split(" ")[0]

    def literal(value: Any) -> exp.Expression:
        if known == "boolean":
            return exp.Boolean(this=bool(value)) if scope.engine.booleans else scope.literal(int(value), INT64)
        if isinstance(value, str):
            text = scope.literal(value, STRING)
            if known in ("string", "varchar", "char"):
                return text
            kind = exp.DataType.build(signature.target_type, dialect="spark")
            return exp.Cast(this=text, to=kind)
        return scope.literal(value, INT64 if known in INTEGERS or isinstance(value, int) else DOUBLE)

    if isinstance(element, Lookup):
        return element.subject.case(element.values.tolist(), literal, scope.tools)
    return literal(element)


def required_are_there(signature: Signature, sources: Sequence[str], scope: Scope) -> list[exp.Expression]:
    """Returns the conditions without which the graph has no answer."""
    return [
        is_there(feature, source, scope)
        for feature, source in zip(signature.features, sources, strict=True)
        if feature.required
    ]


def only_where(required: list[exp.Expression], tree: exp.Expression) -> exp.Expression:
    """Returns an expression that is NULL unless all conditions hold."""
    return exp.Case(ifs=[exp.If(this=all_of(required), true=tree)]) if required else tree


def all_of(conditions: list[exp.Expression]) -> exp.Expression:
    """Returns the conjunction of one or more conditions."""
    copies = [condition.copy() for condition in conditions]
    return reduce(lambda left, right: exp.And(this=left, expression=right), copies)
