"""A registry on a server of MLflow 2, and a driver whose MLflow is that old."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.doors.mlflow_server import mlflow_server
from helpers.environments import library, packages

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

_OLD = "2.22.4"
_SCRIPT = """
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS a, 3.0D * id AS y FROM range(50);
RETRAIN MODEL line;
ALTER MODEL line SET ALIAS best = VERSION 1;
SELECT round(PREDICT(line, 2), 6) AS p, round(PREDICT('line@best', 2), 6) AS q, round(PREDICT('line/2', 2), 6) AS r;
SELECT count(*) AS versions FROM sqlml.model_versions WHERE model = 'line';
SHOW MODELS;
EXPORT MODEL line TO 'line.onnx';
IMPORT MODEL copied FROM 'line.onnx';
DROP MODEL line VERSION 2;
DROP MODEL line;
DROP MODEL copied;
"""


def _sql(folder: Path, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sqlml", "sql", "--format", "json", "--home", str(folder / "home"), "-e", text],
        env={**os.environ, **variables}, cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_a_server_of_mlflow_2(tmp_path: Path) -> None:
    old = packages("mlflow2", [f"mlflow=={_OLD}", "setuptools<81", "sqlalchemy<2.1"])
    with mlflow_server(tmp_path / "server", str(old)) as uri:
        done = _sql(tmp_path, _SCRIPT, MLFLOW_TRACKING_URI=uri)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {"p": 6.0, "q": 6.0, "r": 6.0} in rows, done.stdout


def test_a_driver_of_mlflow_2(tmp_path: Path) -> None:
    found = _sql(tmp_path, "SHOW MODELS", PYTHONPATH=str(library(f"mlflow-skinny=={_OLD}")))
    assert found.returncode != 0
    assert f"[SQLML_MISSING_PACKAGE] The model registry needs MLflow 3 on the driver, which has {_OLD}" in found.stderr
