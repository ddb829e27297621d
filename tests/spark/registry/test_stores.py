"""The registry on every kind of MLflow store: the same statements on a server and in a folder as on SQLite."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.mlflow_server import mlflow_server
from helpers.doors.servers import free_port
from helpers.doors.settings import session_settings

from sqlml.errors import SqlmlError
from sqlml.registry import Registry
from sqlml.registry.layout import EXPERIMENT
from sqlml.registry.reachability import check
from sqlml.system.allowed_paths import AllowedPaths

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_STATEMENTS = [
    "TRAIN MODEL stored COMMENT 'twice' USING sklearn.linear_regression TARGET y TAGS ('team' = 'growth')"
    " AS SELECT id AS x, id * 2.0D AS y FROM range(40)",
    "SHOW MODELS",
    "DESCRIBE MODEL stored",
    "SELECT round(PREDICT(stored, 4), 6) AS y",
    "TRAIN MODEL stored USING sklearn.linear_regression TARGET y AS SELECT id AS x, id * 3.0D AS y FROM range(40)",
    "SELECT round(PREDICT('stored/1', 4), 6) AS first, round(PREDICT(stored, 4), 6) AS newest",
    "DROP MODEL stored",
    "SHOW MODELS",
]


def _walk_through(uri: str, folder: Path) -> None:
    door = ClientProcess("pyspark", {**session_settings(folder, folder), "spark.sqlml.registry.uri": uri}, folder)
    try:
        results = door.run(_STATEMENTS)
    finally:
        door.close()
    assert not any(result.failure for result in results), "\n".join(result.raw for result in results if result.failure)
    trained, models, described, scored, again, both, dropped, none = results
    assert (trained.rows[0][1], again.rows[0][1]) == ("1", "2")
    assert models.rows[0][0] == "stored"
    assert any("twice" in cell for row in described.rows for cell in row)
    assert scored.rows == (("8.0",),)
    assert both.rows == (("8.0", "12.0"),)
    assert dropped.rows == (("stored", "2", "NULL"),)
    assert none.rows == ()


@pytest.mark.slow
def test_a_server(tmp_path: Path) -> None:
    with mlflow_server(tmp_path / "server") as uri:
        _walk_through(uri, tmp_path)


@pytest.mark.nightly
def test_a_folder(tmp_path: Path) -> None:
    _walk_through(str(tmp_path / "runs"), tmp_path)
    assert (tmp_path / "runs" / "models").is_dir()


def test_statements_wait_together_for_a_silent_server() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        registry = Registry(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def ask(_: int) -> str:
            with pytest.raises(SqlmlError) as caught:
                registry.exists("churn")
            return caught.value.condition

        started = time.monotonic()
        with ThreadPoolExecutor(5) as pool:
            assert set(pool.map(ask, range(5))) == {"SQLML_REGISTRY_UNAVAILABLE"}
        assert time.monotonic() - started < 8


def test_a_database_that_is_not_there_is_noticed() -> None:
    with pytest.raises(OSError, match="refused"):
        check(f"postgresql+psycopg2://user:word@127.0.0.1:{free_port()}/mlflow")
    check("sqlite:////nowhere/mlflow.db")
    check("/some/folder")
    check("databricks")


class _Healthy(BaseHTTPRequestHandler):
    """Says that it is well and answers nothing else, as a server does whose database hangs."""

    def do_GET(self) -> None:
        if self.path != "/health":
            time.sleep(30)
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002
        return


def test_a_server_that_is_well_and_does_not_answer() -> None:
    import mlflow  # noqa: F401

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Healthy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        uri = f"http://user:word@127.0.0.1:{server.server_port}"
        check(uri)
        started = time.monotonic()
        with pytest.raises(SqlmlError) as caught:
            Registry(uri).exists("churn")
        assert time.monotonic() - started < 10
        assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
        assert "word" not in caught.value.message
    finally:
        server.shutdown()
        server.server_close()


_ASK = """
import sys, time, mlflow
from sqlml.errors import SqlmlError
from sqlml.system.allowed_paths import AllowedPaths
from sqlml.registry import Registry
from sqlml.registry.layout import EXPERIMENT
started = time.monotonic()
try:
    Registry(sys.argv[1]).exists("churn")
except SqlmlError as error:
    print(error, f"{time.monotonic() - started:.1f}", sep="\\n")
"""


@pytest.mark.parametrize(
    ("driver", "message"),
    [
        ("mysql+pymysql", "SQLML_REGISTRY_UNAVAILABLE.*no answer within 8 s"),
        ("mysql+mysqldb", "SQLML_MISSING_PACKAGE.*needs the Python package MySQLdb"),
    ],
)
def test_a_database_that_lets_nobody_in(driver: str, message: str) -> None:
    """In a process of its own: MLflow goes on trying for minutes and keeps every other store waiting meanwhile."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        uri = f"{driver}://user:word@127.0.0.1:{listener.getsockname()[1]}/mlflow"
        said = subprocess.run([sys.executable, "-c", _ASK, uri], capture_output=True, text=True, check=True).stdout
    text, seconds = said.splitlines()
    assert re.search(message, text)
    assert "word" not in text
    assert float(seconds) < 10


def test_a_version_whose_file_is_gone(spark: SparkSession, registry_folder: Path) -> None:
    train = (
        "TRAIN MODEL holed USING sklearn.linear_regression TARGET y AS SELECT id AS x, id * 7.5D AS y FROM range(40)"
    )
    spark.sql(train).collect()
    max(registry_folder.rglob("model.onnx"), key=lambda path: path.stat().st_mtime_ns).unlink()
    with pytest.raises(Exception, match=r"SQLML_MODEL_CORRUPT.*holed version 1 .*model.onnx is missing"):
        spark.sql("SELECT PREDICT(holed, 1)").collect()
    spark.sql("DROP MODEL holed").collect()


def test_tags_that_mlflow_refuses(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", (tmp_path / "files").as_uri())
    registry.check_tag("team", "growth")
    for key, value in (("a\tb|c", "x"), ("team", "x" * 200_000)):
        with pytest.raises(SqlmlError) as caught:
            registry.check_tag(key, value)
        assert caught.value.condition == "SQLML_OPTION_INVALID"


def test_its_own_files_wherever_its_experiment_keeps_them(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    MlflowClient(uri, uri).create_experiment(EXPERIMENT, (tmp_path / "elsewhere").as_uri())
    closed = AllowedPaths.of([str(tmp_path)]).without(Registry(uri, (tmp_path / "files").as_uri()).places())
    for name, allowed in (("elsewhere/1/model.onnx", False), ("files/1/model.onnx", False), ("mine.onnx", True)):
        assert closed.holds(str(tmp_path / name)) is allowed, name
