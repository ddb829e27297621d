"""USING auto beside FLAML: the same rows, the same seconds, the same held-out fifth; higher scores are better.

FLAML is in the extra `automl`. Each of the two gets a process's start-up for free; ours converts, compares and
registers its model within the budget, which FLAML has no counterpart of.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BUDGET = 30.0
# How much worse a score may be.
SLACK = 0.02
DATA = {"breast_cancer": ("classification", "roc_auc"), "diabetes": ("regression", "r2")}


def _frame(name: str) -> Any:
    """The rows as columns f0, f1, …, y and held, which is true for a fifth of them."""
    from sklearn import datasets

    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    frame.columns = [*(f"f{place}" for place in range(frame.shape[1] - 1)), "y"]
    return frame.assign(held=np.random.default_rng(0).random(len(frame)) < 0.2)


def _flaml(frame: Any, task: str, metric: str) -> tuple[float, float, str]:
    from flaml import AutoML
    from sklearn import metrics

    rows, held = frame[~frame.held].drop(columns="held"), frame[frame.held].drop(columns="held")
    started = time.monotonic()
    found = AutoML()
    found.fit(
        rows.drop(columns="y"), rows.y, task=task, metric=metric, time_budget=BUDGET, seed=42, verbose=0, n_jobs=-1
    )
    seconds = time.monotonic() - started
    inputs = held.drop(columns="y")
    if task == "classification":
        score = metrics.roc_auc_score(held.y, found.predict_proba(inputs)[:, 1])
    else:
        score = metrics.r2_score(held.y, found.predict(inputs))
    return float(score), seconds, str(found.best_estimator)


@pytest.mark.parametrize("name", DATA)
def test_automl(name: str, spark: SparkSession) -> None:
    # After Spark: FLAML would start one of its own.
    pytest.importorskip("flaml")
    task, metric = DATA[name]
    frame = _frame(name)
    spark.createDataFrame(frame).createOrReplaceTempView("rows")
    warm = "TRAIN MODEL warm USING sklearn.decision_tree TARGET y OPTIONS (task = 'regression') AS SELECT * FROM rows"
    spark.sql(warm).collect()
    started = time.monotonic()
    row = spark.sql(
        f"TRAIN MODEL best USING auto TARGET y OPTIONS (task = '{task}', time_budget = {BUDGET}, metric = '{metric}',"
        " split_column = 'held') AS SELECT * FROM rows"
    ).first()
    seconds = time.monotonic() - started
    assert row is not None
    theirs, their_seconds, their_estimator = _flaml(frame, task, metric)
    ours = row["metrics"][metric]
    print(
        f"{name}: {metric} on held-out rows {ours:.4f} by {row['estimator']} in {seconds:.1f} s,"
        f" FLAML {theirs:.4f} by {their_estimator} in {their_seconds:.1f} s"
    )
    assert seconds < BUDGET * 1.2
    assert ours > theirs - SLACK
