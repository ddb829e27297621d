"""`--deploy-mode cluster`: a registry that is a file is refused by name, and one on a server works.

No cluster manager of the tests runs a Python driver in cluster mode: Spark's standalone one refuses it. The programs
here have the settings that a driver has on YARN, where the application master gets the deploy mode, and on Kubernetes,
where the driver's pod has a setting of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.doors.mlflow_server import mlflow_server
from helpers.doors.settings import launch_settings

from sqlml.cli.spark import spark_home

pytestmark = [pytest.mark.slow, pytest.mark.doors]

_ON_YARN, _ON_KUBERNETES = ("spark.submit.deployMode", "cluster"), ("spark.kubernetes.submitInDriver", "true")
# Spark reads its settings again when the context starts, so these reach the driver's and not spark-submit.
_PROGRAM = """
import sqlml
from pyspark.sql import SparkSession

spark = sqlml.configure(SparkSession.builder.config({key!r}, {value!r})).getOrCreate()
print("PLAIN", spark.sql("SELECT 1").first()[0])
for statement in (
    "TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40)",
    "SELECT PREDICT(line, 21)",
    "SHOW MODELS",
):
    try:
        print("ANSWER", spark.sql(statement).first()[0])
    except Exception as error:
        print("REFUSED", str(error).splitlines()[0])
"""


def _submitted(
    folder: Path, program: str, *settings: str, master: str = "local[1]"
) -> subprocess.CompletedProcess[str]:
    path = folder / "job.py"
    path.write_text(program, encoding="utf-8")
    flags = {**launch_settings(folder, folder), "spark.master": master}
    command = [spark_home() / "bin" / "spark-submit", *(f"--conf={key}={value}" for key, value in flags.items())]
    return subprocess.run(
        [*command, *(f"--conf={one}" for one in settings), path],
        capture_output=True, text=True, timeout=300, env={**os.environ, "PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("cluster-mode")) as uri:
        yield uri


@pytest.mark.parametrize("setting", [_ON_YARN, _ON_KUBERNETES], ids=["yarn", "kubernetes"])
def test_a_registry_in_a_file_is_refused(setting: tuple[str, str], tmp_path: Path) -> None:
    done = _submitted(tmp_path, _PROGRAM.format(key=setting[0], value=setting[1]))
    lines = done.stdout.splitlines()
    assert "PLAIN 1" in lines, done.stderr[-3000:]
    refused = [line for line in lines if line.startswith("REFUSED")]
    assert len(refused) == 3 and not [line for line in lines if line.startswith("ANSWER")], lines
    for line in refused:
        assert "[SQLML_OPTION_INVALID]" in line and f"sqlite:///{tmp_path / 'registry.db'}" in line
        assert "spark.sqlml.registry.uri=http://" in line and "spark.sql.warehouse.dir=" in line
    assert not (tmp_path / "registry.db").exists()


def test_a_registry_on_a_server_is_not(server: str, tmp_path: Path) -> None:
    program = _PROGRAM.format(key=_ON_YARN[0], value=_ON_YARN[1])
    done = _submitted(tmp_path, program, f"spark.sqlml.registry.uri={server}")
    answers = [line for line in done.stdout.splitlines() if line.startswith(("ANSWER", "REFUSED"))]
    assert answers == ["ANSWER line", "ANSWER 42.0", "ANSWER line"], done.stdout[-3000:] + done.stderr[-3000:]


def test_what_spark_refuses_itself(tmp_path: Path) -> None:
    """The sentences of sql/reference/clusters.md."""
    for master, sentence in (
        ("spark://127.0.0.1:9", "not supported for python applications on standalone clusters"),
        ("local[1]", 'Cluster deploy mode is not compatible with master "local"'),
    ):
        done = _submitted(tmp_path, "", "spark.submit.deployMode=cluster", master=master)
        assert done.returncode != 0 and sentence in done.stderr, done.stderr[-2000:]
