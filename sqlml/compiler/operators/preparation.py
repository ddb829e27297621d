"""Rules for preprocessing operators of ai.onnx.ml, as scikit-learn's converters write them.

They scale, impute, one-hot encode, normalize, binarize and concatenate columns.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler import facts
from sqlml.compiler.lookup_keys import Condition, Text, is_null
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators import arithmetic
from sqlml.compiler.operators.arithmetic import quotient, total
from sqlml.compiler.operators.logic import greater
from sqlml.compiler.operators.matrices import largest
from sqlml.compiler.operators.shapes import converted
from sqlml.compiler.scope import Scope, each, numbered
from sqlml.compiler.values import (
    BOOL,
    DOUBLE,
    DTYPES,
    FLOAT,
    INT64,
    STRING,
    Term,
    Value,
    facts_of,
    folded,
    of,
    plain,
    table,
)

_REAL = (FLOAT, DOUBLE)


def scaler(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Scaler: https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html

    (x − offset) × scale, computed in x's precision; the result is float32.
    """
    (x,) = inputs
    if x.type not in _REAL:
        raise NoRuleError(f"scales {x.type}")
    offset, scale = (_constants(node.attributes[name], x) for name in ("offset", "scale"))
    (centred,) = arithmetic.subtract(node, [x, offset], scope)
    return [converted(scope, arithmetic.multiply(node, [centred, scale], scope)[0], FLOAT)]


def imputer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Imputer: https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html

    Replaces missing values, or values equal to `replaced_value_float`, by a constant.
    """
    (x,) = inputs
    if x.type != FLOAT:
        raise NoRuleError(f"fills {x.type}")
    replaced = np.float32(node.attributes.get("replaced_value_float", 0.0))
    instead = _constants(node.attributes["imputed_value_floats"], x)

    def build(a: exp.Expression, b: exp.Expression) -> exp.Expression:
        if np.isnan(replaced):
            return exp.Coalesce(this=a, expressions=[b])
        same = exp.EQ(this=a, expression=scope.literal(float(replaced), FLOAT))
        return exp.Case(ifs=[exp.If(this=same, true=b)], default=a.copy())

    def fold(a: Any, b: Any) -> Any:
        return np.where(np.isnan(a) if np.isnan(replaced) else a == replaced, b, a)

    filled = np.isnan(replaced) and not np.isnan(instead.constant).any()
    known = {"nullable": False} if filled else {}
    return [each(scope, FLOAT, fold, build, numbered(scope, x), instead, knows=facts.either, **known)]


def one_hot_encoder(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """OneHotEncoder: https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html

    1 where the element is the category, else 0: [1, n] becomes [1, n, categories].
    """
    (x,) = inputs
    texts, numbers = node.attributes.get("cats_strings", ()), node.attributes.get("cats_int64s", ())
    if (texts and numbers) or len(set(texts or numbers)) < len(texts or numbers):
        raise NoRuleError("has a category twice, or categories of two types")
    if x.type != (STRING if texts else INT64):
        raise NoRuleError(f"makes columns of {x.type}")
    found = np.empty((*x.elements.shape, len(texts or numbers)), dtype=object)
    for place, element in np.ndenumerate(x.elements):
        for number, category in enumerate(texts or numbers):
            found[*place, number] = _is(scope, element, category, x.type, tuple(texts))
    return [Value(found, FLOAT)]


def _is(scope: Scope, element: Any, category: Any, kind: str, texts: tuple[str, ...]) -> Any:
    """Returns whether an element is a category, as 1 or 0."""
    if not isinstance(element, Term):
        return folded(lambda value: (value == category).astype(np.float32), [element], [kind])
    if kind == STRING:
        return table(Text(element.number, texts), np.array([*(one == category for one in texts), False], np.float32))
    condition = exp.EQ(this=scope.sql(element, kind), expression=scope.literal(category, kind))
    return _flag(scope.define(condition, BOOL, nullable=True))


def normalizer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Normalizer: https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html

    x / max(x), x / Σ|x| or x / √Σx² over the row; the row unchanged where that norm is 0. As ONNX Runtime computes it:
    in float32 whatever the type of x; only the squares have x's precision. The last norm is sign(x) √(x² / Σx²).
    """
    (x,) = inputs
    if x.type not in _REAL or x.elements.ndim != 2:
        raise NoRuleError(f"normalises {x.type}")
    norm = node.attributes.get("norm", "MAX")
    single = _defined(scope, converted(scope, x, FLOAT))
    row = list(single.elements[0])
    known: dict[str, Any] = {}
    if norm == "L2":
        named = _defined(scope, x)
        (squares,) = arithmetic.multiply(node, [named, named], scope)
        squares = _defined(scope, converted(scope, squares, FLOAT))
        known = {"facts": facts.shared([facts_of(element, FLOAT) for element in squares.elements[0]])}
        size = of([scope.term(total(scope, list(squares.elements[0]), FLOAT), FLOAT)], FLOAT)
        return [each(scope, FLOAT, _length_folded, partial(_over_length, scope), single, squares, size, **known)]
    if norm == "L1":
        (absolute,) = arithmetic.absolute(node, [single], scope)
        size = of([scope.term(total(scope, list(absolute.elements[0]), FLOAT), FLOAT)], FLOAT)
        known = {"facts": facts.shared([facts_of(element, FLOAT) for element in row])}
    else:
        if any(scope.may_be_missing(element, FLOAT) for element in row):
            raise NoRuleError("compares numbers that may be missing")
        # ONNX Runtime's maximum begins at the least finite number, which shows where all of a row is -∞.
        if all(facts_of(element, FLOAT).infinite != facts.NEVER for element in row):
            row.append(np.finfo(np.float32).min)
        size = of([scope.term(largest(scope, row, FLOAT), FLOAT)], FLOAT)
    return [each(scope, FLOAT, _over_folded, partial(_over, scope), single, size, **known)]


def _defined(scope: Scope, x: Value) -> Value:
    """A row whose elements are definitions, so that each can be used more than once."""
    return of([scope.term(element, x.type) for element in x.elements[0]], x.type)


def _over(scope: Scope, a: exp.Expression, size: exp.Expression) -> exp.Expression:
    empty = exp.EQ(this=size, expression=scope.literal(0.0, FLOAT))
    return exp.Case(ifs=[exp.If(this=empty, true=a)], default=quotient(a.copy(), size.copy()))


def _over_folded(a: Any, size: Any) -> Any:
    return np.where(size == 0, a, a / size)


def _over_length(scope: Scope, a: exp.Expression, square: exp.Expression, size: exp.Expression) -> exp.Expression:
    empty = exp.EQ(this=size, expression=scope.literal(0.0, FLOAT))
    negative = exp.LT(this=a.copy(), expression=scope.literal(0.0, FLOAT))
    root = exp.Sqrt(this=quotient(square, size.copy()))
    return exp.Case(
        ifs=[exp.If(this=empty, true=a), exp.If(this=negative, true=exp.Neg(this=root.copy()))], default=root
    )


def _length_folded(a: Any, square: Any, size: Any) -> Any:
    return np.where(size == 0, a, np.where(a < 0, -1, 1) * np.sqrt(square / size)).astype(np.float32)


def binarizer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """Binarizer: https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html

    1 above the threshold, else 0. A missing value stays missing, where ONNX Runtime fails.
    """
    (x,) = inputs
    if x.type not in _REAL:
        raise NoRuleError(f"compares {x.type}")
    (above,) = greater(node, [x, _constants([node.attributes.get("threshold", 0.0)], x)], scope)
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(above.elements):
        original = x.elements[place]
        if not isinstance(element, Term):
            found[place] = folded(lambda value: value.astype(np.float64), [element], [BOOL])
            continue
        flag = exp.Case(
            ifs=[
                exp.If(this=scope.sql(element, BOOL), true=scope.literal(1.0, x.type)),
                exp.If(this=is_null(scope.sql(original, x.type)), true=exp.Null()),
            ],
            default=scope.literal(0.0, x.type),
        )
        found[place] = scope.define(flag, x.type, nullable=element.nullable)
    return [Value(found, x.type)]


def feature_vectorizer(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """FeatureVectorizer: https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html

    Concatenates the columns of all inputs as float32.
    """
    widths = [value.elements.shape[-1] for value in inputs]
    if list(node.attributes.get("inputdimensions", widths)) != widths or any(v.elements.ndim != 2 for v in inputs):
        raise NoRuleError("has sizes that differ from its inputs")
    parts = [converted(scope, value, FLOAT).elements for value in inputs]
    return [Value(np.concatenate(parts, axis=1), FLOAT)]


def _flag(condition: Term) -> Any:
    return table(Condition(condition.number, (True,)), np.array([1.0, 0.0], dtype=np.float32))


def _constants(numbers: Any, x: Value) -> Value:
    """A row of float32 constants in x's precision: one for each column of x, or one for all."""
    if len(numbers) not in (1, x.elements.shape[-1]):
        raise NoRuleError("does not have one constant for each column")
    return plain(np.array([numbers], dtype=np.float32).astype(DTYPES[x.type]))
