"""Rewriting and parsing take time in proportion to a text's length. They run in the process that serves all sessions,
where a text that took the square of it would hold up everybody. Instructions are counted: no clock decides."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from sqlml.errors import ParseError, SqlmlError
from sqlml.parser.functions import rewrite
from sqlml.parser.tokens import LONGEST_STATEMENT, plain_text
from sqlml.signature import Feature, Signature
from sqlml.statements import parse


def _steps(work: Callable[[], Any]) -> int:
    """How many instructions of Python a piece of work executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _rewritten(text: str) -> None:
    assert rewrite(text, lambda reference: ["a"], lambda reference: None) is not None


def _parsed(text: str) -> None:
    assert parse(text) is not None


def _bound(text: str) -> None:
    """With a model that has each of the columns among its outputs."""
    outputs = tuple(re.findall(r"\w+(?= INT)", text))
    signature = Signature("regression", (Feature("a", "double"),), "y", "double", outputs=outputs)
    assert rewrite(text, None, lambda reference: signature) is not None


def _listed(count: int, item: str) -> str:
    return ", ".join(item.format(at) for at in range(count))


def _nested(count: int) -> str:
    return "t" if count == 0 else f"(SELECT * FROM PREDICT(m, TABLE({_nested(count - 1)})))"


_TEXTS: dict[str, tuple[Callable[[str], None], Callable[[int], str]]] = {
    "columns of T-SQL's form": (
        _rewritten,
        lambda n: f"SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH ({_listed(n, 'c{} NVARCHAR(9)')}) AS p",
    ),
    "columns that are outputs": (
        _bound,
        lambda n: f"SELECT * FROM PREDICT(MODEL = m, DATA = t AS d) WITH ({_listed(n, 'c{} INT')}) AS p",
    ),
    "names in brackets": (
        _rewritten,
        lambda n: (
            f"SELECT * FROM PREDICT(MODEL = m, DATA = (SELECT {_listed(n, '[c {}]')} FROM [t]) AS d) WITH (y INT) AS p"
        ),
    ),
    "calls in a select list": (_rewritten, lambda n: f"SELECT {_listed(n, 'PREDICT(m, a, b)')} FROM t"),
    "stars where none expands": (_rewritten, lambda n: f"SELECT 1 FROM t ORDER BY {_listed(n, 'PREDICT(m, *)')}"),
    "calls in GROUP BY 1": (
        _rewritten,
        lambda n: f"SELECT {_listed(n, 'PREDICT(m, *)')} FROM t GROUP BY {_listed(n, '1')}",
    ),
    "calls within each other": (_rewritten, lambda n: f"SELECT {'PREDICT(m, ' * n}1{')' * n}"),
    "calls in parentheses": (
        _rewritten,
        lambda n: f"SELECT {'(PREDICT(m, ' * n}1{'))' * n} GROUP BY {'(' * n}1{')' * n}",
    ),
    "tables in FROM": (_rewritten, lambda n: f"SELECT * FROM u, {_listed(n, 'PREDICT(m, TABLE(t)) AS p{}')}"),
    "tables within each other": (_rewritten, lambda n: _nested(n)),
    "many arguments": (_rewritten, lambda n: f"SELECT PREDICT(m, {_listed(n, 'f{0} => a + {0}')})"),
    "many columns beside": (
        _rewritten,
        lambda n: f"SELECT {_listed(n, 'a{}')}, PREDICT(m, *), {_listed(n, 'b{}')} FROM t",
    ),
    "variables": (_parsed, lambda n: f"DECLARE {_listed(n, '@v{0} INT = [a {0}]')}"),
    "a long type": (_parsed, lambda n: f"DECLARE @v STRUCT<{_listed(n, 'f{}: INT')}>"),
    "features": (_parsed, lambda n: f"TRAIN MODEL m USING auto TARGET y FEATURES ({_listed(n, 'c{}')}) AS SELECT 1"),
    "options": (_parsed, lambda n: f"TRAIN MODEL m TARGET y OPTIONS ({_listed(n, 'o{} = [1, 2]')}) AS SELECT 1"),
    "mappings": (_parsed, lambda n: f"ENRICH TABLE t WITH MODEL m MAP ({_listed(n, 'f{} = lower(c)')}) SHOW SQL"),
    "expressions of a TRANSFORM": (
        _parsed,
        lambda n: f"TRAIN MODEL m TARGET y TRANSFORM ({_listed(n, 'a + {0} AS c{0}')}) AS SELECT 1",
    ),
}


@pytest.mark.parametrize("text", _TEXTS)
def test_twice_the_length_takes_twice_the_steps(text: str) -> None:
    work, of = _TEXTS[text]
    work(of(2))  # what happens once in a process
    short, long = (_steps(lambda n=n: work(of(n))) for n in (50, 100))  # type: ignore[misc]
    assert long < 2.2 * short, f"{short} steps, and {long} for twice the length"


def test_forms_of_tsql_within_each_other_have_an_end() -> None:
    text = "t"
    for _ in range(60):
        text = f"(SELECT p.y FROM PREDICT(MODEL = m, DATA = {text} AS d) WITH (y INT) AS p)"
    with pytest.raises(ParseError, match="more than 50 levels deep"):
        rewrite(text)


def test_a_statement_has_a_greatest_length() -> None:
    for text, work in (("SELECT PREDICT(m, a) -- {}", rewrite), ("DECLARE @a INT = 1 -- {}", parse)):
        assert work(text.format("x" * 1_000)) is not None
        with pytest.raises(SqlmlError) as raised:
            work(text.format("x" * LONGEST_STATEMENT))
        assert raised.value.condition == "SQLML_STATEMENT_TOO_LONG"
        assert "and the limit is 1,000,000." in raised.value.message


def test_what_is_sparks_may_be_as_long_as_it_likes() -> None:
    long = "x" * LONGEST_STATEMENT
    for text in (f"SELECT 'predict({long}'", f"SELECT 1 /* predict({long} */", f"SELECT predict_{long}(1)"):
        assert rewrite(text) is None
    assert parse(f"DECLARE /* a */ a STRING = '{long}'") is None


def test_what_is_quoted_is_no_plain_text() -> None:
    assert plain_text("a 'b\\'' \"c\" `d``` -- e\nf /* g */ h").split() == ["a", "f", "h"]
    assert plain_text("a 'b") == "a "
