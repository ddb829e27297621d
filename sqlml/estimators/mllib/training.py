"""Training by Spark MLlib: prepares, fits, converts to ONNX, measures and checks fidelity, all on the cluster.

The rows stay on the executors. The driver only gets aggregates, the fitted model and a sample for the fidelity check.
`Training` serves one statement: trials and folds call `cut` and `evaluate`, the final model comes from `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

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
from sqlml.estimators.library_classes import library_version
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

# Two concurrent trials: while the driver computes for one, the executors work for the other.
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
    """A context with a `Training` whose rows are read once for trials, folds and the fit; releases the caches at its
    end.

    Args:
        job: hyperparameters may still be missing from it.
        frame: has the job's columns by name; any number of rows. Its query runs once.
        progress: gets a line when a stage is done, with its seconds.
        cancelled: asked between stages; running Spark jobs are stopped by their job group, from outside.
        title: the description of the Spark jobs; None for the estimator's name.
    """
    stages = Stages(title or job.estimator, frame.sparkSession.sparkContext, progress, cancelled)
    with ExitStack() as release:
        release.enter_context(stages.described())
        yield Training(job, frame, stages, release)


def fit(job: Job, frame: DataFrame, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Fitted:
    """Opens a `Training`, fits one job and closes it again."""
    with opened(job, frame, progress, cancelled) as training:
        return training.fit(job)


@dataclass(frozen=True)
class _Prepared:
    """Prepared vectors, both cached: `train` to fit to, and `measured` to measure on (the held-out rows, if there are
    any)."""

    rows: Rows
    preparation: Preparation
    train: DataFrame
    measured: DataFrame


class Training:
    """One statement's rows and the models fitted to them. Made by `opened`."""

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
        """Cuts the rows that are not held out into folds and prepares them for `evaluate`; see `split.folds`.

        Raises:
            SqlmlError: the same errors that `fit` raises before it fits.
        """
        mllib_algorithm.build(self._estimator, self._job)
        rows = self._read()
        with self._stages.stage("preparing") as done:
            for fold in split.folds(rows, count):
                self._folds.append(self._prepared(fold, self._of_folds))
            if not self._folds:
                raise SqlmlError(
                    "SQLML_TOO_FEW_ROWS", "There are too few rows to hold out some of them for trials and folds."
                )
            sizes = ", ".join(str(fold.rows.held_out) for fold in self._folds)
            done(f"folds of {sizes} rows" if count > 1 else f"{sizes} rows left out of {rows.training}")

    def evaluate(self, job: Job, name: str, *, metric: str | None) -> tuple[str, list[float]]:
        """Scores a job by cross-validation: fits it once without each fold. Thread-safe.

        Args:
            job: the job given to `opened`, with other hyperparameters.
            name: a label for the Spark jobs, such as `trial 3 of 20`.
            metric: a metric that `fit` measures; None for the task's usual one.

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
        # A small fold may not support a metric, for example if all its rows are of one class.
        known = {key: value for one in measured for key, value in one.items()}
        chosen = metrics.chosen(metric, job.signature.task, known)
        return chosen, [one[chosen] for one in measured if chosen in one]

    def _score(self, job: Job, algorithm: Any, fold: _Prepared, release: ExitStack) -> dict[str, float]:
        """Fits to a fold and returns the metrics on its held-out rows."""
        try:
            model = self._fitted(job, algorithm, fold)
            signature = _answered(self._signature(fold.rows), model)
            return _measure(model, _scored(model, fold, signature, release), fold.rows, signature)
        except (Py4JJavaError, PySparkException) as error:
            self._stages.failed(error)
            self._stages.stop_if_cancelled(error)
            # This error fails one trial, not the whole search.
            lines = str(getattr(error, "java_exception", error)).strip().splitlines()
            raise SqlmlError("SQLML_ENGINE_FAILED", f"Spark MLlib failed: {lines[0] if lines else error!r}") from error

    def cancelled(self) -> bool:
        """True if the client has cancelled; in that case the Spark jobs of running trials are cancelled too."""
        return self._stages.cancelled()

    def fit(self, job: Job) -> Fitted:
        """Fits the final model: prepares, fits, converts to ONNX, measures, and compares ONNX's scores with MLlib's.

        Raises:
            SqlmlError: SQLML_CANCELLED, SQLML_ENGINE_FAILED, SQLML_FEATURE_UNUSABLE, SQLML_FIDELITY,
                SQLML_OPTION_INVALID, SQLML_TARGET_INVALID, SQLML_TOO_FEW_ROWS.
        """
        self._of_folds.close()
        estimator, stages = self._estimator, self._stages
        algorithm = mllib_algorithm.build(estimator, job)
        rows = self._read()
        mllib_algorithm.check_classes(estimator, job, self._signature(rows))
        # An XGBoost or GLM loss may be defined for positive or bounded targets only.
        if job.signature.task == REGRESSION and target_ranges.of(estimator, job.params) is not None:
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
            library=f"{estimator.library} {library_version(estimator)}",
            curves=shown,
            warnings=fit_warnings.of_fit(measured, rows.held_out, rows.counts, rows.labels, signature.target),
        )

    # -- steps that trials and the fit share ---------------------------------------------------------------------------

    def _read(self) -> Rows:
        """Reads, checks and splits the rows once; later calls return the same rows."""
        if self._rows is None:
            job = self._job
            with self._stages.stage("reading") as done:
                mllib_algorithm.check_executors(self._estimator, job.signature.task, self._stages.context)
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
        """Learns the preparation from the training rows and applies it to both sets of rows; caches the vectors."""
        preparation, train = mllib_preparation.fit_transform(
            rows.train, self._job, estimator=self._estimator, rows=rows.training, keep=rows.learned_columns
        )
        measured = mllib_preparation.transform(rows.measured, self._job.signature, preparation, keep=rows.answers)
        return _Prepared(rows, preparation, _kept(train, release), _kept(measured, release))

    def _fitted(self, job: Job, algorithm: Any, prepared: _Prepared) -> Any:
        """Runs MLlib's estimator on the prepared training rows."""
        train = mllib_algorithm.ready(prepared.train, algorithm)
        width, classes, rows = prepared.preparation.width, len(prepared.rows.labels), prepared.rows.training
        return mllib_algorithm.run(algorithm, train, self._estimator, job, rows=rows, width=width, classes=classes)


# -- before and after the fit ------------------------------------------------------------------------------------------


def _grows_trees(estimator: Estimator) -> bool:
    return "maxDepth" in estimator.params


def _check_target(inside: DataFrame, signature: Signature) -> None:
    """Raises SqlmlError SQLML_TARGET_INVALID for a regression whose target is not numeric."""
    if signature.task != REGRESSION:
        return
    kind = kind_of(inside.schema["y"].dataType.simpleString())
    if kind not in (NUMBER, BOOLEAN):
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} is not a number, so a regression cannot predict it.",
            hint="Convert it to a number in the query, or use an estimator for classification.",
        )


def _answered(signature: Signature, model: Any) -> Signature:
    """The signature completed with outputs, labels and probabilities as the fitted model has them."""
    if signature.task == REGRESSION:
        return signature
    if signature.task == DIMENSIONALITY_REDUCTION:
        return replace(signature, outputs=components(model.pc.numCols))
    labels = tuple(range(check.clusters(model))) if signature.task == CLUSTERING else signature.labels
    return replace(signature, labels=labels, probabilities=model.hasParam("probabilityCol"))


# -- how good, how faithful --------------------------------------------------------------------------------------------


def _scored(model: Any, prepared: _Prepared, signature: Signature, release: ExitStack) -> DataFrame:
    """The measured rows with the model's predictions, in the columns that `mllib_metrics` expects; cached."""
    vectors = prepared.measured
    if signature.task in (CLUSTERING, DIMENSIONALITY_REDUCTION):
        return _kept(model.transform(vectors).select("x", "prediction"), release)
    scored = model.transform(mllib_algorithm.ready(vectors, model)).drop("x")
    return _kept(scored.drop("rawPrediction") if signature.probabilities else scored, release)


def _measure(model: Any, scored: DataFrame, rows: Rows, signature: Signature) -> dict[str, float]:
    """The metrics of the model's task on the scored rows."""
    if signature.task == DIMENSIONALITY_REDUCTION:
        # MLlib reports this for the rows it was fitted to, not for the held-out rows.
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
    """Caches a frame until the context is released."""
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
    """Compares MLlib's scores with the ONNX graph's, on a sample of the rows (internal names) and on edge-case rows.

    Args:
        inside: True if edge-case values must stay within the ranges of the sampled rows.

    Raises:
        SqlmlError: SQLML_FIDELITY where they differ by more than the tolerance.
    """
    sample = check.sample(rows, signature, inside=inside)
    positions, scores = check.score(model, sample, rows, signature, preparation)
    return fidelity.check(onnx, signature, sample.rename_columns(list(signature.names)), positions, scores, tolerance)
