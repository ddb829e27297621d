"""Every block of the README is executed, in its order, as its reader would."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.doors.servers import free_port
from helpers.folders import ROOT

_BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
_SERVER_SECONDS = 120


def _block(kind: str, containing: str) -> str:
    found = [text for name, text in _BLOCKS if name == kind and containing in text]
    assert len(found) == 1, f"{len(found)} {kind} blocks contain {containing!r}"
    return found[0]


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
    return done.stdout


def _environment() -> dict[str, str]:
    """A reader's activated environment: its commands first on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[object]:
    """Starts a server block on a free port and waits until it answers; ends it with all its children."""
    started: list[subprocess.Popen[bytes]] = []

    def serve(block: str, port: str) -> int:
        free = free_port()
        log = (tmp_path / "server.log").open("wb")
        command = ["bash", "-c", block.replace(port, str(free)) + "\nwait"]
        server = subprocess.Popen(
            command, cwd=tmp_path, env=_environment(), stdout=log, stderr=log, start_new_session=True
        )
        started.append(server)
        deadline = time.monotonic() + _SERVER_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", free)) == 0:
                    return free
            assert server.poll() is None, (tmp_path / "server.log").read_text()[-5000:]
            time.sleep(0.5)
        raise AssertionError((tmp_path / "server.log").read_text()[-5000:])

    yield serve
    for server in started:
        os.killpg(server.pid, signal.SIGKILL)


def test_every_block_is_known() -> None:
    """A new block must get a test: this list is what the tests below and test_demo run."""
    kinds = [kind for kind, _ in _BLOCKS]
    assert kinds == ["sql", "bash", "bash", "python", "bash", "bash", "bash", "bash", "python", "python", "sql"]


def test_make_commands_exist() -> None:
    for command in ("demo", "test"):
        assert _block("bash", f"make {command}\n").strip() == f"make {command}"
        subprocess.run(["make", "--dry-run", command], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.slow
def test_first_sql(tmp_path: Path) -> None:
    both = _block("sql", "TRAIN MODEL churn") + _block("sql", "ENRICH TABLE")
    printed = _run(["sqlml", "sql", "--format", "csv", "-e", both], tmp_path)
    assert "sklearn.random_forest" in printed
    assert re.search(r"^4,(true|false)$", printed, re.MULTILINE)
    assert "age => c.clientAge /* similar name, 0.95 */" in printed
    assert re.search(r"^2,(true|false),1$", printed, re.MULTILINE)
    assert "spark_catalog.default.leaving,view,clients,churn,1,churn,1,true,true," in printed


@pytest.mark.slow
def test_pyspark_door(tmp_path: Path) -> None:
    printed = _run([sys.executable, "-c", _block("python", "sqlml.configure")], tmp_path)
    assert re.search(r"\| *4\.0\| +(3\.99999|4\.0)", printed)


@pytest.mark.slow
def test_bring_your_model(tmp_path: Path) -> None:
    printed = _run([sys.executable, "-c", _block("python", "register_model")], tmp_path)
    assert re.search(r"\| *class_0\| +59\|", printed)
    assert re.search(r"^0 +class_0$", printed, re.MULTILINE)


@pytest.mark.doors
def test_shell_door(tmp_path: Path) -> None:
    printed = _run(["bash", "-c", _block("bash", "spark-sql $(sqlml conf)")], tmp_path)
    assert "7\ttrue" in printed
    assert "8\tfalse" in printed


@pytest.mark.doors
def test_thrift_door(serving: object, tmp_path: Path) -> None:
    port = serving(_block("bash", "sqlml thrift-server"), "10000")  # type: ignore[operator]
    printed = _run(["bash", "-c", _block("bash", "beeline").replace("10000", str(port))], tmp_path)
    assert re.search(r"\| 9 +\| true", printed)


@pytest.mark.doors
def test_connect_door(serving: object, tmp_path: Path) -> None:
    port = serving(_block("bash", "sqlml connect-server"), "15002")  # type: ignore[operator]
    client = _block("python", "remote(").replace("15002", str(port))
    assert re.search(r"\| *parity\| +1\|", _run([sys.executable, "-c", client], tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/*.py")), ids=lambda path: path.name)
def test_examples(example: Path, tmp_path: Path) -> None:
    assert _run([sys.executable, str(example)], tmp_path)
