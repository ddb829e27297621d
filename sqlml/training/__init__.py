"""The planner of TRAIN MODEL: resolves columns, task, estimator and options, then lets the library fit.

`train` checks everything that can be known before a fit, so that errors come early and point into the statement. The
fit itself is in `training.fitting`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    SKLEARN,
    Estimator,
    fit_warnings,
    resolve,
)
from sqlml.jobs.job import SEQUENTIAL, Job
from sqlml.jobs.preparation import ONE_HOT
from sqlml.lineage import Fingerprint, Lineage, software
from sqlml.parser.cursor import Option
from sqlml.parser.generator import quote_identifier
from sqlml.session import Session
from sqlml.settings import MAX_ROWS, TRAIN_MEMORY, TRAIN_PLOTS
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Feature, Signature, fold_of, is_padded
from sqlml.training import bigquery, columns, counting, options, plans, row_options, texts
from sqlml.training.automl_plan import AutoPlan, folds_of
from sqlml.training.fitting import Work, fit
from sqlml.training.request import Before, Request
from sqlml.training.trained import Resolved, Trained
from sqlml.training.transforming import Transformation
from sqlml.training.tuning import Plan, Trial, leader_board

__all__ = ["Before", "Request", "train", "warm_up"]

_AUTO = "auto"
# The type of the prediction, if it is not the target's own type.
_PREDICTED_TYPES = {
    REGRESSION: "double",
    CLUSTERING: "int",
    ANOMALY_DETECTION: "boolean",
    DIMENSIONALITY_REDUCTION: "double",
}


def warm_up(estimator: str | None) -> None:
    """Starts a child process that imports the library for the fit, while the registry is opened. Does nothing for
    MLlib."""
    if estimator is None or not estimator.lower().startswith("mllib."):
        from sqlml.estimators import trainer

        # USING auto kills trials that take too long; the second process is ready for the next trial.
        trainer.warm(2 if estimator is not None and estimator.lower() == _AUTO else 1)


def train(request: Request, session: Session, on_trial: Callable[[Trial], None]) -> Trained:
    """Plans and fits a model. Raises the errors that the statement `TrainModel` documents.

    Args:
        on_trial: called with each trial, if hyperparameters are searched for.
    """
    # Step 1: translate BigQuery's options, and check USING auto.
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
    # Step 2: analyse the query, apply TRANSFORM, and resolve target, features and the columns that options name.
    frame = session.frame(request.query, request.query_offset)
    sources, settings = session.sources(frame), {"database": session.database, **session.meaning()}
    fold = fold_of(settings)
    source_schema = schema = columns.schema_of(frame)
    common, hyperparameters = options.split(request.options)
    transformation = None
    if request.transform is not None:
        others = (common.split_column, common.weight_column, common.censor_column)
        named = (request.target.name if request.target else None, *others)
        transformation = Transformation(session, frame, request.transform, [name for name in named if name])
        frame = transformation.frame
        schema = columns.schema_of(frame)
    target = columns.target(request, schema, fold)
    split_column = columns.option(common.split_column, common.offsets.get("split_column"), schema, fold)
    weight_column = columns.option(common.weight_column, common.offsets.get("weight_column"), schema, fold)
    censor_column = columns.option(common.censor_column, common.offsets.get("censor_column"), schema, fold)
    aside = (split_column, weight_column, censor_column)
    features = columns.features(request, schema, target, aside, fold)
    session.progress(f"reading {len(features)} features" + (f" and the target {target.name}" if target else ""))
    frame = session.canonical_texts(frame, [*features, *([target] if target else [])])
    # Rows that will be collected anyway are fingerprinted then, not in an extra pass.
    collected_later = common.max_rows is None and not (request.estimator or "").lower().startswith("mllib.")
    of_texts = [column.name for column in (*features, target) if column and column.kind == TEXT]
    # With text columns the fingerprint has to wait: the texts decide which columns are read.
    at_once = None if collected_later or of_texts else _fingerprint((*features, target, *aside))
    counted = counting.count(frame, target, at_once, task=common.task, texts=of_texts)
    looked = texts.look(frame, of_texts, counted.texts)
    asked = {column.name for column in request.features or ()} | options.named_by("encode", common)
    features, left_out = texts.without_keys(request, features, looked, asked)
    warnings = texts.warnings(looked, left_out, features)
    for line in warnings:
        session.progress(line)
    readings = {column.name: column.reading for column in looked if column.reading}
    transform = transformation.stored(features) if transformation else None
    fingerprint = at_once or _fingerprint((*features, target, *aside))
    rows, labelled = counted.rows, counted.labelled
    counting.check_rows(rows, labelled, target, request)
    # Step 3: choose task, estimator, hyperparameters and the plan of a search.
    task = common.task or counting.infer_task(target, counted.distinct, request)
    counting.check_task(task, target, request, readings)
    taken = min(rows, common.max_rows or rows)
    split_method = row_options.split_method(common, split_column)
    plan: Plan | AutoPlan | None
    if automatic:
        folds = common.cv_folds or (1 if split_method == SEQUENTIAL else folds_of(min(labelled, taken)))
        plan = plans.auto_plan(request, common, hyperparameters, task, min(labelled, taken), folds, session.progress)
        estimator, params = resolve(plan.candidates[0].estimator, task, SKLEARN), dict[str, Any]()
    else:
        estimator = _resolve(request, task, "sklearn" if taken <= most_rows else "mllib", target, readings)
        if spoken:
            hyperparameters = bigquery.hyperparameters(estimator, hyperparameters)
        params, searches = options.hyperparameters(estimator, hyperparameters)
        plan = plans.plan(common, searches, estimator)
    plans.check_metric(common, task, estimator)
    plans.check_folds(common, plan, split_method, split_column, task, estimator)
    impute = options.by_feature("impute", common, (NUMBER, BOOLEAN, DATE, TIMESTAMP), features)
    encode = options.by_feature("encode", common, (TEXT,), features)
    flags = options.missing_flag(common, None if automatic else estimator, task, params, features, impute)
    coded = [name for name, encoding in encode.items() if encoding != ONE_HOT]
    columns.check_one_number(request, estimator, features, coded, flags)
    # Step 4: build the job.
    job = Job(
        estimator=estimator.name,
        signature=_signature(task, features, target),
        params=params,
        seed=common.seed,
        test_fraction=row_options.test_fraction(common, target, split_method),
        tolerance=common.tolerance,
        split_method=split_method,
        split_column=split_column.name if split_column else None,
        weight_column=row_options.weight_column(common, weight_column),
        class_weights=row_options.class_weights(common, task),
        censor_column=row_options.censor_column(common, censor_column, estimator),
        impute=impute,
        missing_flag=flags,
        encode=encode,
        curves=session.setting(TRAIN_PLOTS),
    )
    # Step 5: select, sample and fit the rows. They are fingerprinted while they are collected, or by Spark if they are
    # not.
    selected = frame.select(*[frame[quote_identifier(name)] for name in job.columns])
    if counted.fingerprint is None and (estimator.distributed or not collected_later):
        counted = counting.count(frame, target, fingerprint, task=task)
    collected = counting.Collected(frame, job.columns, fingerprint, session.collect)
    if taken < rows:
        selected = row_options.sampled(selected, taken, common.seed)
        session.progress(f"sampling {taken} of {rows} rows")
    what = f"one of {len(plan.candidates)} estimators" if isinstance(plan, AutoPlan) else estimator.name
    session.progress(f"fitting {what} to {min(labelled, taken)} rows")
    trials: list[Trial] = []

    def tried(trial: Trial) -> None:
        trials.append(trial)
        on_trial(trial)

    try:
        collect = collected.table if counted.fingerprint is None else lambda: session.collect(selected)
        work = Work(request.model, job, estimator, selected, collect, taken, most_rows, memory)
        found = fit(work, plan, common.cv_folds, common.metric, session, tried)
    except SqlmlError as error:
        raise error.at(_place(error, request, hyperparameters)) from error.__cause__
    # Step 6: put the trained model together with its lineage and the options that reproduce it.
    of_fit = (*fit_warnings.of_training(job, found.fitted.rows, found.fitted.held_out), *found.fitted.warnings)
    for warning in of_fit:
        session.progress(f"warning: {warning}")
    return Trained(
        found.estimator,
        found.fitted,
        job,
        source_schema,
        lineage=Lineage(
            sources,
            *((rows, counted.fingerprint) if counted.fingerprint else (collected.rows, collected.fingerprint)),
            settings,
            software(found.estimator.engine, frame.sparkSession.version),
        ),
        resolved=Resolved(request.query, request.target, options.resolved(request.options, job, found.best)),
        transform=transform,
        trials=leader_board(trials),
        best=found.best,
        left_out=left_out,
        warnings=(*warnings, *of_fit),
    )


def _fingerprint(read: Sequence[Feature | None]) -> Fingerprint:
    by_name = {column.name: column for column in read if column}
    return Fingerprint([(column.name, column.type) for column in by_name.values()])


def _signature(task: str, features: tuple[Feature, ...], target: Feature | None) -> Signature:
    # A CHAR(n) target is predicted without its padding.
    own_type = target.type if target else ""
    if is_padded(own_type):
        own_type = f"string{own_type.partition(')')[2]}"
    return Signature(task, features, target.name if target else None, _PREDICTED_TYPES.get(task, own_type))


def _place(error: SqlmlError, request: Request, hyperparameters: list[Option]) -> int | None:
    """The offset in the statement that an engine's error belongs to; None if there is none."""
    if error.condition == "SQLML_TARGET_INVALID" and request.target is not None:
        return request.target.offset
    if error.condition == "SQLML_OPTION_INVALID":
        # BigQuery's hyperparameters are included under the library's names, as the error has them.
        given = {option.name.lower(): option for option in (*request.options, *hyperparameters)}
        words = set(re.findall(r"\w+", error.message.lower()))
        named = [option for name, option in given.items() if name in words]
        suspects = named or hyperparameters
        return suspects[0].offset if suspects else None
    if error.condition == "SQLML_TOO_MANY_ROWS":
        return request.estimator_offset
    return request.query_offset if error.condition == "SQLML_FEATURE_UNUSABLE" else None


def _resolve(
    request: Request, task: str, engine: str, target: Feature | None, readings: Mapping[str, str]
) -> Estimator:
    """The estimator by name and task. An error's hint says so if the target is a text that holds numbers or dates."""
    possible = counting.possible_tasks(target)
    try:
        return resolve(request.estimator, task, engine, possible)
    except SqlmlError as error:
        if target is not None and target.name in readings:
            error.hint = f"In the query, {readings[target.name]}. {error.hint}"
        raise error.at(request.estimator_offset) from None
