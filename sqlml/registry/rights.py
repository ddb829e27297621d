"""A probe of the driver's rights in a registry: makes a version with a file, reads the file, and deletes both."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.registry.layout import EXPERIMENT
from sqlml.registry.store import Store
from sqlml.registry.training_run import experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FILE = "rights.txt"


def check(uri: str, artifacts: str | None) -> None:
    """Makes and deletes a scratch model, whose name begins with `sqlml_doctor_`.

    Args:
        artifacts: where files go if sqlml's experiment does not exist yet.

    Raises:
        SqlmlError: SQLML_REGISTRY_DENIED, SQLML_REGISTRY_UNAVAILABLE, SQLML_MISSING_PACKAGE.
    """
    name = f"sqlml_doctor_{secrets.token_hex(6)}"
    with Store(uri).writing() as client:
        run = client.create_run(experiment(client, artifacts, EXPERIMENT), run_name=name)
        try:
            client.log_text(run.info.run_id, name, _FILE)
            with tempfile.TemporaryDirectory() as folder:
                text = Path(client.download_artifacts(run.info.run_id, _FILE, folder)).read_text(encoding="utf-8")
            if text != name:
                raise ConnectionError("the artifact store returns another file than it was given")
            _version(client, name, run.info.run_id, f"{run.info.artifact_uri}/{_FILE}")
        finally:
            _delete_files(run.info.artifact_uri, client.tracking_uri)
            client.delete_run(run.info.run_id)


def _delete_files(artifact_uri: str, tracking_uri: str) -> None:
    """A deleted run keeps its files until the server's garbage collection."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(artifact_uri, tracking_uri=tracking_uri).delete_artifacts(_FILE)


def _version(client: MlflowClient, name: str, run_id: str, source: str) -> None:
    client.create_registered_model(name)
    try:
        version = client.create_model_version(name, source, run_id)
        client.delete_model_version(name, version.version)
    finally:
        client.delete_registered_model(name)
