"""Translates columns of a table to the inputs of a graph that `sqlml.scoring.scorer` describes, in SQL."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sqlglot import exp, parse_one

from sqlml.compiler.facts import NEVER, POSSIBLE, Facts, of_values
from sqlml.compiler.lookup_keys import Flag, not_null
from sqlml.compiler.names import column
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import DOUBLE, INT64, STRING, Lookup, Value, of
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.signature import BOOLEAN, DATE, TEXT, TIMESTAMP, Feature, is_padded

# The range of finite doubles.
_ENDS = (-sys.float_info.max, sys.float_info.max)


def of_feature(feature: Feature, source: str, scope: Scope, *, looked_at: bool) -> Value:
    """Returns the input of a feature that is a column, [1, 1].

    Args:
        looked_at: whether the graph itself tests whether it is a number, as our exporters' graphs do. Otherwise NaN
            becomes NULL here.
    """
    engine = scope.engine
    name = column(source, engine.name)
    if feature.kind == TEXT:
        text = _template(engine.trimmed, name, engine.name) if is_padded(feature.type) else name
        return of([scope.input(_template(engine.text, text, engine.name), STRING, nullable=True)], STRING)
    if feature.kind == BOOLEAN:
        flag = scope.input(name, STRING, nullable=True)
        return of([Lookup(Flag(flag.number, (True, False)), np.array([1.0, 0.0, np.nan]))], DOUBLE)
    if feature.whole:
        return of([scope.input(name, INT64)], INT64)
    seconds = engine.local_seconds if feature.type.lower() == "timestamp_ntz" else None
    template = {DATE: engine.days, TIMESTAMP: seconds or engine.seconds}.get(feature.kind, "c")
    tree = exp.cast(_template(template, name, engine.name), exp.DataType.Type.DOUBLE, copy=False)
    finite = _is_finite(feature, scope)
    # NaN is excluded: Spark's compiled programs get NULL for it, and a required number that is NaN has no answer.
    nan = NEVER if finite or feature.required or engine.arrays else POSSIBLE
    known = of_values(np.array(_ENDS), DOUBLE) if finite or feature.required else Facts(nan=nan)
    found = scope.input(tree, DOUBLE, nullable=not feature.required, facts=known)
    return of([found if looked_at else scope.numbered(found, DOUBLE)], DOUBLE)


def blank(feature: Feature) -> Value:
    """Returns the constant input, [1, 1], of a feature that no answer depends on: the one that `sqlml.scoring.scorer`
    uses."""
    if feature.kind == TEXT:
        return of([NULL_TEXT], STRING)
    return of([0], INT64) if feature.whole else of([0.0], DOUBLE)


def is_there(feature: Feature, source: str, scope: Scope) -> exp.Expression:
    """Returns the condition that a required feature has a value."""
    name = column(source, scope.engine.name)
    if _is_finite(feature, scope) or feature.kind in (TEXT, BOOLEAN):
        return not_null(name)
    return scope.is_number(exp.cast(name, exp.DataType.Type.DOUBLE, copy=False))


def _is_finite(feature: Feature, scope: Scope) -> bool:
    """Returns whether the column is a finite number wherever it is not NULL."""
    floating = feature.type.lower().split("(")[0] in ("float", "double")
    return feature.kind in (DATE, TIMESTAMP) or not floating or not scope.engine.not_a_number


def _template(template: str, value: exp.Expression, dialect: str) -> exp.Expression:
    """A template of the engine with a value substituted for c."""
    if template == "c":
        return value
    tree: Any = parse_one(template, dialect=dialect)
    for source in list(tree.find_all(exp.Column)):
        if source.name == "c":
            source.replace(value.copy())
    found: exp.Expression = tree
    return found
