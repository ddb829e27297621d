"""Training by Spark MLlib where the rows are: nothing but a sample for the fidelity check comes to the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyspark
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from sqlml.errors import SqlmlError
from sqlml.estimators import (
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    MLLIB,
    REGRESSION,
    Estimator,
    fit_warnings,
    label_options,
    metrics,
    resolve,
    target_ranges,
)
from sqlml.estimators.boosting import libraries as boosting
from sqlml.estimators.mllib import algorithm as mllib_algorithm
from sqlml.estimators.mllib import check, columns, curves, parts, split, survival
from sqlml.estimators.mllib import metrics as mllib_metrics
from sqlml.estimators.mllib import preparation as mllib_preparation
from sqlml.estimators.mllib.split import Rows
from sqlml.estimators.mllib.stages import Stages
from sqlml.export import fidelity
from sqlml.export import mllib as export
from sqlml.jobs.job import Fidelity, Fitted, Job
from sqlml.jobs.preparation import Preparation
from sqlml.signature import BOOLEAN, NUMBER, Signature, components, kind_of

# Trials at a time: while the driver of one computes, the executors work for another.
TRIALS_AT_ONCE = 2


@contextmanager
def opened(
    job: Job,
    frame: DataFrame,
    progress: Callable[[str], None],
    cancelled: Callable[[], bool],
    *,
    title: str | None = None,
) -> Iterator[Training]:
    """The rows, read once for trials, folds and the fit.

    Args:
        job: hyperparameters may still be missing from it.
        frame: has the job's columns by name; any number of rows. Its query runs once.
        progress: gets a line when a stage is done, with its seconds.
        cancelled: asked between stages; running Spark jobs are stopped by their job group, from outside.
        title: what Spark's jobs are described by; the estimator's name where it is None.
    """
    stages = Stages(title or job.estimator, frame.sparkSession.sparkContext, progress, cancelled)
    with ExitStack() as release:
        release.enter_context(stages.described())
        yield Training(job, frame, stages, release)


def fit(job: Job, frame: DataFrame, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Fitted:
    """`Training.fit` for who wants nothing else of the rows."""
    with opened(job, frame, progress, cancelled) as training:
        return training.fit(job)


@dataclass(frozen=True)
class _Prepared:
    """Vectors that are fitted to and, where rows are held out, measured on; both cached."""

    rows: Rows
    preparation: Preparation
    train: DataFrame
    measured: DataFrame


class Training:
    """One statement's rows and what is learned from them. Made by `opened`."""

    def __init__(self, job: Job, frame: DataFrame, stages: Stages, release: ExitStack) -> None:
        self._job = job
        self._estimator = resolve(job.estimator, job.signature.task, MLLIB)
        self._frame = frame
        self._stages = stages
        self._release = release
        self._rows: Rows | None = None
        self._of_folds = release.enter_context(ExitStack())
        self._folds: list[_Prepared] = []

    def cut(self, count: int) -> None:
        """Prepares the rows that are not held out for `evaluate`; see `split.folds`.

        Raises:
            SqlmlError: what `fit` raises before it fits.
        """
        mllib_algorithm.build(self._estimator, self._job)
        rows = self._read()
        with self._stages.stage("preparing") as done:
            for fold in split.folds(rows, count):
                self._folds.append(self._prepared(fold, self._of_folds))
            if not self._folds:
                raise SqlmlError("SQLML_TOO_FEW_ROWS", "There are too few rows to leave some out for trials and folds.")
            sizes = ", ".join(str(fold.rows.held_out) for fold in self._folds)
            done(f"folds of {sizes} rows" if count > 1 else f"{sizes} rows left out of {rows.training}")

    def evaluate(self, job: Job, name: str, *, metric: str | None) -> tuple[str, list[float]]:
        """How good a job is on each fold, fitted without it. Called on any thread, by several at once.

        Args:
            job: that of `opened`, with other hyperparameters.
            name: what is evaluated: `trial 3 of 20`.
            metric: one that `fit` measures; None for the task's usual one.

        Returns:
            The metric's name, and its value for each fold that has one.

        Raises:
            SqlmlError: SQLML_CANCELLED, SQLML_ENGINE_FAILED, SQLML_OPTION_INVALID.
        """
        measured = []
        with self._stages.aside(name):
            algorithm = mllib_algorithm.build(self._estimator, job)
            for fold in self._folds:
                mllib_algorithm.check_classes(self._estimator, job, self._signature(fold.rows))
                with ExitStack() as release:
                    measured.append(self._score(job, algorithm, fold, release))
                self._stages.stop_if_cancelled(None)
        # A small fold may lack what a metric needs, such as rows of both classes.
        known = {key: value for one in measured for key, value in one.items()}
        chosen = metrics.chosen(metric, job.signature.task, known)
        return chosen, [one[chosen] for one in measured if chosen in one]

    def _score(self, job: Job, algorithm: Any, fold: _Prepared, release: ExitStack) -> dict[str, float]:
        try:
            model = self._fitted(job, algorithm, fold)
            signature = _answered(self._signature(fold.rows), model)
            return _measure(model, _scored(model, fold, signature, release), fold.rows, signature)
        except (Py4JJavaError, PySparkException) as error:
            self._stages.failed(error)
            self._stages.stop_if_cancelled(error)
            # One trial's failure, and not the search's.
            said = str(getattr(error, "java_exception", error)).strip().splitlines()
            raise SqlmlError("SQLML_ENGINE_FAILED", f"Spark MLlib failed: {said[0] if said else error!r}") from error

    def cancelled(self) -> bool:
        """Whether the client has cancelled; if so, ends the jobs of trials that run now."""
        return self._stages.cancelled()

    def fit(self, job: Job) -> Fitted:
        """Prepares, fits, converts, measures and compares.

        Raises:
            SqlmlError: SQLML_CANCELLED, SQLML_ENGINE_FAILED, SQLML_FEATURE_UNUSABLE, SQLML_FIDELITY,
                SQLML_OPTION_INVALID, SQLML_TARGET_INVALID, SQLML_TOO_FEW_ROWS.
        """
        self._of_folds.close()
        estimator, stages = self._estimator, self._stages
        algorithm = mllib_algorithm.build(estimator, job)
        rows = self._read()
        mllib_algorithm.check_classes(estimator, job, self._signature(rows))
        if job.signature.task == REGRESSION and target_ranges.of(estimator, job) is not None:
            least, most = rows.train.agg(F.min("label"), F.max("label")).first() or (0.0, 0.0)
            target_ranges.check(estimator, job, least, most)

        with stages.stage("preparing") as done:
            prepared = self._prepared(rows, self._release)
            preparation = prepared.preparation
            done(f"{len(job.signature.features)} features")

        with stages.stage("fitting") as done:
            model = self._fitted(job, algorithm, prepared)
            prepared.train.unpersist()
            signature = _answered(self._signature(rows), model)
            done(f"{type(model).__name__} to {rows.training} rows")

        with stages.stage("converting") as done:
            onnx = export.emit(model, parts.parts(model, stages.context), signature, preparation)
            done(f"{len(onnx)} bytes of ONNX")

        with stages.stage("measuring") as done:
            scored = _scored(model, prepared, signature, self._release)
            measured = _measure(model, scored, rows, signature)
            values = ", ".join(f"{name} {value:.4g}" for name, value in measured.items())
            done(f"{values} on {rows.held_out or rows.training} rows")

        with stages.stage("comparing") as done:
            compared = compare(
                model, onnx, rows.measured, signature, preparation, job.tolerance, inside=estimator.noisy
            )
            done(f"{compared.rows} rows by MLlib and by ONNX, largest difference {compared.max_abs_diff:.2g}")

        shown: dict[str, Any] = {}
        if job.curves and signature.target is not None:
            with stages.stage("curves") as done:
                shown = curves.shown(model, scored, rows, onnx, signature, preparation, measured, job.seed)
                done(", ".join(shown))

        return Fitted(
            onnx=onnx,
            signature=signature,
            preparation=preparation,
            metrics=measured,
            fidelity=compared,
            rows=rows.training,
            held_out=rows.held_out,
            measured=rows.held_out or rows.training,
            params=mllib_algorithm.effective(algorithm, model, estimator),
            library=f"{estimator.library} {_version(estimator)}",
            curves=shown,
            warnings=fit_warnings.of_fit(measured, rows.held_out, rows.counts, rows.labels, signature.target),
        )

    # -- steps that trials and the fit share ---------------------------------------------------------------------------

    def _read(self) -> Rows:
        if self._rows is None:
            job = self._job
            with self._stages.stage("reading") as done:
                others = {"s": job.split_column, "w": job.weight_column, "c": job.censor_column}
                inside = columns.internal(self._frame, job.signature, **others)
                if self._estimator.censored:
                    inside = survival.marked(inside, job)
                _check_target(inside, job.signature)
                least = 2 if _grows_trees(self._estimator) else 1
                rows = split.split(inside, job, least_partitions=least, release=self._release)
                label_options.check_encodings(job, rows.labels)
                seen = f", {survival.check(rows.all, job)}" if self._estimator.censored else ""
                done(f"{rows.training} rows to learn from, {rows.held_out} held out{seen}")
            self._rows = rows
        return self._rows

    def _signature(self, rows: Rows) -> Signature:
        return replace(self._job.signature, labels=rows.labels)

    def _prepared(self, rows: Rows, release: ExitStack) -> _Prepared:
        preparation, train = mllib_preparation.fit_transform(
            rows.train, self._job, estimator=self._estimator, rows=rows.training, keep=rows.learned_columns
        )
        measured = mllib_preparation.transform(rows.measured, self._job.signature, preparation, keep=rows.answers)
        return _Prepared(rows, preparation, _kept(train, release), _kept(measured, release))

    def _fitted(self, job: Job, algorithm: Any, prepared: _Prepared) -> Any:
        train = mllib_algorithm.ready(prepared.train, algorithm)
        width, classes, rows = prepared.preparation.width, len(prepared.rows.labels), prepared.rows.training
        return mllib_algorithm.run(algorithm, train, self._estimator, job, rows=rows, width=width, classes=classes)


# -- before and after the fit ------------------------------------------------------------------------------------------


def _grows_trees(estimator: Estimator) -> bool:
    return "maxDepth" in estimator.params


def _version(estimator: Estimator) -> str:
    return str(pyspark.__version__) if estimator.engine == MLLIB else boosting.version(estimator)


def _check_target(inside: DataFrame, signature: Signature) -> None:
    if signature.task != REGRESSION:
        return
    kind = kind_of(inside.schema["y"].dataType.simpleString())
    if kind not in (NUMBER, BOOLEAN):
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} is not a number, so a regression cannot predict it.",
            hint="Convert it in the query, or name an estimator for classification.",
        )


def _answered(asked: Signature, model: Any) -> Signature:
    """The signature with what the fitted model says of its answers."""
    if asked.task == REGRESSION:
        return asked
    if asked.task == DIMENSIONALITY_REDUCTION:
        return replace(asked, outputs=components(model.pc.numCols))
    labels = tuple(range(check.clusters(model))) if asked.task == CLUSTERING else asked.labels
    return replace(asked, labels=labels, probabilities=model.hasParam("probabilityCol"))


# -- how good, how faithful --------------------------------------------------------------------------------------------


def _scored(model: Any, prepared: _Prepared, signature: Signature, release: ExitStack) -> DataFrame:
    """The measured rows with the model's answers, as `mllib_metrics` takes them; cached."""
    vectors = prepared.measured
    if signature.task in (CLUSTERING, DIMENSIONALITY_REDUCTION):
        return _kept(model.transform(vectors).select("x", "prediction"), release)
    scored = model.transform(mllib_algorithm.ready(vectors, model)).drop("x")
    return _kept(scored.drop("rawPrediction") if signature.probabilities else scored, release)


def _measure(model: Any, scored: DataFrame, rows: Rows, signature: Signature) -> dict[str, float]:
    if signature.task == DIMENSIONALITY_REDUCTION:
        # MLlib's own: of the rows that it learned from.
        return {"explained_variance": float(sum(model.explainedVariance))}
    if signature.task == CLUSTERING:
        return mllib_metrics.clustering(scored)
    if "censor" in rows.answers:
        return survival.metrics(scored)
    if signature.task == REGRESSION:
        return mllib_metrics.regression(scored, rows=rows.held_out or rows.training)
    return mllib_metrics.classification(
        scored,
        classes=len(rows.labels),
        measured=rows.measured_labels,
        probabilities=signature.probabilities,
    )


def _kept(frame: DataFrame, release: ExitStack) -> DataFrame:
    release.callback(frame.persist(StorageLevel.MEMORY_AND_DISK).unpersist)
    return frame


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
    sample = check.sample(rows, signature, inside=inside)
    positions, scores = check.score(model, sample, rows, signature, preparation)
    return fidelity.check(onnx, signature, sample.rename_columns(list(signature.names)), positions, scores, tolerance)
