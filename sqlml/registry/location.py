"""The location of the MLflow store that a Spark application uses."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlparse

_URI_VARIABLE = "MLFLOW_TRACKING_URI"


def locate(setting: str, warehouse: str) -> tuple[str, str | None]:
    """Returns the store's URI, and the artifact root of a store that is not a server (None: MLflow decides).

    Args:
        setting: the value of `spark.sqlml.registry.uri`, or "".
        warehouse: the value of `spark.sql.warehouse.dir`: a path or a URI.

    The setting takes precedence, then MLflow's environment variable, then an SQLite file beside the warehouse, or in
    the working directory where the warehouse is not on this machine.
    """
    uri = setting or os.environ.get(_URI_VARIABLE, "")
    if uri.startswith("sqlite:///"):
        folder = Path(uri.removeprefix("sqlite:///")).absolute().parent
    elif uri:
        return uri, None
    else:
        parsed = urlparse(warehouse)
        local = parsed.scheme in ("", "file")
        folder = Path(unquote(parsed.path)).absolute().parent if local else Path.cwd()
        uri = f"sqlite:///{folder / 'mlflow.db'}"
    return uri, (folder / "mlartifacts").as_uri()


def is_local(uri: str) -> bool:
    """Whether a store is a file or a folder on this machine: its creation may take long but always ends."""
    return uri.startswith(("sqlite:", "file:")) or "://" not in uri
