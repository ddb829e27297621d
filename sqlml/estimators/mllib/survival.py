"""Times of which some are known only to have been at least that long: which those are, and how good predictions are."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sqlml.errors import SqlmlError
from sqlml.estimators import metrics as of_rows
from sqlml.estimators.mllib import metrics as mllib_metrics
from sqlml.jobs.job import Job

# The concordance index compares every pair.
_MOST_ROWS_IN_PAIRS = 5_000


def marked(inside: DataFrame, job: Job) -> DataFrame:
    """With `censor`, MLlib's word for it: 1 where the end was observed (everywhere without a column for it), else 0.

    Args:
        inside: from `columns.internal`; with `c` where the job has such a column.
    """
    if job.censor_column is None:
        return inside.withColumn("censor", F.lit(1.0))
    return inside.withColumn("censor", F.col("c").cast("double")).drop("c")


def check(rows: DataFrame, job: Job) -> str:
    """How many ends were observed, in words: who has taken the column for its opposite sees it here.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a value that is neither 1 nor 0.
    """
    wrong = F.coalesce(~F.col("censor").isin(0.0, 1.0), F.lit(True))
    bad, ended = rows.agg(F.count_if(wrong), F.count_if(F.col("censor") == 1.0)).first() or (0, 0)
    if bad:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"censor_column {job.censor_column} has values other than true and false, or 1 and 0.",
            hint="It says whether the end was observed, such as ended_on IS NOT NULL.",
        )
    return f"{ended} ends observed"


def metrics(scored: DataFrame) -> dict[str, float]:
    """The metrics of a regressor on the rows whose end was observed, as of the others the time is not known; and the
    concordance index, on at most 5,000 rows. Nothing where no end was observed.

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
