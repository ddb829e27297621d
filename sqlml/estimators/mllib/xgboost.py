"""Adapter of XGBoost's estimators for Spark, `xgboost.spark`.

Each worker is one Spark task, and all workers grow every tree together, so all tasks must run at the same time.
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
from sqlml.estimators.library_classes import library_class
from sqlml.estimators.mllib import executors
from sqlml.jobs.job import Job

# A worker with fewer rows than this spends more time waiting for the others than working.
_ROWS_A_WORKER = 100_000
_LARGEST = float(np.finfo(np.float32).max)
# Modules that XGBoost's workers import.
_ON_EXECUTORS = ("xgboost", "sklearn", "scipy", "pandas", "pyarrow")


def builds(name: str) -> bool:
    """True if a class of the ESTIMATORS table is one of XGBoost's estimators for Spark."""
    return name.startswith("SparkXGB")


def build(estimator: Estimator, job: Job) -> Any:
    """XGBoost's estimator for Spark with the job's hyperparameters, validated like those on one machine.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE, SQLML_OPTION_INVALID.
    """
    boosting.check(estimator, job)
    kind = library_class(estimator, job.signature.task)
    # By default it logs every parameter and every worker's rank to the driver's stderr.
    logging.getLogger("XGBoost-PySpark").setLevel(logging.WARNING)
    params = {**job.params}
    workers = params.pop("num_workers", None)
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SqlmlError("SQLML_OPTION_INVALID", f"num_workers must be an integer from 1, not {workers!r}.")
    weighted = job.weight_column is not None or job.class_weights is not None
    try:
        return kind(
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


def check_executors(context: SparkContext, estimator: Estimator) -> None:
    """Raises SqlmlError SQLML_MISSING_PACKAGE if an executor cannot run a worker."""
    executors.check_modules(context, _ON_EXECUTORS, estimator.name)


def share_out(algorithm: Any, context: SparkContext, job: Job, rows: int) -> None:
    """Sets the number of workers, if the user has not: enough for the rows, and at most the cores that run at the same
    time.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for more workers than cores, because Spark would wait forever.
    """
    cores = context.defaultParallelism
    wanted = job.params.get("num_workers")
    if wanted is not None and wanted > cores:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"num_workers is {wanted}, but the cluster can run only {cores} tasks at a time.",
            hint="All workers must run at the same time.",
        )
    algorithm._set(num_workers=wanted or max(1, min(cores, math.ceil(rows / _ROWS_A_WORKER))))


def ready(vectors: DataFrame) -> DataFrame:
    """The vectors `x` as arrays clipped to float32, to which XGBoost rounds: it refuses infinity."""

    def clipped(value: Column) -> Column:
        # Spark orders NaN above all numbers.
        ends = F.when(value > _LARGEST, F.lit(_LARGEST)).when(value < -_LARGEST, F.lit(-_LARGEST)).otherwise(value)
        return F.when(F.isnan(value), value).otherwise(ends)

    return vectors.withColumn("x", F.transform(vector_to_array("x"), clipped))


def effective(model: Any, algorithm: Any, estimator: Estimator) -> dict[str, Any]:
    """All hyperparameters with the values used."""
    fitted = fitted_model(model)
    params = {name: value for name, value in fitted.get_params().items() if name in estimator.params}
    used = {
        **boosting.effective(estimator, fitted),
        **{key: value for key, value in params.items() if value is not None},
    }
    return {
        **used,
        "num_workers": algorithm.getOrDefault("num_workers"),
        "seed": algorithm.getOrDefault("random_state"),
    }


def fitted_model(model: Any) -> Any:
    """The fitted model as an object of XGBoost's scikit-learn interface."""
    return model._xgb_sklearn_model
