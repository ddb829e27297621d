"""Markers and statements found in texts that Spark's parser never sees as they are. No JVM."""

from __future__ import annotations

import pytest

from sqlml.parser import scripts
from sqlml.parser.parameters import Values, bound
from sqlml.statements import HEADS

_VALUES = Values({"n": "100", "s": "'x'", "INT": "9"}, ("1", "2"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM t WHERE a < :n LIMIT :n", "SELECT a FROM t WHERE a < 100 LIMIT 100"),
        ("OPTIONS (a = ?, b = [?, ?])", "OPTIONS (a = 1, b = [2, ?])"),
        ("OPTIONS (a = {'k':med, 'j': :n})", "OPTIONS (a = {'k':med, 'j': 100})"),
        ("IDENTIFIER(:s), a::INT, :`n`", "IDENTIFIER('x'), a::INT, 100"),
        (
            "CAST(a AS STRUCT<b:INT, c:ARRAY<STRUCT<d:INT>>>), :INT",
            "CAST(a AS STRUCT<b:INT, c:ARRAY<STRUCT<d:INT>>>), 9",
        ),
        ("a:n, n:s.n, `a`:n, ':n', -- :n\n /* ? */ :other", "a:n, n:s.n, `a`:n, ':n', -- :n\n /* ? */ :other"),
        ("'never closed :n", "'never closed :n"),
    ],
)
def test_values_take_the_place_of_markers(text: str, expected: str) -> None:
    assert bound(text, _VALUES).text == expected


def test_places_lead_back_to_the_text_with_markers() -> None:
    text = "WHERE é < :n AND b = :s AND c"
    rewritten = bound(text, _VALUES)
    assert rewritten.original(rewritten.text.index("AND c")) == text.index("AND c")
    assert rewritten.original(rewritten.text.index("100") + 2) == text.index(":n")


_SCRIPT = """BEGIN
  DECLARE n INT DEFAULT 100;
  DECLARE EXIT HANDLER FOR SQLML_MODEL_NOT_FOUND, SQLSTATE VALUE '42000' BEGIN SELECT 'x'; DROP MODEL y; END;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION SHOW MODELS;
  outer: WHILE n > 0 DO
    TRAIN MODEL m AS SELECT ';', CASE WHEN a THEN b END FROM t WHERE a < n; SET n = 1; END WHILE outer;
  IF n THEN DESCRIBE MODEL m; ELSE SELECT CASE WHEN a THEN 1 ELSE 2 END, model FROM train; END IF;
  BEGIN DECLARE EXIT HANDLER FOR NOT FOUND, SQLML_CANCELLED SELECT 1; DECLARE @m BINARY = 1; END;
  BEGIN DECLARE SQLML_FIDELITY CONDITION FOR SQLSTATE '22000'; DECLARE EXIT HANDLER FOR SQLML_FIDELITY SELECT 1; END;
END"""


def test_the_statements_of_a_script() -> None:
    assert [_SCRIPT[start:stop] for start, stop in scripts.read(_SCRIPT, HEADS).statements] == [
        "DROP MODEL y",
        "SHOW MODELS",
        "TRAIN MODEL m AS SELECT ';', CASE WHEN a THEN b END FROM t WHERE a < n",
        "DESCRIBE MODEL m",
        "DECLARE @m BINARY = 1",
    ]


def test_a_condition_is_declared_in_the_block_that_handles_it() -> None:
    """Where the script does not declare it itself."""
    inner = _SCRIPT.index("  BEGIN DECLARE EXIT HANDLER FOR NOT FOUND") + len("  BEGIN")
    assert [(edit.start, edit.new) for edit in scripts.read(_SCRIPT, HEADS).declarations] == [
        (len("BEGIN"), " DECLARE SQLML_MODEL_NOT_FOUND CONDITION FOR SQLSTATE '42704';"),
        (inner, " DECLARE SQLML_CANCELLED CONDITION FOR SQLSTATE '57014';"),
    ]


@pytest.mark.parametrize(
    "text", ["SELECT 1; DROP MODEL m", "BEGIN SELECT 'DROP MODEL m'; END", "BEGIN 'open; DROP MODEL m; END"]
)
def test_what_is_no_script_of_ours(text: str) -> None:
    assert scripts.read(text, HEADS) == scripts.Script()
