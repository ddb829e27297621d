"""Training by scikit-learn, CatBoost, LightGBM or XGBoost on the rows of an Arrow table. Runs in a child process; see
`sqlml.estimators.trainer`.

The reference model is a Pipeline of the library's own parts: a ColumnTransformer that imputes, scales and encodes, then
the estimator. The ONNX graph is written from the fitted parts and compared with `Pipeline.predict`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from sqlml.errors import SqlmlError
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    SKLEARN,
    Estimator,
    curves,
    fit_warnings,
    metrics,
    resolve,
)
from sqlml.estimators.boosting import libraries as boosting
from sqlml.estimators.library_classes import library_version
from sqlml.estimators.sklearn import check, clusters, split, wrappers
from sqlml.estimators.sklearn import model as sklearn_model
from sqlml.estimators.sklearn import preparation as sklearn_preparation
from sqlml.estimators.sklearn import rows as sklearn_rows
from sqlml.estimators.sklearn.rows import Part, Rows
from sqlml.export import fidelity
from sqlml.export import sklearn as export
from sqlml.jobs.job import SEQUENTIAL, Fidelity, Fitted, Job
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Signature, components


def fit(job: Job, table: pa.Table, progress: Callable[[str], None]) -> Fitted:
    """Fits a job: splits the rows, prepares, fits, converts to ONNX, measures, and compares the two models' scores.

    Args:
        table: has the signature's features and target by name.
        progress: gets a line with its seconds when a stage is done, and the library's warnings.

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE, SQLML_FIDELITY, SQLML_OPTION_INVALID, SQLML_TARGET_INVALID,
            SQLML_TOO_FEW_ROWS.
    """
    # Threads only pay on larger data. On small data they wait for one another, for seconds on a busy machine.
    few = table.num_rows * table.num_columns < sklearn_model.FEW_CELLS
    with threadpool_limits(1 if few else None):
        return _fit(job, resolve(job.estimator, job.signature.task, "sklearn"), table, _Stages(progress))


def _fit(job: Job, estimator: Estimator, table: pa.Table, stages: _Stages) -> Fitted:
    """Fits a job stage by stage: reading, fitting, converting, measuring, comparing, and curves if plots are asked
    for."""
    if estimator.engine in boosting.ENGINES:
        boosting.check(estimator, job)
    with stages.stage("reading") as done:
        rows = sklearn_rows.read(table, job)
        done(f"{len(rows.learned)} rows to learn from, {len(rows.held_out)} held out")

    with stages.stage("fitting") as done:
        sklearn_preparation.check(estimator, job, rows.learned.frame, rows.labels)
        one_hot = not sklearn_model.splits_sets(estimator, job)
        pipeline = _learn(estimator, job, rows)
        preparation = sklearn_preparation.learned(pipeline["prepare"], estimator, job)
        model = pipeline["model"]
        signature = _signature(job.signature, model, rows)
        own = wrappers.inner(model)
        done(f"{type(own).__name__} on {getattr(own, 'n_features_in_', 1)} columns")

    with stages.stage("converting") as done:
        onnx = export.emit(model, signature, preparation, one_hot=one_hot)
        done(f"{len(onnx)} bytes of ONNX")

    with stages.stage("measuring") as done:
        measured_rows = rows.measured()
        with warnings.catch_warnings():
            # scikit-learn's warnings name Python functions, which do not help an author of SQL.
            warnings.simplefilter("ignore")
            measured, answers = _measure(pipeline, measured_rows, rows, signature, estimator)
        values = ", ".join(f"{name} {value:.4g}" for name, value in measured.items())
        done(f"{values} on {len(measured_rows)} rows")

    with stages.stage("comparing") as done:
        compared = _compare(pipeline, onnx, table, measured_rows, signature, preparation, job, estimator=estimator)
        done(f"{compared.rows} rows by {estimator.library} and by ONNX, largest difference {compared.max_abs_diff:.2g}")

    shown: dict[str, Any] = {}
    if job.curves and signature.target is not None:
        with stages.stage("curves") as done:
            shown = curves.shown(
                signature,
                preparation,
                measured_rows.frame,
                measured_rows.target,
                answers,
                lambda inputs: _answers(pipeline, inputs, signature),
                own,
                one_hot=one_hot,
                seed=job.seed,
            )
            done(", ".join(shown))

    return Fitted(
        onnx=onnx,
        signature=signature,
        preparation=preparation,
        metrics=measured,
        fidelity=compared,
        rows=len(rows.learned),
        held_out=len(rows.held_out),
        measured=len(measured_rows),
        params={**sklearn_model.effective(own), **boosting.effective(estimator, model), **job.params},
        library=f"{estimator.library} {library_version(estimator)}{export.converted_by(own)}",
        curves=shown,
        warnings=fit_warnings.of_fit(
            measured, len(rows.held_out), rows.counts, rows.labels, signature.target, unanswered=_unanswered(answers[1])
        ),
    )


def evaluate(
    job: Job, table: pa.Table, *, metric: str | None, folds: int, sample: int | None = None
) -> tuple[str, list[float]]:
    """Scores a job by cross-validation on the rows that are not held out: fits it once without each fold.

    Args:
        metric: a metric that `fit` measures; None for the task's usual one.
        folds: number of folds. With 1, a fifth of the rows is left out once; with a sequential split, the last fifth.
        sample: number of rows to fit to; the fold is still measured on all its rows. None for all.

    Returns:
        The metric's name, and its value for each fold.

    Raises:
        SqlmlError: those of `fit`, and SQLML_OPTION_INVALID for a metric that is not measured here.
    """
    estimator = resolve(job.estimator, job.signature.task, "sklearn")
    if estimator.engine in boosting.ENGINES:
        boosting.check(estimator, job)
    few = table.num_rows * table.num_columns < sklearn_model.FEW_CELLS
    with threadpool_limits(1 if few else None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = sklearn_rows.read(table, job)
        sklearn_preparation.check(estimator, job, rows.learned.frame, rows.labels)
        measured = []
        kept = split.folds(rows, folds)
        if job.split_method == SEQUENTIAL:
            kept = iter([split.latest(rows, job, lambda other: sklearn_rows.read(table, other))])
        for fold in kept:
            if not len(fold.held_out):
                continue
            if sample is not None:
                fold = replace(fold, learned=split.sampled(fold.learned, sample, fold.labels))
            pipeline = _learn(estimator, job, fold)
            signature = _signature(job.signature, pipeline["model"], fold)
            measured.append(_measure(pipeline, fold.held_out, fold, signature, estimator)[0])
    if not measured:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "There are too few rows to hold out some of them for trials and folds.")
    # A small fold may not support a metric, for example if all its rows are of one class.
    name = metrics.chosen(metric, job.signature.task, {key: value for one in measured for key, value in one.items()})
    return name, [one[name] for one in measured if name in one]


class _Stages:
    """Progress lines for the user: one for each stage with its seconds, and the library's warnings."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """A context for one stage; yields a function that its body calls with the result in words."""
        results: list[str] = []
        started = time.monotonic()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("default")
            for about_code in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
                warnings.simplefilter("ignore", about_code)
            yield results.append
        # NumPy's RuntimeWarnings about overflow or 0/0 inside a library say nothing about the model.
        told = [warning for warning in warned if not issubclass(warning.category, RuntimeWarning)]
        for line in dict.fromkeys(str(warning.message).strip().splitlines()[0] for warning in told):
            self._progress(f"warning: {line}")
        self._progress(f"{name}: {' '.join(results)} ({time.monotonic() - started:.1f} s)")


# -- the pipeline ------------------------------------------------------------------------------------------------------


def _learn(estimator: Estimator, job: Job, rows: Rows) -> Pipeline:
    """The Pipeline of preparation and estimator, fitted to the rows that are not held out."""
    one_hot = not sklearn_model.splits_sets(estimator, job)
    steps = sklearn_preparation.steps(estimator, job, rows=len(rows.learned), one_hot=one_hot)
    pipeline = Pipeline([*steps, ("model", sklearn_model.build(estimator, job, rows))])
    sklearn_model.run(pipeline, rows, job, estimator)
    return pipeline


def _signature(asked: Signature, model: Any, rows: Rows) -> Signature:
    """The signature completed with outputs, labels and probabilities as the fitted model has them."""
    probabilities = asked.task == REGRESSION or hasattr(model, "predict_proba")
    labels = rows.labels
    if asked.task == ANOMALY_DETECTION:
        labels = (False, True)
    elif asked.task == CLUSTERING:
        labels = tuple(range(clusters.count(model)))
    elif asked.task == DIMENSIONALITY_REDUCTION:
        asked = replace(asked, outputs=components(len(model.components_)))
    return replace(asked, labels=labels, probabilities=probabilities)


# Classifiers whose `predict` is the argmax of `predict_proba` and takes as long, so one call serves both. Others, such
# as HistGradientBoostingClassifier, take the argmax of raw scores, before they are rounded to probabilities.
_BY_PROBABILITY = ("ExtraTreesClassifier", "LGBMClassifier", "RandomForestClassifier")

# -- metrics and the fidelity check ------------------------------------------------------------------------------------


def _answers(pipeline: Pipeline, inputs: pd.DataFrame, signature: Signature) -> tuple[Any, NDArray[np.float64]]:
    """The library's own predictions: label indices [rows] and probabilities or scores [rows, classes]; or None, and
    predictions [rows] or coordinates [rows, components]."""
    # The prepared matrix is computed once for all calls of the model.
    model, x = pipeline["model"], pipeline[:-1].transform(inputs)
    if signature.task == REGRESSION:
        # Some estimators return a column [rows, 1] for some parameters.
        return None, np.asarray(model.predict(x)).reshape(len(inputs))
    if signature.task == DIMENSIONALITY_REDUCTION:
        return None, model.transform(x)
    if type(model).__name__ in _BY_PROBABILITY:
        probabilities = model.predict_proba(x)
        return model.classes_.take(np.argmax(probabilities, axis=1)), probabilities
    # CatBoost returns a column for more than two classes.
    predicted = np.ravel(model.predict(x))
    if signature.task == ANOMALY_DETECTION:
        score = -model.decision_function(x)
        return (predicted == -1).astype(np.int64), np.column_stack([-score, score])
    if signature.probabilities:
        return predicted, model.predict_proba(x)
    if signature.task == CLUSTERING:
        return predicted, clusters.scores(model, x)
    scores = model.decision_function(x)
    return predicted, np.column_stack([-scores, scores]) if scores.ndim == 1 else scores


def _measure(
    pipeline: Pipeline, measured_rows: Part, rows: Rows, signature: Signature, estimator: Estimator
) -> tuple[dict[str, float], curves.Answers]:
    """The metrics on the measured rows, and the predictions they were computed from."""
    inputs, actual = measured_rows.frame, measured_rows.target
    predicted, scores = _answers(pipeline, inputs, signature)
    unknown = _unanswered(scores)
    if unknown and not (estimator.abstains and unknown < len(inputs)):
        own = wrappers.inner(pipeline["model"])
        near = f"No row to learn from is within radius = {own.radius:g} of them." if hasattr(own, "radius") else ""
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"The fit of {type(own).__name__} failed: its predictions for {unknown} of {len(inputs)} rows are NaN.",
            hint=sklearn_model.constant(rows.learned.frame) or near,
        )
    if signature.task == REGRESSION:
        found = metrics.regression(actual, scores)
    elif signature.task == ANOMALY_DETECTION:
        found = metrics.anomaly_detection(predicted)
    elif signature.task == DIMENSIONALITY_REDUCTION:
        x = pipeline[:-1].transform(inputs)
        found = metrics.dimensionality_reduction(x, pipeline["model"].inverse_transform(scores))
    elif signature.task == CLUSTERING:
        found = metrics.clustering(pipeline[:-1].transform(inputs), predicted)
    else:
        found = metrics.classification(actual, predicted, scores, probabilities=signature.probabilities)
    return found, (predicted, scores)


def _unanswered(scores: NDArray[np.float64]) -> int:
    """The number of rows in which a score or a prediction is NaN."""
    return int(np.isnan(scores.reshape(len(scores), -1)).any(axis=1).sum())


def _compare(
    pipeline: Pipeline,
    onnx: bytes,
    table: pa.Table,
    measured_rows: Part,
    signature: Signature,
    preparation: Preparation,
    job: Job,
    *,
    estimator: Estimator,
) -> Fidelity:
    """The fidelity check: scores sample rows and edge cases with the library and with the graph, and compares them."""
    chosen = measured_rows.source[: check.MOST_ROWS]
    thresholds = check.thresholds(export.ensemble(pipeline["model"]), preparation)
    sample = check.rows(
        table.take(pa.array(chosen)),
        signature.features,
        thresholds,
        inside=estimator.noisy,
        single=estimator.single and estimator.engine == SKLEARN,
    )
    inputs = sklearn_rows.frame(signature.features, sample.columns)
    predicted, scores = _answers(pipeline, inputs, signature)
    return fidelity.check(onnx, signature, sample, predicted, scores, job.tolerance)
