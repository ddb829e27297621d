"""The Python that a JVM starts for itself: it is found, replaced when it dies, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.processes import family
from helpers.doors.servers import conf_flags, environment, spark_home, thrift_server
from helpers.doors.settings import launch_settings
from helpers.doors.thrift import Thrift

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.doors, pytest.mark.slow]


def children(jvm: int) -> set[int]:
    """The processes of ours below a JVM."""
    found = set()
    for pid in family(jvm):
        try:
            if b"sqlml.spark.bridge_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended since.
    return found


def gone(pid: int, limit: float = 10.0) -> bool:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


def test_a_dead_process_is_replaced_and_a_dead_jvm_leaves_none(tmp_path: Path) -> None:
    server = thrift_server(launch_settings(tmp_path, tmp_path), tmp_path)
    try:
        door = Thrift(server.port)
        assert not children(server.process.pid)
        assert door.run(["SELECT 1"])[0].rows == (("1",),)
        ours_by_half = ["CREATE TABLE predictions (id INT)", "SELECT 'predict(m, a)'", "DROP TABLE predictions"]
        assert not any(result.failure for result in door.run(ours_by_half[::2]))
        assert not children(server.process.pid), "a text that is not ours starts no Python"
        assert door.run(["SHOW MODELS"])[0].failure is None
        [first] = children(server.process.pid)
        os.kill(first, signal.SIGKILL)
        assert door.run(["SHOW MODELS"])[0].failure is None
        [second] = children(server.process.pid)
        assert second != first
        os.kill(server.process.pid, signal.SIGKILL)
        assert gone(second)
    finally:
        server.stop()


def shell(settings: Mapping[str, str], statement: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(spark_home() / "bin" / "spark-sql"), *conf_flags(settings), "-e", statement],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_an_interpreter_that_does_not_exist_is_named(tmp_path: Path) -> None:
    settings = {**launch_settings(tmp_path, tmp_path), "spark.sqlml.python": "/no/such/python"}
    result = shell(settings, "SELECT 1; SHOW MODELS", tmp_path)
    assert result.returncode != 0
    assert result.stdout.split() == ["1"]
    assert "[SQLML_ENGINE_FAILED]" in result.stderr
    assert "/no/such/python" in result.stderr
    assert "SQLSTATE: 58000" in result.stderr


@pytest.mark.nightly
def test_the_last_words_of_a_process_that_does_not_start_are_shown(tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho 'No module named sqlml' >&2\nexit 3\n")
    interpreter.chmod(0o755)
    settings = {**launch_settings(tmp_path, tmp_path), "spark.sqlml.python": str(interpreter)}
    result = shell(settings, "SHOW MODELS", tmp_path)
    assert "ended with code 3" in result.stderr
    assert "No module named sqlml" in result.stderr
    assert result.stdout == ""
