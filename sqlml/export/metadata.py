"""What an exported ONNX file says of itself, in its `metadata_props`; any ONNX Runtime runs it as it is.

The properties are appended to the graph that was registered, whose bytes are unchanged: the file without them has the
digest that the registry knows. `sqlml.importing.exported_file` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto

# What stands in every exported file. Others of our own, as `sqlml.most_rows`, belong to the graph.
NAME, VERSION, DIGEST, SIGNATURE = "sqlml.name", "sqlml.version", "sqlml.digest", "sqlml.signature"
ESTIMATOR, LIBRARY, METRICS = "sqlml.estimator", "sqlml.library", "sqlml.metrics"
PREPARATION, TRANSFORM = "sqlml.preparation", "sqlml.transform"
KEYS = (NAME, VERSION, DIGEST, SIGNATURE, ESTIMATOR, LIBRARY, METRICS, PREPARATION, TRANSFORM)
# In the `MLmodel` of an exported folder: which file is the graph, beside the one that MLflow serves.
GRAPH = "sqlml.graph"


def appended(onnx: bytes, properties: Mapping[str, str]) -> bytes:
    """A graph's file with properties: what follows a protobuf message adds to its lists."""
    return onnx + message(properties)


def message(properties: Mapping[str, str]) -> bytes:
    """A model that is nothing but properties."""
    from onnx import ModelProto

    model = ModelProto()
    for key, value in properties.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    content: bytes = model.SerializeToString()
    return content


def properties_of(model: ModelProto) -> dict[str, str] | None:
    """The properties of an exported file; None for any other, or where one of them is there twice or no text."""
    pairs = [(entry.key, entry.value) for entry in model.metadata_props if entry.key in KEYS]
    said = dict(pairs)
    whole = {NAME, VERSION, DIGEST, SIGNATURE} <= set(said) and len(said) == len(pairs)
    return said if whole and all(isinstance(value, str) for value in said.values()) else None
