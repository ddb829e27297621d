"""`sqlml doctor --master …`: what it learns from executors, and from a registry on a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.doors.mlflow_server import mlflow_server
from helpers.environments import packages

pytestmark = [pytest.mark.slow, pytest.mark.doors]


def _findings(folder: Path, master: str, *conf: str) -> dict[str, list[dict[str, Any]]]:
    flags = [part for one in conf for part in ("--conf", one)]
    done = subprocess.run(
        [sys.executable, "-m", "sqlml", "doctor", "--json", "--home", str(folder), "--master", master, *flags],
        capture_output=True, text=True, timeout=300, cwd=folder,
    )  # fmt: skip
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(done.stdout)["findings"]:
        found.setdefault(one["check"], []).append(one)
    return found


def test_every_executor_is_asked(tmp_path: Path) -> None:
    poor = packages("poor-executor", ["pyarrow", "pandas<3"])
    found = _findings(tmp_path, "local-cluster[2,1,1024]", f"spark.pyspark.python={poor}")["cluster"]
    # Its numpy may also be another version than the driver's, which is a warning.
    (lacking,) = (one for one in found if one["status"] == "failed")
    warehouse = found[-1]
    assert str(poor) in lacking["detail"] and "cannot import onnxruntime: ModuleNotFoundError" in lacking["detail"]
    assert "--archives" in lacking["remedy"]
    assert warehouse["status"] == "ok" and str(tmp_path) in warehouse["detail"]
    assert not list(tmp_path.rglob("_sqlml_doctor_*"))


def test_executors_that_can_score(tmp_path: Path) -> None:
    found = _findings(tmp_path, "local-cluster[1,1,1024]", f"spark.pyspark.python={sys.executable}")["cluster"]
    assert [one["status"] for one in found] == ["ok", "ok"]
    assert found[0]["detail"].startswith("1 executor on ") and "ONNX Runtime runs a graph" in found[0]["detail"]


def test_a_warehouse_that_executors_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = (f"spark.pyspark.python={sys.executable}", f"spark.sql.warehouse.dir={tmp_path / 'file' / 'warehouse'}")
    found = _findings(tmp_path, "local-cluster[1,1,1024]", *settings)["cluster"]
    assert [one["status"] for one in found] == ["ok", "failed"]
    assert str(tmp_path / "file") in found[1]["detail"] and "spark.sql.warehouse.dir" in found[1]["remedy"]


def test_a_local_master_has_no_executors(tmp_path: Path) -> None:
    (only,) = _findings(tmp_path, "local[1]")["cluster"]
    assert only["detail"] == "none: the master is local[1]"


@pytest.mark.nightly
def test_a_master_that_nobody_answers(tmp_path: Path) -> None:
    (only,) = _findings(tmp_path, "spark://127.0.0.1:9")["cluster"]
    assert only["status"] == "failed" and "spark://127.0.0.1:9 has run no task" in only["detail"]


def test_rights_in_a_registry(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    with mlflow_server(tmp_path / "server") as uri:
        setting = f"spark.sqlml.registry.uri={uri}"
        (found,) = _findings(tmp_path, "local[1]", setting)["model registry"]
        assert (found["status"], found["detail"]) == (
            "ok",
            f"{uri}, 0 models; a version was written, read and deleted",
        )
        assert not MlflowClient(uri, uri).search_registered_models()
        assert not [path for path in (tmp_path / "server" / "files").rglob("*") if path.is_file()]
        # A store of files that the server cannot write to.
        files = tmp_path / "server" / "files"
        for path in sorted(files.rglob("*"), reverse=True):
            path.rmdir()
        files.rmdir()
        files.write_text("no folder")
        (found,) = _findings(tmp_path, "local[1]", setting)["model registry"]
        assert found["status"] == "failed" and found["remedy"]
        assert not MlflowClient(uri, uri).search_registered_models()
    assert os.path.isfile(files)
