"""PREDICT calls found and spliced: the rest of the text stays byte for byte. No JVM."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlml.errors import ParseError, SqlmlError
from sqlml.functions import FUNCTIONS, rewrite

_LINES = (Path(__file__).parent / "fixtures" / "grammar" / "rewrite.sql").read_text(encoding="utf-8").splitlines()


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
    ],
)
def test_calls_that_cannot_be_meant(text: str, condition: str, offset: int) -> None:
    with pytest.raises(SqlmlError) as caught:
        rewrite(text)
    assert (caught.value.condition, caught.value.offset) == (condition, offset)


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
    with pytest.raises(ParseError, match="may call PREDICT 1000 times") as caught:
        rewrite(f"SELECT {calls}")
    assert caught.value.offset == len("SELECT ") + calls.rindex("predict")
    assert rewrite(f"SELECT {calls.removeprefix('predict(m, a), ')}") is not None
