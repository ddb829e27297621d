"""XGBoost on the cluster, by its own estimators for Spark: `xgboost.spark`.

One task a worker grows a part of every tree together with the others, so all of them have to run at once.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
from pyspark import SparkContext
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sqlml.errors import SqlmlError
from sqlml.estimators.boosting import libraries as boosting
from sqlml.estimators.estimator import Estimator
from sqlml.jobs.job import Job

# A worker with fewer rows than this waits for the others more than it works.
_ROWS_A_WORKER = 100_000
_LARGEST = float(np.finfo(np.float32).max)


def builds(name: str) -> bool:
    """Whether a class of the ESTIMATORS table is one of these."""
    return name.startswith("SparkXGB")


def build(estimator: Estimator, job: Job) -> Any:
    """XGBoost's estimator for Spark with the job's hyperparameters, checked as those of one machine are.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE, SQLML_OPTION_INVALID.
    """
    boosting.check(estimator, job)
    try:
        from xgboost import spark
    except ModuleNotFoundError as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"XGBoost cannot train on the cluster: the Python package {error.name} is missing.",
            hint="Install it on the driver and on the executors: pip install 'sqlml[xgboost]'.",
        ) from error
    # It tells the driver's standard error every parameter and every worker's rank.
    logging.getLogger("XGBoost-PySpark").setLevel(logging.WARNING)
    params = {**job.params}
    workers = params.pop("num_workers", None)
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SqlmlError("SQLML_OPTION_INVALID", f"num_workers must be an integer from 1, not {workers!r}.")
    weighted = job.weight_column is not None or job.class_weights is not None
    try:
        return getattr(spark, estimator.classes[job.signature.task])(
            features_col="x",
            label_col="label",
            weight_col="weight" if weighted else None,
            missing=math.nan,
            num_workers=workers or 1,
            random_state=job.seed,
            verbosity=1,
            **params,
        )
    except (TypeError, ValueError) as error:
        raise SqlmlError("SQLML_OPTION_INVALID", boosting.complaint(error)) from error


def share_out(algorithm: Any, context: SparkContext, job: Job, rows: int) -> None:
    """Sets how many workers there are where the user does not say: as many as the rows keep busy, and as there are
    cores for at the same time.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for more than there are cores, for which Spark would wait in vain.
    """
    cores = context.defaultParallelism
    wanted = job.params.get("num_workers")
    if wanted is not None and wanted > cores:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"num_workers is {wanted}, and the cluster runs {cores} tasks at a time.",
            hint="All workers have to run at once.",
        )
    algorithm._set(num_workers=wanted or max(1, min(cores, math.ceil(rows / _ROWS_A_WORKER))))


def ready(vectors: DataFrame) -> DataFrame:
    """The vectors `x` as arrays within the range of float32, which is what XGBoost rounds to: beyond is infinity, and
    that it refuses."""

    def clipped(value: Column) -> Column:
        # Spark's NaN is larger than any number.
        ends = F.when(value > _LARGEST, F.lit(_LARGEST)).when(value < -_LARGEST, F.lit(-_LARGEST)).otherwise(value)
        return F.when(F.isnan(value), value).otherwise(ends)

    return vectors.withColumn("x", F.transform(vector_to_array("x"), clipped))


def effective(model: Any, algorithm: Any, estimator: Estimator) -> dict[str, Any]:
    """Every hyperparameter with the value that was used."""
    fitted = fitted_model(model)
    given = {name: value for name, value in fitted.get_params().items() if name in estimator.params}
    used = {
        **boosting.effective(estimator, fitted),
        **{key: value for key, value in given.items() if value is not None},
    }
    return {
        **used,
        "num_workers": algorithm.getOrDefault("num_workers"),
        "seed": algorithm.getOrDefault("random_state"),
    }


def fitted_model(model: Any) -> Any:
    """The same model as an object of XGBoost's scikit-learn interface."""
    return model._xgb_sklearn_model
