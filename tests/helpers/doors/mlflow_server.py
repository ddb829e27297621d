"""An MLflow server of the tests' own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.doors.servers import free_port, start, stop
from sqlml.registry.reachability import check

_START_LIMIT = 90.0


@contextmanager
def mlflow_server(folder: Path, python: str = sys.executable) -> Iterator[str]:
    """The URI of a server that keeps and hands out the files itself.

    Args:
        python: whose MLflow it is.
    """
    port = free_port()
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--serve-artifacts"]
    process = start([*command, "--artifacts-destination", str(folder / "files")], folder=folder, log=folder / "log")
    uri = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + _START_LIMIT
    try:
        while True:
            try:
                check(uri)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-3000:]
                time.sleep(0.5)
        yield uri
    finally:
        stop(process)
