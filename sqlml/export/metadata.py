"""Metadata of an exported ONNX file, in its `metadata_props`; ONNX Runtime ignores it.

The properties are appended to the registered graph, whose bytes are unchanged: without them the file has the digest
that the registry knows. `sqlml.importing.exported_file` reads them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlml.jobs.preparation import Preparation
from sqlml.signature import Signature, Transform

if TYPE_CHECKING:
    from onnx import ModelProto

# Properties of every exported file. Others, such as `sqlml.most_rows`, belong to the graph itself.
NAME, VERSION, DIGEST, SIGNATURE = "sqlml.name", "sqlml.version", "sqlml.digest", "sqlml.signature"
ESTIMATOR, LIBRARY, METRICS = "sqlml.estimator", "sqlml.library", "sqlml.metrics"
PREPARATION, TRANSFORM = "sqlml.preparation", "sqlml.transform"
KEYS = (NAME, VERSION, DIGEST, SIGNATURE, ESTIMATOR, LIBRARY, METRICS, PREPARATION, TRANSFORM)
# A key in the `MLmodel` file of an exported folder: the name of the graph's file, beside the one that MLflow serves.
GRAPH = "sqlml.graph"


@dataclass(frozen=True)
class Described:
    """What an exported file says of its model."""

    name: str
    version: str
    digest: str
    signature: Signature
    estimator: str
    library: str
    metrics: Mapping[str, float]
    preparation: Preparation
    transform: Transform | None

    def properties(self) -> dict[str, str]:
        """Returns the properties of the file."""
        metrics = {name: value for name, value in self.metrics.items() if math.isfinite(value)}
        properties = {
            NAME: self.name,
            VERSION: self.version,
            DIGEST: self.digest,
            SIGNATURE: self.signature.to_json(),
            ESTIMATOR: self.estimator,
            LIBRARY: self.library,
            METRICS: json.dumps(metrics),
            PREPARATION: self.preparation.to_json(),
        }
        if self.transform is not None:
            # Informative: the graph takes TRANSFORM's output columns. The SQL is never run on import.
            properties[TRANSFORM] = self.transform.select_list
        return properties


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
