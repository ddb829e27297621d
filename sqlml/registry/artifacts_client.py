"""The Python package that MLflow needs for an artifact store, checked before a fit and not after it."""

from __future__ import annotations

import importlib.util
from urllib.parse import urlsplit

from sqlml.errors import SqlmlError

# Scheme of the artifact store → the module that MLflow imports, and what installs it.
# https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/
_CLIENTS = {
    "abfss": ("azure.storage.filedatalake", "azure-storage-file-datalake azure-identity"),
    "gs": ("google.cloud.storage", "google-cloud-storage"),
    "hdfs": ("pyarrow", "pyarrow"),
    "s3": ("boto3", "boto3"),
    "wasb": ("azure.storage.blob", "azure-storage-blob azure-identity"),
    "wasbs": ("azure.storage.blob", "azure-storage-blob azure-identity"),
}


def check(artifact_uri: str) -> None:
    """Raises SqlmlError SQLML_MISSING_PACKAGE where this Python cannot write to an artifact store."""
    scheme = urlsplit(artifact_uri).scheme
    module, packages = _CLIENTS.get(scheme, ("", ""))
    if module and not _is_there(module):
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"The model registry keeps its files at {scheme}://, and the driver's Python has no {module}.",
            hint=f"Install it: pip install {packages}. Or start the MLflow server with --serve-artifacts, so that only"
            " the server needs it.",
        )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
