"""What tools that parse with sqlglot make of our SQL, in every version of it that we promise, and what Spark says then.

`fixtures/sqlglot/spellings.txt` has each spelling with its outcome beside it; `--update-golden` writes the outcomes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from helpers.doors.golden import read_statements
from helpers.environments import library
from helpers.folders import FIXTURES, ROOT
from sqlglot import exp
from sqlglot.parser import Parser

from sqlml.dialect import COMMANDS, INERT, SqlmlSpark
from sqlml.parser.functions import FUNCTIONS
from sqlml.statements import HEADS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FIXTURES = FIXTURES / "sqlglot"
_GOLDEN = _FIXTURES / "spellings.txt"
# The last release of each, and the newest in its compiled build too.
_VERSIONS = {
    "28": "sqlglot==28.10.1",
    "29": "sqlglot==29.0.1",
    "30": "sqlglot==30.30.0",
    "30 compiled": "sqlglot[c]==30.30.0",
}
# `make test` tries the oldest release and the compiled build, `make test-all` those between them too.
_TRIED = [
    pytest.param(version, marks=[] if version in ("28", "30 compiled") else [pytest.mark.nightly])
    for version in _VERSIONS
]
_STOCK = ("hive", "spark", "databricks")
# sqlglot has no tree for it, and says so.
_TSQL = re.compile(r"PREDICT\s*\(\s*MODEL\s*=(?!>)|\ADECLARE\s+@", re.IGNORECASE)
_PAGES = sorted((ROOT / "sql" / "reference").glob("*.sql"))


def test_every_statement_passes_as_a_command() -> None:
    """Fails where the jar is older than a statement: `make setup` builds it again."""
    assert {head[:1] if head[0] == "DECLARE" else head for head in COMMANDS} == set(HEADS)
    sent = [sqlglot.parse_one(f"{' '.join(head)} x y z", dialect=SqlmlSpark) for head in COMMANDS]
    assert all(isinstance(one, exp.Command) for one in sent)


def test_every_function_of_ours_that_sqlglot_has_too_gets_another_name() -> None:
    assert {name.upper() for name in FUNCTIONS} & set(Parser.FUNCTIONS) == set(INERT)
    assert all(FUNCTIONS[name.lower()] == FUNCTIONS[other.lower()] for name, other in INERT.items())


def test_the_setting_of_the_manual() -> None:
    page = (ROOT / "sql" / "reference" / "clients.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(block, names)
    assert names["SQLGLOT_DIALECTS_EXTENSIONS"] == {"hive": SqlmlSpark}


@cache
def _spelled(version: str, statements: tuple[str, ...]) -> list[dict[str, dict[str, str]]]:
    """What each dialect of this version makes of the statements."""
    folder = library(_VERSIONS[version])
    done = subprocess.run(
        [sys.executable, str(_FIXTURES / "spell.py")],
        input=json.dumps(statements),
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert f"=={said['version']}" in _VERSIONS[version]
    assert any(folder.rglob("parser*.so")) == ("compiled" in version)
    assert said["heavy"] == [], "the module is for processes that have none of these"
    return said["answers"]


def _refusal(spark: SparkSession, sql: str) -> str | None:
    """None where Spark with sqlml parses a text, else the error's condition."""
    from pyspark.errors import PySparkException

    try:
        _plan(spark, sql)
    except PySparkException as error:
        return error.getCondition()
    return None


def _plan(spark: SparkSession, sql: str) -> Any:
    """How Spark reads a text, before anything is looked up."""
    return spark._jsparkSession.sessionState().sqlParser().parsePlan(sql)  # type: ignore[attr-defined]


def _outcome(spark: SparkSession, statement: str, spelled: dict[str, str]) -> str:
    if "refused" in spelled:
        return "refused by the tool"
    sent = spelled["sent"]
    shown = "unchanged" if sent == statement else sent
    refusal = _refusal(spark, sent)
    return shown if refusal is None else f"{shown}  -- refused by Spark: {refusal}"


@pytest.mark.slow
def test_spellings(spark: SparkSession, request: pytest.FixtureRequest) -> None:
    lines = _GOLDEN.read_text(encoding="utf-8").splitlines()
    statements = tuple(line for line in lines if line and not line.startswith((" ", "--")))
    outcomes: list[dict[str, str]] = [{} for _ in statements]
    for version in _VERSIONS:
        for at, answer in enumerate(_spelled(version, statements)):
            for dialect, spelled in answer.items():
                outcomes[at][f"{dialect} {version}"] = _outcome(spark, statements[at], spelled)
    text = "".join(f"{said}\n{_grouped(found)}\n" for said, found in zip(statements, outcomes, strict=True))
    heading = (
        "-- What each of sqlglot's dialects, and ours (sqlml), send to Spark for a text, by version of sqlglot.\n\n"
    )
    if request.config.getoption("--update-golden"):
        _GOLDEN.write_text(heading + text, encoding="utf-8")
    assert _GOLDEN.read_text(encoding="utf-8") == heading + text


def _grouped(outcomes: dict[str, str]) -> str:
    """`stock` for the three dialects where they agree, without versions where these do."""
    for version in _VERSIONS:
        stock = {dialect: outcomes.pop(f"{dialect} {version}") for dialect in _STOCK}
        alike = len(set(stock.values())) == 1
        outcomes[f"stock {version}"] = stock["hive"] if alike else "; ".join(f"{a} {b}" for a, b in stock.items())
    lines = []
    for dialect in ("stock", "sqlml"):
        by_outcome: dict[str, list[str]] = {}
        for version in _VERSIONS:
            by_outcome.setdefault(outcomes[f"{dialect} {version}"], []).append(version)
        for outcome, versions in by_outcome.items():
            which = "" if len(by_outcome) == 1 else f" {', '.join(versions)}"
            lines.append(f"    {dialect}{which}: {outcome}\n")
    return "".join(lines)


def _recommended() -> list[str]:
    """Every statement of the manual and of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown: list[str] = re.findall(r"^```sql\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    statements = [part.strip() for block in shown for part in re.split(r";$", block, flags=re.MULTILINE)]
    return [*filter(None, statements), *(one.text for page in _PAGES for one in read_statements(page))]


@pytest.mark.slow
@pytest.mark.parametrize("version", _TRIED)
def test_what_we_recommend_arrives_as_it_was_meant(version: str, spark: SparkSession) -> None:
    """With our dialect everything, as written; without it, the other names of TRAIN MODEL and PREDICT."""
    # The manual shows mistakes too.
    statements = [said for said in _recommended() if _refusal(spark, said) is None and not _TSQL.search(said)]
    assert len(statements) > 100
    for statement, answer in zip(statements, _spelled(version, tuple(statements)), strict=True):
        sent = answer["sqlml"].get("sent")
        assert sent is not None, (statement, answer["sqlml"])
        assert _refusal(spark, sent) is None, (statement, sent)
    others = [_inert(statement) for statement in statements]
    for statement, answer in zip(others, _spelled(version, tuple(others)), strict=True):
        for dialect in _STOCK:
            sent = answer[dialect].get("sent")
            assert sent is None or _refusal(spark, sent) is None, (statement, dialect, sent)


def _inert(statement: str) -> str:
    """The spelling for tools that parse with sqlglot and do not know our dialect."""
    statement = re.sub(r"\b(?:ML\.)?(?<!ML_)(PREDICT(?:_PROBA)?)\(", r"ML_\1(", statement)
    return re.sub(r"\ATRAIN MODEL", "CREATE MODEL", statement)


@pytest.mark.slow
@pytest.mark.parametrize("version", _TRIED)
def test_a_call_means_the_same_afterwards(version: str, spark: SparkSession) -> None:
    """Spark reads both texts alike; where it does not, sqlglot has changed something that is not ours."""
    lines = _GOLDEN.read_text(encoding="utf-8").splitlines()
    calls = tuple(
        line for line in lines if "PREDICT" in line.upper() and line.startswith("SELECT") and "|>" not in line
    )
    compared = 0
    for call, answer in zip(calls, _spelled(version, calls), strict=True):
        if _refusal(spark, call) is not None:
            continue
        for spelled in answer.values():
            sent = spelled.get("sent")
            # A table in TABLE(…) has become a query.
            if sent is not None and "TABLE(" not in sent and _refusal(spark, sent) is None:
                assert _meant(spark, sent) == _meant(spark, call), (call, sent)
                compared += 1
    assert compared > 60


def _meant(spark: SparkSession, sql: str) -> str:
    """How Spark reads a text, without what the other name of a function changes."""
    plan = re.sub(r"#\d+", "", _plan(spark, sql).toString().lower())
    return plan.replace("ml_predict", "predict")
