"""One pass over the query's rows: how many there are, how many classes, and their fingerprint. Then whether those are
enough, and which task the target asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, REGRESSION, WITHOUT_TARGET, tasks_of
from sqlml.lineage import Fingerprint
from sqlml.printing import quote_identifier
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature
from sqlml.training.request import Request

# An integer target with more distinct values than this is a quantity, not a class.
_MOST_INTEGER_CLASSES = 20


@dataclass(frozen=True)
class Counted:
    """What one pass has found.

    Attributes:
        rows: of the query.
        labelled: rows with a target.
        distinct: different targets; only counted where the task depends on it.
        fingerprint: of the columns that are learned from.
    """

    rows: int
    labelled: int
    distinct: int
    fingerprint: str


def count(frame: Any, columns: Sequence[Feature], target: Feature | None, *, task: str | None) -> Counted:
    """Counts the rows of a Spark DataFrame.

    Args:
        columns: those that are learned from, each once, the target among them.
        task: the one that was asked for, if any.
    """
    fingerprint = Fingerprint([(column.name, column.type) for column in columns])
    labelled, distinct = "count(*)", "0L"
    if target is not None:
        column = quote_identifier(target.name)
        labelled = f"count({column})"
        if target.type in INTEGERS and task is None:
            distinct = f"count(DISTINCT {column})"
    hashes = fingerprint.aggregates([quote_identifier(column.name) for column in columns])
    rows, with_target, classes, *hashed = frame.selectExpr("count(*)", labelled, distinct, *hashes).first()
    return Counted(rows, with_target, classes, fingerprint.of(rows, *hashed))


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
