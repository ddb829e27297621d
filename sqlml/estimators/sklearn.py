"""Training by scikit-learn on the rows of an Arrow table. Runs in a child process; see `sqlml.estimators.trainer`.

The reference is a Pipeline of scikit-learn's own parts: impute, scale and one-hot encode in a ColumnTransformer, then
the estimator. Its graph is written from what the parts have learned, and compared with `Pipeline.predict`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sklearn
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    Estimator,
    boosting,
    curves,
    label_options,
    metrics,
    resolve,
    sklearn_check,
    sklearn_members,
    sklearn_neighbors,
    sklearn_preparation,
    sklearn_rows,
    sklearn_split,
)
from sqlml.estimators.job import SEQUENTIAL, Fidelity, Fitted, Job
from sqlml.estimators.preparation import MAX_CATEGORIES, Preparation
from sqlml.estimators.sklearn_rows import Rows
from sqlml.export import fidelity
from sqlml.export import sklearn as export
from sqlml.signature import Signature, components

# Where scikit-learn keeps its classes; those used most come first.
_MODULES = (
    "ensemble",
    "linear_model",
    "tree",
    "cluster",
    "decomposition",
    "discriminant_analysis",
    "gaussian_process",
    "mixture",
    "naive_bayes",
    "neural_network",
    "svm",
)
# Estimators whose threads do not change what they learn.
_THREADED = ("extra_trees", "isolation_forest", "random_forest")
_FEW_CELLS = 1_000_000
_NOT_HYPERPARAMETERS = (
    "categorical_features",
    "cache_size",
    "copy_X",
    "copy_x",
    "device",
    "estimator",
    "feature_types",
    "force_row_wise",
    "missing",
    "n_jobs",
    "novelty",
    "verbose",
    "verbosity",
    "verbose_interval",
    "warm_start",
)


def fit(job: Job, table: pa.Table, progress: Callable[[str], None]) -> Fitted:
    """Splits, prepares, fits, converts, measures and compares.

    Args:
        table: has the signature's features and target by name.
        progress: gets a line when a stage is done, with its seconds, and the library's warnings.

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE, SQLML_FIDELITY, SQLML_OPTION_INVALID, SQLML_TARGET_INVALID,
            SQLML_TOO_FEW_ROWS.
    """
    # Threads pay from a certain size on; below it they wait for one another, for seconds on a busy machine.
    few = table.num_rows * table.num_columns < _FEW_CELLS
    with threadpool_limits(1 if few else None):
        return _fit(job, resolve(job.estimator, job.signature.task, "sklearn"), table, _Stages(progress))


def _fit(job: Job, estimator: Estimator, table: pa.Table, stages: _Stages) -> Fitted:
    if estimator.engine in boosting.ENGINES:
        boosting.check(estimator, job)
    with stages.stage("reading") as done:
        rows = sklearn_rows.read(table, job)
        held_out = int(rows.held.sum())
        done(f"{len(rows.held) - held_out} rows to learn from, {held_out} held out")

    with stages.stage("fitting") as done:
        sklearn_preparation.check(estimator, job, rows.frame[~rows.held], rows.labels)
        one_hot = not _splits_sets(estimator, job)
        pipeline = _learn(estimator, job, rows)
        preparation = sklearn_preparation.learned(pipeline["prepare"], job)
        model = pipeline["model"]
        signature = _signature(job.signature, model, rows)
        done(f"{type(model).__name__} on {model.n_features_in_} columns")

    with stages.stage("converting") as done:
        onnx = export.emit(model, signature, preparation, one_hot=one_hot)
        done(f"{len(onnx)} bytes of ONNX")

    with stages.stage("measuring") as done:
        measured, answers = _measure(pipeline, rows, signature)
        done(", ".join(f"{name} {value:.4g}" for name, value in measured.items()))

    with stages.stage("comparing") as done:
        compared = _compare(pipeline, onnx, table, rows, signature, preparation, job, inside=estimator.noisy)
        done(f"{compared.rows} rows by {estimator.library} and by ONNX, largest difference {compared.max_abs_diff:.2g}")

    shown: dict[str, Any] = {}
    if job.curves and signature.target is not None:
        with stages.stage("curves") as done:
            chosen = _measured_on(rows)
            inputs, actual = rows.frame[chosen], rows.target[chosen]
            shown = curves.shown(
                signature,
                preparation,
                inputs,
                actual,
                answers,
                lambda some: _answers(pipeline, some, signature),
                model,
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
        rows=len(rows.held) - held_out,
        held_out=held_out,
        params={**_effective(model), **boosting.effective(estimator, model), **job.params},
        library=f"{estimator.library} {_version(estimator)}",
        curves=shown,
    )


def evaluate(
    job: Job, table: pa.Table, *, metric: str | None, folds: int, sample: int | None = None
) -> tuple[str, list[float]]:
    """How good the estimator is on rows that it is fitted without, among those that are not held out.

    Args:
        metric: one that `fit` measures; None for the task's usual one.
        folds: of cross-validation; with 1 a fifth of the rows is left out once; of an order the last fifth.
        sample: how many rows it learns from, whatever the number of those it is measured on; None for all.

    Returns:
        The metric's name, and its value for each fold.

    Raises:
        SqlmlError: those of `fit`, and SQLML_OPTION_INVALID for a metric that is not measured here.
    """
    estimator = resolve(job.estimator, job.signature.task, "sklearn")
    if estimator.engine in boosting.ENGINES:
        boosting.check(estimator, job)
    few = table.num_rows * table.num_columns < _FEW_CELLS
    with threadpool_limits(1 if few else None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = sklearn_rows.read(table, job)
        sklearn_preparation.check(estimator, job, rows.frame[~rows.held], rows.labels)
        measured = []
        kept = sklearn_split.folds(rows, folds)
        if job.split_method == SEQUENTIAL:
            kept = iter([sklearn_split.latest(rows, job, lambda other: sklearn_rows.read(table, other))])
        for fold in kept:
            if not fold.held.any():
                continue
            if sample is not None:
                fold = sklearn_split.thinned(fold, sample)
            pipeline = _learn(estimator, job, fold)
            measured.append(_measure(pipeline, fold, _signature(job.signature, pipeline["model"], fold))[0])
    if not measured:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "There are too few rows to leave some out for trials and folds.")
    # A small fold may lack what a metric needs, such as rows of both classes.
    name = metrics.chosen(metric, job.signature.task, {key: value for one in measured for key, value in one.items()})
    return name, [one[name] for one in measured if name in one]


class _Stages:
    """What the user sees while it works: a line for each stage, and what the library warns of."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """One stage; its body calls what it is given with the result in words."""
        results: list[str] = []
        started = time.monotonic()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("default")
            for about_code in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
                warnings.simplefilter("ignore", about_code)
            yield results.append
        for line in dict.fromkeys(str(warning.message).strip().splitlines()[0] for warning in warned):
            self._progress(f"warning: {line}")
        self._progress(f"{name}: {' '.join(results)} ({time.monotonic() - started:.1f} s)")


# -- the pipeline ------------------------------------------------------------------------------------------------------


def _learn(estimator: Estimator, job: Job, rows: Rows) -> Pipeline:
    """The pipeline, fitted to the rows that are not held out."""
    one_hot = not _splits_sets(estimator, job)
    steps = sklearn_preparation.steps(estimator, job, one_hot=one_hot)
    pipeline = Pipeline([*steps, ("model", _model(estimator, job, rows))])
    _run(pipeline, rows.frame[~rows.held], rows.target[~rows.held], job, rows, estimator)
    return pipeline


def _model(estimator: Estimator, job: Job, rows: Rows) -> Any:
    """The library's own estimator with the job's hyperparameters."""
    given = job.params.get("class_weight")
    if isinstance(given, dict):
        by_position = label_options.by_position("class_weight", given, rows.labels)
        job = replace(job, params={**job.params, "class_weight": by_position})
    if estimator.engine in boosting.ENGINES:
        few = rows.frame.size < _FEW_CELLS
        return boosting.model(estimator, job, {**estimator.defaults, **job.params}, threads=1 if few else -1)
    name = estimator.classes[job.signature.task]
    kind = _class(name)
    known = inspect.signature(kind).parameters
    params = {**estimator.defaults, **job.params}
    if estimator.noun in sklearn_members.COMBINED:
        params |= _members(job, rows, params)
    for option in params:
        if option not in known:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option} is no option of {name}.",
                hint=did_you_mean(option, set(known) & set(estimator.params)),
            )
    if "random_state" in known:
        params["random_state"] = job.seed
    if _splits_sets(estimator, job):
        numbers = len(sklearn_rows.number_columns(job.signature.features))
        texts = len(job.texts)
        params["categorical_features"] = list(range(numbers, numbers + texts)) or None
    if estimator.noun in _THREADED:
        params["n_jobs"] = -1
    if "novelty" in known:
        params["novelty"] = True
    # Early stopping, which begins by itself beyond 10,000 rows, holds out rows of every class, and needs two of each.
    if "early_stopping" in known and rows.labels and np.bincount(rows.target[~rows.held]).min() < 2:
        params.setdefault("early_stopping", False)
    return kind(**params)


def _members(job: Job, rows: Rows, params: dict[str, Any]) -> dict[str, Any]:
    """The estimators that voting and stacking combine, in place of their names."""
    task = job.signature.task

    def make(row: Estimator) -> Any:
        # Their matrix is one-hot, whatever trees could do with categories.
        made = _model(replace(row, sets=False), replace(job, estimator=row.name, params={}), rows)
        # Stacking learns from what they predict, which threads would add up in another order each time.
        return made.set_params(n_jobs=None) if "n_jobs" in made.get_params() else made

    found: dict[str, Any] = {"estimators": sklearn_members.members(params.get("estimators"), task, "estimators", make)}
    if "final_estimator" in params:
        found["final_estimator"] = make(sklearn_members.member(params["final_estimator"], task, "final_estimator"))
    if job.estimator.endswith("voting") and task == CLASSIFICATION:
        # By probabilities: votes alone would have none.
        found["voting"] = "soft"
        mute = [name for name, made in found["estimators"] if not hasattr(made, "predict_proba")]
        if mute:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"estimators: voting takes the mean of probabilities, and {mute[0]} has none.",
                hint="Leave it out, or combine by stacking.",
            )
    return found


def _class(name: str) -> Any:
    if hasattr(sklearn_neighbors, name):
        return getattr(sklearn_neighbors, name)
    modules = (importlib.import_module(f"sklearn.{module}") for module in _MODULES)
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def _signature(asked: Signature, model: Any, rows: Rows) -> Signature:
    """The signature with what the fitted model says of its answers."""
    probabilities = asked.task == REGRESSION or hasattr(model, "predict_proba")
    labels = rows.labels
    if asked.task == ANOMALY_DETECTION:
        labels = (False, True)
    elif asked.task == CLUSTERING:
        labels = tuple(range(len(getattr(model, "weights_", getattr(model, "cluster_centers_", ())))))
    elif asked.task == DIMENSIONALITY_REDUCTION:
        asked = replace(asked, outputs=components(len(model.components_)))
    return replace(asked, labels=labels, probabilities=probabilities)


def _splits_sets(estimator: Estimator, job: Job) -> bool:
    """Whether texts are split by sets; scikit-learn refuses that with more categories than bins."""
    bins = job.params.get("max_bins")
    return estimator.sets and not (isinstance(bins, int) and bins <= MAX_CATEGORIES)


def _version(estimator: Estimator) -> str:
    return boosting.version(estimator) if estimator.engine in boosting.ENGINES else sklearn.__version__


def _run(pipeline: Pipeline, train: pd.DataFrame, target: Any, job: Job, rows: Rows, estimator: Estimator) -> None:
    boosts = estimator.engine in boosting.ENGINES
    weights = None if rows.weights is None else rows.weights[~rows.held]
    if weights is not None and not boosts and not has_fit_parameter(pipeline["model"], "sample_weight"):
        raise label_options.counts_all_the_same(job, type(pipeline["model"]).__name__)
    refusals: tuple[type[Exception], ...] = (ValueError, TypeError, np.linalg.LinAlgError)
    if boosts:
        refusals += boosting.library_errors(estimator)
    try:
        if boosts:
            boosting.fit(pipeline["model"], pipeline[:-1].fit_transform(train, target), target, weights, job)
        else:
            pipeline.fit(train, target, **({} if weights is None else {"model__sample_weight": weights}))
    except refusals as error:
        said = boosting.complaint(error)
        if job.params:
            # The libraries check hyperparameters, and some of their combinations, only here.
            raise SqlmlError("SQLML_OPTION_INVALID", said) from error
        kind = type(pipeline["model"]).__name__
        raise SqlmlError("SQLML_ENGINE_FAILED", f"{kind} cannot learn from these rows: {said}") from error
    model = pipeline["model"]
    if hasattr(model, "n_jobs"):
        # Threads would add up the trees in the order in which they finish.
        model.set_params(n_jobs=None)


def _effective(model: Any) -> dict[str, Any]:
    """Every hyperparameter with the value that was used, defaults included; what JSON has no word for as text."""
    params = {name: value for name, value in model.get_params(deep=False).items() if name not in _NOT_HYPERPARAMETERS}
    if "estimators" in params:
        params["estimators"] = [name for name, _ in params["estimators"]]
    return dict(json.loads(json.dumps(params, default=str)))


# -- how good, how faithful --------------------------------------------------------------------------------------------


def _answers(pipeline: Pipeline, inputs: pd.DataFrame, signature: Signature) -> tuple[Any, NDArray[np.float64]]:
    """The positions of the labels that scikit-learn says, and its probabilities or scores [rows, classes]; or None and
    its predictions [rows], or coordinates [rows, components]."""
    if signature.task == REGRESSION:
        # Of some estimators and parameters the answer is a column.
        return None, np.asarray(pipeline.predict(inputs)).reshape(len(inputs))
    if signature.task == DIMENSIONALITY_REDUCTION:
        return None, pipeline.transform(inputs)
    said = pipeline.predict(inputs)
    if signature.task == ANOMALY_DETECTION:
        score = -pipeline.decision_function(inputs)
        return (said == -1).astype(np.int64), np.column_stack([-score, score])
    if signature.probabilities:
        return said, pipeline.predict_proba(inputs)
    if signature.task == CLUSTERING:
        return said, -pipeline.transform(inputs)
    scores = pipeline.decision_function(inputs)
    return said, np.column_stack([-scores, scores]) if scores.ndim == 1 else scores


def _measure(pipeline: Pipeline, rows: Rows, signature: Signature) -> tuple[dict[str, float], curves.Answers]:
    """The metrics, and the answers that were measured."""
    chosen = _measured_on(rows)
    inputs, actual = rows.frame[chosen], rows.target[chosen]
    said, scores = _answers(pipeline, inputs, signature)
    if signature.task == REGRESSION:
        found = metrics.regression(actual, scores)
    elif signature.task == ANOMALY_DETECTION:
        found = metrics.anomaly_detection(said)
    elif signature.task == DIMENSIONALITY_REDUCTION:
        x = pipeline[:-1].transform(inputs)
        found = metrics.dimensionality_reduction(x, pipeline["model"].inverse_transform(scores))
    elif signature.task == CLUSTERING:
        found = metrics.clustering(pipeline[:-1].transform(inputs), said)
    else:
        found = metrics.classification(actual, said, scores, probabilities=signature.probabilities)
    return found, (said, scores)


def _measured_on(rows: Rows) -> NDArray[np.bool_]:
    return rows.held if rows.held.any() else ~rows.held


def _compare(
    pipeline: Pipeline,
    onnx: bytes,
    table: pa.Table,
    rows: Rows,
    signature: Signature,
    preparation: Preparation,
    job: Job,
    *,
    inside: bool,
) -> Fidelity:
    chosen = rows.source[rows.held if rows.held.any() else ~rows.held][: sklearn_check.MOST_ROWS]
    thresholds = sklearn_check.thresholds(export.ensemble(pipeline["model"]), preparation)
    sample = sklearn_check.rows(table.take(pa.array(chosen)), signature.features, thresholds, inside=inside)
    inputs = sklearn_rows.frame(signature.features, sample.columns)
    said, scores = _answers(pipeline, inputs, signature)
    return fidelity.check(onnx, signature, sample, said, scores, job.tolerance)
