"""Every estimator as SQL: which of them can be written, and that DuckDB and SQLite then answer what ONNX Runtime does.
And which of them can be compiled into a query of Spark's; what they answer there is in test_compiled_estimators.py.

`--update-golden` writes what was found into the manual's table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from helpers.every_estimator import PAGE as _PAGE
from helpers.every_estimator import PAIRS as _PAIRS
from helpers.every_estimator import first_splits as _splits
from helpers.every_estimator import fit as _fit
from helpers.every_estimator import job_of as _job
from helpers.every_estimator import mixed_table as _table
from helpers.every_estimator import published_lines as _lines
from helpers.every_estimator import targets_of as _targets
from helpers.sql_engines import compare
from helpers.unused import check_unused

from sqlml.compiler.catalyst import program
from sqlml.compiler.feature_usage import used_features
from sqlml.errors import SqlmlError
from sqlml.estimators import Estimator
from sqlml.estimators.sklearn import check
from sqlml.jobs.job import Fitted

_HEADER = """# Which models can be SQL, and which are compiled

This page shows which models `EXPORT MODEL … FORMAT sql` can write. Each model was trained and written, and DuckDB and
SQLite ran the SQL on real and on hard rows: NULL, NaN, infinities, unseen categories, thresholds and the doubles next
to them. The labels are those of ONNX Runtime, and the scores differ by at most 1e-9, relative above 1. Some models of
each kind also ran on PostgreSQL and Spark. The SQL for the other dialects was only parsed.

A model of models (voting, stacking) can be SQL if its members can. A model that keeps training rows (support vector
machines, Gaussian processes) becomes SQL whose length grows with them, and is refused if it is too long for the
dialect.

Differences between dialects:

- XGBoost adds in float32. Systems without that type (BigQuery, ClickHouse, MySQL, Snowflake, SQLite) add in double,
  so scores differ by at most 1e-6, and a label can differ if two scores are that close.
- T-SQL treats strings as equal that differ only in trailing blanks.
- A feature with a collation is an error that names the feature, because no two systems have the same collations.
  Trailing blanks of CHAR(n) are removed.
- SQLite stores dates and timestamps as strings: `YYYY-MM-DD`, and `YYYY-MM-DD HH:MM:SS` with up to six digits after a
  point.
- A timestamp is read as UTC, or in the time zone of the session if the system does so.
- A column that was an integer or a decimal in training must not contain NaN.
- A system that fails on overflow, such as PostgreSQL, also fails on numbers near the largest double.
- Oracle is not supported, because its numbers are decimal, and its empty string is NULL.

The last column shows which models PREDICT can compile into a query of Spark, without Python: see
[engines](engines.md). There trees do not become SQL, and ONNX Runtime computes models with more than some thousand
operations.

Written by `pytest tests/spark/engines/test_estimators_as_sql.py -m "" --update-golden`.

| estimator | task | as SQL | compiled |
|---|---|---|---|
"""
# One of every kind of graph is in `make test`, all of them in `make test-all`.
_SLOW = (
    *(
        "lightgbm",
        "sklearn.gaussian_mixture",
        "sklearn.k_means",
    ),
    *("sklearn.k_neighbors", "sklearn.poisson_regression", "sklearn.random_forest", "sklearn.stacking", "xgboost"),
)


def _compiled(fitted: Fitted) -> bool:
    signature = fitted.signature
    used, given = used_features(fitted.onnx, signature), [feature.type for feature in signature.features]
    return program(fitted.onnx, signature, given, used) is not None


def _line(row: Estimator, task: str, said: str, compiled: bool) -> str:
    return f"| `{row.name}` | {task} | {said} | {'yes' if compiled else 'no'} |\n"


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], str]]:
    lines: dict[tuple[str, str], str] = {}
    yield lines
    if request.config.getoption("--update-golden"):
        lines = (_lines() if _PAGE.exists() else {}) | lines
        found = [lines[row.name, task] for row, task in _PAIRS if (row.name, task) in lines]
        _PAGE.write_text(_HEADER + "".join(found), encoding="utf-8")


def test_the_manual_has_a_line_for_every_estimator() -> None:
    assert list(_lines()) == [(row.name, task) for row, task in _PAIRS]
    assert _PAGE.read_text(encoding="utf-8").startswith(_HEADER)


def _case(row: Estimator, task: str) -> Any:
    mark = pytest.mark.slow if row.name in _SLOW else pytest.mark.nightly
    return pytest.param(row, task, id=f"{row.name}-{task}", marks=mark)


@pytest.mark.parametrize(("row", "task"), [_case(*pair) for pair in _PAIRS])
def test_every_estimator_as_sql(
    request: pytest.FixtureRequest, published: dict[tuple[str, str], str], row: Estimator, task: str
) -> None:
    said, compiled = "yes", True
    for target in _targets(row, task):
        fitted = _fit(_job(row, task, target), row, request)
        rows = check.rows(_table(), fitted.signature.features, {"x": _splits(fitted.onnx)}, inside=row.noisy)
        check_unused(fitted.onnx, fitted.signature, rows)
        compiled &= _compiled(fitted)
        try:
            for dialect in ("duckdb", "sqlite"):
                close = row.engine == "xgboost"
                compare(fitted, rows, dialect, tolerance=1e-6 if close and dialect == "sqlite" else 1e-9)
        except SqlmlError as error:
            assert error.condition == "SQLML_MODEL_NOT_SQL"
            said = f"no: {error.message.partition('operator ')[2].rstrip('.')}"
    published[row.name, task] = _line(row, task, said, compiled)
    assert request.config.getoption("--update-golden") or _lines()[row.name, task] == published[row.name, task]
