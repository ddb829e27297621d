"""Survival analysis on the cluster: marks censored times (known only to have lasted at least that long), checks them,
and measures predictions."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sqlml.errors import SqlmlError
from sqlml.estimators import metrics as of_rows
from sqlml.estimators.mllib import metrics as mllib_metrics
from sqlml.jobs.job import Job

# The concordance index compares all pairs of rows.
_MOST_ROWS_IN_PAIRS = 5_000


def marked(inside: DataFrame, job: Job) -> DataFrame:
    """Adds `censor`, as MLlib defines it: 1 if the end was observed (everywhere without a censor column), else 0.

    Args:
        inside: made by `columns.internal`; has `c` if the job has a censor column.
    """
    if job.censor_column is None:
        return inside.withColumn("censor", F.lit(1.0))
    return inside.withColumn("censor", F.col("c").cast("double")).drop("c")


def check(rows: DataFrame, job: Job) -> str:
    """A sentence with the number of observed ends, so that a user who has inverted the column notices it.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for values other than 1 and 0.
    """
    wrong = F.coalesce(~F.col("censor").isin(0.0, 1.0), F.lit(True))
    bad, ended = rows.agg(F.count_if(wrong), F.count_if(F.col("censor") == 1.0)).first() or (0, 0)
    if bad:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"censor_column {job.censor_column} has values other than true and false, or 1 and 0.",
            hint="The column must be true where the end was observed, such as ended_on IS NOT NULL.",
        )
    return f"{ended} ends observed"


def metrics(scored: DataFrame) -> dict[str, float]:
    """Regression metrics on rows whose end was observed, because other true times are unknown, and the concordance
    index on at most 5,000 rows. Empty if no end was observed.

    Args:
        scored: `label`, `censor` and `prediction`; cached.
    """
    ended = scored.where("censor = 1")
    count = ended.count()
    if not count:
        return {}
    found = mllib_metrics.regression(ended, rows=count)
    columns = ("label", "censor", "prediction")
    some = scored.orderBy(F.xxhash64(*columns), *columns).limit(_MOST_ROWS_IN_PAIRS).select(*columns).toArrow()
    actual, censor, predicted = (some[name].to_numpy() for name in columns)
    index = of_rows.concordance_index(actual, censor == 1.0, predicted)
    return found if index is None else {**found, "concordance_index": index}
