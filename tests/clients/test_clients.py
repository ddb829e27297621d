"""Clients that people use, each in an environment of its own: train, score, read a view, see an error."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.doors.servers import spark_home
from helpers.doors.thrift import Thrift
from helpers.environments import client
from helpers.folders import ROOT, TESTS

from sqlml.parser.functions import FUNCTIONS

if TYPE_CHECKING:
    from helpers.doors.opening import Doors

_CLIENTS = TESTS / "clients"
_MANUAL = ROOT / "sql" / "reference" / "clients.md"


def _ask(name: str, port: int, folder: Path) -> dict[str, Any]:
    """What a client's script finds when it is asked to train, score and read."""
    model, view = f"from_{name}", f"read_by_{name}"
    asked = {
        "port": port,
        "prepare": [
            f"TRAIN MODEL {model} USING linear_regression TARGET y AS"
            " SELECT id AS a, id % 7 AS b, id * 2.0D + id % 7 AS y FROM range(60)",
            f"CREATE OR REPLACE VIEW {view} AS SELECT id, round(PREDICT({model}, id, id % 7), 3) AS p FROM range(4)",
        ],
        "score": f"SELECT round(PREDICT({model}, a => 10, b => 3), 3) AS p, 'x;y' AS quoted",
        "view": view,
        "read": f"SELECT id, p FROM {view} ORDER BY id",
        "wrong": f"SELECT PREDICT({model}x, 1, 2)",
    }
    command = [str(client(name)), str(_CLIENTS / name / "script.py"), json.dumps(asked)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert found["scored"] == [[23.0, "x;y"]]
    assert found["read"] == [[n, 3.0 * n] for n in range(4)]
    # Some wrap it in the server's own words.
    assert f"[SQLML_MODEL_NOT_FOUND] There is no model {model}x. Did you mean {model}?" in found["error"]
    return found


@pytest.mark.nightly
def test_impyla(doors: Doors, tmp_path: Path) -> None:
    found = _ask("impyla", doors.thrift.port, tmp_path)
    assert found["columns"] == [["id", "BIGINT"], ["p", "DOUBLE"]]
    metadata = found["metadata"]
    assert "default" in metadata["schemas"] and "read_by_impyla" in metadata["tables"]
    assert metadata["columns"] == [["id", "BIGINT"], ["p", "DOUBLE"]]
    assert metadata["functions"] == sorted(FUNCTIONS)


@pytest.mark.doors
def test_what_bi_tools_ask_over_jdbc(doors: Doors) -> None:
    """Beside a view of predictions, which is all that they see of a model."""
    [view] = re.findall(r"^```sql\n(.*?);\n```$", _MANUAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    prepared = Thrift(doors.thrift.port).run(
        [
            "CREATE SCHEMA seen_by_bi",
            "USE seen_by_bi",
            "CREATE TABLE customers AS SELECT id, id % 9 AS age, IF(id % 9 > 4, 'yes', 'no') AS left FROM range(60)",
            "TRAIN MODEL asked_by_bi USING decision_tree TARGET left FEATURES (age) AS SELECT * FROM customers",
            view.replace("churn", "asked_by_bi"),
        ]
    )
    assert [result.failure for result in prepared] == [None] * 5
    jars = spark_home() / "jars" / "*"
    url = f"jdbc:hive2://127.0.0.1:{doors.thrift.port}"
    command = ["java", "-cp", str(jars), str(_CLIENTS / "jdbc" / "Probe.java"), url, "seen_by_bi", "scored_customers"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, list[tuple[str, ...]]] = {}
    for line in done.stdout.splitlines():
        what, *cells = line.split("\t")
        said.setdefault(what, []).append(tuple(cells))
    assert said["product"] == [("Spark SQL",)]
    assert {("default",), ("seen_by_bi",)} <= set(said["schema"])
    assert said["table"] == [("customers", "TABLE"), ("scored_customers", "VIEW")]
    assert said["column"] == [("id", "BIGINT", ""), ("will_leave", "STRING", "By the newest model")]
    assert said["described"] == [("id", "bigint", "null"), ("will_leave", "string", "By the newest model")]
    assert said["probe"] == [("id", "bigint"), ("will_leave", "string")]
    assert said["rows"] == [("false",)]
    [probe] = Thrift(doors.thrift.port).run(
        ["EXPLAIN SELECT T.* FROM (SELECT * FROM seen_by_bi.scored_customers) T WHERE 1 = 0"]
    )
    assert "LocalTableScan <empty>" in probe.rows[0][0], "no job, no scoring"
    functions = {name: remarks for name, remarks in said["function"] if "predict" in name}
    assert set(functions) == set(FUNCTIONS)
    assert len(said["type"]) > 10
    usage = "predict(model, features) - Returns what the model predicts for the row: the label, or a DOUBLE."
    assert usage in functions["predict"]
    assert said["says"][0] == ("Function: predict",)
    assert (f"Usage: {usage}",) in said["says"]
    assert said["error"][0][0] == "42704" and "There is no model nobody_trained_it" in said["error"][0][1]


@pytest.mark.nightly
def test_sqlalchemy_and_pandas(doors: Doors, tmp_path: Path) -> None:
    found = _ask("sqlalchemy", doors.thrift.port, tmp_path)
    assert found["columns"] == [["id", "BIGINT"], ["p", "FLOAT"]]
    assert found["above"] == 2
    # The manual warns of it: PyHive reads the wrong column of Spark's SHOW TABLES.
    assert set(found["tables"]) == {"default"}


@pytest.mark.nightly
def test_airflow(doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its installation takes a minute."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    _ask("airflow", doors.thrift.port, tmp_path)


@pytest.mark.nightly
def test_the_notebook(doors: Doors, tmp_path: Path) -> None:
    """Kept without outputs, so that a change of it can be read; this is where its cells run."""
    notebook = ROOT / "examples" / "late_trips.ipynb"
    assert [cell for cell in json.loads(notebook.read_text())["cells"] if cell.get("outputs")] == []
    environment = {**os.environ, "THRIFT_PORT": str(doors.thrift.port), "PLOOMBER_STATS_ENABLED": "false"}
    command = [str(client("notebook")), str(_CLIENTS / "notebook" / "script.py"), str(notebook)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-4000:]
    answers = "\n".join(filter(None, json.loads(done.stdout)))
    accuracy = re.search(r"'accuracy': ([\d.]+)", answers)
    assert accuracy and float(accuracy[1]) > 0.9, answers
    assert "predicted" in answers and "harbour" in answers


@pytest.mark.nightly
def test_superset_sends_what_we_mean(tmp_path: Path) -> None:
    """And finds the tables that a text reads, on which it has permissions. Its installation takes minutes."""
    said = [
        "TRAIN MODEL m USING random_forest TARGET y AS SELECT * FROM t; DESCRIBE MODEL m",
        "SELECT PREDICT(m, a, b, c, d) AS p FROM t",
        "SELECT * FROM ML.PREDICT(MODEL m, TABLE db.t)",
    ]
    command = [str(client("superset")), str(_CLIENTS / "superset" / "script.py"), json.dumps(said)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == [
        ["TRAIN MODEL m USING random_forest TARGET y AS SELECT * FROM t", []],
        ["DESCRIBE MODEL m", []],
        ["SELECT ML_PREDICT(m, a, b, c, d) AS p FROM t", ["t"]],
        ["SELECT * FROM ML_PREDICT(m, TABLE(SELECT * FROM db.t))", ["db.t"]],
    ]
