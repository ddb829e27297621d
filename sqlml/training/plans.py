"""The search plan of TRAIN MODEL: decides whether hyperparameters are searched, and checks that trials and folds are
comparable."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlml.errors import SqlmlError
from sqlml.estimators import ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION, Estimator, metrics
from sqlml.jobs.job import SEQUENTIAL
from sqlml.parser.cursor import Option
from sqlml.signature import Feature
from sqlml.training import automl_spaces, options
from sqlml.training.automl_plan import DEFAULT_BUDGET, AutoPlan
from sqlml.training.request import Request
from sqlml.training.searches import Search
from sqlml.training.tuning import DEFAULT_TRIALS, Plan, optuna_package


def check_metric(common: options.Common, task: str, estimator: Estimator) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID, with its offset, for a metric that the estimator does not have."""
    try:
        metrics.check(common.metric, task, distributed=estimator.distributed)
    except SqlmlError as error:
        raise error.at(common.offsets["metric"]) from None


def check_folds(
    common: options.Common,
    plan: Plan | AutoPlan | None,
    split_method: str,
    split_column: Feature | None,
    task: str,
    estimator: Estimator,
) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID if trials or folds could not be compared, or would leak the future."""
    if plan is None and common.cv_folds is None:
        return
    offset = common.offsets.get("cv_folds", common.offsets.get("num_trials"))
    if task in (ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{task.replace('_', ' ').capitalize()} has no metric to compare trials and folds by.",
            offset=offset,
        )
    if common.cv_folds is None and not estimator.distributed:
        # Trials are measured on the last training rows, so a sequential split is respected.
        return
    if split_column is not None and split_method == SEQUENTIAL:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The rows are held out in the order of {split_column.name}, but folds are random samples.",
            hint="Mark the rows to hold out in a boolean split_column, or leave out the search.",
            offset=offset,
        )


def plan(common: options.Common, searches: Mapping[str, Search], estimator: Estimator) -> Plan | None:
    """The plan of a hyperparameter search; None if every hyperparameter has a single value.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID; SQLML_MISSING_PACKAGE, before any row is read.
    """
    if not searches:
        for name in ("num_trials", "time_budget", "metric"):
            if name in common.offsets and (name != "metric" or common.cv_folds is None):
                raise SqlmlError(
                    "SQLML_OPTION_INVALID",
                    f"{name} needs a search, but every hyperparameter has a single value.",
                    hint="Give a hyperparameter a range: max_depth = hparam_range(2, 10).",
                    offset=common.offsets[name],
                )
        return None
    optuna_package()
    return Plan(
        searches=searches,
        trials=common.num_trials or DEFAULT_TRIALS,
        budget=common.time_budget,
        metric=common.metric,
        folds=common.cv_folds or 1,
        seed=common.seed,
    )


def auto_plan(
    request: Request,
    common: options.Common,
    hyperparameters: list[Option],
    task: str,
    rows: int,
    folds: int,
    progress: Callable[[str], None],
) -> AutoPlan:
    """The plan of USING auto.

    Raises:
        SqlmlError: SQLML_OPTION_NOT_FOUND for a hyperparameter; SQLML_MISSING_PACKAGE, before any row is read; the
            errors of `automl_spaces.chosen`.
    """
    options.check_automatic(hyperparameters)
    try:
        optuna_package()
    except SqlmlError as error:
        raise error.at(request.estimator_offset) from error.__cause__
    weighted = common.weight_column is not None or common.class_weights is not None
    option = hyperparameters[0] if hyperparameters else None
    try:
        candidates, left_out = automl_spaces.chosen(task, rows, option, weighted=weighted)
    except SqlmlError as error:
        raise error.at(request.estimator_offset) from None
    for line in left_out:
        progress(line)
    return AutoPlan(
        candidates=candidates,
        trials=common.num_trials,
        started=request.started,
        budget=DEFAULT_BUDGET if common.time_budget is None else common.time_budget,
        metric=common.metric,
        folds=folds,
        seed=common.seed,
        rows=rows,
    )
