"""Bring a fitted model, score it in SQL by both engines, serve it without Spark: the same predictions everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from helpers.doors.servers import environment
from helpers.fitted_models import CASES, Fitted

import sqlml
from sqlml.conversion import boosters

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.doors.opening import Doors
    from pyspark.sql import SparkSession

_BROUGHT = ("titanic", "histogram_categories", "xgboost", "target_of_logarithms", "lightgbm_booster", "catboost")
# In a process of its own: neither Spark nor the library that trained the model may be needed.
_SERVICE = """
import json, sys
for absent in ("pyspark", "sklearn", "skl2onnx", "onnxmltools", "xgboost", "lightgbm", "catboost"):
    sys.modules[absent] = None
import pandas as pd
import sqlml
model = sqlml.load(sys.argv[1], registry=sys.argv[2])
rows = pd.DataFrame(json.loads(sys.stdin.read()))
found = model.predict(rows)
print(json.dumps(found["predicted_y"].tolist()))
"""


@pytest.fixture(scope="module", params=_BROUGHT)
def brought(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[tuple[str, Fitted]]:
    fitted, name = CASES[request.param](), f"brought_{request.param}"
    sqlml.register_model(name, fitted.model, example=fitted.example, target="y", comment="brought")
    yield name, fitted
    spark.sql(f"DROP MODEL {name}")


def _view(spark: SparkSession, example: pd.DataFrame) -> str:
    plain = example.astype({name: "object" for name in example if str(example[name].dtype) == "category"})
    spark.createDataFrame(pa.Table.from_pandas(plain, preserve_index=True)).createOrReplaceTempView("brought_rows")
    return "brought_rows"


@pytest.mark.parametrize("engine", ["compiled", "onnxruntime"])
def test_sql_predicts_what_the_object_does(spark: SparkSession, brought: tuple[str, Fitted], engine: str) -> None:
    name, fitted = brought
    rows = _view(spark, fitted.example)
    spark.conf.set("spark.sqlml.engine", engine)
    try:
        scored = spark.sql(f"SELECT PREDICT({name}, *) AS y FROM {rows} ORDER BY __index_level_0__").toPandas()["y"]
    finally:
        spark.conf.unset("spark.sqlml.engine")
    expected = np.asarray(boosters.as_estimator(fitted.model).predict(fitted.example))
    if expected.dtype.kind == "f":
        assert np.allclose(scored, expected, rtol=1e-6, atol=1e-9)
    else:
        assert scored.astype(str).tolist() == expected.astype(str).tolist()


def test_local_frames_get_the_columns_of_sql(spark: SparkSession, brought: tuple[str, Fitted]) -> None:
    name, fitted = brought
    rows = _view(spark, fitted.example)
    columns = ", ".join(f"`{column}`" for column in fitted.example)
    in_sql = spark.sql(f"SELECT * FROM PREDICT('{name}', TABLE(SELECT {columns}, __index_level_0__ FROM {rows}))")
    wanted = in_sql.orderBy("__index_level_0__").drop("__index_level_0__").toPandas()
    here = sqlml.predict(fitted.example, name)
    assert isinstance(here, pd.DataFrame)
    assert list(here.columns) == list(wanted.columns)
    _check_same(here, wanted)
    table = pa.Table.from_pandas(fitted.example, preserve_index=False)
    in_arrow = sqlml.predict(table, name)
    assert isinstance(in_arrow, pa.Table)
    in_polars = sqlml.predict(polars.from_arrow(table), name)
    assert isinstance(in_polars, polars.DataFrame)
    predicted = [column for column in wanted if column.startswith("predicted")]
    assert in_arrow.select(predicted).to_pylist() == in_polars.select(predicted).to_dicts()
    _check_same(in_arrow.to_pandas(), wanted)


def _check_same(here: pd.DataFrame, wanted: pd.DataFrame) -> None:
    if wanted["predicted_y"].dtype.kind == "f":
        assert np.allclose(here["predicted_y"], wanted["predicted_y"], rtol=1e-9)
        return
    assert here["predicted_y"].tolist() == wanted["predicted_y"].tolist()
    first = [pairs[0]["prob"] for pairs in here["predicted_y_probs"]]
    assert np.allclose(first, [pairs[0]["prob"] for pairs in wanted["predicted_y_probs"]], rtol=1e-6)


def test_a_service_needs_no_spark_and_no_library(spark: SparkSession, brought: tuple[str, Fitted]) -> None:
    name, fitted = brought
    plain = fitted.example.astype(object).where(fitted.example.notna(), None)
    registry = spark.conf.get("spark.sqlml.registry.uri")
    done = subprocess.run(
        [sys.executable, "-c", _SERVICE, name, str(registry)],
        input=json.dumps(plain.to_dict("list")),
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    here = sqlml.load(name).predict(fitted.example)["predicted_y"].tolist()
    assert found == here or np.allclose(np.array(found, float), here, rtol=1e-9)


def test_missing_and_unseen_values(spark: SparkSession) -> None:
    fitted = CASES["titanic"]()
    sqlml.register_model("brought_nulls", fitted.model, example=fitted.example, target="y")
    hard = pd.DataFrame({"age": [np.nan] * 3, "income": [20.0] * 3, "plan": [np.nan, "never seen", "pro"], "visits": 1})
    query = """
        SELECT PREDICT_PROBA(brought_nulls, age, income, plan, visits)['yes'] AS p
        FROM VALUES (1, NULL, 20.0D, NULL, 1), (2, NULL, 20.0D, 'never seen', 1), (3, NULL, 20.0D, 'pro', 1)
          AS t(row, age, income, plan, visits)
        ORDER BY row
    """
    expected = fitted.model.predict_proba(hard)[:, 1]
    for engine in ("compiled", "onnxruntime"):
        spark.conf.set("spark.sqlml.engine", engine)
        assert [row.p for row in spark.sql(query).collect()] == pytest.approx(expected.tolist(), rel=1e-12)
    spark.conf.unset("spark.sqlml.engine")
    shown = {row.name: row for row in spark.sql("DESCRIBE MODEL brought_nulls").collect()}
    assert shown["estimator"].comment.startswith("scikit-learn ")
    assert " converted by skl2onnx " in shown["estimator"].comment
    assert shown["plan"].comment == "NULL is a missing text for the model"
    spark.sql("DROP MODEL brought_nulls")


def test_what_only_spark_computes_is_not_scored_here(spark: SparkSession) -> None:
    spark.sql(
        "TRAIN MODEL brought_transform USING linear_regression TARGET y TRANSFORM (x * 2 AS z, y)"
        " AS SELECT id AS x, id * 3 AS y FROM range(50)"
    )
    with pytest.raises(sqlml.errors.SqlmlError, match=r"SQLML_NOT_SUPPORTED.*has a TRANSFORM clause"):
        sqlml.load("brought_transform")
    spark.sql("DROP MODEL brought_transform")


_CLIENT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{sys.argv[1]}").getOrCreate()
import sqlml
from helpers.fitted_models import CASES
fitted = CASES["logistic_regression"]()
row = sqlml.register_model(
    "sent", fitted.model, example=fitted.example, target="y", comment="it's mine", tags={"by": "me"}
)
print("ROW", row.model, row.version)
rows = fitted.example.assign(plan=fitted.example["plan"].where(fitted.example["plan"].notna(), None))
scored = sqlml.predict(spark.createDataFrame(rows), "sent").toPandas()
print("SAME", (scored["predicted_y"].to_numpy() == fitted.model.predict(fitted.example)).all())
print("VIEWS", [one.name for one in spark.catalog.listTables() if one.name.startswith("sqlml_model")])
print("COMMENT", spark.sql("DESCRIBE MODEL sent").collect())
"""


@pytest.mark.doors
def test_a_connect_client_keeps_the_object(doors: Doors, tmp_path: Path) -> None:
    from helpers.folders import TESTS

    variables: dict[str, Any] = {**environment(), "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-c", _CLIENT, str(doors.connect.port)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert lines["ROW"] == "sent 1"
    assert lines["SAME"] == "True"
    assert lines["VIEWS"] == "[]"
    assert "it's mine" in lines["COMMENT"]
