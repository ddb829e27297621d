"""TRAIN MODEL between its clauses and its registration, in three stages, each of which hands on one frozen value:

analyse    columns, rows and task of the query      → `analysis.Analysis`
plan       estimator, options, search               → `fit_plan.FitPlan`
execute    fits, measures and compares with ONNX    → `trained.Trained`
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlml.errors import SqlmlError
from sqlml.estimators import fit_warnings
from sqlml.lineage import Lineage, software
from sqlml.parser.cursor import Option
from sqlml.parser.generator import quote_identifier
from sqlml.session import Session
from sqlml.settings import MAX_ROWS, TRAIN_MEMORY
from sqlml.training import counting, options, row_options
from sqlml.training.analysis import AUTO, Analysis, analyse
from sqlml.training.automl_plan import AutoPlan
from sqlml.training.fit_plan import FitPlan, planned
from sqlml.training.fitting import Work, fit
from sqlml.training.request import PreviousVersion, Request
from sqlml.training.trained import Resolved, Trained
from sqlml.training.tuning import Trial, leader_board

__all__ = ["PreviousVersion", "Request", "train", "warm_up"]


def warm_up(estimator: str | None) -> None:
    """Starts a child process that imports the library for the fit, while the registry is opened. Does nothing for
    MLlib."""
    if estimator is None or not estimator.lower().startswith("mllib."):
        from sqlml.estimators import trainer

        # USING auto kills trials that take too long; the second process is ready for the next trial.
        trainer.warm(2 if estimator is not None and estimator.lower() == AUTO else 1)


def train(request: Request, session: Session, on_trial: Callable[[Trial], None]) -> Trained:
    """Analyses, plans and fits. Raises the errors that the statement `TrainModel` documents.

    Args:
        on_trial: called with each trial, if hyperparameters are searched for.
    """
    analysis = analyse(request, session.queries, session.expressions, session.caller)
    plan = planned(analysis, session.caller, session.application)
    return _execute(analysis, plan, session, on_trial)


def _execute(analysis: Analysis, plan: FitPlan, session: Session, on_trial: Callable[[Trial], None]) -> Trained:
    caller, application, collect_rows = session.caller, session.application, session.queries.collect
    request, common, frame = analysis.request, analysis.common, analysis.frame
    counted, job = analysis.counted, plan.job
    selected = frame.select(*[frame[quote_identifier(name)] for name in job.columns])
    if counted.fingerprint is None and (plan.estimator.distributed or not analysis.collected_later):
        counted = counting.count(frame, analysis.target, analysis.fingerprint, task=analysis.task)
    collected = counting.Collected(frame, job.columns, analysis.fingerprint, collect_rows)
    if plan.rows < analysis.counted.rows:
        selected = row_options.sampled(selected, plan.rows, common.seed)
        caller.progress(f"sampling {plan.rows} of {analysis.counted.rows} rows")
    search = plan.search
    what = f"one of {len(search.candidates)} estimators" if isinstance(search, AutoPlan) else plan.estimator.name
    caller.progress(f"fitting {what} to {plan.labelled} rows")
    trials: list[Trial] = []

    def tried(trial: Trial) -> None:
        trials.append(trial)
        on_trial(trial)

    try:
        collect = collected.table if counted.fingerprint is None else lambda: collect_rows(selected)
        most_rows, memory = application.setting(MAX_ROWS), application.setting(TRAIN_MEMORY)
        work = Work(request.model, job, plan.estimator, selected, collect, plan.rows, most_rows, memory)
        found = fit(work, search, common.cv_folds, common.metric, caller, application, tried)
    except SqlmlError as error:
        raise error.at(_error_offset(error, request, plan.hyperparameters)) from error.__cause__
    of_fit = (*fit_warnings.of_training(job, found.fitted.rows, found.fitted.held_out), *found.fitted.warnings)
    for warning in of_fit:
        caller.progress(f"warning: {warning}")
    of_rows = (counted.rows, counted.fingerprint) if counted.fingerprint else (collected.rows, collected.fingerprint)
    library = software(found.estimator.engine, frame.sparkSession.version)
    return Trained(
        found.estimator,
        found.fitted,
        job,
        analysis.schema,
        lineage=Lineage(analysis.sources, *of_rows, analysis.settings, library),
        resolved=Resolved(request.query, request.target, options.resolved(request.options, job, found.best)),
        transform=analysis.transform,
        trials=leader_board(trials),
        best=found.best,
        left_out=analysis.left_out,
        warnings=(*analysis.warnings, *of_fit),
    )


def _error_offset(error: SqlmlError, request: Request, hyperparameters: list[Option]) -> int | None:
    """The offset in the user's text at which an error of the library belongs."""
    if error.condition == "SQLML_TARGET_INVALID" and request.target is not None:
        return request.target.offset
    if error.condition in ("SQLML_OPTION_INVALID", "SQLML_TOO_FEW_ROWS"):
        # BigQuery's hyperparameters are named by the library as it knows them.
        options_by_name = {option.name.lower(): option for option in (*request.options, *hyperparameters)}
        words = set(re.findall(r"\w+", error.message.lower()))
        named = [option for name, option in options_by_name.items() if name in words]
        suspects = named or (hyperparameters if error.condition == "SQLML_OPTION_INVALID" else [])
        if suspects:
            return suspects[0].offset
    if error.condition == "SQLML_CANCELLED":
        return None
    if error.condition == "SQLML_FEATURE_UNUSABLE" or request.estimator_offset is None:
        return request.query_offset
    return request.estimator_offset
