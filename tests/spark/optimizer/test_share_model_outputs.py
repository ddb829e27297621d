"""What a query computes of a compiled model: the numbers that it asks for, each once a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers.generated_code import generated

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS = (
    "SELECT id, sin(id) AS a, id % 7 AS b, IF(id % 5 = 3, 'thé', IF(id % 3 = 0, 'no', 'yes')) AS said FROM range(200)"
)


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> Iterator[SparkSession]:
    """One that compiles, with a model of three labels and one of two."""
    session = spark.newSession()
    session.sql(f"CREATE OR REPLACE TEMPORARY VIEW numbered AS {_ROWS}")
    for name, rows in (("three_said", "numbered"), ("two_said", "numbered WHERE said != 'thé'")):
        session.sql(
            f"TRAIN MODEL {name} USING sklearn.gradient_boosting TARGET said"
            f" OPTIONS (n_estimators = 3, learning_rate = 1.0) AS SELECT a, b, said FROM {rows}"
        )
    session.conf.set("spark.sqlml.engine", "compiled")
    # An adaptive plan generates no code before it runs.
    session.conf.set("spark.sql.adaptive.enabled", "false")
    yield session
    for name in ("three_said", "two_said"):
        session.sql(f"DROP MODEL {name}")


def _walks(frame: DataFrame) -> int:
    return generated(frame).count(".score(")


def test_one_walk_for_all_that_is_asked_of_a_row(session: SparkSession) -> None:
    """Of range(), whose rows come one after another into generated code."""
    calls = (
        "PREDICT(three_said, *) AS label, PREDICT_PROBA(three_said, *) AS shares, PREDICT_PROBA(three_said, *)['no']"
    )
    frame = session.sql(f"SELECT id, {calls} FROM numbered")
    assert _walks(session.sql("SELECT id, PREDICT(three_said, *) AS label FROM numbered")) == 1
    assert _walks(frame) == 1
    for row in frame.collect():
        assert row.label == max(row.shares, key=row.shares.get)
        assert row[3] == row.shares["no"]


def test_other_columns_are_another_row(session: SparkSession) -> None:
    """The same model for other columns is not the same number."""
    frame = session.sql(
        "SELECT PREDICT_PROBA(two_said, a, b)['no'] AS x, PREDICT_PROBA(two_said, -a, b)['no'] AS y FROM numbered"
    )
    assert _walks(frame) == 2
    assert any(row.x != row.y for row in frame.collect())


@pytest.fixture(params=["compiled", "onnxruntime"])
def by_engine(session: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    session.conf.set("spark.sqlml.engine", request.param)
    yield session
    session.conf.set("spark.sqlml.engine", "compiled")


def test_one_share_makes_no_map(by_engine: SparkSession) -> None:
    session = by_engine
    assert ".map(" in generated(session.sql("SELECT PREDICT_PROBA(two_said, *) FROM numbered"))
    for one in ("PREDICT_PROBA(two_said, *)['yes']", "element_at(PREDICT_PROBA(two_said, *), 'yes')"):
        frame = session.sql(f"SELECT id, {one} AS share FROM numbered")
        assert ".map(" not in generated(frame)
        whole = session.sql("SELECT id, PREDICT_PROBA(two_said, *) AS shares FROM numbered").collect()
        assert [row.share for row in frame.collect()] == [row.shares["yes"] for row in whole]


def test_a_share_through_a_view_makes_no_map(by_engine: SparkSession) -> None:
    session = by_engine
    session.sql(
        "CREATE OR REPLACE TEMPORARY VIEW scored AS SELECT id, PREDICT_PROBA(two_said, *) AS shares FROM numbered"
    )
    assert ".map(" not in generated(session.sql("SELECT id, shares['yes'] FROM scored WHERE id < 100"))


def test_one_answer_for_a_share_and_for_all(by_engine: SparkSession) -> None:
    shares = "PREDICT_PROBA(three_said, *)"
    frame = by_engine.sql(f"SELECT id, {shares} AS shares FROM numbered WHERE {shares}['no'] > 0.4")
    python = by_engine.conf.get("spark.sqlml.engine") == "onnxruntime"
    assert frame._jdf.queryExecution().executedPlan().toString().count("ArrowEvalPython") == int(python)
    every = by_engine.sql(f"SELECT id, {shares} AS shares FROM numbered").collect()
    wanted = {row.id: row.shares for row in every if row.shares["no"] > 0.4}
    assert 0 < len(wanted) < len(every)
    assert {row.id: row.shares for row in frame.collect()} == wanted


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_a_label_that_there_is_not(session: SparkSession, ansi: str) -> None:
    session.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        asked = "PREDICT_PROBA(two_said, *)['maybe'] AS share, PREDICT(two_said, *) = 'maybe' AS said"
        rows = session.sql(f"SELECT {asked} FROM numbered").collect()
        assert {tuple(row) for row in rows} == {(None, False)}
        frame = session.sql("SELECT PREDICT_PROBA(two_said, *)[CAST(NULL AS STRING)] AS share FROM numbered")
        assert {row.share for row in frame.collect()} == {None}
    finally:
        session.conf.unset("spark.sql.ansi.enabled")


def test_a_comparison_needs_no_label(session: SparkSession) -> None:
    frame = session.sql("SELECT count(*) AS rows FROM numbered WHERE PREDICT(three_said, *) = 'thé'")
    assert ".at(" not in generated(frame)
    counted = session.sql("SELECT PREDICT(three_said, *) AS label, count(*) AS rows FROM numbered GROUP BY label")
    expected = {row.label: row.rows for row in counted.collect()}
    first = frame.first()
    assert first is not None and first.rows == expected["thé"] > 0
    other = session.sql("SELECT count(*) AS rows FROM numbered WHERE NOT 'thé' = PREDICT(three_said, *)").first()
    assert other is not None and other.rows == 200 - first.rows


def test_a_prediction_alone_computes_no_probability(session: SparkSession) -> None:
    """The probabilities take an exponential each."""
    assert ".sigmoid(" in generated(session.sql("SELECT PREDICT_PROBA(two_said, *)['no'] FROM numbered"))
    label = generated(session.sql("SELECT PREDICT(two_said, *) FROM numbered"))
    assert ".sigmoid(" not in label and "exp(" not in label


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_outputs_are_one_walk(session: SparkSession, threshold: float) -> None:
    """The table form too, with all outputs and with a threshold, as ONNX Runtime answers."""
    asked = json.dumps({"threshold": threshold})
    query = f"SELECT id, o.* FROM (SELECT id, PREDICT_OUTPUTS('two_said', '{asked}', a, b) AS o FROM numbered)"
    frame = session.sql(query)
    assert _walks(frame) == 1
    found = frame.collect()
    session.conf.set("spark.sqlml.engine", "onnxruntime")
    try:
        wanted = session.sql(query).collect()
    finally:
        session.conf.set("spark.sqlml.engine", "compiled")
    assert [tuple(row)[:2] for row in found] == [tuple(row)[:2] for row in wanted]
    for row, other in zip(found, wanted, strict=True):
        assert [one.label for one in row[2]] == [one.label for one in other[2]]
        assert [one.prob for one in row[2]] == pytest.approx([one.prob for one in other[2]], abs=1e-9)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, PREDICT(three_said, *) AS x FROM numbered WHERE PREDICT_PROBA(three_said, *)['no'] > 0.3",
        "SELECT id, PREDICT_PROBA(three_said, *)['no'] AS x FROM numbered WHERE PREDICT(three_said, *) = 'no'",
        "SELECT id, PREDICT(three_said, *) AS x FROM numbered WHERE PREDICT(three_said, *) = 'no'",
        "SELECT x, count(*) AS n FROM"
        " (SELECT PREDICT(three_said, *) AS x, PREDICT_PROBA(three_said, *) AS p FROM numbered)"
        " WHERE p['no'] > 0.3 GROUP BY x",
    ],
)
def test_a_filter_and_what_stands_above_it_are_one_walk(session: SparkSession, query: str) -> None:
    frame = session.sql(query)
    assert _walks(frame) == 1
    found = sorted(map(tuple, frame.collect()))
    session.conf.set("spark.sqlml.engine", "onnxruntime")
    try:
        wanted = sorted(map(tuple, session.sql(query).collect()))
    finally:
        session.conf.set("spark.sqlml.engine", "compiled")
    assert found
    assert [row[0] for row in found] == [row[0] for row in wanted]
    assert [row[1] for row in found] == [pytest.approx(row[1]) for row in wanted]
