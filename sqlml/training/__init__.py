"""What TRAIN MODEL decides before anything is fitted: columns, task, engine, options. Then it lets the engine work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    SKLEARN,
    WITHOUT_TARGET,
    Estimator,
    resolve,
    tasks_of,
)
from sqlml.estimators.job import BY_COLUMN, NO_SPLIT, RANDOM, SEQUENTIAL, Fitted, Job
from sqlml.grammar import Option
from sqlml.printing import quote_identifier
from sqlml.session import Session
from sqlml.settings import MAX_ROWS, TRAIN_MEMORY, TRAIN_PLOTS
from sqlml.signature import BOOLEAN, DATE, INTEGERS, NUMBER, TEXT, TIMESTAMP, Feature, Signature, kind_of
from sqlml.training import automl_spaces, bigquery, columns, options
from sqlml.training.automl_plan import DEFAULT_BUDGET, AutoPlan, folds_of
from sqlml.training.fitting import Work, fit
from sqlml.training.request import Request
from sqlml.training.searches import Search
from sqlml.training.transforming import Transformation
from sqlml.training.tuning import DEFAULT_TRIALS, Plan, Trial, leader_board
from sqlml.transform import Transform

__all__ = ["Request", "Trained", "train", "warm_up"]

# An integer target with more distinct values than this is a quantity, not a class.
_MOST_INTEGER_CLASSES = 20
_DEFAULT_TEST_FRACTION = 0.2
_AUTO = "auto"
# The type of what is predicted, where it is not the target's own.
_PREDICTED_TYPES = {
    REGRESSION: "double",
    CLUSTERING: "int",
    ANOMALY_DETECTION: "boolean",
    DIMENSIONALITY_REDUCTION: "double",
}


@dataclass(frozen=True)
class Trained:
    """A fitted model with what it came from: all that the registry keeps. `trials` are those of a search, the best
    one first; `best` is the one it was fitted after."""

    estimator: Estimator
    fitted: Fitted
    job: Job
    source_schema: columns.Schema
    transform: Transform | None = None
    trials: tuple[Trial, ...] = ()
    best: Trial | None = None


def warm_up(estimator: str | None) -> None:
    """Starts importing what the fit will need, in the process that will need it, while the registry is opened."""
    if estimator is None or not estimator.lower().startswith("mllib."):
        from sqlml.estimators import trainer

        # One more to have where a trial is stopped.
        trainer.warm(2 if estimator is not None and estimator.lower() == _AUTO else 1)


def train(request: Request, session: Session, on_trial: Callable[[Trial], None]) -> Trained:
    """Plans and fits. Raises what `TrainModel` documents.

    Args:
        on_trial: told of every trial, where hyperparameters are searched for.
    """
    most_rows, memory = session.setting(MAX_ROWS), session.setting(TRAIN_MEMORY)
    spoken = bigquery.is_spoken(request)
    if spoken:
        request = bigquery.translate(request)
    automatic = request.estimator is not None and request.estimator.lower() == _AUTO
    if automatic and request.target is None:
        raise SqlmlError(
            "SQLML_ESTIMATOR_NOT_FOUND",
            "auto compares estimators by what they predict, and there is no TARGET.",
            hint="Add TARGET column, or name an estimator for clustering or anomaly detection: USING k_means.",
            offset=request.estimator_offset,
        )
    frame = session.frame(request.query, request.query_offset)
    source_schema = schema = tuple((name, kind) for name, kind in frame.dtypes)
    common, hyperparameters = options.split(request.options)
    transformation = None
    if request.transform is not None:
        named = (request.target.name if request.target else None, common.split_column, common.weight_column)
        transformation = Transformation(session, frame, request.transform, [name for name in named if name])
        frame = transformation.frame
        schema = tuple((name, kind) for name, kind in frame.dtypes)
    target = columns.target(request, schema)
    split_column = columns.option(common.split_column, common.offsets.get("split_column"), schema)
    weight_column = columns.option(common.weight_column, common.offsets.get("weight_column"), schema)
    features = columns.features(request, schema, target, (split_column, weight_column))
    transform = transformation.stored(features) if transformation else None

    session.progress(f"reading {len(features)} features" + (f" and the target {target.name}" if target else ""))
    rows, labelled, distinct = _count(frame, target, common)
    _check_rows(rows, labelled, target, request)
    task = common.task or _infer_task(target, distinct, request)
    taken = min(rows, common.max_rows or rows)
    split_method = _split_method(common, split_column)
    plan: Plan | AutoPlan | None
    if automatic:
        folds = common.cv_folds or (1 if split_method == SEQUENTIAL else folds_of(min(labelled, taken)))
        plan = _auto_plan(request, common, hyperparameters, task, min(labelled, taken), folds, session.progress)
        estimator, params = resolve(plan.candidates[0].estimator, task, SKLEARN), dict[str, Any]()
    else:
        estimator = _resolve(request, task, "sklearn" if taken <= most_rows else "mllib")
        if spoken:
            hyperparameters = bigquery.hyperparameters(estimator, hyperparameters)
        params, searches = options.hyperparameters(estimator, hyperparameters)
        plan = _plan(common, searches, estimator)
    _check_folds(common, plan, split_method, split_column, task, estimator)
    job = Job(
        estimator=estimator.name,
        signature=_signature(task, features, target),
        params=params,
        seed=common.seed,
        test_fraction=_test_fraction(common, target),
        tolerance=common.tolerance,
        split_method=split_method,
        split_column=split_column.name if split_column else None,
        weight_column=_weight_column(common, weight_column),
        class_weights=_class_weights(common, task),
        impute=options.by_feature("impute", common, (NUMBER, BOOLEAN, DATE, TIMESTAMP), features),
        encode=options.by_feature("encode", common, (TEXT,), features),
        curves=session.setting(TRAIN_PLOTS),
    )
    selected = frame.select(*[frame[quote_identifier(name)] for name in job.columns])
    if taken < rows:
        selected = _sampled(selected, taken, common.seed)
        session.progress(f"sampling {taken} of {rows} rows")
    what = f"one of {len(plan.candidates)} estimators" if isinstance(plan, AutoPlan) else estimator.name
    session.progress(f"fitting {what} to {min(labelled, taken)} rows")
    trials: list[Trial] = []

    def tried(trial: Trial) -> None:
        trials.append(trial)
        on_trial(trial)

    try:
        work = Work(request.model, job, estimator, selected, taken, most_rows, memory)
        found = fit(work, plan, common.cv_folds, common.metric, session, tried)
    except SqlmlError as error:
        raise error.at(_place(error, request, hyperparameters)) from error.__cause__
    return Trained(
        found.estimator, found.fitted, job, source_schema, transform, trials=leader_board(trials), best=found.best
    )


def _signature(task: str, features: tuple[Feature, ...], target: Feature | None) -> Signature:
    own_type = target.type if target else ""
    return Signature(task, features, target.name if target else None, _PREDICTED_TYPES.get(task, own_type))


def _test_fraction(common: options.Common, target: Feature | None) -> float:
    """What is learned from the features alone is not measured by answers, so nothing is held out for them."""
    if common.split_method == NO_SPLIT:
        return 0.0
    if common.test_fraction is not None:
        return common.test_fraction
    return _DEFAULT_TEST_FRACTION if target else 0.0


def _place(error: SqlmlError, request: Request, hyperparameters: list[Option]) -> int | None:
    """Where in the user's text an engine's complaint belongs."""
    if error.condition == "SQLML_TARGET_INVALID" and request.target is not None:
        return request.target.offset
    if error.condition == "SQLML_OPTION_INVALID":
        common = {option.name: option for option in request.options}
        words = set(re.findall(r"\w+", error.message))
        named = [option for name, option in common.items() if name in words]
        suspects = named or hyperparameters
        return suspects[0].offset if suspects else None
    if error.condition == "SQLML_TOO_MANY_ROWS":
        return request.estimator_offset
    return request.query_offset if error.condition == "SQLML_FEATURE_UNUSABLE" else None


def _check_folds(
    common: options.Common,
    plan: Plan | AutoPlan | None,
    split_method: str,
    split_column: Feature | None,
    task: str,
    estimator: Estimator,
) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID where trials and folds cannot be compared honestly."""
    if plan is None and common.cv_folds is None:
        return
    offset = common.offsets.get("cv_folds", common.offsets.get("num_trials"))
    if task in (ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{task.replace('_', ' ').capitalize()} measures nothing that trials and folds are compared by.",
            offset=offset,
        )
    if common.cv_folds is None and not estimator.distributed:
        # Trials are measured on the last of the rows that are learned from.
        return
    if split_column is not None and split_method == SEQUENTIAL:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The rows are held out in the order of {split_column.name}, and folds are samples that know no order.",
            hint="Mark the rows to hold out by a boolean split_column, or leave the search out.",
            offset=offset,
        )


def _plan(common: options.Common, searches: Mapping[str, Search], estimator: Estimator) -> Plan | None:
    """What is searched for; None where every hyperparameter has a value."""
    if not searches:
        for name in ("num_trials", "time_budget", "metric"):
            if name in common.offsets and (name != "metric" or common.cv_folds is None):
                raise SqlmlError(
                    "SQLML_OPTION_INVALID",
                    f"{name} is for tuning, and every hyperparameter has one value.",
                    hint="Give a hyperparameter a range: max_depth = hparam_range(2, 10).",
                    offset=common.offsets[name],
                )
        return None
    return Plan(
        searches=searches,
        trials=common.num_trials or DEFAULT_TRIALS,
        budget=common.time_budget,
        metric=common.metric,
        folds=common.cv_folds or 1,
        seed=common.seed,
    )


def _auto_plan(
    request: Request,
    common: options.Common,
    given: list[Option],
    task: str,
    rows: int,
    folds: int,
    progress: Callable[[str], None],
) -> AutoPlan:
    """What USING auto tries, and how long.

    Raises:
        SqlmlError: SQLML_OPTION_NOT_FOUND for a hyperparameter; what `automl_spaces.chosen` raises.
    """
    options.check_automatic(given)
    weighted = common.weight_column is not None or common.class_weights is not None
    option = given[0] if given else None
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


# -- options that need columns -----------------------------------------------------------------------------------------


def _split_method(common: options.Common, column: Feature | None) -> str:
    """What was asked for; else what the column's type says: a boolean tells which rows, anything else their order."""
    if column is None:
        if common.split_method in (BY_COLUMN, SEQUENTIAL):
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"split_method = {common.split_method!r} needs a column.",
                hint="Add split_column = 'name'.",
                offset=common.offsets["split_method"],
            )
        return common.split_method or RANDOM
    method = common.split_method or (BY_COLUMN if column.type == "boolean" else SEQUENTIAL)
    wrong = method == BY_COLUMN and column.type != "boolean"
    if wrong or method in (RANDOM, NO_SPLIT) or kind_of(column.type) in (None, TEXT):
        needed = "a boolean that is true for held-out rows, or a number, a date or a timestamp to order by"
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"split_column {column.name} is {column.type.upper()} and the split {method}; needed is {needed}.",
            offset=common.offsets["split_column"],
        )
    return method


def _weight_column(common: options.Common, column: Feature | None) -> str | None:
    if column is not None and kind_of(column.type) != NUMBER:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"weight_column {column.name} is {column.type.upper()}; a weight is a number.",
            offset=common.offsets["weight_column"],
        )
    return column.name if column else None


def _class_weights(common: options.Common, task: str) -> str | dict[str, float] | None:
    if common.class_weights is not None and task != CLASSIFICATION:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"class_weights are for classification, and this is {task}.",
            offset=common.offsets["class_weights"],
        )
    return common.class_weights


def _sampled(frame: Any, rows: int, seed: int) -> Any:
    """That many rows, by a hash of their content: the same ones however they are distributed."""
    names = [quote_identifier(name) for name in frame.columns]
    key = "__sqlml_order"
    hashed = frame.selectExpr("*", f"xxhash64({seed}, {', '.join(names)}) AS {key}")
    return hashed.orderBy(key, *names).limit(rows).drop(key)


# -- rows and task -----------------------------------------------------------------------------------------------------


def _count(frame: Any, target: Feature | None, common: options.Common) -> tuple[int, int, int]:
    """Rows of the query, rows with a target, and distinct targets (only counted where the task depends on it)."""
    if target is None:
        rows = frame.count()
        return rows, rows, 0
    column = quote_identifier(target.name)
    distinct = f"count(DISTINCT {column})" if target.type in INTEGERS and common.task is None else "0L"
    rows, labelled, classes = frame.selectExpr("count(*)", f"count({column})", distinct).first()
    return rows, labelled, classes


def _check_rows(rows: int, labelled: int, target: Feature | None, request: Request) -> None:
    offset = request.target.offset if request.target else None
    if rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to learn from.", offset=request.query_offset)
    if labelled == 0 and target is not None:
        raise SqlmlError("SQLML_TARGET_INVALID", f"The target {target.name} is NULL in all {rows} rows.", offset=offset)


def _infer_task(target: Feature | None, distinct: int, request: Request) -> str:
    able = tasks_of(request.estimator)
    if target is None:
        return next(task for task in able if task in WITHOUT_TARGET)
    if target.kind in (TEXT, BOOLEAN):
        return CLASSIFICATION
    if target.kind == NUMBER:
        few = target.type in INTEGERS and distinct <= _MOST_INTEGER_CLASSES
        # A few whole numbers are classes, unless the estimator knows none.
        return CLASSIFICATION if few and (CLASSIFICATION in able or not able) else REGRESSION
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {target.name} is {target.type.upper()}: say what to predict.",
        hint="Select a number instead, such as unix_timestamp(…), or set OPTIONS (task = 'classification').",
        offset=request.target.offset if request.target else None,
    )


def _resolve(request: Request, task: str, engine: str) -> Estimator:
    try:
        return resolve(request.estimator, task, engine)
    except SqlmlError as error:
        raise error.at(request.estimator_offset) from None
