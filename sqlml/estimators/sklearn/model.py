"""Factory of scikit-learn estimators: builds the estimator of a job, fits it, and reads back the hyperparameters it
used.

It also turns the libraries' exceptions into SqlmlErrors that name the estimator and the options.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import CLASSIFICATION, REGRESSION, Estimator, fit_requirements, label_options
from sqlml.estimators.boosting import libraries as boosting
from sqlml.estimators.library_classes import library_class
from sqlml.estimators.sklearn import members, option_values, wrappers
from sqlml.estimators.sklearn import rows as sklearn_rows
from sqlml.estimators.sklearn.rows import Rows
from sqlml.jobs.job import Job
from sqlml.jobs.preparation import MAX_CATEGORIES

# Estimators whose results do not depend on the number of threads.
_THREADED = ("extra_trees", "isolation_forest", "random_forest")
FEW_CELLS = 1_000_000
_PROCESS = "GaussianProcessClassifier"
# 128 MB of float64.
_MOST_CELLS_OF_MATRICES = 16_000_000
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


def build(estimator: Estimator, job: Job, rows: Rows) -> Any:
    """The library's estimator with the job's hyperparameters, unfitted."""
    weights = job.params.get("class_weight")
    # Class weights are given by label, but scikit-learn is fitted to label indices.
    if isinstance(weights, dict):
        by_position = label_options.by_position("class_weight", weights, rows.labels)
        job = replace(job, params={**job.params, "class_weight": by_position})
    if estimator.engine in boosting.ENGINES:
        few = rows.learned.frame.size + rows.held_out.frame.size < FEW_CELLS
        return boosting.model(estimator, job, {**estimator.defaults, **job.params}, threads=1 if few else -1)
    # Estimators of scikit-learn: defaults of ours, overridden by the job's hyperparameters.
    name = estimator.class_name(job.signature.task)
    kind = library_class(estimator, job.signature.task)
    known = inspect.signature(kind).parameters
    params = {name: value for name, value in estimator.defaults.items() if name in known} | job.params
    if estimator.noun in members.COMBINED:
        params |= _members(job, rows, params)
    for option in params:
        if option not in known:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option} is not an option of {name}.",
                hint=did_you_mean(option, set(known) & set(estimator.params)),
            )
    option_values.check(name, job.params)
    if name == _PROCESS:
        _check_matrices(rows)
    # Parameters that follow from the job: seed, categorical columns, threads.
    if "random_state" in known:
        params["random_state"] = job.seed
    if splits_sets(estimator, job):
        numbers = len(sklearn_rows.number_columns(job.signature.features))
        texts = len(job.texts)
        params["categorical_features"] = list(range(numbers, numbers + texts)) or None
    if estimator.noun in _THREADED:
        params["n_jobs"] = -1
    if "novelty" in known:
        params["novelty"] = True
    # Early stopping starts automatically beyond 10,000 rows. It holds out rows of every class, so it needs two of each.
    if "early_stopping" in known and rows.labels and np.bincount(rows.learned.target).min() < 2:
        params.setdefault("early_stopping", False)
    made = kind(**params)
    # A network with Poisson loss predicts the target's logarithm. It refuses negative targets, which standardizing
    # would make.
    standard = estimator.standard_target and job.signature.task == REGRESSION and params.get("loss") != "poisson"
    return wrappers.StandardizedTarget(made) if standard else made


def _members(job: Job, rows: Rows, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of voting and stacking with estimator objects instead of names."""
    task = job.signature.task

    def make(row: Estimator) -> Any:
        # The matrix is one-hot for all members, so trees that could split by sets must not.
        made = build(replace(row, sets=False), replace(job, estimator=row.name, params={}), rows)
        # Threads add up in varying order; stacking would learn from sums that differ in the last bits.
        return made.set_params(n_jobs=None) if "n_jobs" in made.get_params() else made

    found: dict[str, Any] = {"estimators": members.members(params.get("estimators"), task, "estimators", make)}
    if "final_estimator" in params:
        row = members.member(params["final_estimator"], task, "final_estimator")
        made = make(row)
        # The members' outputs can exceed float32, in which some final estimators compute.
        found["final_estimator"] = wrappers.WithinFloat32.of(made) if row.single else made
    if job.estimator.endswith("voting") and task == CLASSIFICATION:
        # Soft voting averages probabilities; hard voting would have none.
        found["voting"] = "soft"
        mute = [name for name, made in found["estimators"] if not hasattr(made, "predict_proba")]
        if mute:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"Voting averages probabilities, but {mute[0]} in estimators does not have them.",
                hint="Leave it out, or use stacking.",
            )
    return found


def _check_matrices(rows: Rows) -> None:
    """Raises SqlmlError SQLML_TOO_MANY_ROWS if the model would be too large: it holds a rows × rows matrix for each
    one-vs-rest classifier."""
    count, matrices = len(rows.learned), 1 if len(rows.labels) == 2 else len(rows.labels)
    if count * count * matrices > _MOST_CELLS_OF_MATRICES:
        most = int((_MOST_CELLS_OF_MATRICES / matrices) ** 0.5)
        raise SqlmlError(
            "SQLML_TOO_MANY_ROWS",
            f"A Gaussian process with {matrices} classes can train on at most {most} rows, but there are {count}.",
            hint=f"Train on a sample with OPTIONS (max_rows = {most}), or use another estimator.",
        )


def splits_sets(estimator: Estimator, job: Job) -> bool:
    """True if trees split texts by category sets. scikit-learn refuses that with more categories than bins."""
    bins = job.params.get("max_bins")
    return estimator.sets and not (isinstance(bins, int) and bins <= MAX_CATEGORIES)


def run(pipeline: Pipeline, rows: Rows, job: Job, estimator: Estimator) -> None:
    """Fits the pipeline to the training rows.

    Raises:
        SqlmlError: for unmet requirements of the estimator, and for any other exception of the library.
    """
    boosts = estimator.engine in boosting.ENGINES
    train, target, weights = rows.learned.frame, rows.learned.target, rows.learned.weights
    own = wrappers.inner(pipeline["model"])
    if weights is not None and not boosts and not has_fit_parameter(own, "sample_weight"):
        raise label_options.counts_all_the_same(job, type(own).__name__)
    x = pipeline[:-1].fit_transform(train, target)
    params = own.get_params(deep=False)
    fit_requirements.check(fit_requirements.Fit(estimator, job, params, train, x, target, rows.labels))
    try:
        if boosts:
            boosting.fit(pipeline["model"], x, target, weights, job)
        else:
            pipeline["model"].fit(x, target, **({} if weights is None else {"sample_weight": weights}))
    except (MemoryError, SqlmlError):
        raise
    except Exception as error:
        # Libraries raise exceptions of any type for rows and options that they cannot use.
        raise _refusal(error, estimator, train, job) from error
    model = pipeline["model"]
    if hasattr(model, "n_jobs"):
        # Prediction must be sequential: threads add up trees in the order in which they finish.
        model.set_params(n_jobs=None)


def _refusal(error: Exception, estimator: Estimator, train: pd.DataFrame, job: Job) -> SqlmlError:
    """The SqlmlError for a library's exception, completed with the estimator, the options, and whether all features are
    constant."""
    reason = f"{estimator.library} says: {boosting.complaint(error)}"
    if not job.params:
        message = f"{estimator.name} cannot learn from these rows. {reason}"
        return SqlmlError("SQLML_ENGINE_FAILED", message, hint=constant(train))
    # The libraries check hyperparameters and their combinations only when they fit.
    words = set(re.findall(r"\w+", reason.lower()))
    if any(name.lower() in words for name in job.params):
        return SqlmlError("SQLML_OPTION_INVALID", f"{estimator.name} cannot be fitted with these options. {reason}")
    options = ", ".join(f"{name} = {value!r}" for name, value in job.params.items())
    message = f"{estimator.name} cannot learn from these rows with {options}. {reason}"
    return SqlmlError("SQLML_OPTION_INVALID", message, hint=constant(train))


def constant(train: pd.DataFrame) -> str:
    """A hint if all features are constant, on which some estimators fail without saying so; "" otherwise."""
    if train.nunique(dropna=False).max() > 1:
        return ""
    return "No feature has two different values in the training rows."


def effective(model: Any) -> dict[str, Any]:
    """All hyperparameters with the values used, defaults included. Values that JSON cannot express are texts."""
    params = {name: value for name, value in model.get_params(deep=False).items() if name not in _NOT_HYPERPARAMETERS}
    if "estimators" in params:
        params["estimators"] = [name for name, _ in params["estimators"]]
    if isinstance(params.get("final_estimator"), wrappers.WithinFloat32):
        params["final_estimator"] = params["final_estimator"]["model"]
    return dict(json.loads(json.dumps(params, default=str)))
