"""OPTIONS that name a column, or depend on the task: which rows are held out, how much each counts, whether it has
ended."""

from __future__ import annotations

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, Estimator
from sqlml.estimators.job import BY_COLUMN, NO_SPLIT, RANDOM, SEQUENTIAL
from sqlml.signature import BOOLEAN, NUMBER, TEXT, Feature, kind_of
from sqlml.training.options import Common


def split_method(common: Common, column: Feature | None) -> str:
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


def weight_column(common: Common, column: Feature | None) -> str | None:
    if column is not None and kind_of(column.type) != NUMBER:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"weight_column {column.name} is {column.type.upper()}; a weight is a number.",
            offset=common.offsets["weight_column"],
        )
    return column.name if column else None


def censor_column(common: Common, column: Feature | None, estimator: Estimator) -> str | None:
    if column is None:
        return None
    offset = common.offsets["censor_column"]
    if not estimator.censored:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"censor_column: {estimator.name} takes every target for the whole time.",
            hint="Use mllib.aft_survival_regression.",
            offset=offset,
        )
    if kind_of(column.type) not in (BOOLEAN, NUMBER):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"censor_column {column.name} is {column.type.upper()}; needed is a boolean that is true where the end was"
            " observed, or 1 and 0.",
            offset=offset,
        )
    return column.name


def class_weights(common: Common, task: str) -> str | dict[str, float] | None:
    if common.class_weights is not None and task != CLASSIFICATION:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"class_weights are for classification, and this is {task}.",
            offset=common.offsets["class_weights"],
        )
    return common.class_weights
