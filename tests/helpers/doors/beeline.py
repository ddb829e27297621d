"""Beeline: Hive's JDBC driver, which DBeaver, DataGrip, Metabase and Tableau use too."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from helpers.doors.result import Result, failure_from
from helpers.doors.servers import environment, spark_home

_MARK = "end_of_answer"
_PROMPT = re.compile(r"^(?:(?:\d+: jdbc:hive2://\S+|[. ]+)> )+")
# Every statement ends with one of these lines on standard error.
_END = re.compile(r"^(?:[\d,]+ rows? (?:selected|affected)|No rows (?:selected|affected)|(?P<error>Error: .*))")


class Beeline:
    name = "beeline"
    shows_types = False
    # It drops the indentation of every line, and lines that are comments.
    keeps_lines = False

    def __init__(self, port: int, folder: Path, limit: float = 300.0, home: Path | None = None) -> None:
        self._home = home or spark_home()
        self._url = f"jdbc:hive2://127.0.0.1:{port}"
        self._folder = folder
        self._limit = limit

    def run(self, statements: Sequence[str]) -> list[Result]:
        script = self._folder / "beeline.sql"
        script.write_text(
            "".join(f"{statement};\nSELECT '{_MARK}' AS {_MARK};\n" for statement in statements), encoding="utf-8"
        )
        command = [self._home / "bin" / "beeline", "-u", self._url, "-n", "tester", "--force=true"]
        done = subprocess.run(
            [*map(str, command), "--outputformat=tsv2", "-f", str(script)],
            env=environment(self._home),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=self._limit,
        )
        outputs = done.stdout.replace("\0", "").split(f"{_MARK}\n{_MARK}\n")[:-1]
        ends = _ends(done.stderr)
        if not len(statements) == len(outputs) == len(ends) / 2:
            raise RuntimeError(
                f"beeline: {len(statements)} statements, {len(outputs)} answers, {len(ends) / 2} endings:\n"
                f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            )
        return [_result(output, error) for output, error in zip(outputs, ends[::2], strict=True)]

    def close(self) -> None:
        """Every run is a process of its own."""


def _ends(text: str) -> list[str]:
    """How each statement ended: its error with what follows it, or ''."""
    ends: list[str] = []
    for line in text.splitlines():
        if found := _END.match(line):
            ends.append(found["error"] or "")
        elif ends and ends[-1]:
            ends[-1] += "\n" + line
    return ends


def _result(output: str, error: str) -> Result:
    if error:
        return Result(failure=failure_from(error), raw=error)
    lines = [_PROMPT.sub("", line) for line in output.split("\n")]
    cells = [tuple(line.split("\t")) for line in lines if line]
    header, rows = (cells[0], cells[1:]) if cells else ((), [])
    return Result(tuple((name, None) for name in header), tuple(map(_as_spark, rows)))


def _as_spark(row: tuple[str, ...]) -> tuple[str, ...]:
    """JDBC prints the fraction of a timestamp where there is none."""
    return tuple(re.sub(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.0$", r"\1", value) for value in row)
