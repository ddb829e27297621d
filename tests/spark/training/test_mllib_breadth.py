"""MLlib's other estimators: each gives the answers of its graph, whatever its parameters make of the arithmetic."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sqlml.errors import SqlmlError
from sqlml.importing import validation
from sqlml.jobs.job import Fitted, Job
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Spark's own trainings, seconds each.
pytestmark = pytest.mark.slow

_SCHEMA = (
    "x double, z float, n int, colour string, seen boolean, day date, one double, bit int,"
    " binary string, three string, flag boolean, amount double, positive double, count int"
)
_MIXED = ("x", "z", "n", "colour", "seen", "day")
# What counts and shares are: not negative, and 0 or 1.
_COUNTS, _BITS = ("one", "n", "colour"), ("bit", "colour")
_ROWS = 300


def _rows() -> Iterator[tuple[Any, ...]]:
    dice = random.Random(11)
    for index in range(_ROWS):
        x, z = dice.gauss(0.0, 1.0), dice.uniform(-3.0, 3.0)
        colour = dice.choice(["red", "grün", "", None])
        day = dt.date(2020, 1, 1) + dt.timedelta(days=dice.randrange(-400, 400))
        score = x + (colour == "red") - 0.3 * z + dice.gauss(0.0, 0.5)
        yield (
            dice.choice([x, x, x, x, x, None, math.nan, math.inf]),
            dice.choice([z, z, z, None]),
            dice.randrange(5),
            colour,
            dice.choice([True, False, None]),
            dice.choice([day, day, None]),
            abs(x),
            int(score > 0.2),
            "yes" if score > 0 else "no",
            "häh" if score < -0.5 else "b" if score < 0.5 else "a",
            score > 0,
            None if index % 29 == 0 else score,
            math.exp(0.3 * score),
            dice.randrange(4) + (score > 0),
        )


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    cached = spark.createDataFrame(list(_rows()), _SCHEMA).repartition(2).cache()
    yield cached
    cached.unpersist()


def _fit(frame: DataFrame, estimator: str, target: str | None, features: tuple[str, ...], **params: Any) -> Fitted:
    from sqlml.estimators.mllib import training as mllib

    types = dict(frame.dtypes)
    task, kind = {
        None: ("clustering", "int"),
        "binary": ("classification", "string"),
        "three": ("classification", "string"),
    }.get(target, ("regression", "double"))
    if estimator == "mllib.pca":
        task, kind = "dimensionality_reduction", "double"
    signature = Signature(task, tuple(Feature(name, types[name]) for name in features), target, kind)
    job = Job(estimator, signature, params, seed=42, test_fraction=0.2 if target else 0.0, tolerance=1e-6)
    fitted = mllib.fit(job, frame, lambda text: None, lambda: False)
    validation.read(fitted.onnx)  # whatever is written here may be imported elsewhere
    assert fitted.params == {**fitted.params, **params}
    assert Fitted.from_json(fitted.to_json(), fitted.onnx).signature == fitted.signature
    print(estimator, target, params, fitted.fidelity, fitted.metrics)
    return fitted


def _exact(fitted: Fitted) -> None:
    assert fitted.fidelity.max_abs_diff <= 1e-9
    assert fitted.fidelity.label_mismatches == 0
    measured = fitted.held_out or fitted.rows
    assert fitted.fidelity.rows > measured + len(fitted.signature.features), "hard rows too"
    assert all(map(math.isfinite, fitted.metrics.values()))


def _answers(fitted: Fitted, frame: DataFrame) -> list[Any]:
    table = frame.toArrow().select(list(fitted.signature.names))
    return Scorer(fitted.onnx, fitted.signature).label(table.columns).to_pylist()


# One case of each kind of graph is in `make test`, the others in `make test-all`.
nightly = pytest.mark.nightly


# -- classes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "target", "features", "params"),
    [
        ("mllib.factorization_machines", "binary", _MIXED, {"factorSize": 3, "maxIter": 5}),
        ("mllib.linear_svm", "binary", _MIXED, {"maxIter": 10}),
        pytest.param("mllib.linear_svm", "binary", _MIXED, {"maxIter": 10, "threshold": 0.4}, marks=nightly),
        pytest.param("mllib.naive_bayes", "three", _MIXED, {"modelType": "bernoulli"}, marks=nightly),
        ("mllib.naive_bayes", "three", _MIXED, {"modelType": "gaussian"}),
        ("mllib.naive_bayes", "three", _COUNTS, {}),
        pytest.param("mllib.naive_bayes", "binary", _COUNTS, {"modelType": "complement"}, marks=nightly),
        pytest.param("mllib.naive_bayes", "three", _COUNTS, {"modelType": "complement"}, marks=nightly),
        pytest.param("mllib.naive_bayes", "three", _BITS, {"modelType": "bernoulli", "smoothing": 0.5}, marks=nightly),
        ("mllib.neural_network", "three", _MIXED, {"layers": [5, 3], "maxIter": 10}),
        pytest.param("mllib.neural_network", "binary", _MIXED, {"maxIter": 3}, marks=nightly),
        ("mllib.one_vs_rest", "three", _MIXED, {"maxIter": 10, "regParam": 0.01}),
        pytest.param("mllib.one_vs_rest", "binary", _MIXED, {"maxIter": 10}, marks=nightly),
    ],
)
def test_classifiers(
    estimator: str, target: str, features: tuple[str, ...], params: dict[str, Any], frame: DataFrame
) -> None:
    fitted = _fit(frame, estimator, target, features, **params)
    _exact(fitted)
    assert fitted.signature.labels == (("no", "yes") if target == "binary" else ("a", "b", "häh"))
    assert fitted.signature.probabilities == (estimator not in ("mllib.linear_svm", "mllib.one_vs_rest"))
    assert ("log_loss" in fitted.metrics) == fitted.signature.probabilities
    assert ("roc_auc" in fitted.metrics) == (target == "binary")


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "params"),
    [
        ("positive", {"family": "gamma", "link": "log"}),
        pytest.param("amount", {}, marks=nightly),
        pytest.param("positive", {"link": "inverse", "maxIter": 5}, marks=nightly),
        ("flag", {"family": "binomial"}),
        pytest.param("flag", {"family": "binomial", "link": "probit"}, marks=nightly),
        pytest.param("bit", {"family": "binomial", "link": "cloglog", "regParam": 0.1}, marks=nightly),
        ("count", {"family": "poisson"}),
        pytest.param("count", {"family": "poisson", "link": "identity", "regParam": 1.0}, marks=nightly),
        pytest.param("count", {"family": "poisson", "link": "sqrt"}, marks=nightly),
        pytest.param("positive", {"family": "gamma"}, marks=nightly),
        pytest.param("positive", {"family": "tweedie", "variancePower": 1.6}, marks=nightly),
        pytest.param("positive", {"family": "tweedie", "variancePower": 1.5, "linkPower": 0.0}, marks=nightly),
        pytest.param("amount", {"family": "tweedie"}, marks=nightly),
    ],
)
def test_generalized_linear_regression(target: str, params: dict[str, Any], frame: DataFrame) -> None:
    _exact(_fit(frame, "mllib.generalized_linear_regression", target, _MIXED, **params))


@nightly
def test_factorization_machines_of_numbers(frame: DataFrame) -> None:
    _exact(_fit(frame, "mllib.factorization_machines", "amount", _MIXED, factorSize=3, maxIter=10))


# -- clusters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("mllib.bisecting_k_means", {"k": 5}),
        ("mllib.gaussian_mixture", {"k": 3, "maxIter": 5}),
        ("mllib.k_means", {"k": 4}),
        pytest.param("mllib.k_means", {}, marks=nightly),
    ],
)
def test_clusters(estimator: str, params: dict[str, Any], frame: DataFrame) -> None:
    fitted = _fit(frame, estimator, None, _MIXED, **params)
    _exact(fitted)
    count = params.get("k", 8)
    assert fitted.signature.labels == tuple(range(count))
    assert fitted.signature.probabilities == (estimator == "mllib.gaussian_mixture")
    assert (fitted.rows, fitted.held_out) == (_ROWS, 0)
    assert fitted.metrics["clusters"] == len(set(_answers(fitted, frame))) <= count
    assert ("silhouette_squared" in fitted.metrics) == (count > 1)


@nightly
@pytest.mark.parametrize("estimator", ["mllib.bisecting_k_means", "mllib.k_means"])
def test_one_cluster(estimator: str, spark: SparkSession) -> None:
    """Rows that are all the same cannot be divided."""
    same = spark.createDataFrame([(1.5, "a")] * 20, "x double, colour string")
    fitted = _fit(same, estimator, None, ("x", "colour"), k=3)
    assert fitted.signature.labels == (0,)
    assert fitted.metrics == {"clusters": 1.0}
    assert fitted.fidelity.label_mismatches == 0


# -- thresholds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "target", "params"),
    [
        ("mllib.decision_tree", "three", {"maxDepth": 3}),
        pytest.param("mllib.random_forest", "binary", {"maxDepth": 3, "numTrees": 3}, marks=nightly),
        pytest.param("mllib.gradient_boosting", "binary", {"maxDepth": 2, "maxIter": 3}, marks=nightly),
        pytest.param("mllib.logistic_regression", "binary", {"maxIter": 5}, marks=nightly),
        ("mllib.logistic_regression", "three", {"maxIter": 5}),
        pytest.param("mllib.neural_network", "three", {"layers": [4], "maxIter": 5}, marks=nightly),
        pytest.param("mllib.factorization_machines", "binary", {"maxIter": 5}, marks=nightly),
    ],
)
def test_thresholds_decide(estimator: str, target: str, params: dict[str, Any], frame: DataFrame) -> None:
    thresholds = [0.9, 0.0, 0.5][: 3 if target == "three" else 2]
    fitted = _fit(frame, estimator, target, _MIXED, thresholds=thresholds, **params)
    _exact(fitted)
    # Where its probability is not 0, nothing is said but the class whose threshold is 0.
    assert fitted.signature.labels[1] in set(_answers(fitted, frame))


# -- one result, and in SQL --------------------------------------------------------------------------------------------


@nightly
@pytest.mark.parametrize(
    ("estimator", "target", "params"),
    [
        ("mllib.bisecting_k_means", None, {"k": 4}),
        ("mllib.gaussian_mixture", None, {"k": 2, "maxIter": 5}),
        ("mllib.generalized_linear_regression", "count", {"family": "poisson"}),
        ("mllib.k_means", None, {"k": 4}),
        ("mllib.naive_bayes", "three", {"modelType": "gaussian"}),
        ("mllib.neural_network", "three", {"layers": [4], "maxIter": 5}),
    ],
)
def test_same_rows_same_bytes(estimator: str, target: str | None, params: dict[str, Any], frame: DataFrame) -> None:
    first = _fit(frame, estimator, target, _MIXED, **params)
    again = frame.repartition(5, "z").sortWithinPartitions("one")
    assert _fit(again, estimator, target, _MIXED, **params).onnx == first.onnx


def test_clusters_and_layers_in_sql(frame: DataFrame) -> None:
    session = frame.sparkSession
    frame.createOrReplaceTempView("breadth_rows")
    query = "SELECT x, colour, day FROM breadth_rows"
    session.sql(f"TRAIN MODEL breadth_groups USING mllib.k_means OPTIONS (k = 3) AS {query}")
    found = session.sql(f"SELECT DISTINCT PREDICT(breadth_groups, *) AS c FROM ({query}) ORDER BY c").collect()
    assert [row["c"] for row in found] == [0, 1, 2]
    session.sql(
        "TRAIN MODEL breadth_layers USING mllib.neural_network TARGET flag OPTIONS (layers = [3], maxIter = 2,"
        " thresholds = [0.5, 0.6]) AS SELECT x, colour, flag FROM breadth_rows"
    )
    row = session.sql("SELECT PREDICT_PROBA(breadth_layers, x => NULL, colour => 'never seen') AS p").first()
    assert row is not None and math.isclose(sum(row["p"].values()), 1.0)
    for name in ("breadth_groups", "breadth_layers"):
        session.sql(f"DROP MODEL {name}")


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "target", "params", "expected"),
    [
        ("generalized_linear_regression", "flag", {"family": "binomial", "link": "sqrt"}, "OPTION_INVALID.*sqrt"),
        ("generalized_linear_regression", "amount", {"family": "poisson"}, "TARGET_INVALID.*at least 0"),
        ("linear_svm", "three", {}, "TARGET_INVALID.*has 3"),
        ("naive_bayes", "binary", {}, "ENGINE_FAILED.*Negative"),
        ("neural_network", "binary", {"layers": 5}, r"OPTION_INVALID.*layers.*\[16, 8\]"),
        ("neural_network", "binary", {"layers": [5, 0]}, "OPTION_INVALID.*layers"),
        ("decision_tree", "three", {"thresholds": [0.5, 0.5]}, "OPTION_INVALID.*has 3 classes: 'a', 'b', 'häh'"),
        ("k_means", None, {"k": 1}, "OPTION_INVALID.*k"),
    ],
)
def test_what_cannot_be(
    estimator: str, target: str | None, params: dict[str, Any], expected: str, frame: DataFrame
) -> None:
    with pytest.raises(SqlmlError, match=f"SQLML_{expected}"):
        _fit(frame, f"mllib.{estimator}", target, _MIXED, **params)


def test_what_fails_on_an_executor_is_said_in_one_line(frame: DataFrame) -> None:
    with pytest.raises(SqlmlError, match=r"KMeans cannot learn from these rows: .*ArrayIndexOutOfBounds") as found:
        _fit(frame.limit(1), "mllib.k_means", None, _MIXED)
    assert found.value.condition == "SQLML_ENGINE_FAILED"
    assert "\n" not in found.value.message


@pytest.mark.parametrize("k", [1, 3])
def test_principal_components(frame: DataFrame, k: int) -> None:
    """Compared with MLlib's own transform on real and on hard rows."""
    fitted = _fit(frame, "mllib.pca", None, _MIXED, k=k)
    assert fitted.signature.outputs == tuple(f"component_{place}" for place in range(1, k + 1))
    assert fitted.fidelity.max_abs_diff < 1e-9 and 0.0 < fitted.metrics["explained_variance"] < 1.0
