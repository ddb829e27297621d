"""The models, in MLflow. The only part that imports mlflow, and it imports it late: that costs seconds.

A version is two files in its run's artifacts: `model.onnx` (in MLflow's own layout, so that MLflow can serve it) and
`sqlml.json` (what SQL needs to know). The SHA-256 of both stand in the version's tags, and nothing is read back that
does not match them. MLflow's model loaders are never used: they may run code that came with a model.
"""

from sqlml.registry.changes import Change
from sqlml.registry.model_version import ModelSummary, ModelVersion, VersionSummary
from sqlml.registry.registry import Registry

__all__ = ["Change", "ModelSummary", "ModelVersion", "Registry", "VersionSummary"]
