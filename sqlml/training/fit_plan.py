"""The plan, the second stage of TRAIN MODEL: the estimator, its hyperparameters, the search, and which rows are taken.

It reads no rows. The next stage, in `sqlml.training`, carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    SKLEARN,
    Estimator,
    resolve,
)
from sqlml.jobs.job import SEQUENTIAL, Job
from sqlml.jobs.preparation import ONE_HOT
from sqlml.parser.cursor import Option
from sqlml.session import Application, Caller
from sqlml.settings import MAX_ROWS, TRAIN_PLOTS
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Feature, Signature, is_padded
from sqlml.training import bigquery, columns, counting, options, plans, row_options
from sqlml.training.analysis import Analysis
from sqlml.training.automl_plan import AutoPlan, folds_of
from sqlml.training.request import Request
from sqlml.training.tuning import Plan

# The type of the prediction, if it is not the target's own type.
_PREDICTED_TYPES = {
    REGRESSION: "double",
    CLUSTERING: "int",
    ANOMALY_DETECTION: "boolean",
    DIMENSIONALITY_REDUCTION: "double",
}


@dataclass(frozen=True)
class FitPlan:
    """What will be fitted, and to how many rows.

    Attributes:
        estimator: of a search over estimators, the first candidate.
        search: None where nothing is searched for.
        rows: how many are taken; fewer than there are is a sample.
        labelled: how many of those have a target, at most.
        hyperparameters: the options they came from, under the library's names.
    """

    estimator: Estimator
    search: Plan | AutoPlan | None
    job: Job
    rows: int
    labelled: int
    hyperparameters: list[Option]


def planned(analysis: Analysis, caller: Caller, application: Application) -> FitPlan:
    """Decides what the analysis left open.

    Raises:
        SqlmlError: SQLML_ESTIMATOR_NOT_FOUND, SQLML_FEATURE_UNUSABLE, SQLML_OPTION_INVALID, SQLML_OPTION_NOT_FOUND,
            SQLML_TARGET_INVALID.
    """
    request, common, task, target = analysis.request, analysis.common, analysis.task, analysis.target
    features, hyperparameters = analysis.features, analysis.hyperparameters
    split_column, weight_column, censor_column = analysis.aside
    rows = min(analysis.counted.rows, common.max_rows or analysis.counted.rows)
    labelled = min(analysis.counted.labelled, rows)
    split_method = row_options.split_method(common, split_column)

    # The estimator and what is searched for.
    search: Plan | AutoPlan | None
    if analysis.automatic:
        folds = common.cv_folds or (1 if split_method == SEQUENTIAL else folds_of(labelled))
        search = plans.auto_plan(request, common, hyperparameters, task, labelled, folds, caller.progress)
        estimator, params = resolve(search.candidates[0].estimator, task, SKLEARN), dict[str, Any]()
    else:
        engine = "sklearn" if rows <= application.setting(MAX_ROWS) else "mllib"
        estimator = _resolve(request, task, engine, target, analysis.readings)
        if analysis.bigquery:
            hyperparameters = bigquery.hyperparameters(estimator, hyperparameters)
        params, searches = options.hyperparameters(estimator, hyperparameters)
        search = plans.plan(common, searches, estimator)
    plans.check_metric(common, task, estimator)
    plans.check_folds(common, search, split_method, split_column, task, estimator)

    # The preparation of columns.
    impute = options.by_feature("impute", common, (NUMBER, BOOLEAN, DATE, TIMESTAMP), features)
    encode = options.by_feature("encode", common, (TEXT,), features)
    flags = options.missing_flag(common, None if analysis.automatic else estimator, task, params, features, impute)
    coded = [name for name, encoding in encode.items() if encoding != ONE_HOT]
    columns.check_one_number(request, estimator, features, coded, flags)

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
        curves=application.setting(TRAIN_PLOTS),
    )
    return FitPlan(estimator, search, job, rows, labelled, hyperparameters)


def _signature(task: str, features: tuple[Feature, ...], target: Feature | None) -> Signature:
    # CHAR(n) pads with blanks; a prediction has none.
    own_type = target.type if target else ""
    if is_padded(own_type):
        own_type = f"string{own_type.partition(')')[2]}"
    return Signature(task, features, target.name if target else None, _PREDICTED_TYPES.get(task, own_type))


def _resolve(
    request: Request, task: str, engine: str, target: Feature | None, readings: Mapping[str, str]
) -> Estimator:
    possible = counting.possible_tasks(target)
    try:
        return resolve(request.estimator, task, engine, possible)
    except SqlmlError as error:
        if target is not None and target.name in readings:
            error.hint = f"In the query, {readings[target.name]}. {error.hint}"
        raise error.at(request.estimator_offset) from None
