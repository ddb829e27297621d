"""How many rows TRAIN MODEL has, whether those are enough, and which task their target asks for."""

from __future__ import annotations

from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, REGRESSION, WITHOUT_TARGET, tasks_of
from sqlml.printing import quote_identifier
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature
from sqlml.training import options
from sqlml.training.request import Request

# An integer target with more distinct values than this is a quantity, not a class.
_MOST_INTEGER_CLASSES = 20


def count(frame: Any, target: Feature | None, common: options.Common) -> tuple[int, int, int]:
    """Rows of the query, rows with a target, and distinct targets (only counted where the task depends on it)."""
    if target is None:
        rows = frame.count()
        return rows, rows, 0
    column = quote_identifier(target.name)
    distinct = f"count(DISTINCT {column})" if target.type in INTEGERS and common.task is None else "0L"
    rows, labelled, classes = frame.selectExpr("count(*)", f"count({column})", distinct).first()
    return rows, labelled, classes


def check_rows(rows: int, labelled: int, target: Feature | None, request: Request) -> None:
    offset = request.target.offset if request.target else None
    if rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to learn from.", offset=request.query_offset)
    if labelled == 0 and target is not None:
        raise SqlmlError("SQLML_TARGET_INVALID", f"The target {target.name} is NULL in all {rows} rows.", offset=offset)


def infer_task(target: Feature | None, distinct: int, request: Request) -> str:
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
