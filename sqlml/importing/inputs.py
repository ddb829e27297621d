"""The mapping from query columns to the input tensors of an imported graph.

A `Slot` is one tensor [rows], [rows, 1] or [rows, k] of numbers, booleans or texts, fed by one or k features. `slots`
reads the tensors from the graph and assigns features to them; `feed` writes the nodes that cast and join the features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from onnx import TensorProto

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.export.graph import DOUBLE, FLOAT, INT64, STRING, Graph
from sqlml.importing.request import AS_NAN, LONGEST_NAME, Column, Request
from sqlml.importing.validation import refused, type_name
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature, collation_of, kind_of

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

# The Spark type of a feature that is declared without one. The keys are the tensor types that a feature can feed.
_DEFAULT_TYPES = {
    TensorProto.FLOAT: "float",
    TensorProto.DOUBLE: "double",
    TensorProto.FLOAT16: "float",
    TensorProto.INT8: "tinyint",
    TensorProto.INT16: "smallint",
    TensorProto.INT32: "int",
    TensorProto.INT64: "bigint",
    TensorProto.BOOL: "boolean",
    TensorProto.STRING: "string",
}
_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Slot:
    """One input of the graph.

    Attributes:
        dtype: its TensorProto type.
        width: the number of features it takes; None for any number.
        vector: whether its shape is [rows] rather than [rows, width].
        batch: the fixed number of rows it takes; None for any.
    """

    name: str
    dtype: int
    width: int | None
    vector: bool
    batch: int | None
    features: tuple[Feature, ...] = ()

    @property
    def described(self) -> str:
        kind = type_name(self.dtype)
        shape = "" if self.vector else f", {'k' if self.width is None else self.width}"
        return f"{self.name[:100]} ({kind} [rows{shape}])"


def slots(model: ModelProto, request: Request) -> list[Slot]:
    """The graph's inputs with the features that feed them, in the graph's order.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for an input that no columns can feed; SQLML_BINDING_MISMATCH where features
            and inputs do not agree; SQLML_FEATURE_UNUSABLE for a feature of a wrong type.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    empty = [_slot(value) for value in model.graph.input if value.name not in constants]
    if not empty:
        raise refused("it has no inputs, so its prediction is always the same")
    if len({slot.batch for slot in empty} - {None}) > 1:
        raise refused(f"its inputs have different fixed numbers of rows: {_listed(empty)}")
    columns = _columns(empty, request)
    return [
        replace(slot, features=tuple(_feature(slot, column, request) for column in group))
        for slot, group in zip(empty, columns, strict=True)
    ]


def features(filled: Sequence[Slot], request: Request) -> tuple[Feature, ...]:
    """All features, in the order of their declaration, or of the inputs where there is none.

    Raises:
        SqlmlError: SQLML_AMBIGUOUS_FEATURE for two of one name; SQLML_FEATURE_UNUSABLE for a name too long.
    """
    found = tuple(feature for slot in filled for feature in slot.features)
    seen: set[str] = set()
    for feature in found:
        if not 0 < len(feature.name) <= LONGEST_NAME:
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The name of the feature {feature.name[:40]!r}… has {len(feature.name)} characters, but the limit is"
                f" {LONGEST_NAME}."
                if feature.name
                else "A feature has an empty name.",
                hint="Give the features other names with features=['…', …].",
            )
        if feature.name.lower() in seen:
            raise SqlmlError(
                "SQLML_AMBIGUOUS_FEATURE", f"Two features are called {feature.name}, where case does not count."
            )
        seen.add(feature.name.lower())
    order = {column.name: index for index, column in enumerate(request.columns or ())}
    return tuple(sorted(found, key=lambda feature: order.get(feature.name, len(order))))


def feed(graph: Graph, filled: Sequence[Slot]) -> dict[str, str]:
    """Adds an input for each feature with the casts and joins behind it; returns the value that feeds each slot."""
    return {slot.name: _fed(graph, slot) for slot in filled}


def batch(filled: Sequence[Slot]) -> int | None:
    """The fixed number of rows that the graph runs on; None for any."""
    return next((slot.batch for slot in filled if slot.batch is not None), None)


# -- the graph's side --------------------------------------------------------------------------------------------------


def _slot(value: ValueInfoProto) -> Slot:
    """The slot of a graph's input; raises for types and shapes that columns cannot feed."""
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or tensor.elem_type not in _DEFAULT_TYPES:
        kinds = ", ".join(type_name(dtype) for dtype in _DEFAULT_TYPES)
        raise refused(f"its input {value.name} has a type that no column can feed; the supported types are {kinds}")
    if not tensor.HasField("shape") or len(tensor.shape.dim) not in (1, 2):
        count = f"{len(tensor.shape.dim)} dimensions" if tensor.HasField("shape") else "no shape"
        raise refused(
            f"its input {value.name} has {count}, but columns form tensors [rows] or [rows, k]",
            "Add a reshape before it and export the model again.",
        )
    rows, *others = tensor.shape.dim
    fixed = rows.dim_value if rows.HasField("dim_value") else None
    if fixed is not None and fixed < 1:
        fixed = None  # some exporters write 0 or -1 for "any"
    width = 1 if not others else others[0].dim_value if others[0].dim_value > 0 else None
    return Slot(value.name, tensor.elem_type, width, not others, fixed)


# -- the caller's side -------------------------------------------------------------------------------------------------


def _columns(empty: list[Slot], request: Request) -> list[list[Column]]:
    """The columns of each slot: by the mapping of inputs, else by order, else by the inputs' own names."""
    if request.inputs is not None:
        return _by_input(empty, request)
    if request.columns is not None:
        return _in_order(empty, request.columns)
    for slot in empty:
        if slot.width != 1:
            many = "the" if slot.width is None else f"the {slot.width}"
            raise SqlmlError(
                "SQLML_BINDING_MISMATCH",
                f"The graph does not name {many} columns of its input {slot.described}.",
                hint="Give features=['…', …], in the order of the columns.",
            )
    return [[Column(slot.name)] for slot in empty]


def _by_input(empty: list[Slot], request: Request) -> list[list[Column]]:
    """The columns of each slot by the request's mapping from inputs to features."""
    assert request.inputs is not None
    types = {column.name: column for column in request.columns or ()}
    names = [slot.name for slot in empty]
    for name in request.inputs:
        if name not in names:
            raise SqlmlError(
                "SQLML_BINDING_MISMATCH", f"The model has no input {name}.", hint=did_you_mean(name, names)
            )
    columns = []
    for slot in empty:
        names_of_slot = request.inputs.get(slot.name)
        if names_of_slot is None or len(names_of_slot) != (slot.width or len(names_of_slot)) or not names_of_slot:
            raise _wrong_count(empty, f"{len(names_of_slot or ())} are given for the input {slot.described}")
        columns.append([types.get(name, Column(name)) for name in names_of_slot])
    return columns


def _in_order(empty: list[Slot], columns: Sequence[Column]) -> list[list[Column]]:
    """Assigns columns by name to inputs of one column, and the remaining columns in order to the remaining inputs."""
    lowered = {column.name.lower(): column for column in columns}
    named = {
        slot.name: lowered[slot.name.lower()] for slot in empty if slot.width == 1 and slot.name.lower() in lowered
    }
    rest: Iterator[Column] = (column for column in columns if column not in named.values())
    left = [slot for slot in empty if slot.name not in named]
    free = len(columns) - len(named) - sum(slot.width or 0 for slot in left)
    open_slots = [slot for slot in left if slot.width is None]
    if (free != 0 and len(open_slots) != 1) or free < len(open_slots):
        raise _wrong_count(empty, f"{len(columns)} are given")
    return [
        [named[slot.name]]
        if slot.name in named
        else [next(rest) for _ in range(free if slot.width is None else slot.width)]
        for slot in empty
    ]


def _wrong_count(empty: Sequence[Slot], what: str) -> SqlmlError:
    return SqlmlError(
        "SQLML_BINDING_MISMATCH",
        f"The number of features does not match the inputs of the model: {what}. Its inputs are {_listed(empty)}.",
        hint="Map inputs to features with features={'input': ['feature', …], …}.",
    )


def _listed(empty: Sequence[Slot]) -> str:
    shown = ", ".join(slot.described for slot in empty[:_MOST_SHOWN])
    return f"{shown}, …" if len(empty) > _MOST_SHOWN else shown


def _feature(slot: Slot, column: Column, request: Request) -> Feature:
    """The feature of a column; raises SQLML_FEATURE_UNUSABLE where its declared type does not fit the input."""
    default = _DEFAULT_TYPES[slot.dtype]
    found = Feature(column.name, column.type or default)
    fits = {
        TEXT: slot.dtype == STRING,
        BOOLEAN: slot.dtype != STRING,
        NUMBER: slot.dtype in _FLOATS or _holds(default, found.type),
    }
    if not fits.get(kind_of(found.type) or "", False):
        hint = "Convert a date or a timestamp to a number in the query." if slot.dtype in _FLOATS else ""
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"The feature {column.name} is {found.type.upper()}, but the input {slot.described} takes"
            f" {default.upper()}.",
            hint=hint or f"Declare the feature as {default.upper()}. PREDICT takes every type that converts to it.",
        )
    if collation_of(found.type) is not None:
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"The feature {column.name} is {found.type.upper()}, but the input {slot.described} compares bytes.",
            hint="Declare the feature as STRING, and pass strings to PREDICT in the spelling of the graph, such as"
            " lower(…).",
        )
    takes_missing = column.name in request.nullable or (request.missing == AS_NAN and slot.dtype in _FLOATS)
    return replace(found, required=not takes_missing)


def _holds(tensor_type: str, feature_type: str) -> bool:
    """Whether an integer tensor is wide enough for a feature's type."""
    wide, narrow = tensor_type.lower(), feature_type.lower()
    return wide in INTEGERS and narrow in INTEGERS and INTEGERS.index(narrow) <= INTEGERS.index(wide)


# -- nodes -------------------------------------------------------------------------------------------------------------


def _fed(graph: Graph, slot: Slot) -> str:
    """Concat → Cast where all features have one input type, else Cast → Concat; → Reshape for a vector."""
    values: list[tuple[int, str]] = []
    for feature in slot.features:
        dtype = STRING if feature.kind == TEXT else INT64 if feature.whole else DOUBLE
        values.append((dtype, graph.input(feature.name, dtype)))
    if len({dtype for dtype, _ in values}) == 1:
        value = _cast(graph, graph.concat([name for _, name in values]), values[0][0], slot.dtype)
    else:
        value = graph.concat([_cast(graph, name, dtype, slot.dtype) for dtype, name in values])
    return graph.op("Reshape", value, graph.constant([-1], "int64")) if slot.vector else value


def _cast(graph: Graph, value: str, dtype: int, wanted: int) -> str:
    if dtype == wanted:
        return value
    if wanted == TensorProto.FLOAT16 and dtype == DOUBLE:
        # Through float32, because libraries that compute in float16 round twice in the same way.
        value = graph.cast(value, FLOAT)
    return graph.cast(value, wanted)
