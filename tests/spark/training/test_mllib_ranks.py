"""Places in an order, and areas under curves, of rows that nobody collects: the same numbers as by sorting them."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.slow
def test_keys_and_values_have_exact_places(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import functions as F

    from sqlml.estimators.mllib import ranks as mllib_ranks

    rows = spark.range(30_000).select(mllib_ranks.key(F.col("id")).alias("key"), F.least("id", F.lit(2)).alias("c"))
    rows = rows.withColumn("v", F.when(F.col("c") > 0, F.pmod("key", F.lit(2_000)) / 10.0)).cache()
    collected = rows.collect()
    by_stratum = [sorted(row["key"] for row in collected if row["c"] == c) for c in range(3)]
    counts, ranks = [len(keys) for keys in by_stratum], [[0, 1], [1, 0], [7_000, 29_998]]
    found = mllib_ranks.of_keys(rows, F.col("key"), F.col("c").cast("int"), counts, ranks)
    expected = [
        [keys[rank - 1] if rank else -1 for rank in wanted] for keys, wanted in zip(by_stratum, ranks, strict=True)
    ]
    assert found == expected
    monkeypatch.setattr(mllib_ranks, "_near", lambda rank, count: (0, 1))
    assert mllib_ranks.of_keys(rows, F.col("key"), F.col("c").cast("int"), counts, ranks) == expected, "bad estimates"

    values = sorted(row["v"] for row in collected if row["v"] is not None)
    columns = [F.col("v"), F.when(F.col("v") < 20.0, F.col("v")), F.lit(None).cast("double")]
    sizes = [len(values), sum(value < 20.0 for value in values), 0]
    assert mllib_ranks.medians(rows, columns, sizes) == [
        statistics.median(values),
        statistics.median(values[: sizes[1]]),
        0.0,
    ]
    for rank in (1, 25_000, len(values)):
        ((place,),) = mllib_ranks.of_values(rows, [F.col("v")], sizes[:1], [(rank,)], rank / sizes[0])
        assert place == mllib_ranks.RankedValue(
            values[rank - 1], values.index(values[rank - 1]), values.count(values[rank - 1])
        )
    rows.unpersist()


@pytest.mark.slow
def test_areas_are_scikit_learns(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import metrics

    from sqlml.estimators.mllib import metrics as mllib_metrics

    dice = random.Random(3)
    pairs = [(float(dice.random() < 0.3), round(dice.gauss(0, 1), 2)) for _ in range(3_000)]
    pairs = [(label, score + label) for label, score in pairs]
    labels, scores = zip(*pairs, strict=True)
    scored = spark.createDataFrame(pairs, "label double, score double").repartition(7)
    expected = {
        "roc_auc": metrics.roc_auc_score(labels, scores),
        "pr_auc": metrics.average_precision_score(labels, scores),
    }
    assert mllib_metrics._areas(scored) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(mllib_metrics, "_FEW_SCORES", 5)
    assert mllib_metrics._areas(scored) == pytest.approx(expected, abs=1e-12)
