"""Hundreds of real tables as a new user meets them: `SELECT *`, the last column as the target, the estimators in turn.

A training may be refused, but with an error that has a condition of ours or Spark's, and never as a defect; and every
row of a model that was trained has the same answer by both engines. What came of each table stands in
benchmarks/results/shipped_tables.md.
"""

from __future__ import annotations

import math
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from helpers.folders import TESTS
from helpers.shipped_tables import ShippedTable, is_usable, shipped_tables
from pyspark.errors import PySparkException

from sqlml.estimators import CLASSIFICATION, ESTIMATORS, REGRESSION
from sqlml.parser.generator import quote_identifier

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

_TABLES = int(os.environ.get("SQLML_SHIPPED_TABLES", "300"))
_RESULTS = TESTS / "benchmarks" / "results" / "shipped_tables.md"
_CODED = re.compile(r"\[[A-Z][A-Z0-9_.]+\] ")
# An integer with more different values is a quantity.
_MOST_CLASSES = 20


@dataclass(frozen=True)
class _Outcome:
    """What came of one table: the metric of its model, or the condition of the error."""

    table: ShippedTable
    rows: int
    columns: int
    estimator: str
    said: str
    seconds: float
    warnings: str = ""
    wrong: str = ""

    @property
    def line(self) -> str:
        cells = (
            f"{self.table.package}: {self.table.name}",
            *(str(self.rows), str(self.columns), self.estimator, self.said, f"{self.seconds:.1f}", self.warnings),
        )
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


@pytest.mark.nightly
def test_every_table_is_learned_or_refused_in_words_of_ours(spark: SparkSession) -> None:
    session = spark.newSession()
    turns = {task: _in_turn(task) for task in (CLASSIFICATION, REGRESSION)}
    outcomes: list[_Outcome] = []
    for table in shipped_tables():
        if len(outcomes) == _TABLES:
            break
        frame = table.frame()
        if is_usable(frame):
            task = _task(frame.iloc[:, -1])
            estimator = turns[task][len(outcomes) % len(turns[task])]
            outcomes.append(_outcome(session, table, frame, task, estimator))
            # Written after every table, so that a run that is stopped leaves what it found.
            _write(outcomes)
            print(outcomes[-1].line, flush=True)
    assert len(outcomes) >= min(_TABLES, 100)
    wrong = [f"{one.table.package} {one.table.name} by {one.estimator}: {one.wrong}" for one in outcomes if one.wrong]
    assert not wrong, "\n".join(wrong)


def _in_turn(task: str) -> list[str]:
    """The estimators that can be asked for any table: those of one machine, which are many, and a few of MLlib's."""
    usual = [row for row in ESTIMATORS if task in row.classes and not (row.one_number or row.censored)]
    others = [row.name for row in usual if not row.distributed]
    return [*others, *[row.name for row in usual if row.name in ("mllib.decision_tree", f"mllib.{_LINEAR[task]}")]]


_LINEAR = {CLASSIFICATION: "logistic_regression", REGRESSION: "linear_regression"}


def _task(target: pd.Series[Any]) -> str:
    if target.dtype.kind == "f" or (target.dtype.kind in "iu" and target.nunique() > _MOST_CLASSES):
        return REGRESSION
    return CLASSIFICATION


def _outcome(session: SparkSession, table: ShippedTable, frame: pd.DataFrame, task: str, estimator: str) -> _Outcome:
    started = time.monotonic()

    def outcome(said: str, **more: str) -> _Outcome:
        return _Outcome(table, len(frame), frame.shape[1], estimator, said, time.monotonic() - started, **more)

    session.createDataFrame(frame).createOrReplaceTempView("shipped")
    target = quote_identifier(frame.columns[-1])
    try:
        trained = session.sql(f"TRAIN MODEL shipped USING {estimator} TARGET {target} AS SELECT * FROM shipped").first()
    except PySparkException as error:
        message = str(error)
        condition = error.getCondition() or ""
        uncoded = not _CODED.match(message) or condition in ("SQLML_INTERNAL_ERROR", "INTERNAL_ERROR")
        return outcome(message.split(" SQLSTATE: ")[0][:300], wrong=message[:500] if uncoded else "")
    assert trained is not None
    metric = "accuracy" if task == CLASSIFICATION else "r2"
    said = f"{metric} {trained['metrics'].get(metric, math.nan):.3g}"
    return outcome(said, warnings=trained["warnings"] or "", wrong=_different(session, task))


def _different(session: SparkSession, task: str) -> str:
    """The first row for which the engines differ, in words; "" where none does."""
    answers = []
    for engine in ("compiled", "onnxruntime"):
        session.conf.set("spark.sqlml.engine", engine)
        answers.append([row["p"] for row in session.sql("SELECT PREDICT(shipped, *) AS p FROM shipped").collect()])
    session.conf.unset("spark.sqlml.engine")
    for place, (one, other) in enumerate(zip(*answers, strict=True)):
        same = one == other or (
            task == REGRESSION and math.isclose(one or 0.0, other or 0.0, rel_tol=1e-6, abs_tol=1e-6)
        )
        if not same:
            return f"row {place}: compiled {one!r}, by ONNX Runtime {other!r}"
    return ""


def _write(outcomes: list[_Outcome]) -> None:
    learned = [one for one in outcomes if one.said.split()[0] in ("accuracy", "r2")]
    lines = [
        "# Tables that packages ship, as they are",
        "",
        f"{len(learned)} of {len(outcomes)} trained: `SELECT *`, the last column as the target, the estimators in turn;"
        " every row by both engines. Written by `pytest tests/conformance/test_shipped_tables.py`.",
        "",
        "| table | rows | columns | estimator | metric, or what was said | seconds | warnings |",
        "|---|---|---|---|---|---|---|",
        *(one.line for one in outcomes),
    ]
    _RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
