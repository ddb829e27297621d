"""The commands of sql/reference/clusters.md, on a standalone cluster of one machine.

The server of the registry, with PostgreSQL and an object store, is not started: its block is checked for options that
`mlflow server` does not know.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from helpers.doors.servers import standalone_master, standalone_worker
from helpers.doors.settings import session_settings
from helpers.folders import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.doors, pytest.mark.nightly]

_BLOCKS = re.findall(
    r"^```bash\n(.*?)^```$",
    (ROOT / "sql" / "reference" / "clusters.md").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)
_MASTER = "spark://host:7077"
_JOB = """
import sqlml
from pyspark.sql import SparkSession

spark = sqlml.configure(SparkSession.builder).getOrCreate()
spark.sql("TRAIN MODEL near USING k_neighbors TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40)")
spark.conf.set("spark.sqlml.engine", "onnxruntime")

def seen(rows):
    import importlib.util, sys
    return [(sys.executable, importlib.util.find_spec("sqlml") is not None)]

print("EXECUTOR", *spark.sparkContext.range(0, 1, numSlices=1).mapPartitions(seen).collect()[0])
print("ANSWER", spark.sql("SELECT count(PREDICT(near, id)) FROM range(100)").first()[0])
"""


def _block(containing: str) -> str:
    (found,) = [block for block in _BLOCKS if containing in block]
    return str(found)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        started = standalone_master(tmp_path / "master")
        stack.callback(started.stop)
        stack.callback(standalone_worker(started.address, tmp_path / "worker").stop)
        yield started.address


def test_an_archive_brings_python_along(master: str, tmp_path: Path) -> None:
    """As it is printed, with this machine's master; the driver's own settings come by spark-defaults.conf."""
    (tmp_path / "job.py").write_text(_JOB, encoding="utf-8")
    conf = tmp_path / "conf"
    conf.mkdir()
    settings = session_settings(tmp_path, tmp_path, master)
    (conf / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SPARK_CONF_DIR": str(conf),
    }
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        environment.pop(name, None)
    block = _block("venv-pack")
    assert _MASTER in block
    done = subprocess.run(
        ["bash", "-e", "-c", block.replace(_MASTER, master)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "ANSWER 100" in lines, lines
    (executor,) = [line.split() for line in lines if line.startswith("EXECUTOR")]
    # The executor's working directory, where Spark unpacks the archive; sqlml is not in it.
    assert str(tmp_path / "worker") in executor[1] and executor[1].endswith("environment/bin/python"), executor
    assert executor[2] == "False"


def test_doctor_asks_the_executors(master: str, tmp_path: Path) -> None:
    command = next(re.finditer(rf"`(sqlml doctor --master {re.escape(_MASTER)})`", _page())).group(1)
    words = [*shlex.split(command.replace(_MASTER, master)), "--home", str(tmp_path / "home")]
    words += ["--conf", "spark.sqlml.warehouse.shared=true", "--conf", f"spark.pyspark.python={sys.executable}"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name(words[0])), *words[1:]], capture_output=True, text=True, timeout=300
    )
    assert re.search(r"1 executor on .*ONNX Runtime runs a graph", done.stdout), done.stdout + done.stderr


def test_the_server_of_the_registry_has_these_options() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "mlflow", "server", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = re.findall(r"--[a-z-]+", _block("mlflow server"))
    assert len(options) == 5
    assert [option for option in options if option not in asked] == []


def test_every_block_is_known() -> None:
    assert len(_BLOCKS) == 2


def _page() -> str:
    return (ROOT / "sql" / "reference" / "clusters.md").read_text(encoding="utf-8")
