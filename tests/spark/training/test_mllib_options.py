"""MLlib's common options: which rows are held out, how much each counts, gaps and texts, trials.

What both engines learn without chance is the same in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.weighted_table import weighted_table as _weighted_table

from sqlml.errors import SqlmlError
from sqlml.estimators import resolve
from sqlml.estimators.sklearn.split import stratified
from sqlml.jobs.job import Fitted, Job
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature
from sqlml.training.searches import Candidates, Range
from sqlml.training.tuning import Plan, Trial, tune

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    cached = spark.createDataFrame(_weighted_table()).repartition(2).cache()
    yield cached
    cached.unpersist()


def _job(frame: DataFrame, estimator: str, target: str | None, features: str = "x", **changes: Any) -> Job:
    types = dict(frame.dtypes)
    task = {None: "clustering", "two": "classification"}.get(target, "regression")
    task, kind = changes.pop("task", task), types[target] if target == "two" else "double"
    signature = Signature(task, tuple(Feature(name, types[name]) for name in features.split()), target, kind)
    given = {"params": {}, "seed": 42, "test_fraction": 0.2, "tolerance": 1e-6, **changes}
    return Job(f"mllib.{estimator}", signature, **given)


def _fit(frame: DataFrame, estimator: str, target: str | None, features: str = "x", **changes: Any) -> Fitted:
    from sqlml.estimators.mllib import training as mllib

    return mllib.fit(_job(frame, estimator, target, features, **changes), frame, print, lambda: False)


def _split(frame: DataFrame, target: str = "amount", **changes: Any) -> tuple[Any, list[Any]]:
    """The rows of a split, and those held out, without anything fitted."""
    from contextlib import ExitStack

    from sqlml.estimators.mllib import columns, split

    job = _job(frame, "decision_tree", target, **changes)
    inside = columns.internal(frame, job.signature, s=job.split_column, w=job.weight_column)
    release = ExitStack()
    rows = split.split(inside, job, least_partitions=1, release=release)
    held = sorted(row["f0"] for row in rows.all.where("held").select("f0").collect())
    assert (len(held), rows.all.count()) == (rows.held_out, rows.held_out + rows.training)
    release.callback(release.close)
    return rows, held


# -- what is held out --------------------------------------------------------------------------------------------------


def test_what_is_held_out(frame: DataFrame) -> None:
    table = _weighted_table()
    marked = [x for x, test in zip(table["x"].to_pylist(), table["test"].to_pylist(), strict=True) if test]
    _, held = _split(frame, "two", split_method="column", split_column="test")
    assert held == sorted(marked)
    rows, held = _split(frame, split_method="sequential", split_column="x")
    assert held == [float(x) for x in range(80, 100)]
    assert rows.training == 80


@slow
def test_samples_of_each_class(frame: DataFrame) -> None:
    assert _split(frame, split_method="sequential", split_column="day")[0].held_out == 20
    assert _split(frame, split_method="none")[0].held_out == 0
    rows, held = _split(frame, "two", test_fraction=0.3)
    two = np.array(_weighted_table()["two"].to_pylist())
    theirs = two[stratified((two == "b").astype(np.int64), 0.3)]
    assert rows.held_out_of == (sum(theirs == "a"), sum(theirs == "b")), "of each class as many as by scikit-learn"
    assert held == _split(frame.repartition(3), "two", test_fraction=0.3)[1]
    assert held != _split(frame, "two", test_fraction=0.3, seed=1)[1]


@slow
def test_ties_and_gaps_of_an_order(spark: SparkSession) -> None:
    """What has no place comes first; where the border falls among equal rows, some of them are held out."""
    rows = [(float(k), [None, float("nan"), 1.0, 1.0, 1.0, 2.0][k % 6], float(k)) for k in range(60)]
    frame = spark.createDataFrame(rows, "x double, at double, amount double")
    found, held = _split(frame, split_method="sequential", split_column="at", test_fraction=0.5)
    assert (found.held_out, sum(x % 6 == 5 for x in held), sum(x % 6 < 2 for x in held)) == (30, 10, 0)
    found, held = _split(frame, split_method="sequential", split_column="at", test_fraction=1 / 6)
    assert held == [float(k) for k in range(5, 60, 6)]
    found, held = _split(frame, split_method="sequential", split_column="at", test_fraction=0.9)
    assert (found.held_out, sum(x % 6 >= 2 for x in held)) == (54, 40)


@slow
def test_folds_are_alike(frame: DataFrame) -> None:
    from sqlml.estimators.mllib import split

    rows, held = _split(frame, "two")
    left_out: list[float] = []
    for fold in split.folds(rows, 3):
        mine = [row["f0"] for row in fold.all.where("held").collect()]
        assert len(mine) == fold.held_out == sum(fold.held_out_of)
        assert all(abs(out - kept / 2) <= 1 for out, kept in zip(fold.held_out_of, fold.learned, strict=True))
        assert fold.training + fold.held_out == rows.training == fold.all.count()
        left_out += mine
    assert sorted(left_out + held) == sorted(row["x"] for row in frame.collect()), "each row once"
    (once,) = split.folds(rows, 1)
    assert once.held_out == rows.training // 5


# -- how much each row counts ------------------------------------------------------------------------------------------


@slow
def test_weights_decide_what_is_learned(frame: DataFrame) -> None:
    fitted = _fit(frame, "linear_regression", "amount", weight_column="weight", split_method="none")
    answers = Scorer(fitted.onnx, fitted.signature).label([pa.array([0.0, 10.0])]).to_pylist()
    assert answers == pytest.approx([0.0, 20.0], abs=1e-6), "the heavy half lies on y = 2x"


@slow
def test_weights_of_classes(frame: DataFrame) -> None:
    """Of a feature without a difference a tree learns the weighted shares of the classes."""
    from sqlml.estimators.sklearn import training as sklearn

    table = _weighted_table().append_column("one", pa.array([1.0] * 100))
    ones = frame.selectExpr("*", "1D AS one")
    for changes in (
        {"class_weights": {"B": 100}},
        {"class_weights": "balanced", "split_method": "column", "split_column": "test"},
        {"class_weights": {"a": 3, "b": 0.5}, "weight_column": "x", "split_method": "none"},
    ):
        job = _job(ones, "decision_tree", "two", "one", **{"split_method": "none", **changes})
        theirs = sklearn.fit(replace(job, estimator="sklearn.decision_tree"), table, print)
        mine = _fit(ones, "decision_tree", "two", "one", **{"split_method": "none", **changes})
        said, expected = (
            dict(Scorer(one.onnx, one.signature).probabilities([pa.array([1.0])]).to_pylist()[0])
            for one in (mine, theirs)
        )
        assert said == pytest.approx(expected, abs=1e-12)
        if changes["class_weights"] == {"B": 100}:
            assert said["b"] > 0.9


@pytest.mark.parametrize(
    ("estimator", "target", "changes", "message"),
    [
        (
            "decision_tree",
            "two",
            {"class_weights": {"c": 1}},
            "class_weights names 'c', which is not a label of the target",
        ),
        ("decision_tree", "two", {"class_weights": {"a": 0, "b": 0}}, "class_weights are 0 for every label"),
        (
            "neural_network",
            "two",
            {"class_weights": "balanced"},
            "class_weights is not supported by MultilayerPerceptronClassifier",
        ),
        (
            "factorization_machines",
            "amount",
            {"weight_column": "x"},
            "weight_column is not supported by FMRegressor",
        ),
        ("decision_tree", "two", {"weight_column": "test"}, "weight_column test has values that are NULL"),
        ("k_means", None, {"encode": {"t": "target"}}, "but there is none"),
    ],
)
def test_what_cannot_be(frame: DataFrame, estimator: str, target: str, changes: Any, message: str) -> None:
    with pytest.raises(SqlmlError, match=message) as found:
        _fit(frame.selectExpr("*", "cast(NULL AS string) AS t"), estimator, target, "x t", **changes)
    assert found.value.condition == "SQLML_OPTION_INVALID"


@slow
def test_a_split_that_leaves_nothing_to_learn(spark: SparkSession) -> None:
    all_of_them = spark.createDataFrame([(1.0, True, "a"), (2.0, True, "b")], "x double, test boolean, two string")
    with pytest.raises(SqlmlError, match="split_column test holds out all rows"):
        _split(all_of_them, "two", split_method="column", split_column="test")
    one = all_of_them.selectExpr("x", "two = 'b' AS test", "two")
    with pytest.raises(SqlmlError, match="holds out all rows of 'b'"):
        _split(one, "two", split_method="column", split_column="test")


# -- gaps and texts ----------------------------------------------------------------------------------------------------


_TEXTS = ["a", "b", None, "c", "a", "c", "ü", "b"]


def _gaps() -> pa.Table:
    rows = range(64)
    return pa.table(
        {
            "x": [None if k % 7 == 0 else float(k % 5) for k in rows],
            "n": pa.array([None if k % 3 == 0 else k * k % 11 for k in rows], pa.int32()),
            "empty": pa.array([None] * 64, pa.float64()),
            "full": [float(k % 3) for k in rows],
            "t": [_TEXTS[k % 8] for k in rows],
            "u": [_TEXTS[k * k % 8] for k in rows],
            "v": [_TEXTS[k % 3] for k in rows],
            "amount": [float(k % 13) for k in rows],
            "two": ["n" if k % 8 in (0, 1, 3) or k % 5 == 0 else "y" for k in rows],
        }
    )


@pytest.mark.parametrize("target", [pytest.param("amount", marks=slow), "two"])
def test_both_engines_learn_the_same(target: str, spark: SparkSession) -> None:
    """Medians, most frequent values, places and means of the target: on the same rows the same numbers."""
    from sqlml.estimators.sklearn import training as sklearn

    changes = {
        "impute": {"x": "median", "n": "most_frequent", "empty": "median", "full": "mean"},
        "missing_flag": ("n", "x", "full"),
        "encode": {"t": "target", "u": "ordinal"},
        "split_method": "none",
    }
    frame = spark.createDataFrame(_gaps())
    job = _job(frame, "decision_tree", target, "x n empty full t u v", **changes)
    mine = _fit(frame, "decision_tree", target, "x n empty full t u v", **changes)
    theirs = sklearn.fit(replace(job, estimator="sklearn.decision_tree"), _gaps(), print)
    assert mine.preparation.flags == theirs.preparation.flags == ("x", "n")
    assert mine.preparation.width == theirs.preparation.width
    assert mine.preparation.numbers == theirs.preparation.numbers
    assert mine.preparation.categories == theirs.preparation.categories
    for code, other in zip(mine.preparation.codes, theirs.preparation.codes, strict=True):
        assert (code.feature, code.encoding, code.categories) == (other.feature, other.encoding, other.categories)
        assert (*code.codes, code.default) == pytest.approx((*other.codes, other.default), rel=1e-12)
    assert mine.fidelity.max_abs_diff <= 1e-9
    assert mine.fidelity.label_mismatches == 0


@slow
def test_means_of_the_target_do_not_know_their_own_row(spark: SparkSession) -> None:
    """With scaling: what is learned from has mean 0 and deviation 1, and its codes are not those of other rows."""
    from sqlml.estimators.mllib import columns
    from sqlml.estimators.mllib import preparation as mllib_preparation

    frame = spark.createDataFrame(_gaps())
    job = _job(frame, "linear_regression", "amount", "x t", impute={"x": 100.0}, encode={"t": "target"})
    rows = columns.internal(frame, job.signature).selectExpr("*", "y AS label", "abs(hash(*)) AS key").cache()
    learned, train = mllib_preparation.fit_transform(
        rows, job, estimator=resolve("mllib.linear_regression", "regression", "mllib"), rows=64, keep=["key"]
    )
    x = [row["x"].toArray() for row in train.collect()]
    for column in range(2):
        values = [float(row[column]) for row in x]
        mean = sum(values) / 64
        assert mean == pytest.approx(0.0, abs=1e-12)
        assert sum((value - mean) ** 2 for value in values) / 63 == pytest.approx(1.0)
    assert len({float(row[1]) for row in x}) > len(learned.codes[0].codes)
    plain = mllib_preparation.transform(rows, job.signature, learned, keep=["key"])
    assert {float(row["x"].toArray()[1]) for row in plain.collect()} == set(learned.codes[0].codes)
    fitted = _fit(frame, "linear_regression", "amount", "x t", impute={"x": 100.0}, encode={"t": "target"})
    assert fitted.fidelity.max_abs_diff <= 1e-9


@slow
def test_too_many_values_to_encode(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlml.estimators.mllib import codes

    monkeypatch.setattr(codes, "MOST_CODED", 2)
    with pytest.raises(SqlmlError, match=r"SQLML_FEATURE_UNUSABLE.*column v has more than 2 different values"):
        _fit(spark.createDataFrame(_gaps()), "decision_tree", "amount", "x v", encode={"v": "ordinal"})


# -- trials and folds --------------------------------------------------------------------------------------------------


def _search(frame: DataFrame, searches: dict[str, Any], **changes: Any) -> tuple[Trial, list[Trial], list[str], Fitted]:
    from sqlml.estimators.mllib import training as mllib

    trials: list[Trial] = []
    lines: list[str] = []
    job = _job(frame, "decision_tree", "two", **changes)
    with mllib.opened(job, frame, lines.append, lambda: False, title="churn") as training:
        training.cut(1)
        best = tune(
            Plan(searches=searches, trials=3, budget=None, metric=None, folds=1, seed=1),
            job,
            lambda job, name: training.evaluate(job, name, metric="accuracy"),
            workers=2,
            progress=lines.append,
            cancelled=training.cancelled,
            on_trial=trials.append,
        )
        fitted = training.fit(replace(job, params=best.params))
    return best, trials, lines, fitted


@slow
def test_trials_run_on_the_cluster(frame: DataFrame) -> None:
    context = frame.sparkSession.sparkContext
    before = context._jsc.getPersistentRDDs().size()
    best, trials, lines, fitted = _search(frame, {"maxDepth": Candidates((-1, 1, 3))}, weight_column="x")
    assert [trial.number for trial in trials] == [1, 2, 3]
    failed = next(trial for trial in trials if trial.params["maxDepth"] == -1)
    assert failed.error is not None and failed.error.condition == "SQLML_OPTION_INVALID"
    assert best.score == max(trial.score for trial in trials if trial.error is None)
    assert fitted.params["maxDepth"] == best.params["maxDepth"]
    assert [line.split(":")[0] for line in lines[:3]] == [
        "reading",
        "preparing",
        next(line for line in lines if line.startswith("trial 3 of 3")).split(":")[0],
    ]
    assert context._jsc.getPersistentRDDs().size() == before
    assert not context.getLocalProperty("spark.job.description")
    again, _, _, _ = _search(frame, {"maxDepth": Candidates((-1, 1, 3))}, weight_column="x")
    assert (again.params, again.score) == (best.params, best.score)


@slow
def test_a_cancelled_search_ends_its_jobs(frame: DataFrame) -> None:
    """Jobs of trials run on threads that nobody interrupts: the search ends them by their tag."""
    import threading
    import time

    from sqlml.estimators.mllib import training as mllib

    job = _job(frame, "gradient_boosting", "two")
    cancelled = threading.Event()
    descriptions: set[str] = set()
    running = {f"sqlml: TRAIN MODEL churn: trial {number} of 4" for number in (1, 2)}

    def stop() -> bool:
        # As soon as both workers' trials have started a job, whichever comes first.
        store = frame.sparkSession.sparkContext._jsc.sc().statusStore()
        found = store.jobsList(None)
        for place in range(min(found.size(), 20)):
            description = found.apply(place).description()
            if description.isDefined():
                descriptions.add(description.get())
        if running <= descriptions:
            cancelled.set()
        return training.cancelled()

    with mllib.opened(job, frame, print, cancelled.is_set, title="churn") as training:
        training.cut(1)
        started = time.monotonic()
        with pytest.raises(SqlmlError, match="SQLML_CANCELLED"):
            tune(
                Plan(searches={"stepSize": Range(0.1, 0.2)}, trials=4, budget=None, metric=None, folds=1, seed=1),
                replace(job, params={"maxIter": 5_000}),
                lambda job, name: training.evaluate(job, name, metric=None),
                workers=2,
                progress=print,
                cancelled=stop,
                on_trial=print,
            )
        assert time.monotonic() - started < 60
    assert running <= descriptions
