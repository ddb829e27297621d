"""The stock `bin/spark-sql`: statements on its standard input, as a user types them."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from helpers.doors.result import Result, failure_from
from helpers.doors.servers import conf_flags, spark_home, start, stop

# A statement that cannot be parsed ends every answer: the complaint on standard error shows where it ends, and no job
# runs for it. By then the shell has written, and flushed, all of the answer to standard output, which is a file.
_MARK = "end_of_answer_{}"
_PROMPT = re.compile(r"^(?:spark-sql(?: \([^)]*\))?> | +> )+")
_ERROR = re.compile(r"^\[[A-Z][A-Z0-9_.]*\] ", re.MULTILINE)


class Shell:
    name = "spark-sql"
    shows_types = False
    keeps_lines = True

    def __init__(self, settings: Mapping[str, str], folder: Path, limit: float = 180.0) -> None:
        self._limit = limit
        self._count = 0
        self._written = folder / "shell.out"
        self._seen = 0
        flags = conf_flags({**settings, "spark.sql.cli.print.header": "true", "spark.log.level": "FATAL"})
        self._process = start(
            [spark_home() / "bin" / "spark-sql", *flags],
            folder=folder,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            log=self._written,
        )
        assert self._process.stderr is not None
        self._errors = _lines_of(self._process.stderr)
        self._answer("")  # what it says when it starts

    def run(self, statements: Sequence[str]) -> list[Result]:
        return [self._result(*self._answer(f"{statement};\n")) for statement in statements]

    def close(self) -> None:
        stop(self._process)

    def _answer(self, text: str) -> tuple[list[str], list[str]]:
        """The lines that a text brings on standard output and on standard error."""
        assert self._process.stdin is not None
        mark = _MARK.format(self._count)
        self._count += 1
        self._process.stdin.write(f"{text}{mark};\n")
        self._process.stdin.flush()
        errors = self._until(f"'{mark}'")
        self._until("^^^")
        written = self._written.read_bytes()[self._seen :]
        self._seen += len(written)
        output = [_PROMPT.sub("", line) for line in written.decode().split("\n")]
        return [line for line in output if line], errors

    def _until(self, mark: str) -> list[str]:
        seen: list[str] = []
        while True:
            try:
                line = self._errors.get(timeout=self._limit)
            except queue.Empty:
                raise TimeoutError(f"spark-sql: no answer in {self._limit} s after {seen[-20:]}") from None
            if line is None:
                raise RuntimeError(f"spark-sql ended: {seen[-40:]}")
            if mark in line:
                return seen
            seen.append(line)

    def _result(self, output: list[str], errors: list[str]) -> Result:
        text = "\n".join(errors)
        found = _ERROR.search(text)
        if found:
            return Result(failure=failure_from(text[found.start() :]), raw=text)
        lines = [tuple(line.split("\t")) for line in output]
        header, rows = (lines[0], lines[1:]) if lines else ((), [])
        return Result(tuple((name, None) for name in header), tuple(rows), raw=text)


def _lines_of(stream: IO[str]) -> queue.Queue[str | None]:
    """The stream's lines as they come; None at its end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines
