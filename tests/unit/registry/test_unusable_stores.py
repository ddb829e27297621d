"""Registries that answer and cannot be used: the reason and the way out, of real failures."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from helpers.doors.mlflow_server import mlflow_server
from helpers.environments import library
from helpers.foreign_graphs import node
from helpers.hostile import model
from helpers.sql_engines import Postgres

from sqlml.errors import SqlmlError
from sqlml.importing import imported, requested
from sqlml.registry import Registry
from sqlml.training.imported_model import trained

pytestmark = pytest.mark.slow

_GRAPH = model(node("Add", "x w", "y"), constants={"w": np.array([1.0], np.float32)})


def _registered(registry: Registry, name: str) -> int:
    with registry.training_run(name, "", {}, "me") as run:
        return run.register(trained(imported(_GRAPH, requested(target="y"))), comment=None)


def test_a_database_of_another_mlflow(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    Registry(f"sqlite:///{path}", (tmp_path / "files").as_uri()).exists("m")
    # MLflow keeps its stores by their URI, so the other schema is in a file of another name.
    older = tmp_path / "older.db"
    shutil.copy(path, older)
    database = sqlite3.connect(older)
    database.execute("UPDATE alembic_version SET version_num = '0a8213491aaa'")
    database.commit()
    database.close()
    with pytest.raises(SqlmlError) as caught:
        Registry(f"sqlite:///{older}", (tmp_path / "files").as_uri()).load("m")
    assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
    assert "schema of another MLflow" in caught.value.message and "mlflow db upgrade" in caught.value.hint


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes, which only root can mount."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user cannot mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registry = Registry(f"sqlite:///{small_disk / 'mlflow.db'}", (small_disk / "files").as_uri(), patience=1.0)
    assert _registered(registry, "m") == 1
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)
    assert registry.load("m").version == 1
    with pytest.raises(SqlmlError) as caught:
        _registered(registry, "n")
    assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
    assert "disk is full" in caught.value.message or "No space left" in caught.value.message, caught.value.message
    (small_disk / "filler").unlink()
    assert _registered(registry, "n") == 1


class _Encrypted:
    """A server of TLS in front of a server of plain HTTP."""

    def __init__(self, uri: str, certificate: Path, key: Path) -> None:
        parts = urlsplit(uri)
        assert parts.hostname and parts.port
        self._server = (parts.hostname, parts.port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.uri = f"https://localhost:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # A client that does not trust the certificate ends the handshake.
        with (
            suppress(OSError),
            self._context.wrap_socket(client, server_side=True) as encrypted,
            socket.create_connection(self._server) as server,
        ):
            threading.Thread(target=_copy, args=(encrypted, server), daemon=True).start()
            _copy(server, encrypted)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_self_signed_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    with mlflow_server(tmp_path / "server") as uri:
        server = _Encrypted(uri, certificate, key)
        try:
            with pytest.raises(SqlmlError) as caught:
                Registry(server.uri).exists("m")
            assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
            assert "does not trust its certificate" in caught.value.message
            assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in caught.value.hint
            monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
            assert not Registry(server.uri).exists("m")
        finally:
            server.close()


def test_an_artifact_store_that_is_gone(tmp_path: Path) -> None:
    with mlflow_server(tmp_path / "server") as uri:
        assert _registered(Registry(uri), "m") == 1
        (tmp_path / "server" / "files").rename(tmp_path / "away")
        with pytest.raises(SqlmlError) as caught:
            Registry(uri).load("m").onnx()
        assert caught.value.condition == "SQLML_MODEL_CORRUPT"
        assert "artifact store has lost its files" in caught.value.hint
        (tmp_path / "away").rename(tmp_path / "server" / "files")
        assert Registry(uri).load("m").onnx()


_TRAIN = """
import sys
# The imports take seconds on a busy machine, and a statement waits eight for a registry.
import mlflow.store.tracking.sqlalchemy_store, mlflow.store.model_registry.sqlalchemy_store
from sqlml.errors import SqlmlError
from sqlml.registry import Registry

for uri in sys.argv[1:]:
    try:
        with Registry(uri, "file:///nowhere").training_run("m", "", {}, "me"):
            print("OPENED")
    except SqlmlError as error:
        print(error)
"""


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("initdb") is None, reason="PostgreSQL is not installed")
def test_a_database_that_refuses_its_user() -> None:
    """A wrong password, a user who may only read, and a database that does not exist: each at once, with the reason.

    MLflow would try the first and the third again for minutes.
    """
    with Postgres() as server:
        address = server.listen({"owner": "right", "reader": "word"})
        server.execute("GRANT ALL ON SCHEMA public TO owner; GRANT pg_read_all_data TO reader;")
        uris = [
            f"postgresql+psycopg://{user}@{address}/{database}"
            for user, database in (
                ("owner:right", "postgres"),
                ("owner:wrong", "postgres"),
                ("reader:word", "postgres"),
                ("owner:right", "nowhere"),
            )
        ]
        environment = {**os.environ, "PYTHONPATH": str(library("psycopg[binary]"))}
        # The first makes the tables, which takes longer than the others may.
        _made(uris[0], environment)
        done = subprocess.run([sys.executable, "-c", _TRAIN, *uris], env=environment, capture_output=True, text=True)
    opened, wrong, reader, nowhere = done.stdout.splitlines()
    assert opened == "OPENED"
    assert "SQLML_REGISTRY_DENIED" in wrong and "password authentication failed" in wrong
    assert "SQLML_REGISTRY_DENIED" in reader and "permission denied for" in reader
    assert "SQLML_REGISTRY_UNAVAILABLE" in nowhere and 'database "nowhere" does not exist' in nowhere


def _made(uri: str, environment: dict[str, str]) -> None:
    make = "import sys, mlflow; mlflow.MlflowClient(sys.argv[1], sys.argv[1]).search_registered_models()"
    subprocess.run([sys.executable, "-c", make, uri], env=environment, capture_output=True, check=True)
