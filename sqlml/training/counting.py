"""One pass over the query's rows: how many there are, how many classes, and their fingerprint, where that does not come
with the collected rows. Then whether those are enough, and which task the target asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, REGRESSION, WITHOUT_TARGET, tasks_of, usual
from sqlml.lineage import Fingerprint
from sqlml.parser.generator import quote_identifier
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature
from sqlml.training import texts as text_columns
from sqlml.training.request import Request

if TYPE_CHECKING:
    import pyarrow as pa

# An integer target with more distinct values than this is a quantity, not a class.
_MOST_INTEGER_CLASSES = 20
_HASH = "__sqlml_hash"


@dataclass(frozen=True)
class Counted:
    """What one pass has found.

    Attributes:
        rows: of the query.
        labelled: rows with a target.
        distinct: different targets; only counted where the task depends on it.
        fingerprint: of the columns that are learned from; None where it was not asked for.
        texts: what `texts.aggregates` has found of the text columns.
    """

    rows: int
    labelled: int
    distinct: int
    fingerprint: str | None = None
    texts: tuple[int, ...] = ()


def count(
    frame: Any,
    target: Feature | None,
    fingerprint: Fingerprint | None,
    *,
    task: str | None,
    texts: Sequence[str] = (),
) -> Counted:
    """Counts the rows of a Spark DataFrame.

    Args:
        fingerprint: to be taken of them. It reads all columns; without it only the target is read, if that.
        task: the one that was asked for, if any.
        texts: the text columns of which different values are counted in the same pass.
    """
    names = dict.fromkeys([*(fingerprint.names if fingerprint else ()), *([target.name] if target else ()), *texts])
    column = {name: f"c{index}" for index, name in enumerate(names)}
    labelled, distinct = "count(*)", "0L"
    if target is not None:
        labelled = f"count({column[target.name]})"
        if target.type in INTEGERS and task is None:
            distinct = f"count(DISTINCT {column[target.name]})"
    hashes = fingerprint.aggregates([column[name] for name in fingerprint.names]) if fingerprint else []
    of_texts = text_columns.aggregates([column[name] for name in texts])
    found = numbered(frame, list(names)).selectExpr("count(*)", labelled, distinct, *hashes, *of_texts).first()
    rows, with_target, classes, *others = found
    hashed, values = others[: len(hashes)], others[len(hashes) :]
    return Counted(rows, with_target, classes, fingerprint.of(rows, *hashed) if fingerprint else None, tuple(values))


def numbered(frame: Any, names: Sequence[str]) -> Any:
    """Some columns of a Spark DataFrame as c0, c1, …: a name of the user's may hold `${…}`, which Spark substitutes
    wherever it reads an SQL text."""
    return frame.select(*[frame[quote_identifier(name)].alias(f"c{index}") for index, name in enumerate(names)])


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
        names = list(dict.fromkeys([*columns, *fingerprint.names]))
        column = {name: f"c{index}" for index, name in enumerate(names)}
        hashed = fingerprint.hash([column[name] for name in fingerprint.names])
        rows = numbered(frame, names).selectExpr(*[column[name] for name in columns], f"{hashed} AS hash")
        self._frame = rows.toDF(*columns, _HASH)
        self._of_hashes, self._collect = fingerprint.of_hashes, collect
        self.rows, self.fingerprint = 0, ""

    def table(self) -> pa.Table:
        """Reads the rows, and from then on their number and fingerprint are known."""
        table = self._collect(self._frame)
        last = table.num_columns - 1
        self.rows, self.fingerprint = table.num_rows, self._of_hashes(table.column(last))
        return table.remove_column(last)


def check_rows(rows: int, labelled: int, target: Feature | None, request: Request) -> None:
    offset = request.target.offset if request.target else None
    if rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to learn from.", offset=request.query_offset)
    if labelled == 0 and target is not None:
        raise SqlmlError("SQLML_TARGET_INVALID", f"The target {target.name} is NULL in all {rows} rows.", offset=offset)


def possible_tasks(target: Feature | None) -> tuple[str, ...]:
    """The tasks that a target's type allows: only a number, or a boolean, can be the target of a regression."""
    if target is None:
        return ()
    return (CLASSIFICATION, REGRESSION) if target.kind in (NUMBER, BOOLEAN) else (CLASSIFICATION,)


def check_task(task: str, target: Feature | None, request: Request, readings: Mapping[str, str]) -> None:
    """Raises SqlmlError SQLML_TARGET_INVALID for a regression of what is no number.

    Args:
        readings: the numbers and dates that text columns hold, in words.
    """
    if target is None or task != REGRESSION or task in possible_tasks(target):
        return
    reading = readings.get(target.name)
    others = f"Leave the task out, or name an estimator for classification: {usual(CLASSIFICATION)}."
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {target.name} is {target.type.upper()}, and a regression predicts numbers.",
        hint=f"In the query, {reading}." if reading else others,
        offset=request.target.offset if request.target else None,
    )


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
