"""One pass over the query's rows: how many there are, how many classes, and their fingerprint, where that does not come
with the collected rows. Then whether those are enough, and which task the target asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, REGRESSION, WITHOUT_TARGET, tasks_of
from sqlml.lineage import Fingerprint
from sqlml.printing import quote_identifier
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature
from sqlml.training.request import Request

if TYPE_CHECKING:
    import pyarrow as pa

# An integer target with more distinct values than this is a quantity, not a class.
_MOST_INTEGER_CLASSES = 20


@dataclass(frozen=True)
class Counted:
    """What one pass has found.

    Attributes:
        rows: of the query.
        labelled: rows with a target.
        distinct: different targets; only counted where the task depends on it.
        fingerprint: of the columns that are learned from; None where it was not asked for.
    """

    rows: int
    labelled: int
    distinct: int
    fingerprint: str | None = None


def count(frame: Any, target: Feature | None, fingerprint: Fingerprint | None, *, task: str | None) -> Counted:
    """Counts the rows of a Spark DataFrame.

    Args:
        fingerprint: to be taken of them. It reads all columns; without it only the target is read, if that.
        task: the one that was asked for, if any.
    """
    labelled, distinct = "count(*)", "0L"
    if target is not None:
        column = quote_identifier(target.name)
        labelled = f"count({column})"
        if target.type in INTEGERS and task is None:
            distinct = f"count(DISTINCT {column})"
    hashes = [] if fingerprint is None else fingerprint.aggregates(_quoted(fingerprint.names))
    rows, with_target, classes, *hashed = frame.selectExpr("count(*)", labelled, distinct, *hashes).first()
    return Counted(rows, with_target, classes, fingerprint.of(rows, *hashed) if fingerprint else None)


class Collected:
    """The rows that one machine learns from, and their fingerprint: Spark hashes each row as it is collected, which is
    much less than to read all rows once more.

    Args:
        frame: a Spark DataFrame of the whole query.
        columns: those to collect, by name.
        collect: how a DataFrame becomes a table.
    """

    def __init__(
        self, frame: Any, columns: Sequence[str], fingerprint: Fingerprint, collect: Callable[[Any], pa.Table]
    ) -> None:
        hashed = fingerprint.hash(_quoted(fingerprint.names))
        self._frame = frame.selectExpr(*_quoted(columns), f"{hashed} AS __sqlml_hash")
        self._of_hashes, self._collect = fingerprint.of_hashes, collect
        self.rows, self.fingerprint = 0, ""

    def table(self) -> pa.Table:
        """Reads the rows, and from then on their number and fingerprint are known."""
        table = self._collect(self._frame)
        last = table.num_columns - 1
        self.rows, self.fingerprint = table.num_rows, self._of_hashes(table.column(last))
        return table.remove_column(last)


def _quoted(names: Sequence[str]) -> list[str]:
    return [quote_identifier(name) for name in names]


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
