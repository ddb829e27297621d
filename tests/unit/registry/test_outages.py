"""A registry that goes away: a finished training is not lost, and what a driver knows still scores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cut_connection import CutConnection
from helpers.doors.mlflow_server import mlflow_server
from helpers.foreign_graphs import node
from helpers.hostile import model

import sqlml
from sqlml.errors import SqlmlError
from sqlml.importing import imported, requested
from sqlml.registry import Registry, artifacts_client, known_versions, lease, orphans, waiting
from sqlml.registry.layout import LEASE, OWNER
from sqlml.registry.store import Store
from sqlml.training.imported_model import trained

pytestmark = pytest.mark.slow

_GRAPH = model(node("Add", "x w", "y"), constants={"w": np.array([1.0], np.float32)})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("outages")
    with mlflow_server(folder) as uri:
        yield uri


@pytest.fixture
def connection(server: str) -> Iterator[CutConnection]:
    found = CutConnection(server)
    yield found
    found.cut()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_FIRST_PAUSE", 0.2)
    monkeypatch.setattr(waiting, "_LAST_PAUSE", 0.5)
    monkeypatch.setattr(known_versions, "_AWAY_SECONDS", 0.0)


def _registered(registry: Registry, name: str, meanwhile: Callable[[], None]) -> int:
    """Registers a model; what happens meanwhile comes after the fit."""
    found = imported(_GRAPH, requested(target="y"))
    with registry.training_run(name, "", {}, "me") as run:
        meanwhile()
        return run.register(trained(found), comment=None)


def _runs(uri: str, name: str) -> list[Any]:
    with Store(uri).reaching() as client:
        experiment = client.get_experiment_by_name("sqlml").experiment_id
        return list(client.search_runs([experiment], f"tags.`sqlml.model` = '{name}'"))


def test_after_the_fit_it_waits_for_the_registry(connection: CutConnection, server: str) -> None:
    said: list[str] = []

    def meanwhile() -> None:
        connection.cut()
        connection.restore_after(8.0)

    with waiting.cancellable(lambda: False, said.append):
        assert _registered(Registry(connection.uri, patience=60.0), "waits", meanwhile) == 1
    assert any(line.startswith("the model registry does not answer") for line in said)
    assert [run.info.status for run in _runs(server, "waits")] == ["FINISHED"]
    assert len(Registry(server).versions("waits")) == 1


@pytest.mark.parametrize(
    "request_path", [b"model-versions/create", b"PUT /api/2.0/mlflow-artifacts", b"registered-models/create"]
)
def test_a_lost_answer_makes_no_second_version(connection: CutConnection, server: str, request_path: bytes) -> None:
    """The server has done what it was asked, and the driver does not know."""
    name = f"lost_{request_path.decode().rpartition('/')[2].replace('-', '_')}_{request_path[0]}"
    lost: list[None] = []

    def then() -> None:
        lost.append(None)
        connection.restore_after(1.0)

    number = _registered(
        Registry(connection.uri, patience=60.0), name, lambda: connection.cut_answer_to(request_path, then)
    )
    assert lost
    assert number == 1
    assert [version.version for version in Registry(server).versions(name)] == [1]


def test_a_late_answer_makes_no_second_version(connection: CutConnection, server: str) -> None:
    """The driver's MLflow has given the request up and sent it again; the server carries out both."""
    number = _registered(
        Registry(connection.uri), "late", lambda: connection.delay_answer_to(b"model-versions/create", 6.0)
    )
    assert [version.version for version in Registry(server).versions("late")] == [number] == [1]


def test_waiting_can_be_cancelled(connection: CutConnection) -> None:
    began = time.monotonic()
    with (
        pytest.raises(SqlmlError) as caught,
        waiting.cancellable(lambda: time.monotonic() - began > 6.0, lambda text: None),
    ):
        _registered(Registry(connection.uri, patience=600.0), "cancelled", connection.cut)
    assert caught.value.condition == "SQLML_CANCELLED"
    assert time.monotonic() - began < 30.0
    connection.restore()


def test_what_waits_in_vain_is_kept(
    connection: CutConnection, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SqlmlError) as caught:
        _registered(Registry(connection.uri, patience=1.0), "kept", connection.cut)
    assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
    (path,) = tmp_path.glob(".sqlml/unregistered/kept-*/model.onnx")
    assert (path.parent / "sqlml.json").is_file()
    assert f"IMPORT MODEL kept FROM '{path}'" in caught.value.hint
    connection.restore()
    registered = sqlml.register_model("kept", path.read_bytes(), registry=server)
    assert registered.version == 1
    assert registered.signature.names == ("x",)
    deadline = time.monotonic() + 30.0
    while "FAILED" not in (found := [run.info.status for run in _runs(server, "kept")]):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_a_number_needs_no_registry_once_it_is_known(connection: CutConnection, server: str) -> None:
    _registered(Registry(server), "known", lambda: None)
    strict, lenient = Registry(connection.uri), Registry(connection.uri, staleness=60.0)
    for registry in (strict, lenient):
        assert registry.load("known").version == 1
    connection.cut()
    assert strict.load("known/1").digest == lenient.load("known").digest == lenient.load("known/1").digest
    with pytest.raises(SqlmlError, match="registry") as caught:
        strict.load("known")
    assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
    with pytest.raises(SqlmlError):
        strict.load("known/2")
    connection.restore()
    Registry(server).drop("known")
    with pytest.raises(SqlmlError) as gone:
        strict.load("known/1")
    assert gone.value.condition == "SQLML_MODEL_NOT_FOUND"
    connection.cut()
    with pytest.raises(SqlmlError) as forgotten:
        strict.load("known/1")
    assert forgotten.value.condition == "SQLML_REGISTRY_UNAVAILABLE"


def test_a_graph_that_was_read_is_read_again(connection: CutConnection, server: str) -> None:
    """As for the other engine."""
    _registered(Registry(server), "read", lambda: None)
    registry, other = Registry(connection.uri), Registry(connection.uri)
    content, unread = registry.load("read/1").onnx(), other.load("read/1")
    connection.cut()
    assert registry.load("read/1").onnx() == content
    with pytest.raises(SqlmlError) as caught:
        unread.onnx()
    assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"


def test_a_name_is_asked_for_again(connection: CutConnection, server: str) -> None:
    _registered(Registry(server), "again", lambda: None)
    registry = Registry(connection.uri)
    registry.load("again/1")
    connection.cut()
    connection.restore_after(0.5)
    assert registry.load("again").version == 1


def test_a_lease_that_is_not_renewed_ends_the_run(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver on another host, seen by one here: its process cannot be looked up, and its clock does not matter."""
    monkeypatch.setattr(lease, "RENEWAL_SECONDS", 0.5)
    store, watch = Store(server), lease.Watch()
    with store.writing() as client:
        experiment = client.get_experiment_by_name("sqlml").experiment_id
        dead, live = (
            client.create_run(experiment, tags={OWNER: "another-boot~1~1", LEASE: "first"}, start_time=hour).info.run_id
            for hour in (0, 4_000_000_000_000)
        )
    with lease.renewed(store, live):
        deadline = time.monotonic() + 30.0
        while orphans.end(store, watch) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        with store.reaching() as client:
            states = [client.get_run(run_id).info.status for run_id in (dead, live)]
            client.set_terminated(live, "FINISHED")
    assert states == ["KILLED", "RUNNING"]


class _Refusing(BaseHTTPRequestHandler):
    """A proxy in front of MLflow that lets nobody in."""

    status = 401

    def do_GET(self) -> None:
        self.send_error(self.status)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_name_the_variables(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(_Refusing, "status", status)
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        with pytest.raises(SqlmlError) as caught:
            Registry(f"http://127.0.0.1:{proxy.server_port}").load("m")
    finally:
        proxy.shutdown()
    assert caught.value.condition == "SQLML_REGISTRY_DENIED", caught.value
    assert "MLFLOW_TRACKING_PASSWORD" in caught.value.hint


@pytest.mark.parametrize(
    ("uri", "package"),
    [("s3://bucket/x", "boto3"), ("gs://bucket/x", "google.cloud.storage"), ("wasbs://a@b/x", "azure")],
)
def test_the_artifact_stores_client_is_missed_before_the_fit(uri: str, package: str) -> None:
    with pytest.raises(SqlmlError) as caught:
        artifacts_client.check(uri)
    assert caught.value.condition == "SQLML_MISSING_PACKAGE"
    assert package in caught.value.message
    for served in ("mlflow-artifacts:/1", "file:///tmp/x", "/tmp/x", "dbfs:/x"):
        artifacts_client.check(served)
