"""Row options of TRAIN MODEL: validates split, weights, censoring and sampling."""

from __future__ import annotations

from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, Estimator
from sqlml.jobs.job import BY_COLUMN, NO_SPLIT, RANDOM, SEQUENTIAL
from sqlml.signature import BOOLEAN, NUMBER, TEXT, Feature, kind_of
from sqlml.training import counting, options

_DEFAULT_TEST_FRACTION = 0.2


def split_method(common: options.Common, column: Feature | None) -> str:
    """The split method: as given, or else by the column's type: a boolean marks held-out rows, any other type orders
    them."""
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
            f"split_column {column.name} is {column.type.upper()}, which does not fit the split method {method}. It"
            f" must be {needed}.",
            offset=common.offsets["split_column"],
        )
    return method


def weight_column(common: options.Common, column: Feature | None) -> str | None:
    """The name of the weight column, which must be numeric."""
    if column is not None and kind_of(column.type) != NUMBER:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"weight_column {column.name} is {column.type.upper()}, but it must be a number.",
            offset=common.offsets["weight_column"],
        )
    return column.name if column else None


def censor_column(common: options.Common, column: Feature | None, estimator: Estimator) -> str | None:
    """The name of the censor column, which must be boolean or numeric, for an estimator of censored times."""
    if column is None:
        return None
    offset = common.offsets["censor_column"]
    if not estimator.censored:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"censor_column is not supported by {estimator.name}.",
            hint="Use mllib.aft_survival_regression.",
            offset=offset,
        )
    if kind_of(column.type) not in (BOOLEAN, NUMBER):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"censor_column {column.name} is {column.type.upper()}, but it must be a boolean that is true where the"
            " end was observed, or 1 and 0.",
            offset=offset,
        )
    return column.name


def class_weights(common: options.Common, task: str) -> str | dict[str, float] | None:
    """The class weights, for a classification only."""
    if common.class_weights is not None and task != CLASSIFICATION:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"class_weights are only for classification, but the task is {task}.",
            offset=common.offsets["class_weights"],
        )
    return common.class_weights


def sampled(frame: Any, rows: int, seed: int) -> Any:
    """A sample of `rows` rows by a hash of their content, so it does not depend on how they are distributed."""
    plain = counting.numbered(frame, frame.columns)
    key = "hash"
    hashed = plain.selectExpr("*", f"xxhash64({seed}, {', '.join(plain.columns)}) AS {key}")
    return hashed.orderBy(key, *plain.columns).limit(rows).drop(key).toDF(*frame.columns)


def test_fraction(common: options.Common, target: Feature | None, method: str) -> float:
    """The share of rows to hold out: as given, or else 0.2 with a target and 0 without one, because then there is
    nothing to compare predictions with.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a share if another option decides what is held out.
    """
    if common.test_fraction and method in (BY_COLUMN, NO_SPLIT):
        who = f"split_column {common.split_column} marks them" if method == BY_COLUMN else "split_method is none"
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"test_fraction is the share of rows to hold out, but {who}.",
            hint="Leave out one of the two options.",
            offset=common.offsets["test_fraction"],
        )
    if method == NO_SPLIT:
        return 0.0
    if common.test_fraction is not None:
        return common.test_fraction
    return _DEFAULT_TEST_FRACTION if target else 0.0
