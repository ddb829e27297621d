"""Pictures of MLlib's models: counted by Spark, and the same as scikit-learn's functions draw of all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn import metrics

from sqlml.estimators import curves
from sqlml.jobs.job import Fitted, Job
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.slow

_FEATURES = (Feature("a", "double"), Feature("b", "string"), Feature("c", "double"))


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    dice = np.random.default_rng(0)
    a, b, c = dice.normal(size=300), dice.choice(["x", "y", "z"], 300), dice.normal(size=300)
    y = 3 * a + (b == "x") + dice.normal(size=300)
    three = np.select([y > 1, y > -1], ["high", "middle"], "low")
    rows = zip(a.tolist(), b.tolist(), c.tolist(), y.tolist(), (y > 0).tolist(), three.tolist(), strict=True)
    return spark.createDataFrame(list(rows), "a double, b string, c double, y double, yes boolean, three string")


def _fit(frame: DataFrame, estimator: str, target: str, **changes: Any) -> Fitted:
    """Measured on the rows that it has learned from, so that a test knows them."""
    from sqlml.estimators.mllib import training as mllib

    task = "regression" if target == "y" else "classification"
    signature = Signature(task, _FEATURES, target, {"y": "double", "yes": "boolean", "three": "string"}[target])
    given: dict[str, Any] = {"params": {}, "seed": 42, "test_fraction": 0.0, "tolerance": 1e-6, "curves": True}
    return mllib.fit(Job(estimator, signature, **{**given, **changes}), frame, lambda line: None, lambda: False)


def _answers(fitted: Fitted, frame: DataFrame) -> tuple[Any, Any, Any]:
    """What is right (positions of labels), what is said, and the scores, in any order."""
    table = frame.toArrow()
    raw = Scorer(fitted.onnx, fitted.signature).raw([table[feature.name] for feature in _FEATURES])
    labels = list(fitted.signature.labels)
    actual = np.array([labels.index(one) for one in table[fitted.signature.target].to_pylist()])
    return actual, raw["probabilities"].argmax(axis=1), raw["probabilities"]


def _points(curve: dict[str, Any]) -> set[tuple[float, float]]:
    return {(round(x, 9), round(y, 9)) for x, y in zip(curve["x"], curve["y"], strict=True)}


def test_curves_of_two_classes(frame: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlml.estimators.mllib import curves as mllib_curves

    fitted = _fit(frame, "mllib.logistic_regression", "yes")
    expected = curves.of(fitted.signature, *_answers(fitted, frame))
    assert set(fitted.curves) == {"roc", "precision_recall", "calibration", "confusion", "importance"}
    assert fitted.curves["confusion"] == expected["confusion"]
    for one in ("x", "y"):
        assert fitted.curves["calibration"][one] == pytest.approx(expected["calibration"][one])
    (roc,), (theirs,) = fitted.curves["roc"], expected["roc"]
    assert _points(theirs) <= _points(roc), "scikit-learn leaves out what lies on a straight line"
    assert roc["area"] == pytest.approx(theirs["area"]) == fitted.metrics["roc_auc"]
    assert _points(fitted.curves["precision_recall"]) == _points(expected["precision_recall"])
    assert fitted.curves["precision_recall"]["area"] == pytest.approx(expected["precision_recall"]["area"])
    important = fitted.curves["importance"]
    assert (important["kind"], important["features"][0], len(important["values"])) == ("|coefficient|", "a", 3)
    assert Fitted.from_json(fitted.to_json(), fitted.onnx) == fitted

    monkeypatch.setattr(mllib_curves, "_FEW_ROWS", 100)
    monkeypatch.setattr(mllib_curves, "MOST_POINTS", 20)
    many = _fit(frame, "mllib.logistic_regression", "yes").curves
    assert 15 < len(many["roc"][0]["x"]) <= 21
    assert _points(many["roc"][0]) <= _points(roc), "of many rows some points, and those exactly"
    assert many["roc"][0]["area"] == roc["area"]
    assert _points(many["precision_recall"]) <= _points(fitted.curves["precision_recall"])


@pytest.mark.nightly
def test_curves_of_three_classes(frame: DataFrame) -> None:
    fitted = _fit(frame, "mllib.naive_bayes", "three", params={"modelType": "gaussian"})
    actual, said, scores = _answers(fitted, frame)
    assert [curve["label"] for curve in fitted.curves["roc"]] == ["high", "low", "middle"]
    for place, curve in enumerate(fitted.curves["roc"]):
        assert curve["area"] == pytest.approx(metrics.roc_auc_score(actual == place, scores[:, place]))
    assert fitted.curves["confusion"]["counts"] == metrics.confusion_matrix(actual, said).tolist()
    assert "precision_recall" not in fitted.curves and "calibration" not in fitted.curves
    assert (fitted.curves["importance"]["kind"], fitted.curves["importance"]["features"][0]) == ("permutation", "a")
    assert _fit(frame, "mllib.naive_bayes", "three", params={"modelType": "gaussian"}, curves=False).curves == {}


@pytest.mark.nightly
def test_points_of_a_regression(frame: DataFrame) -> None:
    fitted = _fit(frame, "mllib.random_forest", "y", test_fraction=0.25)
    points = fitted.curves["points"]
    assert len(points["actual"]) == fitted.held_out
    assert metrics.r2_score(points["actual"], points["predicted"]) == pytest.approx(fitted.metrics["r2"])
    assert fitted.curves["importance"]["kind"] == "impurity"
    assert sum(fitted.curves["importance"]["values"]) == pytest.approx(1)
    assert fitted.curves["importance"]["features"][0] == "a"
    rest = _fit(frame, "mllib.one_vs_rest", "three", test_fraction=0.25).curves
    assert rest["importance"]["features"][0] == "a" and "calibration" not in rest
