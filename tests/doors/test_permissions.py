"""Permissions where many users meet one server: PyHive's login, a Connect client's name; and one that only scores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.result import Door, Result
from helpers.doors.settings import session_settings
from helpers.doors.thrift import Thrift

if TYPE_CHECKING:
    from helpers.doors.opening import Doors

pytestmark = pytest.mark.doors

_TRAIN = "TRAIN MODEL {} USING sklearn.linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40)"
# Models whose bytes stand in a table that anyone may read; the last is dropped, so that nobody has registered it.
_GIVEN = ("open_line", "secret_slope", "gone_line")
_REFUSED = (
    _TRAIN.format("guests"),
    "RETRAIN MODEL open_line",
    "DROP MODEL open_line",
    "DROP MODEL IF EXISTS nobodys",
    "ALTER MODEL open_line SET ALIAS champion = VERSION 1",
    "ALTER MODEL nobodys RENAME TO open_line",
    "EXPORT MODEL open_line TO 'open_line.onnx'",
    # A guest may import; but a copy of a model is as good as the model.
    "IMPORT MODEL guest.copied FROM 'models:/secret_line/1'",
    "IMPORT MODEL guest.copied FROM 'models:/secret_line'",
    "DESCRIBE MODEL secret_line",
    "SHOW MODEL VERSIONS secret_line",
    "SHOW CREATE MODEL secret_line",
    "SELECT PREDICT(secret_line, 1)",
    "SELECT PREDICT('secret_line@champion', *) FROM VALUES (1) AS t (x)",
    "SELECT * FROM secrets",
    "SELECT PREDICT_PROVENANCE(secret_line)",
    "ENRICH TABLE (SELECT 4 AS x) WITH MODEL secret_line SHOW MAP",
    "ENRICH TABLE (SELECT 4 AS x) WITH MODEL secret_line CREATE VIEW stolen",
)


def _owner_and_guest(doors: Doors, server: str) -> tuple[Door, Door, Path]:
    if server == "thrift":
        return Thrift(doors.thrift.port), Thrift(doors.thrift.port, user="guest"), doors.thrift.folder
    address = f"sc://127.0.0.1:{doors.connect.port}"
    folder = doors.connect.folder
    return doors.open("connect"), ClientProcess("connect", f"{address}/;user_id=guest", folder), folder


@pytest.fixture(params=["thrift", "connect"])
def parties(request: pytest.FixtureRequest, doors: Doors) -> Iterator[tuple[Door, Door, Path]]:
    """The owner of two models and of a view over each, a guest, and the server's folder."""
    owner, guest, folder = _owner_and_guest(doors, request.param)
    made = owner.run(
        [
            _TRAIN.format("open_line"),
            _TRAIN.format("secret_line"),
            # Other graphs than that of open_line: who may predict with a graph may do so under any of its names.
            _TRAIN.format("secret_slope").replace("2.0D", "5.0D"),
            _TRAIN.format("gone_line").replace("2.0D", "3.0D"),
            "CREATE OR REPLACE VIEW opens AS SELECT PREDICT(open_line, x) AS y FROM VALUES (4) AS t (x)",
            "CREATE OR REPLACE VIEW secrets AS SELECT PREDICT(secret_line, x) AS y FROM VALUES (4) AS t (x)",
            "SELECT y FROM secrets",
            "ENRICH TABLE (SELECT 4 AS x) WITH MODEL open_line CREATE OR REPLACE VIEW open_scores",
            "ENRICH TABLE (SELECT 4 AS x) WITH MODEL secret_line CREATE OR REPLACE VIEW secret_scores",
            *[f"EXPORT MODEL {name} INTO TABLE {name}_bytes" for name in _GIVEN],
            "DROP MODEL gone_line",
        ]
    )
    assert not any(one.failure for one in made), made
    yield owner, guest, folder
    tables = [f"DROP TABLE {name}_bytes" for name in _GIVEN]
    views = [f"DROP VIEW {name}" for name in ("opens", "secrets", "open_scores", "secret_scores")]
    dropped = owner.run(["DROP MODEL open_line", "DROP MODEL secret_line", "DROP MODEL secret_slope", *tables, *views])
    assert not any(one.failure for one in dropped), dropped
    if guest.name == "connect":
        guest.close()


def test_a_guest_scores_only_with_bytes_of_models_they_may_predict_with(parties: tuple[Door, Door, Path]) -> None:
    """The bytes alone are no permission; nor is a graph that nobody has registered, without the right to import."""
    owner, guest, _ = parties
    asked = [
        f"SELECT round(p.score, 6) FROM PREDICT(MODEL = (SELECT model FROM {name}_bytes), DATA = (SELECT 4L AS x) AS d)"
        " WITH (score FLOAT) AS p"
        for name in _GIVEN
    ]
    opened, secret, nobodys = guest.run(asked)
    assert _rows(opened) == [["8.0"]]
    for refused in (secret, nobodys):
        assert refused.failure is not None and refused.failure.condition == "SQLML_PERMISSION_DENIED", refused
        assert (
            "User guest may not score with this model, which is not a registered model that they may"
            in refused.failure.message
        )
    # Whether somebody has registered it is nothing that a guest is told.
    assert secret.failure == nobodys.failure
    assert [_rows(one) for one in owner.run(asked)] == [[["8.0"]], [["20.0"]], [["12.0"]]]
    # Nor is a copy of them under a name of the guest's own; and what there is nobody tells who may not have it.
    copied, *unseen = guest.run(
        [
            "IMPORT MODEL guest.copy FROM (SELECT model FROM secret_slope_bytes)",
            *[f"IMPORT MODEL guest.copy FROM 'models:/secret_line{end}'" for end in ("/1", "/9", "@nope", "")],
            "IMPORT MODEL guest.copy FROM 'models:/no_line/1'",
        ]
    )
    assert copied.failure is not None and copied.failure.condition == "SQLML_PERMISSION_DENIED", copied
    assert "secret_slope" not in copied.failure.message
    for one in unseen:
        assert one.failure is not None and "User guest may not export model" in one.failure.message, one


def test_a_view_of_an_analysed_plan_lends_nobody_its_makers_rights(parties: tuple[Door, Door, Path]) -> None:
    """Spark stores the analysed plan of a data frame's view, and with the setting that of every temporary view."""
    owner, guest, _ = parties
    view = "CREATE OR REPLACE GLOBAL TEMPORARY VIEW"
    bytes_of = "(SELECT model FROM {}_bytes)"
    scored = "SELECT p.score FROM PREDICT(MODEL = {}, DATA = (SELECT 4L AS x) AS d) WITH (score FLOAT) AS p"
    made = owner.run(
        [
            "SET spark.sql.legacy.storeAnalyzedPlanForView = true",
            f"{view} lent_open AS SELECT x, PREDICT(open_line, x) AS y FROM VALUES (4) AS t (x)",
            f"{view} lent AS SELECT x, PREDICT(secret_line, x) AS y FROM VALUES (4) AS t (x)",
            f"{view} lent_source AS SELECT PREDICT_PROVENANCE(secret_line) AS source",
            f"{view} lent_inside AS SELECT (SELECT max(PREDICT(secret_line, id)) FROM range(3)) AS y",
            f"{view} lent_bytes AS {scored.format(bytes_of.format('secret_slope'))}",
            "SET spark.sql.legacy.storeAnalyzedPlanForView = false",
            "SELECT round(y, 6) FROM global_temp.lent",
        ]
    )
    assert not any(one.failure for one in made) and _rows(made[-1]) == [["8.0"]], made
    names = ("lent", "lent_source", "lent_inside", "lent_bytes")
    refused = guest.run(
        [
            *[f"SELECT * FROM global_temp.{name}" for name in names],
            "SELECT x FROM global_temp.lent",
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM global_temp.lent)",
            "CREATE TABLE taken AS SELECT y FROM global_temp.lent",
            "CACHE TABLE taken AS SELECT y FROM global_temp.lent",
            "EXPLAIN SELECT y FROM global_temp.lent",
        ]
    )
    for result in refused[:-1]:
        assert result.failure is not None and result.failure.condition == "SQLML_PERMISSION_DENIED", result
        assert "User guest may not" in result.failure.message
    assert "SQLML_PERMISSION_DENIED" in refused[-1].raw or "SQLML_PERMISSION_DENIED" in str(refused[-1].rows)
    assert _rows(guest.run(["SELECT round(y, 6) FROM global_temp.lent_open"])[0]) == [["8.0"]]
    owner.run(["CACHE TABLE global_temp.lent"])
    (cached,) = guest.run(["SELECT * FROM global_temp.lent"])
    assert cached.failure is not None and cached.failure.condition == "SQLML_PERMISSION_DENIED", cached
    dropped = owner.run([f"DROP VIEW global_temp.{name}" for name in (*names, "lent_open")])
    assert not any(one.failure for one in dropped), dropped


def test_a_guest_gets_the_same_answer_for_a_model_that_does_not_exist(parties: tuple[Door, Door, Path]) -> None:
    """Permission is asked before anything is looked up: no answer tells which models and versions there are."""
    _, guest, _ = parties
    statements = (
        "DESCRIBE MODEL EXTENDED {}",
        "DESCRIBE MODEL {} VERSION 7",
        "SHOW MODEL VERSIONS {}",
        "SHOW CREATE MODEL {}",
        "SHOW TRIALS {}",
        "RETRAIN MODEL {}",
        "EXPORT MODEL {} ALIAS champion TO 'x.onnx'",
        "EXPORT MODEL {} INTO TABLE open_line_bytes",
        "DROP MODEL {}",
        "DROP MODEL IF EXISTS {} VERSION 7",
        "ALTER MODEL {} RENAME TO mine",
        "ALTER MODEL mine RENAME TO {}",
        "ALTER MODEL IF EXISTS {} SET TAGS (a = 'b')",
        "ENRICH TABLE (SELECT 4 AS x) WITH MODEL {} ALIAS champion SHOW SQL",
        "SELECT PREDICT('{}@champion', 1)",
        "SELECT id FROM range(3) ORDER BY PREDICT({}, *)",
        "SELECT PREDICT_PROVENANCE('{}/7')",
        "SELECT PREDICT_OUTPUTS('{}', '{{}}', 1)",
        "SELECT * FROM PREDICT('{}', TABLE(range(3)))",
        "SELECT p.s FROM PREDICT(MODEL = {}, DATA = range(3) AS d) WITH (s FLOAT) AS p",
        "SELECT p.s FROM PREDICT(MODEL = '{}/7', DATA = range(3) AS d) WITH (s FLOAT) AS p",
        "SELECT name FROM sqlml.models WHERE name = '{}'",
        "SELECT model FROM sqlml.training_runs WHERE model = '{}'",
    )
    asked = [statement.format(name) for statement in statements for name in ("secret_line", "secret_none")]
    answers = guest.run(asked)
    for statement, there, missing in zip(statements, answers[::2], answers[1::2], strict=True):
        shown, other = (str((one.rows, one.raw)) for one in (there, missing))
        assert shown.replace("secret_line", "secret_none") == other, statement
        assert (there.failure and there.failure.condition) in (None, "SQLML_PERMISSION_DENIED"), (statement, there)
        assert there.failure is not None or not there.rows, statement


def test_a_guest_may_only_what_the_rules_allow(parties: tuple[Door, Door, Path]) -> None:
    owner, guest, folder = parties
    for statement, result in zip(_REFUSED, guest.run(_REFUSED), strict=True):
        assert result.failure is not None and result.failure.condition == "SQLML_PERMISSION_DENIED", (statement, result)
        assert result.failure.sqlstate == "42501" and "User guest may not" in result.raw, result.raw
    allowed = guest.run(
        [
            "SELECT round(y, 6) FROM opens",
            "SELECT round(PREDICT(open_line, 4), 6)",
            "SHOW MODELS LIKE '*_line'",
            "SELECT name FROM sqlml.models WHERE name LIKE '%_line'",
            "SELECT count(*) FROM sqlml.metrics WHERE model = 'secret_line'",
            "SET spark.sqlml.permissions=",
            "SELECT PREDICT(secret_line, 1)",
            "SHOW MODEL VERSIONS secre_line",
            "SELECT PREDICT(secre_line, 1)",
            "SHOW ENRICHMENTS LIKE '*_scores'",
            "SELECT count(*) FROM sqlml.enrichments WHERE model = 'secret_line'",
            "ENRICH TABLE (SELECT 4 AS x) WITH MODEL open_line CREATE OR REPLACE TEMPORARY VIEW mine",
        ]
    )
    assert _rows(allowed[0]) == [["8.0"]] and _rows(allowed[1]) == [["8.0"]]
    assert [row[0] for row in _rows(allowed[2])] == ["open_line"]
    assert _rows(allowed[3]) == [["open_line"]] and _rows(allowed[4]) == [["0"]]
    assert allowed[6].failure is not None and allowed[6].failure.condition == "SQLML_PERMISSION_DENIED", allowed[6]
    assert [(row[0], row[11]) for row in _rows(allowed[9])] == [("spark_catalog.default.open_scores", "true")]
    assert _rows(allowed[10]) == [["0"]] and _rows(allowed[11])[0][:2] == ["temporary view", "mine"]
    for unknown in allowed[7:9]:
        assert unknown.failure is not None and unknown.failure.condition == "SQLML_MODEL_NOT_FOUND", unknown
        assert "secret_line" not in unknown.raw, "the hint names what the guest may not know of"
    assert _rows(owner.run(["SELECT count(*) FROM sqlml.models WHERE name LIKE '%_line'"])[0]) == [["2"]]
    entries = [json.loads(line) for line in (folder / "sqlml-audit.jsonl").read_text(encoding="utf-8").splitlines()]
    ended = [entry for entry in entries if entry["user"] == "guest" and entry["outcome"] != "started"]
    assert [(entry["action"], entry["outcome"]) for entry in ended[-11:]] == [
        ("train", "denied"),
        ("train", "denied"),
        ("drop", "denied"),
        ("drop", "denied"),
        ("alter", "denied"),
        ("alter", "denied"),
        ("export", "denied"),
        ("import", "denied"),
        ("import", "denied"),
        ("predict", "denied"),
        ("predict", "succeeded"),
    ]
    trained = [entry for entry in entries if entry["models"] == ["secret_line"] and entry["action"] == "train"]
    assert [entry["outcome"] for entry in trained[:2]] == ["started", "succeeded"]
    assert trained[0]["statement"] == _TRAIN.format("secret_line") and trained[0]["user"] != "guest"


def _rows(result: Result) -> list[list[str]]:
    assert result.failure is None, result.raw
    return [list(row) for row in result.rows]


def test_a_server_that_only_scores(tmp_path: Path) -> None:
    """The registry of one application, read by another that changes nothing."""
    writer = ClientProcess("pyspark", session_settings(tmp_path / "writer", tmp_path), tmp_path / "writer")
    try:
        trained = writer.run([_TRAIN.format("served")])
    finally:
        writer.close()
    assert trained[0].failure is None, trained[0].raw
    settings = session_settings(tmp_path / "reader", tmp_path) | {"spark.sqlml.readOnly": "true"}
    reader = ClientProcess("pyspark", settings, tmp_path / "reader")
    try:
        scored, enriched, *refused = reader.run(
            [
                "SELECT round(PREDICT(served, 4), 6)",
                "ENRICH TABLE (SELECT 4 AS x) WITH MODEL served CREATE VIEW scores",
                _TRAIN.format("served"),
                "SET spark.sqlml.readOnly=false",
                "DROP MODEL served",
                "ALTER MODEL served SET ALIAS champion = VERSION 1",
            ]
        )
    finally:
        reader.close()
    assert _rows(scored) == [["8.0"]]
    assert _rows(enriched)[0][7] == "not in SHOW ENRICHMENTS: this server changes nothing in the registry"
    assert [one.failure and one.failure.condition for one in refused] == [
        "SQLML_READ_ONLY",
        "CANNOT_MODIFY_STATIC_CONFIG",
        "SQLML_READ_ONLY",
        "SQLML_READ_ONLY",
    ]
