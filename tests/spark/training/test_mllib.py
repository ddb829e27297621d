"""MLlib: every estimator gives the same answers as its graph, the same graph twice, and clear errors."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import ESTIMATORS, resolve
from sqlml.importing import validation
from sqlml.jobs.job import Fitted, Job
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_SCHEMA = (
    "`a.b` double, `x y` string, `Ünï` date, ts timestamp, `n``tz` timestamp_ntz, `SELECT` boolean, d decimal(38,10),"
    " t tinyint, `UPPER` float, big bigint, `it's` string,"
    " binary string, three string, amount double, code int, flag boolean, day date"
)
_TARGETS = ("binary", "three", "amount", "code", "flag", "day")
_FEW = ("a.b", "x y", "ts", "it's")
_ROWS = 300

# Small, so that the whole file stays quick; large enough for a wrong rule to show.
_SMALL: dict[str, dict[str, Any]] = {
    "mllib.decision_tree": {"maxDepth": 4},
    "mllib.gradient_boosting": {"maxIter": 4, "maxDepth": 3},
    "mllib.linear_regression": {},
    "mllib.logistic_regression": {"maxIter": 20},
    "mllib.random_forest": {"numTrees": 5, "maxDepth": 4},
}
# The other estimators are in test_mllib_breadth.py.
_CASES = [
    (row.name, task, target)
    for row in ESTIMATORS
    if row.name in _SMALL
    for task, target in (("classification", "binary"), ("classification", "three"), ("regression", "amount"))
    if task in row.classes and not (target == "three" and row.class_name(task) == "GBTClassifier")
]


def _rows() -> Iterator[tuple[Any, ...]]:
    dice = random.Random(7)
    for index in range(_ROWS):
        x = dice.gauss(0.0, 1.0)
        colour = dice.choice(["red", "grün", "蓝", "", None])
        day = dt.date(1970, 1, 1) + dt.timedelta(days=dice.randrange(-30_000, 30_000))
        moment = dt.datetime(1999, 12, 31, 23, 59, 59, 999_999) + dt.timedelta(seconds=dice.uniform(-2e9, 2e9))
        score = x + (colour == "red") - (day.month > 6) + dice.gauss(0.0, 0.3)
        yield (
            dice.choice([x, x, x, x, None, math.nan, math.inf, -math.inf]),
            colour,
            dice.choice([day, day, day, None]),
            dice.choice([moment, moment, None]),
            moment,
            dice.choice([True, False, None]),
            dice.choice([decimal.Decimal(f"{x * 1e9:.10f}"), None]),
            index % 7 - 3,
            dice.choice([x, None]),
            dice.randrange(2**53, 2**60),
            f"c{int(dice.expovariate(0.02))}",  # more than 100 different values
            "yes" if score > 0 else "no",
            "häh" if score < -0.5 else "b" if score < 0.5 else "a",
            None if index % 29 == 0 else math.nan if index % 31 == 0 else 100.0 * score,
            [30, -4, 7][index % 3],
            score > 0,
            dt.date(2024, 1, 1) if score > 0 else dt.date(1999, 1, 1),
        )


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    cached = spark.createDataFrame(list(_rows()), _SCHEMA).repartition(3).cache()
    yield cached
    cached.unpersist()


def _job(estimator: str, frame: DataFrame, target: str, task: str = "classification", **params: Any) -> Job:
    """A job with a few of the features, in an order that is not the frame's."""
    types = dict(frame.dtypes)
    features = tuple(Feature(name, types[name]) for name in reversed(_FEW))
    signature = Signature(task, features, target, types[target] if task == "classification" else "double")
    return Job(estimator, signature, params or _SMALL[estimator], seed=42, test_fraction=0.2, tolerance=1e-6)


def _fit(job: Job, frame: DataFrame) -> Fitted:
    from sqlml.estimators.mllib import training as mllib

    fitted = mllib.fit(job, frame, lambda text: None, lambda: False)
    validation.read(fitted.onnx)  # whatever is written here may be imported elsewhere
    return fitted


def _table(frame: DataFrame, signature: Signature) -> pa.Table:
    return frame.toArrow().select(list(signature.names))


# -- the graph says what MLlib says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("estimator", "task", "target"), _CASES)
def test_graph_is_exact(estimator: str, task: str, target: str, frame: DataFrame) -> None:
    fitted = _fit(_job(estimator, frame, target, task), frame)
    assert fitted.fidelity.label_mismatches == 0
    assert fitted.fidelity.max_abs_diff <= 1e-9
    # Every held-out row, and hard rows for every feature.
    assert fitted.fidelity.rows > fitted.held_out + 3 * len(fitted.signature.features)
    assert fitted.held_out > 20
    if task == "classification":
        assert fitted.rows + fitted.held_out == _ROWS
        assert fitted.signature.labels == (("no", "yes") if target == "binary" else ("a", "b", "häh"))
        names = {"accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "log_loss"}
        assert set(fitted.metrics) == (names | {"roc_auc", "pr_auc", "brier"} if target == "binary" else names)
    else:
        assert fitted.rows + fitted.held_out < _ROWS  # no row without a target
        assert set(fitted.metrics) == {"rmse", "mae", "r2", "mape", "explained_variance", "median_absolute_error"}
    assert all(map(math.isfinite, fitted.metrics.values()))
    assert {**fitted.params, **_SMALL[estimator]} == fitted.params
    assert fitted.library.startswith("Spark MLlib ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "task", "target"),
    [("mllib.logistic_regression", "classification", "three"), ("mllib.decision_tree", "regression", "amount")],
)
def test_every_kind_of_column_is_exact(estimator: str, task: str, target: str, frame: DataFrame) -> None:
    """With scaling and without; columns of every type, under every kind of name."""
    job = _job(estimator, frame, target, task)
    features = tuple(Feature(name, kind) for name, kind in frame.dtypes if name not in _TARGETS)
    fitted = _fit(replace(job, signature=replace(job.signature, features=features)), frame)
    assert fitted.fidelity.label_mismatches == 0
    assert fitted.fidelity.max_abs_diff <= 1e-9
    assert fitted.fidelity.rows > fitted.held_out + 3 * len(features)
    assert {column.feature for column in fitted.preparation.numbers} == {
        feature.name for feature in features if feature.kind != "text"
    }


def test_a_wrong_graph_is_noticed(frame: DataFrame) -> None:
    """The comparison compares: with another mean for NULLs the graph is refused."""
    from pyspark.ml.classification import LogisticRegression

    from sqlml.estimators.mllib import columns
    from sqlml.estimators.mllib import preparation as mllib_preparation
    from sqlml.estimators.mllib import training as mllib
    from sqlml.export import mllib as export

    job = _job("mllib.logistic_regression", frame, "flag")
    inside = columns.internal(frame, job.signature)
    right = mllib_preparation.fit(inside, job, estimator=resolve(job.estimator, "classification", "mllib"), rows=_ROWS)
    vectors = mllib_preparation.transform(inside, job.signature, right, keep=["y"])
    model = LogisticRegression(featuresCol="x", labelCol="label", maxIter=5).fit(
        vectors.withColumn("label", vectors["y"].cast("double"))
    )
    signature = replace(job.signature, labels=(False, True))
    *numbers, last = right.numbers  # of a.b, which is often missing
    numbers.append(replace(last, impute=last.impute + 1.0))
    onnx = export.emit(model, [], signature, replace(right, numbers=tuple(numbers)))
    with pytest.raises(SqlmlError, match="SQLML_FIDELITY"):
        mllib.compare(model, onnx, inside, signature, right, tolerance=1e-6)


def test_metrics_are_scikit_learns(frame: DataFrame) -> None:
    import numpy as np
    from sklearn import metrics

    job = replace(_job("mllib.decision_tree", frame, "binary"), test_fraction=0.0)
    fitted = _fit(job, frame)
    assert (fitted.rows, fitted.held_out) == (_ROWS, 0)
    raw = Scorer(fitted.onnx, fitted.signature).raw(_table(frame, fitted.signature).columns)
    truth = np.array([row["binary"] for row in frame.select("binary").collect()])
    said, probabilities = raw["label"].astype(str), raw["probabilities"]
    expected = {
        "accuracy": metrics.accuracy_score(truth, said),
        "precision": metrics.precision_score(truth, said, average="weighted"),
        "recall": metrics.recall_score(truth, said, average="weighted"),
        "f1": metrics.f1_score(truth, said, average="weighted"),
        "log_loss": metrics.log_loss(truth, probabilities),
        "roc_auc": metrics.roc_auc_score(truth == "yes", probabilities[:, 1]),
        "pr_auc": metrics.average_precision_score(truth == "yes", probabilities[:, 1]),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, said),
        "mcc": metrics.matthews_corrcoef(truth, said),
        "brier": metrics.brier_score_loss(truth == "yes", probabilities[:, 1]),
    }
    assert fitted.metrics == pytest.approx(expected, abs=1e-12)


def test_metrics_of_regression_are_scikit_learns(frame: DataFrame) -> None:
    import numpy as np
    from sklearn import metrics

    job = replace(_job("mllib.decision_tree", frame, "amount", "regression"), test_fraction=0.0)
    known = frame.where("amount IS NOT NULL AND NOT isnan(amount) AND abs(amount) < 1e300")
    fitted = _fit(job, known)
    said = Scorer(fitted.onnx, fitted.signature).raw(_table(known, fitted.signature).columns)["prediction"]
    truth = np.array([row["amount"] for row in known.select("amount").collect()], dtype=float)
    expected = {
        "rmse": metrics.root_mean_squared_error(truth, said),
        "mae": metrics.mean_absolute_error(truth, said),
        "r2": metrics.r2_score(truth, said),
        "explained_variance": metrics.explained_variance_score(truth, said),
        "mape": metrics.mean_absolute_percentage_error(truth, said),
        "median_absolute_error": metrics.median_absolute_error(truth, said),
    }
    assert fitted.metrics == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["code", "flag", "day"])
def test_labels_are_values_in_order(target: str, frame: DataFrame) -> None:
    fitted = _fit(_job("mllib.decision_tree", frame, target), frame)
    labels = {"code": (-4, 7, 30), "flag": (False, True), "day": ("1999-01-01", "2024-01-01")}[target]
    assert fitted.signature.labels == labels
    predicted = Scorer(fitted.onnx, fitted.signature).label(_table(frame, fitted.signature).columns).to_pylist()
    assert set(predicted) <= {row[0] for row in frame.select(target).distinct().collect()}


# -- one result --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    ["mllib.logistic_regression", pytest.param("mllib.gradient_boosting", marks=pytest.mark.nightly)],
)
def test_same_rows_same_bytes(estimator: str, frame: DataFrame) -> None:
    """However the rows are spread and ordered, and whatever the session's time zone is."""
    first = _fit(_job(estimator, frame, "binary"), frame)
    elsewhere = frame.sparkSession.newSession()
    elsewhere.conf.set("spark.sql.session.timeZone", "America/New_York")
    elsewhere.conf.set("spark.sql.shuffle.partitions", "5")
    frame.createOrReplaceGlobalTempView("mllib_rows")
    again = elsewhere.table("global_temp.mllib_rows").orderBy("big")
    second = _fit(_job(estimator, again, "binary"), again)
    assert second.onnx == first.onnx
    assert second.metrics == pytest.approx(first.metrics)


@pytest.mark.slow
def test_leaves_nothing_behind(frame: DataFrame) -> None:
    context = frame.sparkSession.sparkContext
    context.setJobDescription("the caller's own")
    frame.count()  # It is the caller's own cache, which is filled when it is first read.
    before = context._jsc.getPersistentRDDs().size()
    lines: list[str] = []
    from sqlml.estimators.mllib import training as mllib

    mllib.fit(_job("mllib.linear_regression", frame, "amount", "regression"), frame, lines.append, lambda: False)
    with pytest.raises(SqlmlError):
        _fit(_job("mllib.gradient_boosting", frame, "three"), frame)
    assert context.getLocalProperty("spark.job.description") == "the caller's own"
    context.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type]
    assert context._jsc.getPersistentRDDs().size() == before
    assert [line.split(":")[0] for line in lines] == [
        "reading",
        "preparing",
        "fitting",
        "converting",
        "measuring",
        "comparing",
    ]
    assert all(line.endswith(" s)") for line in lines)


def test_cancelled_between_stages(frame: DataFrame) -> None:
    from sqlml.estimators.mllib import training as mllib

    lines: list[str] = []
    job = _job("mllib.decision_tree", frame, "binary")
    with pytest.raises(SqlmlError, match="SQLML_CANCELLED"):
        mllib.fit(job, frame, lines.append, lambda: len(lines) == 2)
    assert [line.split(":")[0] for line in lines] == ["reading", "preparing"]


# -- odd data ----------------------------------------------------------------------------------------------------------


def _tiny(spark: SparkSession, schema: str, rows: list[tuple[Any, ...]], task: str = "classification") -> Any:
    frame = spark.createDataFrame(rows, schema)
    *features, target = (Feature(name, kind) for name, kind in frame.dtypes)
    signature = Signature(task, tuple(features), target.name, target.type if task == "classification" else "double")
    return Job("mllib.decision_tree", signature, {}, seed=1, test_fraction=0.5, tolerance=1e-6), frame


def test_few_rows_hold_nothing_out(spark: SparkSession) -> None:
    fitted = _fit(*_tiny(spark, "a int, y string", [(1, "n"), (2, "n"), (3, "y")]))
    assert (fitted.rows, fitted.held_out, fitted.metrics["accuracy"]) == (3, 0, 1.0)


def test_features_without_a_value_or_a_difference(spark: SparkSession) -> None:
    rows = [(None, 5.0, None, "same", float(k)) for k in range(40)]
    job, frame = _tiny(spark, "nothing double, five double, void string, same string, y double", rows, "regression")
    fitted = _fit(replace(job, estimator="mllib.linear_regression"), frame)
    assert [(column.impute, column.scale) for column in fitted.preparation.numbers] == [(0.0, 1.0), (5.0, 1.0)]
    assert fitted.metrics["r2"] == pytest.approx(0.0, abs=0.5)


def test_a_rare_class_is_learned(spark: SparkSession) -> None:
    """Whatever is held out, a class with one row stays in training."""
    job, frame = _tiny(spark, "a int, y int", [(k, int(k == 17)) for k in range(20)])
    fitted = _fit(replace(job, test_fraction=0.999), frame)
    assert fitted.signature.labels == (0, 1)
    assert fitted.rows >= 2  # one of each class


def test_rare_categories_count_together(frame: DataFrame) -> None:
    from sqlml.estimators.mllib import columns
    from sqlml.estimators.mllib import preparation as mllib_preparation

    job = _job("mllib.decision_tree", frame, "binary")
    inside = columns.internal(frame, job.signature)
    learned = mllib_preparation.fit(
        inside, job, estimator=resolve(job.estimator, "classification", "mllib"), rows=_ROWS
    )
    blocks = {block.feature: block for block in learned.categories}
    assert len(blocks["it's"].categories) == 100
    assert blocks["it's"].other
    assert blocks["x y"].categories == ("", "\x00NULL", "grün", "red", "蓝")
    assert not blocks["x y"].other


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "rows", "task", "expected"),
    [
        ("a int, y string", [], "classification", "SQLML_TOO_FEW_ROWS"),
        ("a int, y string", [(1, None)], "classification", "SQLML_TARGET_INVALID.*NULL in all rows"),
        ("a int, y double", [(1, math.nan)], "regression", "SQLML_TARGET_INVALID.*NULL in all rows"),
        ("a int, y string", [(1, "one"), (2, "one"), (3, None)], "classification", "only one value, 'one'"),
        ("a int, y string", [(1, "one")], "regression", "SQLML_TARGET_INVALID.*not a number"),
    ],
)
def test_data_that_cannot_be_learned(
    schema: str, rows: list[tuple[Any, ...]], task: str, expected: str, spark: SparkSession
) -> None:
    with pytest.raises(SqlmlError, match=expected):
        _fit(*_tiny(spark, schema, rows, task))


def test_boosting_knows_two_classes(frame: DataFrame) -> None:
    with pytest.raises(SqlmlError, match=r"SQLML_TARGET_INVALID.*has 3.*mllib\.random_forest"):
        _fit(_job("mllib.gradient_boosting", frame, "three"), frame)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"maxDepth": -1}, "DecisionTreeClassifier parameter maxDepth given invalid value -1"),
        ({"maxDepth": 31}, "maxDepth"),
        ({"maxDepth": "deep"}, "maxDepth"),
        ({"impurity": "beauty"}, "impurity"),
    ],
)
def test_option_values_are_checked_by_mllib(params: dict[str, Any], expected: str, frame: DataFrame) -> None:
    with pytest.raises(SqlmlError, match=f"SQLML_OPTION_INVALID.*{expected}") as caught:
        _fit(_job("mllib.decision_tree", frame, "binary", **params), frame)
    assert "\n" not in str(caught.value)
    assert "_" not in caught.value.message.split()[0]
