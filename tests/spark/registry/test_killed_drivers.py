"""What a driver leaves that was killed while it trained: the next one ends it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings

if TYPE_CHECKING:
    from mlflow import MlflowClient


@pytest.mark.slow
def test_the_next_driver_ends_what_a_killed_one_left_open(tmp_path: Path) -> None:
    """Killed in mid training: no version, no run that goes on for ever, no model without versions, no rows on disk."""
    client = _client(tmp_path)
    killed = ClientProcess("pyspark", session_settings(tmp_path / "first", tmp_path), tmp_path / "first")
    long = "TRAIN MODEL half USING sklearn.gradient_boosting TARGET y OPTIONS (n_estimators = 200000) AS"
    try:
        killed.send([f"{long} SELECT id % 97 AS a, id % 89 AS b, (id * 7919) % 1000 / 10.0D AS y FROM range(4000)"])
        _wait(lambda: _runs(client) and list(Path(tempfile.gettempdir()).glob("sqlml~train~*")))
        # As if it had died between the two last steps.
        run = _runs(client)[0]
        client.create_registered_model("half", {"sqlml.created_by": run.info.run_id})
        client.create_registered_model("somebodys")
    finally:
        killed.kill()
    assert [one.info.status for one in _runs(client)] == ["RUNNING"]
    second = ClientProcess("pyspark", session_settings(tmp_path / "second", tmp_path), tmp_path / "second")
    try:
        assert second.run(["SHOW MODELS"])[0].failure is None
        _wait(lambda: [one.info.status for one in _runs(client)] == ["KILLED"])
        _wait(lambda: [model.name for model in client.search_registered_models()] == ["somebodys"])
        shown = second.run(["SELECT model, version, status, error FROM sqlml.training_runs"])[0]
    finally:
        second.close()
    assert shown.rows == (("half", "NULL", "KILLED", "The driver ended before the training did."),), shown


def _client(folder: Path) -> MlflowClient:
    from mlflow import MlflowClient

    uri = session_settings(folder, folder)["spark.sqlml.registry.uri"]
    folder.mkdir(exist_ok=True)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _runs(client: MlflowClient) -> list[object]:
    experiment = client.get_experiment_by_name("sqlml")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def _wait(condition: object, limit: float = 120.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
