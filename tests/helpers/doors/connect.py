"""PySpark in a process of its own: a Spark Connect client (one process cannot be that and a classic session too), or
a classic session with a master of its own (one process has one Spark context)."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.doors.result import Failure, Result
from helpers.doors.servers import start, stop


class ClientProcess:
    """Talks to `client.py`.

    Args:
        name: the door's name.
        session: a Connect address (`sc://…`), or the settings of a classic session.
        home: the client's Spark, if it is not the installed one.
        on: what runs a program elsewhere, such as `nsenter …`; it stands before the program's name.
    """

    shows_types = True
    keeps_lines = True

    def __init__(
        self,
        name: str,
        session: str | dict[str, str],
        folder: Path,
        limit: float = 600.0,
        home: Path | None = None,
        on: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._limit = limit
        self._log = folder / "client.log"
        self._process = start(
            [*on, sys.executable, Path(__file__).with_name("client.py"), json.dumps(session)],
            folder=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            log=self._log,
            home=home,
        )

    def run(self, statements: Sequence[str]) -> list[Result]:
        self.send(statements)
        return self.answers()

    def answers(self) -> list[Result]:
        """Waits for the answers to what was sent."""
        assert self._process.stdout is not None
        guard = threading.Timer(self._limit, self._process.kill)
        guard.start()
        line = self._process.stdout.readline()
        guard.cancel()
        if not line:
            raise RuntimeError(f"The client ended: {self._log.read_text()[-4000:]}")
        return [_result(answer) for answer in json.loads(line)]

    def has_answered(self) -> bool:
        """Whether the answers to what was sent are there, or the process has ended."""
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], 0.0)[0])

    def send(self, statements: Sequence[str]) -> None:
        """Has it begin; for who does not wait for the answers, or does something else meanwhile."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(list(statements)) + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Ends it, its JVM and its children with a signal that none of them can answer."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        stop(self._process)


def _result(answer: dict[str, Any]) -> Result:
    if answer["failure"]:
        return Result(failure=Failure(**answer["failure"]), raw=answer["raw"])
    return Result(tuple((name, kind) for name, kind in answer["columns"]), tuple(map(tuple, answer["rows"])))
