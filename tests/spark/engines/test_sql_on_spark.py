"""What the compiler writes, run by Spark as SQL like any other: row by row what ONNX Runtime answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from helpers.sql_cases import CASES as _CASES
from helpers.sql_cases import fitted_once as _fitted
from helpers.sql_cases import hard_rows as _rows
from helpers.sql_engines import compare

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.slow
def test_spark_answers_what_onnx_runtime_does(spark: SparkSession) -> None:
    """As a text of Spark's own SQL, which knows nothing of the model."""
    session = spark.newSession()

    def ask(sql: str, rows: pa.Table) -> list[tuple[Any, ...]]:
        session.createDataFrame(rows).createOrReplaceTempView("s")
        return [tuple(row) for row in session.sql(f"SELECT * FROM ({sql}) ORDER BY id").collect()]

    for estimator, target, params in _CASES[2:5]:
        fitted = _fitted(estimator, target, **params)
        compare(fitted, _rows(fitted), "spark", ask=ask)
