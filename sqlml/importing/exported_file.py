"""Reads a file that EXPORT MODEL wrote: its metadata, and the checks that its graph agrees with them.

The file may still be forged. Its metadata are checked for their form, then against the graph's inputs, and then against
the graph's outputs on some rows.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.estimators import CLASSIFICATION, REGRESSION, WITHOUT_TARGET
from sqlml.export.metadata import (
    DIGEST,
    LIBRARY,
    METRICS,
    NAME,
    PREPARATION,
    SIGNATURE,
    VERSION,
    message,
    properties_of,
)
from sqlml.importing.request import LONGEST_NAME
from sqlml.importing.validation import refused
from sqlml.jobs.preparation import Preparation
from sqlml.scoring.scorer import EXACT_ROWS, MOST_ROWS, input_name, plain_labels
from sqlml.signature import TEXT, Feature, Signature, kind_of, struct_type

if TYPE_CHECKING:
    from onnx import ModelProto

_TYPE = re.compile(r"[a-z_]+(\([0-9]{1,10}(,[0-9]{1,2})?\))?( collate [a-z0-9_]{1,100})?\Z")
_METRIC = re.compile(r"[A-Za-z0-9_]{1,100}\Z")
_MOST_BYTES = 64 * 1024**2
_MOST_BATCH = 1_000_000
_OTHERWISE = "To import it as any other graph, use OPTIONS (features = […], …)."


@dataclass(frozen=True)
class Exported:
    """The metadata of an exported file.

    Attributes:
        onnx: the graph as it was registered, without the metadata.
        title: the model's name and version, for messages.
    """

    onnx: bytes
    title: str
    signature: Signature
    preparation: Preparation
    metrics: dict[str, float]
    library: str


def exported(content: bytes, model: ModelProto) -> Exported | None:
    """Parses the metadata of an exported file; returns None for any other ONNX file.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED where the graph was changed after the export, or the metadata are malformed.
    """
    properties = properties_of(model)
    if properties is None:
        return None
    title = f"{properties[NAME][:80]} version {properties[VERSION][:12]}"
    tail = message(properties)
    if len(tail) > _MOST_BYTES:
        raise refused(f"its metadata has {len(tail)} bytes, but the limit is {_MOST_BYTES}")
    onnx = content.removesuffix(tail)
    if hashlib.sha256(onnx).hexdigest() != properties[DIGEST]:
        raise refused(f"according to its metadata it is {title}, but it has been changed since the export", _OTHERWISE)
    try:
        return Exported(
            onnx,
            title,
            _signature(json.loads(properties[SIGNATURE])),
            Preparation.from_json(properties.get(PREPARATION, '{"numbers": [], "categories": []}')),
            _metrics(json.loads(properties.get(METRICS, "{}"))),
            " ".join(properties.get(LIBRARY, "").split())[:200],
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"[:120]
        raise refused(f"its metadata, for {title}, cannot be read: {reason}", _OTHERWISE) from error


def digests(content: bytes, model: ModelProto) -> tuple[str, ...]:
    """SHA-256 of a file, and of the graph alone where the file has EXPORT MODEL's metadata."""
    properties = properties_of(model)
    graphs = [content] if properties is None else [content, content.removesuffix(message(properties))]
    return tuple(hashlib.sha256(graph).hexdigest() for graph in graphs)


def check_inputs(found: Exported, model: ModelProto) -> None:
    """Raises SqlmlError SQLML_MODEL_REFUSED unless the graph's inputs and batch sizes are those of the signature."""
    from onnx import TensorProto

    constants = {tensor.name for tensor in model.graph.initializer}
    types = {value.name: value.type.tensor_type.elem_type for value in model.graph.input if value.name not in constants}
    wanted = {
        input_name(feature.name): TensorProto.STRING
        if feature.kind == TEXT
        else TensorProto.INT64
        if feature.whole
        else TensorProto.DOUBLE
        for feature in found.signature.features
    }
    if types != wanted:
        odd = sorted(set(types.items()) ^ set(wanted.items()))[0][0]
        raise refused(
            f"according to its metadata it is {found.title}, but its graph does not have the same input {odd[:60]}",
            _OTHERWISE,
        )
    for entry in model.metadata_props:
        if entry.key in (MOST_ROWS, EXACT_ROWS):
            value = entry.value
            if not (isinstance(value, str) and value.isascii() and value.isdigit() and 0 < int(value) <= _MOST_BATCH):
                raise refused(f"its property {entry.key} is {value!r}, which is not a number of rows"[:200])


def check_answers(found: Exported, outputs: dict[str, Any], rows: int) -> None:
    """Raises SqlmlError SQLML_MODEL_REFUSED unless the outputs have the form that the signature promises.

    Args:
        outputs: the graph's outputs by name, computed on `rows` rows.
    """
    signature, names = found.signature, set(outputs)
    needed = {"prediction"}
    if signature.labels:
        needed = {"label", "probabilities"} if signature.probabilities else {"label"}
    if not needed <= names <= needed | ({"scores"} if signature.labels else set()):
        shown = ", ".join(sorted(names))[:80]
        raise refused(
            f"according to its metadata it is {found.title}, which does not have the outputs {shown}", _OTHERWISE
        )
    widths = {"label": None, "prediction": len(signature.outputs) or None}
    for name, array in outputs.items():
        width = widths.get(name, len(signature.labels))
        if array.shape != ((rows,) if width is None else (rows, width)):
            raise refused(
                f"according to its metadata it is {found.title}, but its output {name} has another shape", _OTHERWISE
            )
    if signature.labels and not set(outputs["label"].tolist()) <= set(plain_labels(signature).to_pylist()):
        raise refused(
            f"according to its metadata it is {found.title}, but it returned a label that is not one of that model's",
            _OTHERWISE,
        )


def _signature(raw: dict[str, Any]) -> Signature:
    """Builds a signature and checks the type of every value in it. Raises ValueError, TypeError or KeyError."""
    features = tuple(
        Feature(_text(feature["name"]), _type(feature["type"]), bool(feature["required"]))
        for feature in raw["features"]
    )
    task, labels, outputs = raw["task"], tuple(raw["labels"]), tuple(map(_text, raw.get("outputs", ())))
    if task not in (CLASSIFICATION, REGRESSION, *WITHOUT_TARGET):
        raise ValueError(f"{task!r} is not a task")
    if not features or len({feature.name.lower() for feature in features}) < len(features):
        raise ValueError("it has no features, or two features have the same name")
    if not all(isinstance(label, (str, bool, int, float)) for label in labels) or len(set(map(type, labels))) > 1:
        raise ValueError("labels must be strings, booleans or numbers of one type")
    if len(set(labels)) < len(labels) or len(set(outputs)) < len(outputs) or (labels and outputs):
        raise ValueError("two labels or two outputs are the same")
    if (task == CLASSIFICATION) != bool(labels) and task not in WITHOUT_TARGET:
        raise ValueError(f"a {task} cannot have {len(labels)} labels")
    target = None if raw["target"] is None else _text(raw["target"])
    target_type = raw["target_type"]
    # A reduction of dimensions is DOUBLE although it has several outputs; a multi-output regression is STRUCT.
    if not outputs or target_type != struct_type(outputs):
        target_type = _type(target_type)
    return Signature(task, features, target, target_type, labels, bool(raw["probabilities"]), outputs)


def _metrics(raw: dict[str, Any]) -> dict[str, float]:
    found = {name: float(value) for name, value in raw.items()}
    if not all(_METRIC.match(name) and math.isfinite(value) for name, value in found.items()):
        raise ValueError("metrics must have names and finite numbers")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise ValueError(f"{value!r} is not a name")
    return value


def _type(value: Any) -> str:
    if not isinstance(value, str) or not _TYPE.match(value.lower()) or kind_of(value) is None:
        raise ValueError(f"{value!r} is not a type of a column")
    return value
