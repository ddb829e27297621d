"""What a killed process leaves: folders and runs, which the next one clears away, and only those."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings

from sqlml.system import process, temporary

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LEAVES = """
import sys, time
from sqlml.system import process, temporary
with temporary.folder("train") as folder:
    (folder / "rows.arrow").write_bytes(b"rows")
    print(process.mark(), folder, flush=True)
    time.sleep(600)
"""


def test_a_process_knows_whether_another_lives() -> None:
    child = subprocess.Popen([sys.executable, "-c", _LEAVES], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        marked, folder = child.stdout.readline().split()
        assert not process.is_gone(marked) and not process.is_gone(process.mark())
        temporary.remove_orphans()
        assert Path(folder, "rows.arrow").exists()
    finally:
        child.kill()
    # Dead and not yet buried.
    deadline = time.monotonic() + 10
    while not process.is_gone(marked) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.is_gone(marked)
    child.wait()
    assert process.is_gone(marked)
    assert temporary.remove_orphans() >= 1
    assert not Path(folder).exists()


def test_what_cannot_be_known_is_left_alone() -> None:
    for marked in ("", "elsewhere~1~x", "no mark", f"{process.mark()}~", "~1~"):
        assert not process.is_gone(marked), marked


def test_a_number_that_another_process_has_now_is_not_the_same_process() -> None:
    host, pid, started = process.mark().split("~")
    assert process.is_gone(f"{host}~{pid}~{started}0")


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("!")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    host, pid, started = process.mark().split("~")
    (tmp_path / "temp" / f"sqlml~train~{host}~{pid}~{started}0~abc").symlink_to(tmp_path / "mine")
    assert temporary.remove_orphans() == 0
    assert (tmp_path / "mine" / "precious").exists()


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
