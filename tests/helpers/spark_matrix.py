"""The tests on another Spark and another Java: `make test-spark VERSION=4.0.5 JAVA=25`, or some columns of them with
`ONLY=delta,streaming`.

Each column of the table below is a process with one JVM, whose pyspark is found before the installed one. The results
become a line of the table in sql/reference/spark_versions.md; the other cells of an earlier line stay.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from helpers import comet, table_formats
from helpers.environments import library
from helpers.folders import ROOT

PAGE = ROOT / "sql" / "reference" / "spark_versions.md"
_GOLDEN = "tests/doors/test_golden.py"
_FORMATS = "tests/spark/test_table_formats.py"
# Before Spark 4.2 a filter on one output of a model and the columns with others are one operator, so that the EXPLAIN
# of this file lists a call more. Each row is scored once all the same.
_DESELECTED = (f"--deselect={_GOLDEN}::test_pyspark[predict_outputs]",)
# The cell of a column that was not run.
_NOT_RUN = "not run"
_OPTIONS = ("-q", "-m", "not nightly", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist")


@dataclass(frozen=True)
class Column:
    """What is tested.

    Attributes:
        tests: arguments of pytest.
        asks: the environment variable by which the session gets jars beside sqlml's; "" for none.
        lines: the lines of Spark that it can be tested on.
    """

    title: str
    tests: tuple[str, ...]
    asks: str = ""
    lines: tuple[str, ...] = ("4.0", "4.1", "4.2", "4.3")


def _door(name: str) -> tuple[str, ...]:
    return (f"{_GOLDEN}::test_door", "-k", f"{name}-")


COLUMNS = {
    "demo": Column("Demo", ("tests/cli/test_demo.py::test_script_in_a_session", "-m", "nightly")),
    "objects": Column(
        "Views, SQL functions, parameters", ("tests/spark/test_parameters.py", "tests/spark/test_persistent_objects.py")
    ),
    "pyspark": Column("PySpark", (f"{_GOLDEN}::test_pyspark",)),
    "spark-sql": Column("spark-sql", _door("spark-sql")),
    "thrift": Column("Thrift server", _door("beeline")),
    "connect": Column("Connect", _door("connect")),
    "optimizer": Column("Optimizer", ("tests/spark/optimizer",)),
    "formats": Column(
        "Parquet, ORC, JSON, CSV", (_FORMATS, "-k", "parquet or orc or json or csv")
    ),
    "delta": Column(
        "Delta Lake", (_FORMATS, "-k", "delta"), asks=table_formats.ASKED, lines=("4.0", "4.1", "4.2")
    ),
    "iceberg": Column(
        "Iceberg", (_FORMATS, "-k", "iceberg"), asks=table_formats.ASKED, lines=("4.1",)
    ),
    "streaming": Column("Streaming", ("tests/spark/test_streaming.py",)),
    "comet": Column("Comet", ("tests/spark/test_comet.py",), asks=comet.ASKED, lines=comet.LINES),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What pytest printed, and how many tests passed and failed."""

    text: str
    passed: int
    failed: tuple[str, ...]

    @property
    def cell(self) -> str:
        """In the table: `37`, or `36 of 37 (explain)`."""
        if not self.failed:
            return str(self.passed)
        names = ", ".join(re.sub(r"^test_\w+\[(.*)\]$", r"\1", name) for name in self.failed)
        return f"{self.passed} of {self.passed + len(self.failed)} ({names})"


def line(version: str) -> str:
    """`4.1` of `4.1.4`."""
    return ".".join(version.split(".")[:2])


def run(version: str, tests: Sequence[str], *, asks: str = "", java: str | None = None) -> Outcome:
    """Runs tests on a version of Spark.

    Args:
        asks: see `Column`.
        java: the home of a Java; None is the tests' own.
    """
    options = [*_OPTIONS, *(_DESELECTED if line(version) in ("4.0", "4.1") else ())]
    environment = {**os.environ, "PYTHONPATH": str(library(f"pyspark=={version}")), "COVERAGE_PROCESS_START": ""}
    for name in (table_formats.ASKED, comet.ASKED):
        environment.pop(name, None)
    if asks:
        environment[asks] = "1"
    if java is not None:
        environment |= {"JAVA_HOME": java, "PATH": f"{java}/bin:{environment['PATH']}"}
    asked = subprocess.run(
        [sys.executable, "-c", "import pyspark; print(pyspark.__version__)"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip() == version
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *options, "-o", "addopts=--import-mode=importlib"]
        done = subprocess.run(
            [*command, f"--junit-xml={report}", *tests],
            env=environment, cwd=ROOT, capture_output=True, text=True, timeout=3600,
        )  # fmt: skip
        text = done.stdout + done.stderr
        # 0: all passed, 1: some failed. Other codes: no tests, or none of that name.
        if done.returncode > 1 or not report.exists():
            return Outcome(text, 0, (f"pytest ended with {done.returncode}",))
        cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is None]
    failed = [
        case.get("name", "") for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    return Outcome(text, len(cases) - len(failed), tuple(failed))


def java_home(release: str) -> str:
    """The home of a Java release, below where systems keep them.

    Raises:
        SystemExit: if there is none.
    """
    for folder in sorted(Path("/usr/lib/jvm").glob("*")):
        said = folder / "release"
        if said.exists() and re.search(rf'^JAVA_VERSION="{release}\b', said.read_text(), re.MULTILINE):
            return str(folder)
    raise SystemExit(f"There is no Java {release} in /usr/lib/jvm.")


def written(page: str, version: str, java: str, cells: Mapping[str, str]) -> str:
    """The page with results of a Spark and a Java; lines are in the order of both.

    Args:
        cells: by a column's title. The other cells of the line stay.
    """
    head = ["Spark", "Java", *(column.title for column in COLUMNS.values())]
    begin, end = "<!-- make test-spark -->\n", "<!-- end -->"
    before, _, rest = page.partition(begin)
    table, _, after = rest.partition(end)
    earlier = [_cells(line) for line in table.splitlines() if line.startswith("|")]
    titles, lines = (earlier[0], earlier[2:]) if earlier else (head, [])
    rows = {tuple(line[:2]): dict(zip(titles, line, strict=True)) for line in lines}
    rows[version, java] = {**rows.get((version, java), {}), "Spark": version, "Java": java, **cells}
    texts = [[rows[key].get(title, _NOT_RUN) for title in head] for key in sorted(rows, key=_order)]
    shown = "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *texts))
    return before + begin + shown + end + after


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _order(key: tuple[str, ...]) -> list[int]:
    return [int(part) for part in re.findall(r"[0-9]+", ".".join(key))]


def main(version: str, java: str, columns: str = "") -> int:
    """Runs columns, says each result at once, and writes the page. Returns 1 if a test failed.

    Args:
        columns: names of COLUMNS, separated by commas; "" for all.

    Raises:
        SystemExit: for an unknown name, or without this Java.
    """
    names = [name.strip() for name in columns.split(",") if name.strip()] or list(COLUMNS)
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise SystemExit(f"There is no column {' or '.join(unknown)}. The columns are {', '.join(COLUMNS)}.")
    home = java_home(java)
    cells = {}
    failed = False
    for name in names:
        column = COLUMNS[name]
        if line(version) not in column.lines:
            cells[column.title] = "no release"
            continue
        found = run(version, column.tests, asks=column.asks, java=home)
        print(f"Spark {version}, Java {java}, {name}: {found.cell}", flush=True)
        if found.failed:
            failed = True
            print(found.text[-6000:], flush=True)
        cells[column.title] = found.cell
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), version, java, cells), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
