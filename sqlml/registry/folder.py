"""Writes a model's folder in MLflow's layout for ONNX, so that MLflow can serve it."""

from __future__ import annotations

from pathlib import Path

from sqlml.registry.layout import GRAPH
from sqlml.registry.model_version import mlflow_columns
from sqlml.signature import Signature

_REQUIREMENTS = ["onnxruntime"]


def write_folder(folder: Path, onnx: bytes, signature: Signature, metadata: dict[str, str] | None = None) -> None:
    """Writes the folder, which must not exist yet; `model.onnx` has exactly the given bytes.

    Args:
        metadata: the `metadata` section of its `MLmodel`.
    """
    import mlflow.onnx
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from onnx import load_from_string

    inputs, outputs = mlflow_columns(signature)
    mlflow.onnx.save_model(
        load_from_string(onnx),
        folder,
        signature=ModelSignature(
            inputs=Schema([ColSpec(kind, name) for name, kind in inputs]),
            outputs=Schema([ColSpec(kind, name) for name, kind in outputs]),
        ),
        # Without requirements MLflow runs a process for 5 s to infer them; external data would empty the graph's file.
        pip_requirements=_REQUIREMENTS,
        save_as_external_data=False,
        metadata=metadata,
    )
    (folder / GRAPH).write_bytes(onnx)
