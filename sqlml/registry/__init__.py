"""The model registry, on top of MLflow: the only package that imports mlflow, and late, because that takes seconds.

A version is two files in its run's artifacts: `model.onnx` (in MLflow's own layout, so that MLflow can serve it) and
`sqlml.json` (metadata for SQL). The SHA-256 of both are tags of the version, and a file that does not match its tag is
never used. MLflow's model loaders are never used either: they may run code that came with a model.
"""

from sqlml.registry.changes import Change
from sqlml.registry.model_version import ModelSummary, ModelVersion, VersionSummary
from sqlml.registry.registry import Registry

__all__ = ["Change", "ModelSummary", "ModelVersion", "Registry", "VersionSummary"]
