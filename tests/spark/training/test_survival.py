"""Times of which some had not ended: what is learned from them, and how good the predictions are."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators.metrics import concordance_index
from sqlml.jobs.job import Fitted, Job
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def test_concordance_counts_the_pairs_that_can_be_compared() -> None:
    actual, observed = np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, False, True, True])
    # 1 < 2, 1 < 2, 1 < 3, 2 < 3, and of the two times 2 the one that had not ended is longer; than 3, nobody knows.
    assert concordance_index(actual, observed, actual) == (3 + 1 + 0.5) / 5
    assert concordance_index(actual, observed, np.array([1.0, 9.0, 2.0, 3.0])) == 1.0
    assert concordance_index(actual, observed, -actual) == 0.5 / 5
    assert concordance_index(actual, np.zeros(4, dtype=bool), actual) is None


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    """Times that grow as exp(1 + x/2), watched for at most 4; text, a gap, a date beside."""
    dice = random.Random(3)
    rows = []
    for k in range(300):
        x = dice.gauss(0.0, 1.0)
        time = math.exp(1.0 + x / 2) * dice.weibullvariate(1.0, 3.0)
        rows.append((None if k % 20 == 0 else x, dice.choice(["a", "b", None]), min(time, 4.0), time <= 4.0))
    cached = spark.createDataFrame(rows, "x double, t string, time double, ended boolean").cache()
    yield cached
    cached.unpersist()


def _fit(frame: DataFrame, lines: list[str] | None = None, **changes: Any) -> Fitted:
    from sqlml.estimators.mllib import training as mllib

    signature = Signature("regression", (Feature("x", "double"), Feature("t", "string")), "time", "double")
    job = Job("mllib.aft_survival_regression", signature, {}, 42, 0.2, 1e-9, **changes)
    return mllib.fit(job, frame, [].append if lines is None else lines.append, lambda: False)


@pytest.mark.slow
def test_times_that_had_not_ended_are_longer_than_they_look(frame: DataFrame) -> None:
    lines: list[str] = []
    fitted = _fit(frame, lines, censor_column="ended")
    # Compared with MLlib's own transform, on gaps, unseen texts and 1e300 too.
    assert fitted.fidelity.max_abs_diff <= 1e-9 and fitted.fidelity.rows > 60
    assert lines[0].startswith("reading: 240 rows to learn from, 60 held out, ")
    assert f"{frame.where('ended').count()} ends observed" in lines[0]
    assert fitted.metrics["concordance_index"] > 0.7 and "rmse" in fitted.metrics
    at = [pa.array([0.0, 2.0]), pa.array(["a", "a"])]
    middle, late = Scorer(fitted.onnx, fitted.signature).label(at).to_pylist()
    assert math.log(late / middle) == pytest.approx(1.0, abs=0.15), "half of 2"
    naive = _fit(frame.selectExpr("x", "t", "time", "1 AS ended"), censor_column="ended")
    assert naive.onnx == _fit(frame).onnx, "without a column every end was observed"
    assert Scorer(naive.onnx, naive.signature).label(at).to_pylist()[1] < late


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("x, t, time, 2 AS ended", "OPTION_INVALID.*censor_column ended has values other than true and false"),
        ("x, t, time, CAST(NULL AS boolean) AS ended", "OPTION_INVALID.*censor_column ended has values other than"),
        ("x, t, time - 1 AS time, ended", "ENGINE_FAILED.*lifetime or label should be"),
    ],
)
def test_what_is_no_time(frame: DataFrame, columns: str, message: str) -> None:
    with pytest.raises(SqlmlError, match=message):
        _fit(frame.selectExpr(*columns.split(", ")), censor_column="ended")
