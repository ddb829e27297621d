"""FORMAT onnx: one file for any ONNX Runtime, with the model's metadata in its properties (`sqlml.export.metadata`)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.export import metadata

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion
    from sqlml.system.file_export import Existing

_MOST_BYTES = 2**31


def content(version: ModelVersion) -> bytes:
    """The registered graph with metadata properties appended.

    Raises:
        SqlmlError: SQLML_MODEL_CORRUPT, SQLML_REGISTRY_UNAVAILABLE.
    """
    metrics = {name: value for name, value in version.metrics.items() if math.isfinite(value)}
    properties = {
        metadata.NAME: version.name,
        metadata.VERSION: str(version.version),
        metadata.DIGEST: version.digest,
        metadata.SIGNATURE: version.signature.to_json(),
        metadata.ESTIMATOR: version.estimator,
        metadata.LIBRARY: version.library,
        metadata.METRICS: json.dumps(metrics),
        metadata.PREPARATION: version.preparation.to_json(),
    }
    if version.transform is not None:
        # Informative: the graph takes TRANSFORM's output columns. The SQL is never run on import.
        properties[metadata.TRANSFORM] = version.transform.select_list
    return metadata.appended(version.onnx(), properties)


def write(version: ModelVersion, options: Mapping[str, Any], path: Path) -> None:
    path.write_bytes(content(version))


def earlier(existing: Existing) -> bool:
    content = existing.read(_MOST_BYTES + 1)
    if content is None or len(content) > _MOST_BYTES:
        return False
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    model = ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        return False
    return metadata.properties_of(model) is not None
