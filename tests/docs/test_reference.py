"""The manual runs: every statement of sql/reference does what the prose around it shows, or at least does not fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.golden import read_statements
from helpers.doors.in_process import InProcess
from helpers.folders import ROOT

from sqlml.parser.functions import FUNCTIONS
from sqlml.statements import STATEMENTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PAGES = sorted((ROOT / "sql" / "reference").glob("*.sql"))


@pytest.mark.parametrize("path", _PAGES, ids=lambda path: path.stem)
def test_page(path: Path, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where relative paths of EXPORT and IMPORT start
    statements = read_statements(path)
    for statement, result in zip(statements, InProcess(spark).run([one.text for one in statements]), strict=True):
        assert result.failure is None, f"{statement.text}\n{result.raw}"


def test_every_statement_and_function_has_a_page() -> None:
    pages = {path.stem for path in _PAGES}
    statements = {"_".join(statement.HEADS[0]).lower() for statement in STATEMENTS}
    assert statements | set(FUNCTIONS.values()) | {"tables"} == pages


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.__name__)
def test_the_page_shows_the_grammar_of_the_docstring(statement: type) -> None:
    """A statement's docstring begins with its grammar; the page must show the same."""
    grammar = [line.strip() for line in (statement.__doc__ or "").partition("\n\n")[0].splitlines()]
    page = ROOT / "sql" / "reference" / ("_".join(statement.HEADS[0]).lower() + ".sql")  # type: ignore[attr-defined]
    shown = [line.removeprefix("--").strip() for line in page.read_text(encoding="utf-8").splitlines()]
    assert [line for line in grammar if line not in shown] == []
