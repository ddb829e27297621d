"""IMPORT MODEL of hostile files, and under what an administrator has set: what is refused leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import hostile
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings
from helpers.foreign_graphs import node
from helpers.refused import refused as _refused
from pyspark.sql import SparkSession

from sqlml.spark.launch import application_of

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is one of the allowed folders."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_hostile_files_leave_nothing_behind(spark: SparkSession, here: Path) -> None:
    """Every file of the corpus through SQL: refused by name and at once, and the driver goes on."""
    registry = application_of(spark)[0]
    with registry._store.reaching() as client:
        experiments = [one.experiment_id for one in client.search_experiments()]
        runs = len(client.search_runs(experiments, max_results=5_000))
    folders = set(Path(tempfile.gettempdir()).glob("sqlml-*"))
    for name, (content, reason) in hostile.GATE.items():
        (here / name).write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        started = time.monotonic()
        text = _refused(spark, f"IMPORT MODEL hostile.{name} FROM '{name}'")
        assert "[SQLML_MODEL_REFUSED]" in text and reason in text, (name, text)
        assert time.monotonic() - started < 10, name
    os.mkfifo(here / "pipe")
    (here / "link").symlink_to("/etc/passwd")
    os.link(here / "loop", here / "second")
    (here / "large").touch()
    os.truncate(here / "large", 2**40)
    for name, condition in (
        ("pipe", "SQLML_PATH_NOT_ALLOWED"),
        ("link", "SQLML_PATH_NOT_ALLOWED"),
        ("second", "SQLML_PATH_NOT_ALLOWED"),
        (".", "SQLML_PATH_NOT_ALLOWED"),
        ("large", "SQLML_MODEL_REFUSED"),
        ("/dev/zero", "SQLML_PATH_NOT_ALLOWED"),
        ("/proc/self/environ", "SQLML_PATH_NOT_ALLOWED"),
    ):
        started = time.monotonic()
        assert f"[{condition}]" in _refused(spark, f"IMPORT MODEL hostile.other FROM '{name}'")
        assert time.monotonic() - started < 10, name
    with registry._store.reaching() as client:
        assert len(client.search_runs(experiments, max_results=5_000)) == runs
        assert not [one for one in client.search_registered_models() if one.name.startswith("hostile")]
    assert set(Path(tempfile.gettempdir()).glob("sqlml-*")) <= folders
    assert spark.sql("SELECT 1 AS one").collect()[0].one == 1


def test_what_an_administrator_sets(tmp_path: Path) -> None:
    """Folders, file systems of Hadoop's, sizes and operators; and that no client can."""
    models, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    for folder in (models, elsewhere, tmp_path / "cwd"):
        folder.mkdir()
    relu, ranged = hostile.model().SerializeToString(), hostile.model(node("Gelu", "x", "y", domain="com.microsoft"))
    ranged.opset_import.add(domain="com.microsoft", version=1)
    (models / "gelu.onnx").write_bytes(ranged.SerializeToString())
    for path in (models / "relu.onnx", elsewhere / "relu.onnx", tmp_path / "cwd" / "relu.onnx", elsewhere / "two.onnx"):
        path.write_bytes(relu)
    (models / "large.onnx").write_bytes(relu + b" " * 10_000)
    wide = hostile.model(
        node("Expand", "x wide", "many"), node("ReduceSum", "many one", "y"),
        constants={"wide": np.array([1, 2**26]), "one": np.array([1])},
    )  # fmt: skip
    (models / "wide.onnx").write_bytes(wide.SerializeToString())
    settings = session_settings(tmp_path, tmp_path) | {
        "spark.sqlml.allowedPaths": f"{models}, viewfs:///shared",
        "spark.sqlml.import.maxSize": "5k",
        "spark.sqlml.import.operators": "com.microsoft.Gelu",
        "spark.sqlml.scoring.memory": "200m",
        "spark.hadoop.fs.viewfs.mounttable.default.link./shared": elsewhere.as_uri(),
        "spark.hadoop.fs.viewfs.mounttable.default.link./secret": models.as_uri(),
    }
    door = ClientProcess("pyspark", settings, tmp_path / "cwd")
    try:
        results = door.run(
            [
                f"IMPORT MODEL a FROM '{models}/relu.onnx'",
                "IMPORT MODEL a FROM 'viewfs:///shared/relu.onnx'",
                f"IMPORT MODEL a FROM '{models}/gelu.onnx'",
                f"SET spark.sqlml.allowedPaths={tmp_path}",
                "SET spark.sqlml.import.maxSize=1g",
                "IMPORT MODEL b FROM 'relu.onnx'",
                f"IMPORT MODEL b FROM '{elsewhere}/relu.onnx'",
                "IMPORT MODEL b FROM 'viewfs:///secret/relu.onnx'",
                "IMPORT MODEL b FROM 'viewfs:///shared/../secret/relu.onnx'",
                "IMPORT MODEL b FROM 'viewfs:///shared/*.onnx'",
                "EXPORT MODEL a TO 'viewfs:///shared/new.onnx'",
                f"EXPORT MODEL a TO '{elsewhere}/new.onnx'",
                "IMPORT MODEL b FROM 'viewfs:///shared/nothing.onnx'",
                "IMPORT MODEL b FROM 'viewfs:///shared/'",
                f"IMPORT MODEL b FROM '{models}/large.onnx'",
                f"IMPORT MODEL b FROM (SELECT unhex('{'08' * 6_000}'))",
                "SET spark.sql.warehouse.dir=/",
                "SHOW MODELS",
                "CREATE TEMPORARY VIEW one_row AS SELECT 1f AS x",
                f"IMPORT MODEL wide FROM '{models}/wide.onnx' OPTIONS (example = 'one_row')",
                "SELECT PREDICT(wide, id) FROM range(3)",
                "DROP MODEL wide",
            ]
        )
    finally:
        door.close()
    found = [result.failure.condition if result.failure else "" for result in results]
    assert found == [
        *("", "", ""), *["CANNOT_MODIFY_STATIC_CONFIG"] * 2, *["SQLML_PATH_NOT_ALLOWED"] * 7,
        *["SQLML_PATH_NOT_FOUND"] * 2, *["SQLML_MODEL_REFUSED"] * 2, "CANNOT_MODIFY_STATIC_CONFIG",
        *("", "", "", "SQLML_ENGINE_FAILED", ""),
    ], [result.raw for result in results]  # fmt: skip
    assert [row[:2] for row in results[-5].rows] == [("a", "3")]
    assert (
        "Model wide/1 needs more than the 209715200 bytes of memory that spark.sqlml.scoring.memory" in results[-2].raw
    )
