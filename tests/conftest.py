"""What all tests share: one Spark session a test process, a registry and a warehouse in temporary folders, UTC."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from helpers.doors.opening import Doors
    from pyspark.sql import SparkSession

# Before anything starts a JVM or formats a timestamp: the clock of the tests is UTC, Spark talks to this machine
# only, and workers run this Python.
os.environ["TZ"] = "UTC"
time.tzset()
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
# A stray Spark, a remote session or a registry of the developer's own must not leak into the tests.
for name in ("SPARK_HOME", "SPARK_REMOTE", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS", "MLFLOW_TRACKING_URI"):
    os.environ.pop(name, None)

# HotSpot's second compiler and a concurrent garbage collector pay off after minutes. Most JVMs here live for one, on
# two cores, and spent half of their CPU on both. spark-submit and its launcher read these variables.
for name in ("SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS"):
    os.environ[name] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

# Their assertions say as much as those of tests.
pytest.register_assert_rewrite("helpers")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden/*.out from what the PySpark door answers; read the diff before you commit it",
    )


# What the processes share out between them (pytest -n 4): a file's tests stay together, and so do those of one server.
# The longest files are shared out in parts.
_SERVERS = {"beeline": "thrift", "pyhive": "thrift", "connect": "connect", "spark-sql": "spark-sql"}
_USERS_OF_THRIFT = (
    "clients/test_clients.py",
    "clients/test_dbt.py",
    "doors/test_concurrency.py",
    "doors/test_permissions.py",
)
_BY_FUNCTION = ("spark/training/test_mllib.py", "spark/training/test_mllib_breadth.py")
# In which order they begin: what takes minutes by itself first, so that no process is left alone with it at the end.
_ORDER = (
    *("spark/test_spark_versions.py", "doors/", "cluster/", "clients/", "docs/", "cli/", "studio/", "conformance/"),
    *("spark/training/", "spark/", "unit/registry/", "unit/"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: next(at for at, part in enumerate(_ORDER) if f"tests/{part}" in item.nodeid))


def _together(nodeid: str) -> str:
    """The name of the group that a test belongs to."""
    file, _, test = nodeid.partition("::")
    if file.endswith(_USERS_OF_THRIFT):
        return "other clients of thrift"
    if file.endswith(_BY_FUNCTION):
        return nodeid.partition("[")[0]
    if test.startswith(("test_pyspark[", "test_on[", "test_some_on[")):
        return nodeid
    door = next((door for door in _SERVERS if test.startswith(f"test_door[{door}-")), None)
    return file if door is None else _SERVERS[door]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(nodeid)

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def registry_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared session's model registry: `registry.db` and its artifacts."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks of an import run in this process, not in one of their own for each of many models."""
    from sqlml.importing import sandbox
    from sqlml.importing.loading import opened

    monkeypatch.setattr(
        sandbox, "tried", lambda content, request, rows, native, **_: opened(content, request, rows, native)
    )


@pytest.fixture(scope="session")
def driver_memory() -> str:
    """Of the shared session's JVM, which has it from its start."""
    return "1g"


@pytest.fixture(scope="session")
def spark(
    registry_folder: Path, driver_memory: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkSession]:
    """The one Spark session of a test process. Take `spark.newSession()` for temporary views of your own."""
    from helpers import comet, table_formats
    from helpers.doors.settings import session_settings
    from pyspark.sql import SparkSession

    import sqlml

    builder = SparkSession.builder.appName("sqlml tests")
    folder = tmp_path_factory.mktemp("spark")
    settings = session_settings(folder, registry_folder) | table_formats.session_settings(folder)
    settings |= comet.session_settings()
    for key, value in {**settings, "spark.driver.memory": driver_memory}.items():
        builder = builder.config(key, value)
    session = sqlml.configure(builder).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The other doors, opened when they are first asked for: one Thrift server, one Connect server, one shell a run."""
    from helpers.doors.opening import Doors

    with Doors(tmp_path_factory.mktemp("doors")) as opened:
        yield opened
