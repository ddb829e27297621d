"""The command `sqlml ui`, which runs MLflow's own web page on the registry."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from typing import Annotated

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, parse_conf
from sqlml.errors import SqlmlError
from sqlml.settings import REGISTRY_URI


def ui(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port to listen on.")] = 5000,
    home: HomeOption = DEFAULT_HOME,
    conf: ConfOption = None,
) -> None:
    """Open MLflow's web page with the models: runs, metrics and versions."""
    from sqlml.cli.servers import check_free
    from sqlml.registry.location import locate

    folder = Home(home)
    settings = {**folder.settings(DEFAULT_MASTER), **parse_conf(conf)}
    uri, artifacts = locate(settings.get(REGISTRY_URI.key, ""), settings["spark.sql.warehouse.dir"])
    if uri.startswith(("http://", "https://")):
        print(f"The models are on an MLflow server, which has the page: {uri}")
        return
    try:
        metadata.version("mlflow")
    except metadata.PackageNotFoundError:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            "The web page of MLflow needs the full MLflow package.",
            hint="Install it: pip install mlflow",
        ) from None
    check_free(host, port)
    folder.create()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--workers", "1"]
    command += ["--host", host, "--port", str(port)]
    command += ["--default-artifact-root", artifacts] if artifacts else []
    # Otherwise MLflow starts seven more processes for jobs that are not used here.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **os.environ}
    print(f"The models of {uri}: http://{host}:{port}/#/models", flush=True)
    os.execve(sys.executable, command, environment)
