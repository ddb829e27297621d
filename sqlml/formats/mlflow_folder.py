"""FORMAT mlflow: a folder in MLflow's layout, with the flavours onnx and python_function, to be loaded elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.formats import onnx_file

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion


def write(version: ModelVersion, options: Mapping[str, Any], place: Path) -> None:
    from sqlml.registry.folder import write_folder

    write_folder(place, onnx_file.content(version), version.signature)


def earlier(place: Path) -> bool:
    return (place / "MLmodel").is_file() and onnx_file.earlier(place / "model.onnx")
