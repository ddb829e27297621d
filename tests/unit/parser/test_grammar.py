"""The grammar without a JVM: identity of what is printed, places of what is wrong, and what is not ours."""

from __future__ import annotations

import time

import pytest
from helpers.folders import FIXTURES
from hypothesis import given
from hypothesis import strategies as st

from sqlml.errors import ParseError, SqlmlError, line_and_column
from sqlml.parser.cursor import Column, Option
from sqlml.parser.generator import print_value, quote_identifier, quote_string
from sqlml.parser.tokens import tokenize
from sqlml.statements import HEADS, STATEMENTS, parse
from sqlml.statements.import_model import ImportModel
from sqlml.statements.train_model import TrainModel

_FIXTURES = FIXTURES / "grammar"


def _lines(name: str) -> list[str]:
    lines = (_FIXTURES / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("⏎", "\n") for line in lines if line and not line.startswith("--")]


@pytest.mark.parametrize("text", _lines("identity.sql"))
def test_parse_print_parse_is_identity(text: str) -> None:
    statement = parse(text)
    assert statement is not None
    assert statement.sql() == text
    assert parse(statement.sql()) == statement


def test_every_statement_has_an_identity_line() -> None:
    parsed = {type(parse(text)) for text in _lines("identity.sql")}
    assert parsed == set(STATEMENTS)


@pytest.mark.parametrize("line", _lines("errors.sql"))
def test_errors_have_a_place(line: str) -> None:
    text, expected = line.split(" ⇒ ")
    place, rest = expected.split(" ", 1)
    condition, piece = rest.split(": ", 1)
    with pytest.raises(SqlmlError) as caught:
        parse(text)
    error = caught.value
    assert error.condition == condition
    assert piece in error.message
    assert error.offset is not None
    assert "{}:{}".format(*line_and_column(text, error.offset)) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- TRAIN MODEL m AS SELECT 1",
        "SELECT 1",
        "SELECT model, train, target FROM t",
        "DESCRIBE MODEL",
        "DESC MODEL ;",
        "DESCRIBE TABLE t",
        "SHOW TABLES",
        "SHOW MODELSX",
        "CREATE TABLE model AS SELECT 1",
        "CREATE OR REPLACE VIEW model AS SELECT 1",
        "DROP TABLE model",
        "TRAIN",
        "(TRAIN MODEL m AS SELECT 1)",
        "`TRAIN` MODEL m",
    ],
)
def test_not_ours(text: str) -> None:
    assert parse(text) is None


def test_comments_hints_and_case_are_free() -> None:
    text = (
        "/* a /* b */ c */ -- d\n train\tModel /*c*/ Churn using XGBoost target Y -- d\n"
        " as\n SELECT /*+ HINT */ ';' FROM t ; ; "
    )
    statement = parse(text)
    assert isinstance(statement, TrainModel)
    assert (statement.name, statement.estimator, statement.target) == ("churn", "XGBoost", Column("Y"))
    assert statement.query == "SELECT /*+ HINT */ ';' FROM t"
    assert statement.query_offset == text.index("SELECT")


def test_create_model_is_train_model() -> None:
    body = "m USING random_forest TARGET y OPTIONS (seed = 1) AS SELECT * FROM t"
    assert parse(f"CREATE MODEL {body}") == parse(f"CREATE OR REPLACE MODEL {body}") == parse(f"TRAIN MODEL {body}")
    assert parse(f"CREATE MODEL IF NOT EXISTS {body}") == parse(f"TRAIN MODEL IF NOT EXISTS {body}")


def test_create_model_from_is_import_model() -> None:
    for head in ("CREATE MODEL", "create or replace /* c */ model", "CREATE MODEL IF NOT EXISTS"):
        statement = parse(f"{head} sales.churn FROM 'churn.onnx' COMMENT 'theirs'")
        assert isinstance(statement, ImportModel)
        assert (statement.name, statement.source, statement.comment) == ("sales.churn", "churn.onnx", "theirs")
        assert statement.if_not_exists == ("EXISTS" in head)
    # A model may be called so, and a query may begin so.
    assert isinstance(parse("CREATE MODEL from TARGET y AS SELECT 1 AS y"), TrainModel)
    assert isinstance(parse("CREATE MODEL from FROM 'a'"), ImportModel)


def test_the_place_of_a_query_in_parentheses() -> None:
    text = "IMPORT MODEL m FROM ( /* é */ SELECT ')' FROM t) OPTIONS (target = 'y')"
    statement = parse(text)
    assert statement is not None
    assert text[statement.query_offset : statement.query_end] == "SELECT ')' FROM t"


def test_doubled_quotes_are_one_quote() -> None:
    statement = parse("TRAIN MODEL m COMMENT 'it''s' TARGET y AS SELECT 1 AS y")
    assert isinstance(statement, TrainModel)
    assert statement.comment == "it's"


def test_heads_are_distinct_words() -> None:
    assert all(word.isupper() and word.isalpha() for head in HEADS for word in head)
    assert not any(a != b and a == b[: len(a)] for a in HEADS for b in HEADS)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(name=st.text(min_size=1), target=st.text(min_size=1), value=_VALUES, comment=st.text())
def test_any_name_and_value_survives(name: str, target: str, value: object, comment: str) -> None:
    statement = TrainModel(
        "m",
        "SELECT 1",
        comment=comment,
        target=Column(target),
        options=(Option(name, value),),
        features=(Column(name),),
    )
    assert parse(statement.sql()) == statement, print_value(value)


@given(st.text())
def test_quoting_never_ends_early(text: str) -> None:
    assert quote_string(text).count("\n") == 0
    assert quote_identifier(text)[1:-1].replace("``", "").count("`") == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ALTER MODEL m SET ALIAS a = VERSION " + "9" * 5_000, "Expected a version number"),
        (f"TRAIN MODEL m OPTIONS (a = {'9' * 5_000}) AS SELECT 1", "The number has 5,000 digits"),
        (
            f"TRAIN MODEL m OPTIONS (a = {'[' * 5_000}) AS SELECT 1",
            "Lists and calls are nested more than 50 levels deep",
        ),
    ],
    ids=["version", "number", "lists"],
)
def test_what_python_has_limits_for_is_a_mistake_of_the_text(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        parse(text)


def test_a_long_text_that_is_never_closed_is_found_in_no_time() -> None:
    """It took the square of its length: hours for a megabyte, in which the driver did nothing else."""
    started = time.process_time()
    with pytest.raises(ParseError) as caught:
        tokenize("SELECT 'a', predict('" + "\\'" * 100_000)
    assert caught.value.offset == 20
    assert time.process_time() - started < 10


def test_blanks_before_a_model_in_hexadecimal_are_no_work() -> None:
    from sqlml.importing.statement_source import from_hex

    started = time.process_time()
    assert from_hex(" " * 200_000 + "0x0 8\n" + " " * 200_000, "The text") == b"\x08"
    with pytest.raises(SqlmlError, match="not hexadecimal"):
        from_hex(" " * 200_000 + "!", "The text")
    assert time.process_time() - started < 10
