"""FORMAT onnx: one file for any ONNX Runtime, with the model's metadata in its properties (`sqlml.export.metadata`)."""

from __future__ import annotations

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
    described = metadata.Described(
        version.name, str(version.version), version.digest, version.signature, version.estimator, version.library,
        version.metrics, version.preparation, version.transform,
    )  # fmt: skip
    return metadata.appended(version.onnx(), described.properties())


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
