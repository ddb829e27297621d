"""The demonstration: its data, its script, and the whole of it."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sqlml.cli import demonstration
from sqlml.cli.home import Home
from sqlml.cli.live import Step
from sqlml.cli.script import Statement, statements
from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_KNOWN_TOO_LATE = ("dep_time", "arr_time", "air_time")


def _script() -> list[Statement]:
    return list(statements(demonstration._script()))


def _statement(beginning: str) -> str:
    (found,) = [statement.body for statement in _script() if statement.body.startswith(beginning)]
    return found


@pytest.mark.parametrize("table", sorted(demonstration.TABLES))
def test_columns_are_those_of_the_files(table: str, tmp_path: Path) -> None:
    path = demonstration._plain(demonstration._data(), table, tmp_path)
    with path.open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert [column.split()[0] for column in re.split(r",\s*", demonstration.TABLES[table])] == header


def test_flights_are_all_there(tmp_path: Path) -> None:
    with zipfile.ZipFile(demonstration._data() / "flights.csv.zip") as archive:
        text = archive.read("flights.csv").decode()
    rows = csv.DictReader(io.StringIO(text))
    delays = [row["arr_delay"] for row in rows]
    assert len(delays) == 336_776
    assert delays.count("NA") == 9_430


def test_missing_data_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstration, "DATABASE", "nycflights_that_nobody_installed")
    with pytest.raises(SqlmlError, match="pip install nycflights_that_nobody_installed"):
        demonstration._data()


def test_script_says_what_it_does() -> None:
    heads = {" ".join(statement.body.split()[:2]) for statement in _script()}
    assert {"TRAIN MODEL", "SHOW MODELS", "DESCRIBE MODEL", "CREATE OR"} <= heads
    assert sum(bool(statement.comment) for statement in _script()) >= 8
    assert max(map(len, demonstration._script().splitlines())) <= 80


def test_nothing_from_the_future_is_learned() -> None:
    """Only what is known when the doors close is a feature, and the months learned from are not those forecast."""
    view = _statement("CREATE OR REPLACE VIEW departures")
    words = re.findall(r"\w+", view)
    assert [word for word in _KNOWN_TOO_LATE if word in words] == []
    assert words.count("arr_delay") == 1
    assert "f.arr_delay >= 15 AS late" in view
    assert "f.time_hour - INTERVAL 1 HOUR" in view, "the weather of the hour before"
    assert "WHERE month <= 10" in _statement("TRAIN MODEL")
    assert "WHERE month >= 11" in _statement("CREATE OR REPLACE VIEW forecasts")


@pytest.mark.nightly
def test_script_in_a_session(spark: SparkSession, tmp_path: Path) -> None:
    """Without the command around it; tests/spark/test_spark_versions.py asks it of other versions of Spark."""
    session = spark.newSession()
    demonstration._load(session, demonstration._data(), Home(tmp_path), Step("loading"))
    answers = [(statement, session.sql(statement.text).collect()) for statement in _script()]
    [trained] = [rows for statement, rows in answers if statement.body.startswith("TRAIN MODEL")]
    assert trained[0].fidelity.label_mismatches == 0
    [compared] = [rows for _, rows in answers if rows and rows[0][0] == 53991]
    assert compared[0][1] > compared[0][2] > compared[0][3]
    risks = session.sql(
        "SELECT count(*) AS flights, count(risk) AS risks FROM forecasts WHERE carrier = 'VX'"
    ).collect()
    assert (risks[0].flights, risks[0].risks) == (902, 902)
    session.sql("DROP DATABASE nycflights13 CASCADE")
    session.sql("DROP MODEL late_arrival")


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    """Every statement succeeds; the model beats both rules on flights it has not seen; the tables stay."""
    environment = {**os.environ, "COLUMNS": "110"}
    command = [sys.executable, "-m", "sqlml"]
    done = subprocess.run(
        [*command, "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    assert "fitting sklearn.hist_gradient_boosting" in done.stdout
    row = re.search(r"^ +53991 +([\d.]+) +([\d.]+) +([\d.]+)", done.stdout, re.MULTILINE)
    assert row is not None, done.stdout
    model, late_out_late_in, always_on_time = map(float, row.groups())
    assert model > late_out_late_in > always_on_time
    assert "ExpressJet" in done.stdout
    assert "Try next" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [".sqlml"]

    query = "SELECT count(*) AS flights, count(risk) AS risks FROM nycflights13.forecasts WHERE carrier = 'VX'"
    after = subprocess.run(
        [*command, "sql", "--format", "csv", "-e", query],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert after.stdout.split() == ["flights,risks", "902,902"], after.stderr
