"""PREDICT calls found and spliced: the rest of the text stays byte for byte. No JVM."""

from __future__ import annotations

import pytest
from helpers.folders import FIXTURES
from hypothesis import given
from hypothesis import strategies as st

from sqlml.errors import ParseError, SqlmlError
from sqlml.parser.functions import FUNCTIONS, rewrite
from sqlml.signature import Feature, Signature

_LINES = (FIXTURES / "grammar" / "rewrite.sql").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in _LINES if " ⇒ " in line and not line.startswith("-- user")])
def test_rewrite(line: str) -> None:
    text, expected = line.split(" ⇒ ")
    rewritten = rewrite(text)
    assert (rewritten.text if rewritten else "=") == expected


@pytest.mark.parametrize("line", [line for line in _LINES if " ⇒ " in line and not line.startswith("-- user")])
def test_rewriting_again_changes_nothing(line: str) -> None:
    """Views store the rewritten text, and it is parsed again whenever they are read."""
    rewritten = rewrite(line.split(" ⇒ ")[0])
    if rewritten:
        assert rewrite(rewritten.text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM t ORDER BY PREDICT(m, *), a", "ORDER BY PREDICT('m', named_struct('x y', `x y`, 'b', `b`)), a"),
        ("SELECT 1 FROM t GROUP BY PREDICT('m@x', *)", "GROUP BY PREDICT('m@x', named_struct('x y', `x y`, 'b', `b`))"),
        (
            "SELECT 1 FROM t JOIN u ON (PREDICT(m, t.*) = u.a)",
            "ON (PREDICT('m', named_struct('x y', `t`.`x y`, 'b', `t`.`b`)) = u.a)",
        ),
        ("SELECT 1 FROM t ORDER BY (SELECT max(PREDICT(m, *)) FROM u)", "(SELECT max(PREDICT('m', struct(*))) FROM u)"),
        (
            "SELECT PREDICT(m, * EXCEPT (B)) FROM t GROUP BY a, 1",
            "SELECT PREDICT('m', named_struct('x y', `x y`)) FROM t GROUP BY a, 1",
        ),
        ("DELETE FROM t WHERE PREDICT(m, *) > 0", "WHERE PREDICT('m', named_struct('x y', `x y`, 'b', `b`)) > 0"),
        (
            "EXPLAIN UPDATE t SET p = PREDICT(m, t.*) WHERE id IN (SELECT id FROM u WHERE PREDICT(m, *) > 0)",
            "SET p = PREDICT('m', named_struct('x y', `t`.`x y`, 'b', `t`.`b`))"
            " WHERE id IN (SELECT id FROM u WHERE PREDICT('m', struct(*)) > 0)",
        ),
        ("SELECT 1 FROM update WHERE PREDICT(m, *) > 0", "WHERE PREDICT('m', struct(*)) > 0"),
        (
            "SELECT 1 FROM t HAVING count(*) FILTER (WHERE PREDICT(m, t.*)) > 0",
            "WHERE PREDICT('m', named_struct('x y', `t`.`x y`, 'b', `t`.`b`))) > 0",
        ),
        (
            "SELECT PREDICT(m, *) FROM t GROUP BY GROUPING SETS ((1), (a))",
            "SELECT PREDICT('m', named_struct('x y', `x y`, 'b', `b`)) FROM t GROUP BY GROUPING SETS ((1), (a))",
        ),
        ("SELECT PREDICT(m, *) FROM t GROUP BY a + 1", "SELECT PREDICT('m', struct(*)) FROM t GROUP BY a + 1"),
        ("SELECT PREDICT(m, *) FROM (SELECT 1 GROUP BY 1)", "PREDICT('m', struct(*)) FROM (SELECT 1 GROUP BY 1)"),
        ("SELECT 1 FROM t JOIN u ON t.a = u.a WHERE PREDICT(m, *)", "WHERE PREDICT('m', struct(*))"),
        ("SELECT rank() OVER (ORDER BY a), PREDICT(m, *) FROM t", "(ORDER BY a), PREDICT('m', struct(*)) FROM t"),
    ],
)
def test_a_star_that_spark_would_not_expand_becomes_the_features(text: str, expected: str) -> None:
    rewritten = rewrite(text, lambda reference: ("x y", "b"))
    assert rewritten is not None
    assert rewritten.text.endswith(expected)


def test_every_function_is_rewritten() -> None:
    texts = " ".join(_LINES).lower()
    assert all(f"{name}(" in texts for name in FUNCTIONS)


def test_edits_lead_back_to_the_users_text() -> None:
    text = "SELECT PREDICT(churn, *), x, PREDICT(MODEL m, a => 1) FROM t"
    rewritten = rewrite(text)
    assert rewritten is not None
    built, done = "", 0
    for start, stop, new_start, new_stop in rewritten.edits:
        built += text[done:start]
        assert len(built) == new_start
        built += rewritten.text[new_start:new_stop]
        done = stop
    assert built + text[done:] == rewritten.text


@pytest.mark.parametrize(
    ("text", "condition", "offset"),
    [
        ("SELECT PREDICT(m, a => 1, b)", "SQLML_SYNTAX_ERROR", 26),
        ("SELECT PREDICT(m, a => )", "SQLML_SYNTAX_ERROR", 22),
        ("SELECT PREDICT(`a b`, x)", "SQLML_INVALID_NAME", 15),
        ("SELECT PREDICT(line/1, x)", "SQLML_SYNTAX_ERROR", 15),
        ("SELECT PREDICT_PROBA(sales.line @champion, *)", "SQLML_SYNTAX_ERROR", 21),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d, RUNTIM = ONNX) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 48),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d, RUNTIME = TF) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 58),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d)", "SQLML_SYNTAX_ERROR", 47),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH (s INT) WHERE a", "SQLML_SYNTAX_ERROR", 60),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = (SELECT 1)) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 50),
        ("SELECT * FROM PREDICT(MODEL = m) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 31),
        ("SELECT * FROM PREDICT(DATA = t AS d) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 35),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d, 1) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 48),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH (s) AS p", "SQLML_SYNTAX_ERROR", 55),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH () AS p", "SQLML_SYNTAX_ERROR", 54),
        ("SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH (s INT, S INT) AS p", "SQLML_SYNTAX_ERROR", 61),
        ("SELECT * FROM PREDICT(MODEL = @, DATA = t AS d) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 30),
        ("SELECT * FROM PREDICT(MODEL = `a b`, DATA = t AS d) WITH (s INT) AS p", "SQLML_INVALID_NAME", 30),
        ("SELECT * FROM PREDICT(DATA => TABLE(t), MODEL => )", "SQLML_SYNTAX_ERROR", 48),
        ("SELECT * FROM PREDICT(MODEL = , DATA = t AS d) WITH (s INT) AS p", "SQLML_SYNTAX_ERROR", 29),
        ("SELECT * FROM ML.PREDICT(MODEL m)", "SQLML_SYNTAX_ERROR", 32),
        ("SELECT * FROM ML.PREDICT(MODEL m, t)", "SQLML_SYNTAX_ERROR", 34),
        ("SELECT * FROM ML.PREDICT(MODEL m, TABLE t, STRUCT(0.7 AS treshold))", "SQLML_SYNTAX_ERROR", 57),
        ("SELECT * FROM ML.PREDICT(MODEL m, TABLE t, STRUCT(7 AS threshold))", "SQLML_SYNTAX_ERROR", 50),
        ("SELECT * FROM ML.PREDICT(MODEL m, TABLE t, 0.7)", "SQLML_SYNTAX_ERROR", 43),
        ("SELECT * FROM PREDICT('m', t)", "SQLML_SYNTAX_ERROR", 27),
        ("SELECT * FROM PREDICT(m, s.t) AS p", "SQLML_SYNTAX_ERROR", 25),
        ("SELECT * FROM PREDICT('m', TABLE(t) PARTITION BY a)", "SQLML_SYNTAX_ERROR", 36),
        ("SELECT * FROM PREDICT('m', TABLE(t), LIMIT => 1)", "SQLML_SYNTAX_ERROR", 37),
    ],
)
def test_calls_that_cannot_be_meant(text: str, condition: str, offset: int) -> None:
    with pytest.raises(SqlmlError) as caught:
        rewrite(text)
    assert (caught.value.condition, caught.value.offset) == (condition, offset)


_DIABETES = Signature(
    "classification", (Feature("age", "double"),), "sick", "string", ("no", "yes"), probabilities=True
)


@pytest.mark.parametrize(
    ("columns", "condition", "at"),
    [
        ("scor FLOAT, label VARCHAR(3)", "SQLML_COLUMN_NOT_FOUND", "scor"),
        ("score FLOAT, label REAL", "SQLML_TYPE_MISMATCH", "label"),
        ("sick INT", "SQLML_TYPE_MISMATCH", "sick"),
        ("[score] VARBINARY(MAX)", "SQLML_TYPE_MISMATCH", "[score]"),
        ("score ARRAY<INT>", "SQLML_TYPE_MISMATCH", "score"),
        ("probabilities VARBINARY(9)", "SQLML_TYPE_MISMATCH", "probabilities"),
        ("score FLOAT, probabilities FLOAT", "SQLML_TYPE_MISMATCH", "probabilities"),
    ],
)
def test_a_column_that_is_no_output_is_shown_where_it_stands(columns: str, condition: str, at: str) -> None:
    text = f"SELECT * FROM PREDICT(MODEL = m,\n DATA = t AS d) WITH ({columns}) AS p"
    with pytest.raises(SqlmlError) as caught:
        rewrite(text, signature_of=lambda reference: _DIABETES)
    assert (caught.value.condition, caught.value.offset) == (condition, text.index(at))


@pytest.mark.parametrize("columns", ["anything VARCHAR(9)", "SCORE REAL, Sick NVARCHAR(3), probability_yes FLOAT"])
def test_columns_that_are_outputs(columns: str) -> None:
    text = f"SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH ({columns}) AS p"
    assert rewrite(text, signature_of=lambda reference: _DIABETES) == rewrite(text)


_OUTSIDE = [
    "SELECT a",
    "'PREDICT(m, TABLE(t))'",
    "/* PREDICT( */",
    "-- ML.PREDICT(\n",
    "é \U0001f600",
    "`predict`",
    "x.y",
]


@given(st.lists(st.sampled_from(_OUTSIDE)), st.lists(st.sampled_from(_OUTSIDE)), st.sampled_from(["t", "(SELECT 'é')"]))
def test_text_outside_a_table_call_stays(before: list[str], after: list[str], data: str) -> None:
    """And each place of what is kept leads back to itself, that of a moved query too."""
    head, tail = " ".join(before), " ".join(after)
    call = f"PREDICT(MODEL = (SELECT 'é', b FROM u), DATA = {data} AS d) WITH (s INT) AS p"
    text = f"{head} FROM {call} {tail}"
    rewritten = rewrite(text)
    assert rewritten is not None
    assert rewritten.text.startswith(f"{head} FROM (") and rewritten.text.endswith(f" {tail}")
    moved = "(SELECT 'é', b FROM u)"
    place = (rewritten.text.index(moved), rewritten.text.index(moved) + len(moved))
    assert (text.index(moved), text.index(moved) + len(moved), *place) in rewritten.edits
    assert f"({data} AS d CROSS JOIN LATERAL" in rewritten.text


def test_forms_within_each_other_grow_with_their_length() -> None:
    def nested(depth: int) -> str:
        return "t" if depth == 0 else f"SELECT * FROM PREDICT(m, TABLE({nested(depth - 1)}))"

    lengths = [len(rewrite(nested(depth)).text) for depth in (100, 200, 300)]  # type: ignore[union-attr]
    assert lengths[2] - lengths[1] == pytest.approx(lengths[1] - lengths[0], rel=0.05)


def test_models_named_within_each_other_have_an_end() -> None:
    text = "1"
    for _ in range(60):
        text = f"(SELECT b FROM PREDICT(MODEL = {text}, DATA = t AS d) WITH (b INT) AS p)"
    with pytest.raises(ParseError, match="more than 50 levels deep"):
        rewrite(f"SELECT {text}")


_WORDS = ["predict", "ml", ".", "(", ")", "m", ",", "*", "=>", "=", "'x'", "MODEL", "TABLE", "DATA", "AS", "WITH"]
_WORDS += ["FROM", "@", "[", "]", "STRUCT", "SELECT", "INT", "0.7", "threshold"]


@given(st.lists(st.sampled_from(_WORDS), max_size=40))
def test_no_table_form_raises_anything_else(pieces: list[str]) -> None:
    try:
        rewritten = rewrite("SELECT * FROM PREDICT ( " + " ".join(pieces))
    except SqlmlError as error:
        assert error.offset is not None
    else:
        if rewritten:
            assert rewrite(rewritten.text) is None


@given(
    st.lists(st.sampled_from(["predict", "(", ")", "m", ",", "*", "=>", "'x'", "MODEL", "TABLE", ".", "[", "]", "AS"]))
)
def test_nothing_else_is_ever_raised(pieces: list[str]) -> None:
    text = " ".join(pieces)
    try:
        rewritten = rewrite(text)
    except SqlmlError as error:
        assert error.offset is not None
    else:
        if rewritten:
            assert rewrite(rewritten.text) is None


def test_a_text_has_no_end_of_calls() -> None:
    calls = ", ".join(["predict(m, a)"] * 1_001)
    with pytest.raises(ParseError, match="can call PREDICT at most 1,000 times") as caught:
        rewrite(f"SELECT {calls}")
    assert caught.value.offset == len("SELECT ") + calls.rindex("predict")
    assert rewrite(f"SELECT {calls.removeprefix('predict(m, a), ')}") is not None
