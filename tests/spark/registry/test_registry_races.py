"""Many change the same models at once, from two drivers: no version is lost, no alias stands for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers.doors.mlflow_server import mlflow_server
from helpers.doors.servers import environment
from helpers.doors.settings import session_settings

from sqlml.errors import SqlmlError
from sqlml.registry import Registry
from sqlml.registry.dataset import log_dataset
from sqlml.registry.store import Store

_TRAIN = "TRAIN MODEL {} USING sklearn.linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40)"
# `kept` is never dropped as a whole, so that every version that was reported must be there; `churned` is.
_ROUNDS = [
    [_TRAIN.format("kept"), "ALTER MODEL kept SET ALIAS champion = VERSION 1", _TRAIN.format("churned")],
    [_TRAIN.format("churned"), "DROP MODEL IF EXISTS churned", _TRAIN.format("kept")],
    ["ALTER MODEL IF EXISTS churned SET ALIAS champion = VERSION 1", "DROP MODEL IF EXISTS churned VERSION 1"],
    [_TRAIN.format("churned"), "ALTER MODEL IF EXISTS churned SET TAGS ('seen' = 'yes')"],
    ["ALTER MODEL IF EXISTS churned RENAME TO moved", "DROP MODEL IF EXISTS moved", _TRAIN.format("kept")],
]
# What may go wrong where others change the same thing; anything else is a defect.
_ALLOWED = {"SQLML_MODEL_NOT_FOUND", "SQLML_VERSION_IN_USE", "SQLML_MODEL_ALREADY_EXISTS"}

_DRIVER = """
import json, sys, threading
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
import sqlml

settings, rounds = json.loads(sys.argv[1]), json.loads(sys.argv[2])
builder = SparkSession.builder
for key, value in settings.items():
    builder = builder.config(key, value)
spark = sqlml.configure(builder).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
answers, barrier = [], threading.Barrier(len(rounds))

def work(statements):
    session = spark.newSession()
    barrier.wait()
    for statement in statements:
        try:
            rows = session.sql(statement).collect()
            answers.append([statement, [[str(cell) for cell in row] for row in rows], None])
        except PySparkException as error:
            answers.append([statement, None, error.getCondition() or str(error)])
            print(statement, error, sep="\\n", file=sys.stderr)

threads = [threading.Thread(target=work, args=(statements,)) for statements in rounds]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("\\n" + json.dumps(answers))
spark.stop()
"""


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", pytest.param("server", marks=pytest.mark.nightly)])
def test_twenty_sessions_of_two_drivers(store: str, tmp_path: Path) -> None:
    if store == "sqlite":
        _race(f"sqlite:///{tmp_path / 'registry.db'}", tmp_path)
    else:
        with mlflow_server(tmp_path / "server") as uri:
            _race(uri, tmp_path)


def _race(uri: str, folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        drivers = list(pool.map(lambda name: _driver(uri, folder / name), ("a", "b")))
    answers = [answer for driver in drivers for answer in driver]
    failed = Counter(condition for _, _, condition in answers if condition)
    assert set(failed) <= _ALLOWED, (failed, *((folder / name / "errors").read_text() for name in ("a", "b")))
    trained = [rows[0] for statement, rows, _ in answers if rows and statement.startswith("TRAIN")]
    assert len(trained) == 2 * 2 * sum(statement.startswith("TRAIN") for one in _ROUNDS for statement in one)
    _check_consistent(uri, {row[-2]: (row[0], int(row[1])) for row in trained})


def _driver(uri: str, folder: Path) -> list[tuple[str, list[list[str]] | None, str | None]]:
    """The answers to twice the rounds, each said in a session of its own at the same time."""
    folder.mkdir()
    settings = session_settings(folder, folder) | {"spark.sqlml.registry.uri": uri}
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, json.dumps(settings), json.dumps(_ROUNDS * 2)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(),
        timeout=540,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (folder / "errors").write_text(done.stderr)
    return [tuple(answer) for answer in json.loads(done.stdout.splitlines()[-1])]


def _check_consistent(uri: str, trained: dict[str, tuple[str, int]]) -> None:
    """Against what MLflow itself says.

    Args:
        trained: for the run of every TRAIN that returned, the model and the version it named.
    """
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    registry = Registry(uri)
    found = {version.run_id: version for version in client.search_model_versions()}
    kept = {run_id: version for run_id, (name, version) in trained.items() if name == "kept"}
    assert sorted(kept.values()) == list(range(1, len(kept) + 1))
    assert {run_id: int(found[run_id].version) for run_id in kept} == kept
    assert set(found) <= set(trained), "a version that nobody was told of"
    for model in client.search_registered_models():
        versions = {int(version.version) for version in found.values() if version.name == model.name}
        assert {int(version) for version in dict(model.aliases).values()} <= versions, model
        for version in versions:
            assert registry.load(f"{model.name}/{version}").onnx()
    experiment = client.get_experiment_by_name("sqlml")
    assert {run.info.status for run in client.search_runs([experiment.experiment_id])} == {"FINISHED"}


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", pytest.param("server", marks=pytest.mark.nightly)])
def test_runs_that_read_the_same_rows(store: str, tmp_path: Path) -> None:
    if store == "sqlite":
        _log_the_same(f"sqlite:///{tmp_path / 'registry.db'}")
    else:
        with mlflow_server(tmp_path / "server") as uri:
            _log_the_same(uri)


def _log_the_same(uri: str) -> None:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput

    runs, rounds = 10, 6
    client, store = MlflowClient(tracking_uri=uri, registry_uri=uri), Store(uri)
    experiment = client.create_experiment("raced")
    for number in range(rounds):
        rows = DatasetInput(Dataset("query", str(number), "spark", "{}"), [])
        ids = [client.create_run(experiment).info.run_id for _ in range(runs)]
        with ThreadPoolExecutor(runs) as pool:
            list(pool.map(lambda run_id, rows=rows: log_dataset(store, run_id, rows), ids))
        for run_id in ids:
            (logged,) = client.get_run(run_id).inputs.dataset_inputs
            assert logged.dataset.digest == str(number)


def test_aliases_and_drops_of_one_version(tmp_path: Path) -> None:
    """The narrowest race, many times: an alias is set while its version is dropped."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path / 'registry.db'}"
    registry = Registry(uri)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("raced")
    outcomes = Counter[str]()

    def attempt(what: str, number: int) -> None:
        try:
            if what == "alias":
                registry.set_alias("raced", "champion", number)
            else:
                registry.drop("raced", number)
            outcomes[what] += 1
        except SqlmlError as error:
            assert error.condition in _ALLOWED, error
            outcomes[error.condition] += 1

    with ThreadPoolExecutor(4) as pool:
        for number in range(1, 21):
            client.create_model_version("raced", source=str(tmp_path))
            list(pool.map(attempt, ["alias", "drop", "alias", "drop"], [number] * 4))
            versions = {int(version.version) for version in client.search_model_versions("name = 'raced'")}
            aliases = dict(client.get_registered_model("raced").aliases)
            assert {int(version) for version in aliases.values()} <= versions
    assert outcomes["drop"] > 0 or outcomes["alias"] > 0
