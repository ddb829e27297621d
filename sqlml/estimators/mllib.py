"""Training by Spark MLlib where the rows are: nothing but a sample for the fidelity check comes to the driver."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pyspark
from pyspark.sql import DataFrame
from pyspark.storagelevel import StorageLevel

from sqlml.errors import SqlmlError
from sqlml.estimators import (
    CLUSTERING,
    MLLIB,
    REGRESSION,
    Estimator,
    mllib_algorithm,
    mllib_check,
    mllib_metrics,
    mllib_parts,
    mllib_preparation,
    mllib_split,
    resolve,
)
from sqlml.estimators.job import Fidelity, Fitted, Job
from sqlml.estimators.preparation import Preparation
from sqlml.export import fidelity
from sqlml.export import mllib as export
from sqlml.signature import BOOLEAN, NUMBER, Signature, kind_of


def fit(job: Job, frame: DataFrame, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Fitted:
    """Splits, prepares, fits, converts, measures and compares.

    Args:
        frame: has the signature's features and target, if it has one, by name; any number of rows. Its query runs once.
        progress: gets a line when a stage is done, with its seconds.
        cancelled: asked between stages; running Spark jobs are stopped by their job group, from outside.

    Raises:
        SqlmlError: SQLML_CANCELLED, SQLML_ENGINE_FAILED, SQLML_FEATURE_UNUSABLE, SQLML_FIDELITY, SQLML_OPTION_INVALID,
            SQLML_TARGET_INVALID, SQLML_TOO_FEW_ROWS.
    """
    estimator = resolve(job.estimator, job.signature.task, MLLIB)
    algorithm = mllib_algorithm.build(estimator, job)
    stages = _Stages(estimator.name, frame.sparkSession.sparkContext, progress, cancelled)
    with ExitStack() as release:
        release.enter_context(stages.described())
        return _fit(job, estimator, algorithm, frame, stages, release)


def _fit(
    job: Job, estimator: Estimator, algorithm: Any, frame: DataFrame, stages: _Stages, release: ExitStack
) -> Fitted:
    with stages.stage("reading") as done:
        inside = mllib_preparation.internal(frame, job.signature)
        _check_target(inside, job.signature)
        rows = mllib_split.split(
            inside,
            job.signature,
            seed=job.seed,
            fraction=job.test_fraction,
            least_partitions=2 if _grows_trees(estimator) else 1,
            release=release,
        )
        signature = replace(job.signature, labels=rows.labels)
        mllib_algorithm.check_classes(estimator, job, signature)
        done(f"{rows.training} rows to learn from, {rows.held_out} held out")

    with stages.stage("preparing") as done:
        preparation = mllib_preparation.fit(rows.train, signature, rows=rows.training, scale=estimator.scale)
        train = mllib_preparation.transform(rows.train, signature, preparation, keep=rows.answers)
        train = mllib_algorithm.ready(train, algorithm).persist(StorageLevel.MEMORY_AND_DISK)
        release.callback(train.unpersist)
        done(f"{len(signature.features)} features")

    with stages.stage("fitting") as done:
        width = len(preparation.numbers) + sum(column.width for column in preparation.categories)
        model = mllib_algorithm.run(algorithm, train, estimator, job, width=width, classes=len(rows.labels))
        train.unpersist()
        signature = _answered(signature, model)
        done(f"{type(model).__name__} to {rows.training} rows")

    with stages.stage("converting") as done:
        onnx = export.emit(model, mllib_parts.parts(model, stages.context), signature, preparation)
        done(f"{len(onnx)} bytes of ONNX")

    with stages.stage("measuring") as done:
        metrics = _measure(model, rows, signature, preparation, release)
        values = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        done(f"{values} on {rows.held_out or rows.training} rows")

    with stages.stage("comparing") as done:
        compared = compare(model, onnx, rows.measured, signature, preparation, job.tolerance, inside=estimator.noisy)
        done(f"{compared.rows} rows by MLlib and by ONNX, largest difference {compared.max_abs_diff:.2g}")

    return Fitted(
        onnx=onnx,
        signature=signature,
        preparation=preparation,
        metrics=metrics,
        fidelity=compared,
        rows=rows.training,
        held_out=rows.held_out,
        params=mllib_algorithm.effective(algorithm, estimator),
        library=f"Spark MLlib {pyspark.__version__}",
    )


# -- stages ------------------------------------------------------------------------------------------------------------


class _Stages:
    """What the user sees while it works: the names of Spark's jobs, a line for each stage; and where it can stop."""

    def __init__(
        self, estimator: str, context: Any, progress: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> None:
        self.context = context
        self._estimator = estimator
        self._progress = progress
        self._cancelled = cancelled

    @contextmanager
    def described(self) -> Iterator[None]:
        """Restores the description of the caller's Spark jobs at the end."""
        before = self.context.getLocalProperty("spark.job.description")
        try:
            yield
        finally:
            self.context.setLocalProperty("spark.job.description", before)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """One stage; its body calls what it is given with the result in words."""
        self._stop_if_cancelled(None)
        self.context.setJobDescription(f"sqlml: TRAIN MODEL {self._estimator}: {name}")
        results: list[str] = []
        started = time.monotonic()
        try:
            yield results.append
        except Exception as error:
            # A job killed from outside fails with an error of Spark's about a cancelled job group.
            self._stop_if_cancelled(error)
            raise
        self._progress(f"{name}: {' '.join(results)} ({time.monotonic() - started:.1f} s)")

    def _stop_if_cancelled(self, cause: Exception | None) -> None:
        if self._cancelled():
            raise SqlmlError("SQLML_CANCELLED", f"Training {self._estimator} was cancelled.") from cause


# -- before and after the fit ------------------------------------------------------------------------------------------


def _grows_trees(estimator: Estimator) -> bool:
    return "maxDepth" in estimator.params


def _check_target(inside: DataFrame, signature: Signature) -> None:
    if signature.task != REGRESSION:
        return
    kind = kind_of(inside.schema["y"].dataType.simpleString())
    if kind not in (NUMBER, BOOLEAN):
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} is not a number, so a regression cannot predict it.",
            hint="Convert it in the query, or set OPTIONS (task = 'classification').",
        )


def _answered(asked: Signature, model: Any) -> Signature:
    """The signature with what the fitted model says of its answers."""
    if asked.task == REGRESSION:
        return asked
    labels = tuple(range(mllib_check.clusters(model))) if asked.task == CLUSTERING else asked.labels
    return replace(asked, labels=labels, probabilities=model.hasParam("probabilityCol"))


# -- how good, how faithful --------------------------------------------------------------------------------------------


def _measure(
    model: Any, rows: mllib_split.Rows, signature: Signature, preparation: Preparation, release: ExitStack
) -> dict[str, float]:
    vectors = mllib_preparation.transform(rows.measured, signature, preparation, keep=rows.answers)
    if signature.task == CLUSTERING:
        scored = _kept(model.transform(vectors).select("x", "prediction"), release)
        return mllib_metrics.clustering(scored)
    scored = model.transform(mllib_algorithm.ready(vectors, model)).drop("x")
    if signature.task == REGRESSION:
        return mllib_metrics.regression(_kept(scored, release))
    scored = _kept(scored.drop("rawPrediction") if signature.probabilities else scored, release)
    return mllib_metrics.classification(
        scored,
        classes=len(rows.labels),
        measured=rows.measured_labels,
        probabilities=signature.probabilities,
    )


def _kept(scored: DataFrame, release: ExitStack) -> DataFrame:
    release.callback(scored.persist(StorageLevel.MEMORY_AND_DISK).unpersist)
    return scored


def compare(
    model: Any,
    onnx: bytes,
    rows: DataFrame,
    signature: Signature,
    preparation: Preparation,
    tolerance: float,
    *,
    inside: bool = False,
) -> Fidelity:
    """MLlib's answers and the graph's, on some of the rows (internal names) and on hard ones.

    Args:
        inside: whether the hard ones stay within the ranges of the others.

    Raises:
        SqlmlError: SQLML_FIDELITY where they differ by more than the tolerance.
    """
    sample = mllib_check.sample(rows, signature, inside=inside)
    positions, scores = mllib_check.score(model, sample, rows, signature, preparation)
    return fidelity.check(onnx, signature, sample.rename_columns(list(signature.names)), positions, scores, tolerance)
