"""Somebody else holds what the registry needs: each statement answers in time, and says who that is."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sqlml.errors import SqlmlError
from sqlml.registry import Registry, file_lock, sqlite_file
from sqlml.registry.waiting import cancellable

# What a process holds, and how it says that it does.
_FLOCK = "import fcntl; file = open(sys.argv[1] + '.lock'); fcntl.flock(file, fcntl.LOCK_SH); {wait}"
_SQLML = "from sqlml.registry.file_lock import locked\nwith locked(pathlib.Path(sys.argv[1] + '.lock'), 1): {wait}"
_SQLITE = "import sqlite3; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN {kind}'); {wait}"
_WAIT = "print('held', flush=True); time.sleep(100)"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("locks") / "mlflow.db"
    assert not _registry(path).exists("m")
    return path


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter; a statement's may be one after the other."""
    assert file_lock.SECONDS <= 10 and sqlite_file.SECONDS < 10
    monkeypatch.setattr(file_lock, "SECONDS", 1.0)
    monkeypatch.setattr(sqlite_file, "SECONDS", 1.0)


def _registry(path: Path) -> Registry:
    return Registry(f"sqlite:///{path}", (path.parent / "files").as_uri())


@contextmanager
def _held(code: str, database: Path) -> Iterator[int]:
    command = [sys.executable, "-c", f"import pathlib, sys, time\n{code}", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            yield process.pid
        finally:
            process.kill()


def _refused(registry: Registry, *, write: bool = True) -> str:
    with pytest.raises(SqlmlError) as caught:
        registry.set_comment("m", None, "x") if write else registry.exists("m")
    assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
    return str(caught.value)


def test_the_lock_is_the_users_own(database: Path) -> None:
    lock = Path(f"{database}.lock")
    lock.chmod(0o644)  # as earlier versions have left it
    with pytest.raises(SqlmlError, match="SQLML_MODEL_NOT_FOUND"):
        _registry(database).set_comment("m", None, "x")
    assert lock.stat().st_mode & 0o777 == 0o600


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("of somebody else")
    (tmp_path / "mlflow.db.lock").symlink_to(other)
    _refused(_registry(tmp_path / "mlflow.db"))
    assert other.read_text() == "of somebody else"


def test_a_stranger_holds_the_lock(database: Path) -> None:
    registry = _registry(database)
    registry.exists("m")
    with _held(_FLOCK.format(wait=_WAIT), database) as pid:
        assert f"Process {pid} has held the lock of the model registry, " in _refused(registry)
        # Reading needs no lock.
        assert not registry.exists("m")


def test_a_statement_elsewhere_holds_the_lock(database: Path) -> None:
    with _held(_SQLML.format(wait=_WAIT), database) as pid:
        said = _refused(_registry(database))
        assert re.search(
            rf"Process {pid} has held .* since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, .* waited for it for 1 s", said
        ), said
    # What was killed holds nothing.
    with pytest.raises(SqlmlError, match="SQLML_MODEL_NOT_FOUND"):
        _registry(database).set_comment("m", None, "x")


def test_a_lock_that_goes_from_one_to_the_next_is_waited_for(database: Path) -> None:
    """Many trainings that end at once: each holds it for a moment, all of them for longer than the limit."""
    code = (
        "from sqlml.registry.file_lock import locked\nprint('held', flush=True)\nend = time.monotonic() + 2.5\n"
        "while time.monotonic() < end:\n  with locked(pathlib.Path(sys.argv[1] + '.lock'), 1): time.sleep(0.2)"
    )
    with _held(code, database), pytest.raises(SqlmlError, match="SQLML_MODEL_NOT_FOUND"):
        _registry(database).set_comment("m", None, "x")


def test_a_cancelled_statement_stops_waiting(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "SECONDS", 60.0)
    monkeypatch.setattr(sqlite_file, "SECONDS", 60.0)
    registry = _registry(database)
    registry.exists("m")
    for code in (_FLOCK.format(wait=_WAIT), _SQLITE.format(kind="EXCLUSIVE", wait=_WAIT)):
        end = time.monotonic() + 1.5
        with (
            _held(code, database),
            cancellable(lambda end=end: time.monotonic() > end, lambda text: None),
            pytest.raises(SqlmlError, match="SQLML_CANCELLED"),
        ):
            registry.set_comment("m", None, "x")


def test_sqlite_is_locked_by_another_process(database: Path) -> None:
    registry = _registry(database)
    registry.exists("m")
    with _held(_SQLITE.format(kind="EXCLUSIVE", wait=_WAIT), database) as pid:
        assert f"database is locked by process {pid}" in _refused(registry, write=False)
        assert f"database is locked by process {pid}" in _refused(_registry(database))
    with _held(_SQLITE.format(kind="IMMEDIATE", wait=_WAIT), database) as pid:
        assert f"database is locked by process {pid}" in _refused(registry)
        assert not registry.exists("m")


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 1000)
    for path, reason in ((tmp_path, "is a folder"), (tmp_path / "text", "file is not a database")):
        began = time.monotonic()
        assert reason in _refused(_registry(path))
        assert time.monotonic() - began < 10
