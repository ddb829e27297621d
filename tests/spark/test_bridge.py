"""The Java side and its Python in one PySpark session: what is ours, what stays Spark's, errors and their places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from py4j.clientserver import JavaClient
from pyspark.errors import AnalysisException, ParseException

from sqlml.spark import launch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TRAIN = "TRAIN MODEL bridge USING sklearn.linear_regression TARGET y AS SELECT a, b, y FROM numbers"


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> Iterator[SparkSession]:
    """A session of its own with a table of numbers and a model of them: y = a + 2 b."""
    session = spark.newSession()
    session.sql(
        "SELECT id, CAST(id AS DOUBLE) AS a, CAST(id % 7 AS DOUBLE) AS b, id + 2.0D * (id % 7) AS y FROM range(40)"
    ).createOrReplaceTempView("numbers")
    session.sql(TRAIN).collect()
    yield session
    session.sql("DROP MODEL IF EXISTS bridge").collect()


def versions(session: SparkSession) -> int:
    return session.sql("SHOW MODELS LIKE 'bridge'").collect()[0]["versions"]


def parse_error(session: SparkSession, text: str) -> tuple[str, str, str]:
    """Condition, SQLSTATE and message of what the parser says."""
    with pytest.raises(ParseException) as caught:
        session.sql(text)
    return caught.value.getCondition() or "", caught.value.getSqlState() or "", str(caught.value)


# -- what is not ours --------------------------------------------------------------------------------------------------

STOCK = [
    "SELECT model, train, target FROM VALUES (1, 2, 3) AS t (model, train, target)",
    "SELECT 'TRAIN MODEL m', \"predict(a)\" -- predict(x)\n",
    "/* TRAIN MODEL */ SELECT predict FROM VALUES (1) AS t (predict)",
    "DESCRIBE MODEL",
    "DESC MODEL",
    "SHOW TABLES",
    "CREATE TABLE model (train INT) USING parquet",
    "WITH predict(x) AS (SELECT 1) SELECT x FROM predict",
    "EXPLAIN SELECT 1",
    "EXPLAIN",
    "BEGIN SELECT 1; END",
]


@pytest.mark.parametrize("text", STOCK)
def test_other_texts_parse_as_without_sqlml(session: SparkSession, text: str) -> None:
    jvm: Any = session.sparkContext._jvm
    stock = getattr(jvm, "org.apache.spark.sql.execution.SparkSqlParser")()
    ours = session._jsparkSession.sessionState().sqlParser()
    assert _plan(ours, text) == _plan(stock, text)


def _plan(parser: Any, text: str) -> str:
    try:
        # Identifiers differ from one parse to the next.
        return re.sub(r"#\d+|[0-9a-f-]{36}", "#", parser.parsePlan(text).toString())
    except ParseException as error:
        return str(error).split("JVM stacktrace")[0]


def test_an_error_of_sparks_that_its_interface_does_not_declare_keeps_its_condition(session: SparkSession) -> None:
    condition, state, message = parse_error(session, "BEGIN SELECT 1; DECLARE y INT; END")
    assert (condition, state) == ("INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING", "42K0M")
    assert "{LINE:1}" in message


# -- statements --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "show models",
        "  \n-- first\n/* second /* nested */ */ SHOW/**/MODELS",
        "SHOW MODELS;",
    ],
)
def test_statements_are_found_behind_blanks_and_comments(session: SparkSession, text: str) -> None:
    assert "bridge" in [row["model"] for row in session.sql(text).collect()]


@pytest.mark.parametrize("mode", ["", "EXTENDED", "FORMATTED", "COST", "CODEGEN"])
def test_explain_does_not_run_a_statement(session: SparkSession, mode: str) -> None:
    before = versions(session)
    plan = session.sql(f"EXPLAIN {mode} {TRAIN}").collect()[0][0]
    assert versions(session) == before
    if mode != "CODEGEN":
        assert "TrainModel bridge" in plan


def test_parsing_does_not_run_a_statement(session: SparkSession) -> None:
    before = versions(session)
    session._jsparkSession.sessionState().sqlParser().parsePlan(TRAIN)
    assert versions(session) == before


def test_a_statement_runs_once_however_often_its_result_is_read(session: SparkSession) -> None:
    before = versions(session)
    result = session.sql(TRAIN)
    assert [len(result.collect()), result.count(), len(result.select("model").collect())] == [1, 1, 1]
    assert versions(session) == before + 1


def test_each_session_sees_its_own_views(spark: SparkSession) -> None:
    totals = []
    for number in (1, 100):
        own = spark.newSession()
        own.sql(f"SELECT id AS x, {number} * id + 0.0D AS y FROM range(20)").createOrReplaceTempView("mine")
        own.sql("TRAIN MODEL views USING sklearn.linear_regression TARGET y AS SELECT * FROM mine").collect()
        totals.append(own.sql("SELECT round(PREDICT(views, x => 10)) FROM range(1)").collect()[0][0])
    spark.sql("DROP MODEL views").collect()
    assert totals == [10.0, 1000.0]


# -- errors of statements ----------------------------------------------------------------------------------------------


def test_a_syntax_error_of_ours_has_its_place(session: SparkSession) -> None:
    condition, state, message = parse_error(session, "TRAIN MODEL m\n  TARGT y AS SELECT 1 AS y")
    assert (condition, state) == ("SQLML_SYNTAX_ERROR", "42601")
    assert message.startswith("[SQLML_SYNTAX_ERROR] ")
    assert "(line 2, pos 2)" in message
    assert "  TARGT y AS SELECT 1 AS y\n--^^^" in message


def test_a_syntax_error_in_the_query_is_found_at_once_and_has_its_place(session: SparkSession) -> None:
    condition, _, message = parse_error(session, "TRAIN MODEL m /* 😀 */\n TARGET y AS SELECT a,\n y FRM t x")
    assert condition == "PARSE_SYNTAX_ERROR"
    assert "(line 3, pos 7)" in message
    assert "TRAIN MODEL m /* 😀 */\n TARGET y AS SELECT a,\n y FRM t x\n-------^^^" in message


def test_places_count_characters_not_utf16_units(session: SparkSession) -> None:
    condition, _, message = parse_error(session, "TRAIN MODEL m COMMENT '😀' TARGT")
    assert condition == "SQLML_SYNTAX_ERROR"
    assert "(line 1, pos 26)" in message


@pytest.mark.parametrize(
    "command",
    ["DROP VIEW numbers", "INSERT INTO t SELECT 1", "FROM numbers INSERT INTO t SELECT a", "SHOW TABLES", "SET a = 1"],
)
def test_a_command_in_the_place_of_the_query_is_refused(session: SparkSession, command: str) -> None:
    condition, _, message = parse_error(session, f"TRAIN MODEL m TARGET y AS {command}")
    assert condition in ("SQLML_SYNTAX_ERROR", "PARSE_SYNTAX_ERROR")
    assert "(line 1, pos 26)" in message
    assert session.catalog.tableExists("numbers")


def test_an_error_of_sparks_inside_a_statement_stays_what_it_is(session: SparkSession) -> None:
    with pytest.raises(AnalysisException) as caught:
        session.sql("TRAIN MODEL m TARGET y\nAS SELECT *\n   FROM nowhere")
    assert caught.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    assert caught.value.getSqlState() == "42P01"
    assert "line 3 pos 8" in str(caught.value)


def test_an_error_while_a_statement_runs_has_condition_state_and_place(session: SparkSession) -> None:
    with pytest.raises(AnalysisException) as caught:
        session.sql("TRAIN MODEL m\nUSING sklearn.nonsense TARGET y AS SELECT * FROM numbers")
    assert caught.value.getCondition() == "SQLML_ESTIMATOR_NOT_FOUND"
    assert caught.value.getSqlState() == "42704"
    assert "(line 2, pos 6)" in str(caught.value)
    assert "Traceback" not in str(caught.value)


# -- calls -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "PREDICT(bridge, *)",
        "PREDICT(bridge, a, b)",
        "PREDICT(bridge, b, a)",
        "PREDICT(bridge, n.*)",
        "PREDICT(bridge, b => b, A => a + 0)",
        "ML_PREDICT('bridge', a, b)",
        "predict /* c */ (\n`bridge`, struct(n.a AS a, n.b AS b, 'x' AS unused))",
        "PREDICT(bridge, whole)",
    ],
)
def test_bindings(session: SparkSession, call: str) -> None:
    query = f"SELECT max(abs({call} - y)) FROM (SELECT *, struct(a, b) AS whole FROM numbers) AS n"
    assert session.sql(query).collect()[0][0] < 1e-9


def test_headers_name_the_call_and_not_the_version(session: SparkSession) -> None:
    frame = session.sql("SELECT PREDICT(bridge, b, a), PREDICT(bridge, *) > 1, PREDICT(bridge, a + 1, 0) FROM numbers")
    assert frame.columns == ["predict(bridge, b, a)", "(predict(bridge, *) > 1)", "predict(bridge, (a + 1), 0)"]


def test_explain_shows_model_version_and_engine(session: SparkSession) -> None:
    newest = session.sql("DESCRIBE MODEL bridge").collect() and versions(session)
    for setting, engine in (("auto", "compiled"), ("compiled", "compiled"), ("onnxruntime", "onnxruntime")):
        session.conf.set("spark.sqlml.engine", setting)
        plan = session.sql("EXPLAIN SELECT PREDICT(bridge, *) FROM numbers").collect()[0][0]
        assert f"predict[bridge/{newest} {engine}]" in plan
    session.conf.unset("spark.sqlml.engine")


@pytest.fixture
def by_onnxruntime(session: SparkSession) -> Iterator[SparkSession]:
    session.conf.set("spark.sqlml.engine", "onnxruntime")
    yield session
    session.conf.unset("spark.sqlml.engine")


def test_equal_calls_are_one(by_onnxruntime: SparkSession) -> None:
    session = by_onnxruntime
    query = "SELECT PREDICT(bridge, a, b) AS p, count(*) FROM numbers GROUP BY PREDICT(bridge, a, b)"
    assert session.sql(query).count() == 40
    plan = session.sql("EXPLAIN SELECT PREDICT(bridge, a, b), PREDICT(bridge, *) + 1 FROM numbers").collect()[0][0]
    assert plan.count("predict[bridge") == 1


@pytest.mark.parametrize("model", ["a", "concat('br', id)", "NULL", "1"])
def test_the_model_must_be_known_at_analysis(session: SparkSession, model: str) -> None:
    with pytest.raises(AnalysisException) as caught:
        session.sql(f"SELECT PREDICT(({model}), a, b) FROM numbers")
    assert caught.value.getCondition() == "SQLML_BINDING_MISMATCH"


def test_one_query_keeps_to_one_version(session: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlml.registry import Registry

    asked: list[tuple[str, str | None]] = []
    load = Registry.load

    def recorded(registry: Registry, reference: Any, pinned: str | None = None) -> Any:
        asked.append((str(reference), pinned))
        return load(registry, reference, pinned)

    session.sql("CREATE OR REPLACE TEMPORARY VIEW scored AS SELECT id, PREDICT(bridge, *) AS p FROM numbers")
    newest = str(versions(session))
    monkeypatch.setattr(Registry, "load", recorded)
    session.sql("SELECT PREDICT(bridge, *), (SELECT max(p) FROM scored) FROM numbers")
    assert asked == [("bridge", None), ("bridge", newest)]
    asked.clear()
    session.sql("SELECT PREDICT(bridge, *) FROM numbers")
    assert asked == [("bridge", None)]


# -- places in texts with calls ----------------------------------------------------------------------------------------


def test_a_syntax_error_beside_a_call_has_its_place(session: SparkSession) -> None:
    condition, _, message = parse_error(session, "SELECT '😀', PREDICT(bridge, *) AS a,\n b FRM numbers")
    assert condition == "PARSE_SYNTAX_ERROR"
    assert "(line 2, pos 7)" in message
    assert "PREDICT(bridge, *) AS a,\n b FRM numbers\n-------^^^" in message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT PREDICT(bridge, *),\n PREDICT(bridge, a => a, b => b), zz FROM numbers", "line 2 pos 34"),
        ("WITH c AS (SELECT PREDICT(bridge, *), zz FROM numbers) SELECT * FROM c", "line 1 pos 38"),
        ("SELECT (SELECT max(PREDICT(bridge, *)) + zz FROM numbers)", "line 1 pos 41"),
        ("SELECT PREDICT(bridge, a => zz, b => 1) FROM numbers", "line 1 pos 28"),
    ],
)
def test_an_analysis_error_beside_a_call_has_its_place(session: SparkSession, text: str, place: str) -> None:
    with pytest.raises(AnalysisException) as caught:
        session.sql(text)
    assert caught.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert place in str(caught.value)


def test_an_error_at_run_time_beside_a_call_shows_the_users_text(session: SparkSession) -> None:
    text = "SELECT PREDICT(bridge, *), CAST(concat(id, 'x') AS INT) FROM numbers"
    with pytest.raises(Exception, match="CAST_INVALID_INPUT") as caught:
        session.sql(text).collect()
    [context] = caught.value.getQueryContext()  # type: ignore[attr-defined]
    assert context.fragment() == "CAST(concat(id, 'x') AS INT)"
    assert (context.startIndex(), context.stopIndex()) == (27, 54)


def test_an_error_in_a_call_has_the_place_of_the_call(session: SparkSession) -> None:
    with pytest.raises(AnalysisException) as caught:
        session.sql("SELECT 1,\n   PREDICT(bridje, *) FROM numbers")
    assert caught.value.getCondition() == "SQLML_MODEL_NOT_FOUND"
    assert "   PREDICT(bridje, *) FROM numbers\n---^^^" in str(caught.value)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_rows_of_every_type_reach_spark_without_a_job(session: SparkSession) -> None:
    from sqlml.spark.java_rows import java_rows

    schema = (
        "s STRING, i INT, l BIGINT, d DOUBLE, b BOOLEAN, t TIMESTAMP, day DATE, m MAP<STRING, DOUBLE>,"
        " f STRUCT<rows: BIGINT, name: STRING>, a ARRAY<STRING>"
    )
    moment = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    full = ("é😀", 1, 2**40, 0.1, True, moment, date(2024, 5, 6), {"k": 1.5}, (3, "x"), ("p", "q"))
    rows = java_rows(session, [full, (None,) * 10], schema)
    shown = [json.loads(rows[at].json()) if at == 0 else rows[at].toString() for at in range(2)]
    assert shown[0]["s"] == "é😀"
    assert shown[0]["t"].startswith("2024-05-06 07:08:09")
    assert "2024-05-06 07:08:09.123456" in rows[0].toString()
    assert shown[0]["m"] == {"k": 1.5}
    assert shown[0]["f"] == {"rows": 3, "name": "x"}
    assert shown[0]["a"] == ["p", "q"]
    assert shown[1] == f"[{','.join(['null'] * 10)}]"
    assert java_rows(session, [], schema).size() == 0


# -- launching ---------------------------------------------------------------------------------------------------------


def test_settings_join_what_a_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    jar = str(launch.jar())
    given = {"spark.sql.extensions": "io.delta.X", "spark.jars": "/a.jar", "spark.sqlml.python": "/p", "spark.x": 1}
    merged = launch.merged(given)
    assert merged["spark.sql.extensions"] == f"io.delta.X,{launch.EXTENSIONS}"
    assert merged["spark.jars"] == f"/a.jar,{jar}"
    assert merged["spark.driver.extraClassPath"] == jar
    assert (merged["spark.sqlml.python"], merged["spark.x"]) == ("/p", 1)
    assert launch.merged(merged) == merged


def test_settings_of_spark_defaults_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = ["# a comment", "spark.sql.extensions  io.iceberg.X", "spark.jars=/b.jar", "", "spark.sqlml.python\t/q"]
    (tmp_path / "spark-defaults.conf").write_text("\n".join(lines))
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    merged = launch.merged({})
    assert merged["spark.sql.extensions"] == f"io.iceberg.X,{launch.EXTENSIONS}"
    assert merged["spark.jars"] == f"/b.jar,{launch.jar()}"
    assert merged["spark.sqlml.python"] == "/q"
    assert f"spark.sql.extensions=io.iceberg.X,{launch.EXTENSIONS}" in launch.flags()
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "nowhere"))
    assert launch.merged({})["spark.sql.extensions"] == launch.EXTENSIONS


def test_attaching_again_changes_nothing(session: SparkSession) -> None:
    launch.attach(session)
    assert session.sql("SHOW MODELS").count() >= 1


def test_a_reply_is_read_though_python_has_let_its_object_go(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Py4J's finalizer runs in a thread of its own, and may be faster than the reply; here it is each time."""
    at_once = JavaClient.garbage_collect_object
    monkeypatch.setattr(JavaClient, "garbage_collect_object", lambda client, target, *_: at_once(client, target, False))
    assert session.sql("DESCRIBE MODEL bridge").collect()
    assert session.sql("SELECT PREDICT(bridge, 3.0D, 2.0D) AS p").first()["p"] == pytest.approx(7.0)
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        session.sql("TRAIN MODEL bridge TARGET y AS SELECT * FROM no_such_table").collect()
