"""Row statistics in one pass: the number of rows, of labelled rows and of classes, and the fingerprint of the data.

The fingerprint is left out if rows are collected later, because it then comes with them. Also here: the checks on these
numbers, and the inference of the task from the target.
"""

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
    """The result of one pass over the query.

    Attributes:
        rows: the number of rows.
        labelled: the number of rows with a target.
        distinct: the number of distinct targets; only counted if the task depends on it.
        fingerprint: the hash of the columns that the training reads; None if it was not asked for.
        texts: the results of `texts.aggregates` for the text columns.
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
        fingerprint: the fingerprint to compute. It reads all its columns; without it at most target and texts are read.
        task: the task given as an option; None to infer it.
        texts: the text columns whose distinct values are counted in the same pass.
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
    """Columns of a Spark DataFrame renamed to c0, c1, …: a user's name may contain `${…}`, which Spark substitutes in
    every SQL text."""
    return frame.select(*[frame[quote_identifier(name)].alias(f"c{index}") for index, name in enumerate(names)])


class Collected:
    """The rows that one machine collects, and their fingerprint. Spark hashes each row as it is collected, which is
    cheaper than another pass over the query.

    Args:
        frame: a Spark DataFrame of the whole query.
        columns: the names of the columns to collect.
        collect: collects a DataFrame as an Arrow table.
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
        """Collects the rows; afterwards `rows` and `fingerprint` are known."""
        table = self._collect(self._frame)
        last = table.num_columns - 1
        self.rows, self.fingerprint = table.num_rows, self._of_hashes(table.column(last))
        return table.remove_column(last)


def check_rows(rows: int, labelled: int, target: Feature | None, request: Request) -> None:
    """Raises SqlmlError if there are no rows, or none with a target."""
    offset = request.target.offset if request.target else None
    if rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to train on.", offset=request.query_offset)
    if labelled == 0 and target is not None:
        raise SqlmlError("SQLML_TARGET_INVALID", f"The target {target.name} is NULL in all {rows} rows.", offset=offset)


def possible_tasks(target: Feature | None) -> tuple[str, ...]:
    """The tasks that a target's type allows: only a number or a boolean can be a regression's target."""
    if target is None:
        return ()
    return (CLASSIFICATION, REGRESSION) if target.kind in (NUMBER, BOOLEAN) else (CLASSIFICATION,)


def check_task(task: str, target: Feature | None, request: Request, readings: Mapping[str, str]) -> None:
    """Raises SqlmlError SQLML_TARGET_INVALID for a regression of a target that is not a number.

    Args:
        readings: sentences about text columns that hold numbers or dates, by name.
    """
    if target is None or task != REGRESSION or task in possible_tasks(target):
        return
    reading = readings.get(target.name)
    others = f"Leave out the task, or use an estimator for classification: {usual(CLASSIFICATION)}."
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {target.name} is {target.type.upper()}, but a regression predicts numbers.",
        hint=f"In the query, {reading}." if reading else others,
        offset=request.target.offset if request.target else None,
    )


def infer_task(target: Feature | None, distinct: int, request: Request) -> str:
    """The task that follows from the target's type and number of distinct values."""
    able = tasks_of(request.estimator)
    if target is None:
        return next(task for task in able if task in WITHOUT_TARGET)
    if target.kind in (TEXT, BOOLEAN):
        return CLASSIFICATION
    if target.kind == NUMBER:
        few = target.type in INTEGERS and distinct <= _MOST_INTEGER_CLASSES
        # A few distinct integers are classes, unless the estimator does regression only.
        return CLASSIFICATION if few and (CLASSIFICATION in able or not able) else REGRESSION
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {target.name} is {target.type.upper()}, from which the task does not follow.",
        hint="Convert it to a number in the query, such as by unix_timestamp(…), or set OPTIONS (task ="
        " 'classification').",
        offset=request.target.offset if request.target else None,
    )
