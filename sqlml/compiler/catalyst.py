"""Compiles a model to expressions for Catalyst, Spark's optimizer and code generator: definitions in Spark SQL.

Each definition is over the inputs and earlier definitions. The rules are those of SQL text (`sqlml.compiler.operators`)
with five differences: a definition is a variable of the generated code, so none is duplicated. Trees are not CASE
expressions but one function over flat arrays that walks several of them together. A lookup of many texts is a hash
table. A weighted quotient is one product. A sigmoid is a function without branches. These functions are sqlml's own:

    sqlml_finite(x, y)             x, DOUBLE; y where x is missing or infinite
    sqlml_forest(array, x, …)      the outputs of all trees for a row, as an object
    sqlml_sum(forest, index)       one of those numbers, DOUBLE
    sqlml_place(array, text)       the index of a text in the array, BIGINT; the array's length where it is not in it
    sqlml_sigmoid(x)               1 / (1 + exp(-x)), DOUBLE
    sqlml_floor(x)                 the largest integer not above x, DOUBLE; Spark's own FLOOR is a BIGINT
    sqlml_power(x, y)              x to the power of y, DOUBLE: 1 for x^0 and 1^y even where the other one is missing
    sqlml_whole(x, bits)           x truncated towards 0, BIGINT; the least integer of that width where it does not fit
    sqlml_first_largest(x, …)      the index of the first maximum, BIGINT; NaN is skipped, but 0 where the first is NaN
    sqlml_quotient(x, y)           x / y as in IEEE 754, DOUBLE: infinite or NaN where y is 0
    sqlml_table(array, index)      the number at that index, DOUBLE; NULL where it is missing

An argument called `array` is an index in `Program.arrays`.

Nothing here needs a JVM; `org.sqlml.expressions.Program` reads the result.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlglot import exp

from sqlml.compiler.dialects import Engine
from sqlml.compiler.graph import run
from sqlml.compiler.outputs import PREDICTION, all_of, label_of, required_are_there
from sqlml.compiler.scope import FLOOR, OF_ARRAYS, QUOTIENT, Scope
from sqlml.compiler.scope import Definition as ScopeDefinition
from sqlml.compiler.values import BOOL, DOUBLE, FLOAT, INT32, INT64, NUMBERS, STRING, Lookup, Value, nullable
from sqlml.errors import SqlmlError
from sqlml.signature import BOOLEAN, DATE, INTEGERS, NUMBER, TEXT, TIMESTAMP, Feature, Signature, kind_of

# A row with more operations than this takes longer than in ONNX Runtime, which computes many rows at a time.
MOST_OPERATIONS = 4_000
_OPERATION = 16

ENGINE = Engine(
    "spark",
    # A date is its number of days already, a timestamp its microseconds: see `_input_type`.
    days="c",
    seconds="CAST(c AS DOUBLE) / 1e6",
    real="FLOAT",
    most_text=MOST_OPERATIONS * _OPERATION,
    arrays=True,
)
_TYPES = {
    DOUBLE: "double",
    FLOAT: "float",
    INT64: "bigint",
    BOOL: "boolean",
    INT32: "bigint",
    STRING: "string",
    NUMBERS: "numbers",
}
_FLOATING = ("float", "double")
_ANYTHING = "void"


@dataclass(frozen=True)
class Definition:
    """A variable: an expression over the inputs, i0, i1, …, and earlier definitions, d0, d1, …"""

    sql: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class Program:
    """A compiled model for Spark. All its outputs are numbers, and a query computes only those that it asks for.

    Attributes:
        features: the indices of the signature's features that the inputs are; pruned features are not among them.
        inputs: the Spark type of each input; a number that is NaN is NULL, a date is its days since the
            epoch, a timestamp its microseconds.
        numbers: expressions over the definitions, each DOUBLE. For a model with labels the first is the index of the
            label, -1 for an unknown one, followed by the probabilities where there are any; otherwise the predictions.
        present: the condition without which there is no answer; empty where there is always one.
        labels: each label as SQL, in the signature's order.
        unknown: whether the graph may return a label that is not in the signature.
        label_type: the Spark type of labels.
        arrays: forests as bytes, texts as tuples, tables as arrays of doubles.
        shapes: the shape of each tensor of the graph for one row, for the cost model (`sqlml.compiler.cost`).
    """

    features: tuple[int, ...]
    inputs: tuple[str, ...]
    definitions: tuple[Definition, ...]
    numbers: tuple[str, ...]
    present: str
    labels: tuple[str, ...]
    unknown: bool
    label_type: str
    arrays: tuple[Any, ...]
    shapes: Mapping[str, tuple[int, ...]]


def program(onnx: bytes, signature: Signature, argument_types: Sequence[str], used: Sequence[bool]) -> Program | None:
    """Compiles a model for calls with arguments of some types; None where ONNX Runtime must score it.

    Args:
        argument_types: the Spark type of the argument for each feature.
        used: for each feature, whether the answer can depend on it; see `sqlml.compiler.feature_usage`.
    """
    kinds = [_input_type(feature, kind) for feature, kind in zip(signature.features, argument_types, strict=True)]
    if None in kinds:
        return None
    features = [_as_given(feature, kind) for feature, kind in zip(signature.features, argument_types, strict=True)]
    signature = replace(signature, features=tuple(features))
    scope = Scope(ENGINE)
    sources = [f"i{index}" for index in range(len(features))]
    try:
        found = run(onnx, signature, sources, scope, used=used)
        indices = _label_indices(found, signature)
        numbers = _numbers(found, indices, signature, scope)
    except SqlmlError as error:
        if error.condition == "SQLML_MODEL_NOT_SQL":
            return None
        raise
    _fuse(scope)
    required = required_are_there(signature, sources, scope)
    labels = [label_of(label, signature, scope) for label in signature.labels]
    types = [str(kind) for kind in kinds]
    return _program(scope, numbers, required, labels, -1 in indices, signature.target_type, types)


def labels(signature: Signature) -> list[str]:
    """Returns each label as Spark SQL, in the signature's order."""
    scope = Scope(ENGINE)
    return [_text(label_of(label, signature, scope), {}, {}) for label in signature.labels]


def _input_type(feature: Feature, argument: str) -> str | None:
    """The type that an argument is converted to as an input; None where only Arrow converts it as the scorer does."""
    kind, own = kind_of(argument), feature.kind
    if argument == _ANYTHING:
        kind = own
    if feature.whole:
        narrow = argument in INTEGERS and INTEGERS.index(argument) <= INTEGERS.index(feature.type.lower())
        return "bigint" if narrow else None
    if own == NUMBER and kind in (NUMBER, BOOLEAN):
        return "double"
    if kind != own:
        return None
    return {BOOLEAN: "boolean", TEXT: "string", DATE: "int", TIMESTAMP: "bigint"}[own]


def _as_given(feature: Feature, argument: str) -> Feature:
    """The feature with the argument's type where that is wider.

    An integer feature may be infinite where the argument is a double. A text of CHAR has lost its trailing blanks
    already: see `sqlml.spark.texts`.
    """
    if feature.kind == TEXT:
        return replace(feature, type="string")
    return replace(feature, type=argument) if feature.kind == NUMBER and argument in _FLOATING else feature


# -- results -----------------------------------------------------------------------------------------------------------


def _label_indices(found: dict[str, Value], signature: Signature) -> list[int]:
    """The signature's index of each label that the graph may return, -1 for an unknown one; empty without labels."""
    if "label" not in found:
        return []
    label, known = found["label"].elements.flat[0], list(signature.labels)
    returned = label.values if isinstance(label, Lookup) else [label]
    return [known.index(value) if value in known else -1 for value in returned]


def _numbers(found: dict[str, Value], indices: list[int], signature: Signature, scope: Scope) -> list[exp.Expression]:
    if "label" not in found:
        return [_number(element, scope) for element in found[PREDICTION].elements.flat]
    label = found["label"].elements.flat[0]
    label_index = Lookup(label.subject, np.array(indices)) if len(set(indices)) > 1 else indices[0]
    probabilities: Any = found["probabilities"].elements.flat if signature.probabilities else []
    return [scope.sql(label_index, DOUBLE), *(_number(element, scope) for element in probabilities)]


def _number(element: Any, scope: Scope) -> exp.Expression:
    """A number of the graph as SQL, with NaN for NULL."""
    tree = exp.cast(scope.sql(element, DOUBLE), exp.DataType.Type.DOUBLE, copy=False)
    if not nullable(element):
        return tree
    nan = exp.cast(exp.Literal.string("NaN"), exp.DataType.Type.DOUBLE)
    return exp.Coalesce(this=tree, expressions=[nan])


# -- definitions -------------------------------------------------------------------------------------------------------


def _fuse(scope: Scope) -> None:
    """Fuses x / s * w, which a scaler and a linear model make of each feature, into x * (w / s).

    A division takes as long as four products. The result differs by one rounding, no more than the order of ONNX
    Runtime's sums does.
    """
    for number, definition in enumerate(scope.definitions):
        product = definition.tree
        if (
            definition.type != DOUBLE
            or not isinstance(product, exp.Mul)
            or not isinstance(product.this, exp.Placeholder)
        ):
            continue
        scaled = scope.definitions[int(product.this.this)]
        if scaled.type != DOUBLE or not isinstance(scaled.tree, exp.Div):
            continue
        weight, scale = _constant(product.expression), _constant(scaled.tree.expression)
        if weight is None or not scale:
            continue
        factor = weight / scale
        if math.isfinite(factor) and abs(factor) >= sys.float_info.min:
            fused = exp.Mul(this=scaled.tree.this.copy(), expression=scope.literal(factor, DOUBLE))
            scope.definitions[number] = replace(definition, tree=fused)


def _constant(tree: exp.Expression) -> float | None:
    if isinstance(tree, exp.Neg):
        found = _constant(tree.this)
        return None if found is None else -found
    return float(tree.name) if isinstance(tree, exp.Literal) and not tree.is_string else None


def _program(
    scope: Scope,
    numbers: list[exp.Expression],
    required: list[exp.Expression],
    labels: list[exp.Expression],
    unknown: bool,
    label_type: str,
    kinds: list[str],
) -> Program:
    """Dead code elimination: keeps what the outputs need, and renumbers definitions, inputs and arrays."""
    present = [all_of(required)] if required else []
    # Mark: everything reachable from the outputs.
    needed: set[int] = set()
    waiting = [*numbers, *present]
    while waiting:
        for one in waiting.pop().find_all(exp.Placeholder):
            number = int(one.this)
            if number not in needed:
                needed.add(number)
                waiting.append(scope.definitions[number].tree)
    # Renumber: inputs that are read, and definitions in their old order.
    order = sorted(needed)
    trees = [scope.definitions[number].tree for number in order]
    read = {part.name for tree in [*trees, *numbers, *present] for part in tree.find_all(exp.Column)}
    features = [source for source in range(len(kinds)) if f"i{source}" in read]
    names = {f"i{source}": f"i{index}" for index, source in enumerate(features)}
    names |= {str(number): f"d{index}" for index, number in enumerate(order)}
    arrays: dict[int, int] = {}
    definitions = [
        Definition(_text(one.tree, names, arrays), _type(one, kinds), one.nullable)
        for one in (scope.definitions[number] for number in order)
    ]
    return Program(
        features=tuple(features),
        inputs=tuple(kinds[source] for source in features),
        definitions=tuple(definitions),
        numbers=tuple(_text(number, names, arrays) for number in numbers),
        present="".join(_text(one, names, arrays) for one in present),
        labels=tuple(_text(label, names, arrays) for label in labels),
        unknown=unknown,
        label_type=label_type,
        arrays=tuple(scope.arrays[source] for source in arrays),
        shapes=scope.shapes,
    )


def _type(definition: ScopeDefinition, kinds: list[str]) -> str:
    # An unconverted input has its own type: the graph has no booleans.
    tree = definition.tree
    return kinds[int(tree.name[1:])] if isinstance(tree, exp.Column) else _TYPES[definition.type]


def _text(tree: exp.Expression, names: dict[str, str], arrays: dict[int, int]) -> str:
    """The tree as Spark SQL. `arrays` maps the indices of arrays to new ones, in the order in which they are met."""

    # The parentheses are a parent under which the root itself can be replaced.
    holder = exp.Paren(this=tree.copy())
    # Bottom-up, because replacing a quotient moves its operands.
    for node in reversed(list(holder.find_all(exp.Placeholder, exp.Column, exp.Anonymous, exp.Div, exp.Floor))):
        if isinstance(node, exp.Anonymous):
            if node.this in OF_ARRAYS:
                first = node.expressions[0]
                first.set("this", str(arrays.setdefault(int(first.this), len(arrays))))
        elif isinstance(node, exp.Div):
            node.replace(exp.Anonymous(this=QUOTIENT, expressions=[node.this, node.expression]))
        elif isinstance(node, exp.Floor):
            node.replace(exp.Anonymous(this=FLOOR, expressions=[node.this]))
        else:
            node.replace(exp.column(names[str(node.this) if isinstance(node, exp.Placeholder) else node.name]))
    found: str = holder.this.sql(dialect=ENGINE.name)
    return found
