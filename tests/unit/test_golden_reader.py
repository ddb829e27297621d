"""The golden runner itself, without Spark: reading, masking, comparing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.doors.golden import Answer, Statement, answer, differences, read_answers, read_statements, write_answers
from helpers.doors.hive_text import cell, double
from helpers.doors.in_process import InProcess
from helpers.doors.result import Failure, Result, failure_from


def test_statements_prose_and_directives(tmp_path: Path) -> None:
    path = tmp_path / "topic.sql"
    path.write_text(
        "-- prose\nSELECT 1;\n\n-- !keep a+\n-- !only pyspark\nSELECT\n  'x;y' -- inside\n;\nSELECT 2; SELECT 3;\n"
    )
    assert read_statements(path) == [
        Statement("SELECT 1"),
        Statement("SELECT\n  'x;y' -- inside\n", keep="a+", only=frozenset({"pyspark"})),
        Statement("SELECT 2; SELECT 3"),
    ]


def test_an_include_runs_before_and_is_not_answered(tmp_path: Path) -> None:
    path = tmp_path / "topic.sql"
    path.write_text("-- !include sql/data/houses.sql\nSELECT 1;\n")
    included, own = read_statements(path)
    assert included.included and "houses" in included.text
    assert own == Statement("SELECT 1")


@pytest.mark.parametrize("text", ["SELECT 1", "-- !inclde x\nSELECT 1;\n"])
def test_files_with_mistakes_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "topic.sql"
    path.write_text(text)
    with pytest.raises(ValueError, match="topic"):
        read_statements(path)


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    answers = [
        Answer(
            "SELECT 1\n  AS a", (("a", "int"), ("m", "map<string,double>"), ("d", "decimal(3,2)")), ("1\t{}\t1.00",)
        ),
        Answer("SELECT 1 WHERE false", (("1", "int"),)),
        Answer("DROP VIEW v"),
        Answer("SELECT ''", (("c", "string"),), ("", "")),
        Answer("SELEC 1", failure=Failure("PARSE_SYNTAX_ERROR", "42601", "Syntax error.", 1, 0)),
        Answer("SELECT f()", failure=Failure("X.Y", "42000", "No place.")),
    ]
    write_answers(tmp_path / "out", answers)
    assert read_answers(tmp_path / "out") == answers


def test_what_changes_from_run_to_run_is_masked() -> None:
    columns = (("seconds", "double"), ("created", "timestamp"), ("value", "string"), ("metrics", "map<string,double>"))
    row = ("1.234", "NULL", f"{'ab' * 32} {'cd' * 16} #12L 2024-01-02 03:04:05 UTC", '{"f1":0.123456,"rmse":-1.0E-12}')
    masked = answer(Statement("q"), Result(columns, (row,)))
    assert masked.output == ('<masked>\tNULL\t<masked> <masked> #<masked> <masked>\t{"f1":0.1235,"rmse":0.0}',)


def test_keep_leaves_only_what_matches() -> None:
    result = Result((("plan", "string"),), (("Scan a\nProject b",), ("Scan c",)))
    assert answer(Statement("q", keep=r"Scan \w"), result).output == ("Scan a", "Scan c")


@pytest.mark.parametrize(
    "text",
    [
        "[A.B] No column `x`. Known: [`b`]. SQLSTATE: 42703; line 1 pos 7;\n'Project ['x]\n+- X SQLSTATE: 00000",
        "[A.B] No column `x`. Known: [`b`]. SQLSTATE: 42703 (line 1, pos 7)\n\n== SQL ==\nSELECT x\n-------^^^\n",
        "Error running query: [A.B] org.apache.spark.sql.AnalysisException: [A.B] No column `x`. Known: [`b`]."
        " SQLSTATE: 42703; line 1 pos 7;\n'Project",
        "Error running query: [A.B] org.apache.spark.sql.catalyst.parser.ParseException: \n[A.B] No column `x`."
        " Known: [`b`]. SQLSTATE: 42703 (line 1, pos 7)\n",
    ],
)
def test_every_client_wraps_the_same_error(text: str) -> None:
    assert failure_from(text) == Failure("A.B", "42703", "No column `x`. Known: [`b`].", 1, 7)


def test_doubles_are_javas() -> None:
    texts = {
        1.0: "1.0",
        -0.25: "-0.25",
        1e-7: "1.0E-7",
        12345678.0: "1.2345678E7",
        0.001: "0.001",
        9999999.5: "9999999.5",
    }
    assert {value: double(value) for value in texts} == texts
    assert [double(float(text)) for text in ("nan", "inf", "-inf", "0")] == ["NaN", "Infinity", "-Infinity", "0.0"]
    assert cell(1.100000023841858, single=True) == "1.1"


def test_maps_are_sorted_and_nested_nulls_small() -> None:
    assert cell({"b": None, "a": [True, "x"]}) == '{"a":[true,"x"],"b":null}'
    assert cell(None) == "NULL"


def test_a_door_is_compared_as_far_as_it_shows() -> None:
    class Typeless(InProcess):
        shows_types = False
        keeps_lines = False

    full, bare = InProcess(None), Typeless(None)  # type: ignore[arg-type]
    one = Answer("SELECT\n x", (("x", "int"),), ("1",))
    other = replace(one, schema=(("x", None),))
    assert differences(full, one, other) and not differences(bare, one, other)
    failed = Answer("SELECT\n x", failure=Failure("A", "42000", "m", 2, 1))
    moved = replace(failed, failure=Failure("A", "42000", "m", 2, 0))
    assert differences(full, failed, moved) and not differences(bare, failed, moved)
    assert differences(bare, failed, one)
