"""Metadata of an exported ONNX file, in its `metadata_props`; ONNX Runtime ignores it.

The properties are appended to the registered graph, whose bytes are unchanged: without them the file has the digest
that the registry knows. `sqlml.importing.exported_file` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto

# Properties of every exported file. Others, such as `sqlml.most_rows`, belong to the graph itself.
NAME, VERSION, DIGEST, SIGNATURE = "sqlml.name", "sqlml.version", "sqlml.digest", "sqlml.signature"
ESTIMATOR, LIBRARY, METRICS = "sqlml.estimator", "sqlml.library", "sqlml.metrics"
PREPARATION, TRANSFORM = "sqlml.preparation", "sqlml.transform"
KEYS = (NAME, VERSION, DIGEST, SIGNATURE, ESTIMATOR, LIBRARY, METRICS, PREPARATION, TRANSFORM)
# A key in the `MLmodel` file of an exported folder: the name of the graph's file, beside the one that MLflow serves.
GRAPH = "sqlml.graph"


def appended(onnx: bytes, properties: Mapping[str, str]) -> bytes:
    """The graph's bytes with properties. Appending works because protobuf merges concatenated messages, and repeated
    fields are concatenated."""
    return onnx + message(properties)


def message(properties: Mapping[str, str]) -> bytes:
    """A serialized ModelProto that consists of properties only."""
    from onnx import ModelProto

    model = ModelProto()
    for key, value in properties.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    content: bytes = model.SerializeToString()
    return content


def properties_of(model: ModelProto) -> dict[str, str] | None:
    """The properties of an exported file; None for any other file, or if a property is duplicated or not a text."""
    pairs = [(entry.key, entry.value) for entry in model.metadata_props if entry.key in KEYS]
    properties = dict(pairs)
    whole = {NAME, VERSION, DIGEST, SIGNATURE} <= set(properties) and len(properties) == len(pairs)
    return properties if whole and all(isinstance(value, str) for value in properties.values()) else None
