"""Scoring loads nothing that only training, drawing, importing or a server needs: neither the driver nor a worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.settings import session_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

_HEAVY = {
    *("lightgbm", "matplotlib", "onnxmltools", "plotly", "scipy", "skl2onnx", "sklearn", "xgboost"),
    *("fastapi", "flask", "graphene", "gunicorn", "uvicorn", "waitress"),
    *("mlflow.lightgbm", "mlflow.onnx", "mlflow.server", "mlflow.sklearn", "mlflow.xgboost"),
}
# What `import mlflow` loads of these by itself, where it is installed.
_OF_MLFLOW = {"fastapi", "scipy"}
_OF_THE_REGISTRY = {"alembic", "mlflow", "sqlalchemy"}
_OF_THE_COMPILER = {"onnx", "sqlml.compiler"}

# A worker is asked in the query that it scores in: its second batch comes after the first was scored.
_PROGRAM = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import arrow_udf
import sqlml

def show(name):
    print(name, *sys.modules)

builder = SparkSession.builder
for key, value in {settings!r}.items():
    builder = builder.config(key, value)
spark = sqlml.configure(builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", 10)).getOrCreate()
show("started")
import mlflow
show("mlflow")
for engine in ("compiled", "onnxruntime"):
    spark.conf.set("spark.sqlml.engine", engine)
    assert f"light/1 {{engine}}]" in spark.sql("EXPLAIN SELECT PREDICT(light, id) FROM range(20)").first()[0]
    assert len(spark.sql("SELECT PREDICT(light, id) FROM range(20)").collect()) == 20
    show(engine)

@arrow_udf("string")
def loaded(ids):
    import sys
    from sqlml.scoring.arrow import arrow_texts
    # pa.array() would import pandas.
    return arrow_texts([" ".join(sys.modules)] * len(ids))

spark.udf.register("loaded", loaded)
said = "PREDICT(light, id) AS said, PREDICT_PROBA(chance, id) AS shares"
rows = spark.sql(f"SELECT {{said}}, loaded(id) AS modules FROM range(0, 20, 1, 1)").collect()
assert len(rows) == 20 and len(rows[0].shares) == 2
print("worker", rows[-1].modules)
"""


@pytest.fixture(scope="module")
def loaded(
    spark: SparkSession, registry_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, frozenset[str]]:
    """What is in `sys.modules` of a process that has never trained, and of its worker, by when that was."""
    spark.sql("TRAIN MODEL light USING sklearn.linear_regression TARGET y AS SELECT id, 2.0D * id AS y FROM range(50)")
    chances = "SELECT id, id < 25 AS y FROM range(50)"
    spark.sql(f"TRAIN MODEL chance USING sklearn.logistic_regression TARGET y AS {chances}")
    program = _PROGRAM.format(
        settings=session_settings(tmp_path_factory.mktemp("imports"), registry_folder, "local[1]")
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    spark.sql("DROP MODEL light")
    spark.sql("DROP MODEL chance")
    assert done.returncode == 0, done.stderr[-3000:]
    lines = (line.split() for line in done.stdout.splitlines())
    return {name: frozenset(modules) for name, *modules in lines}


def test_a_session_alone_loads_neither_the_registry_nor_the_compiler(loaded: dict[str, frozenset[str]]) -> None:
    assert "pyspark" in loaded["started"]
    assert sorted(loaded["started"] & (_HEAVY | _OF_THE_REGISTRY | _OF_THE_COMPILER | {"onnxruntime"})) == []


@pytest.mark.parametrize("engine", ["compiled", "onnxruntime"])
def test_the_driver_loads_nothing_heavy(loaded: dict[str, frozenset[str]], engine: str) -> None:
    assert loaded[engine] >= _OF_THE_REGISTRY | _OF_THE_COMPILER, "this driver has not scored"
    assert loaded["mlflow"] & _HEAVY <= _OF_MLFLOW
    assert sorted((loaded[engine] - loaded["mlflow"]) & (_HEAVY | {"onnxruntime"})) == []


def test_a_worker_loads_nothing_but_what_scores(loaded: dict[str, frozenset[str]]) -> None:
    assert "onnxruntime" in loaded["worker"], "this worker has not scored"
    assert sorted(loaded["worker"] & (_HEAVY | _OF_THE_REGISTRY | _OF_THE_COMPILER | {"pandas"})) == []
