"""The command: asks for what is to be measured, a process for each number of cores, and writes the report."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.folders import ROOT

from benchmarks import cold, report, thrift
from benchmarks.measuring import load, machine
from benchmarks.records import Measurement, Request
from benchmarks.rivals import RIVALS
from benchmarks.running import PYTHONPATH
from benchmarks.workloads import WORKLOADS

_PLACE = ROOT / ".artifacts" / "benchmarks"
_RESULTS = Path(__file__).parent / "results"
_ALL_ROWS, _QUICK_ROWS = (10_000, 100_000, 1_000_000, 10_000_000), (100_000,)
# One of each kind: what fits into ten minutes on two cores.
_QUICK = (
    *("logistic", "20_trees", "lightgbm"),
    *("flights_20_trees", "5_of_50", "cold", "analysis"),
)
# The engines' choice is a question of models, not of rows.
_CHOICE_ROWS = 1_000_000
_ROUNDS = 5
# What is measured in processes of its own, with a model that is trained before.
_STARTS = {"cold": cold.measure, "thrift": thrift.measure}


def main() -> None:
    asked = _arguments()
    begun, before, clock = _now(), load(), time.monotonic()
    measurements = []
    for cores in asked.cores:
        measurements += _session(asked, cores)
    for workload in WORKLOADS:
        if workload.name in asked.workloads and workload.group in _STARTS:
            measure = _STARTS[workload.group]
            measurements += measure(workload, asked.place, max(asked.cores), asked.rounds, _progress(clock))
    header = {
        **machine(),
        "begun": begun,
        "ended": _now(),
        "load_at_begin": before,
        "load_at_end": load(),
        "command": _command(sys.argv[1:]),
    }
    written = report.write(report.Run(header, measurements), asked.results, asked.name)
    print(f"\n{written.read_text(encoding='utf-8')}\nWritten to {written} in {time.monotonic() - clock:.0f} s.")


def _arguments() -> Any:
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"10^5 rows on two cores, only {', '.join(_QUICK)}")
    parser.add_argument("--rows", type=int, nargs="+", help="how many rows, smallest first")
    parser.add_argument("--cores", type=int, nargs="+", help="how many cores; by default 1 and 2")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how many after the first, which is cold")
    parser.add_argument("--workloads", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--rivals", nargs="+", choices=[one.name for one in RIVALS], metavar="NAME", default=[])
    parser.add_argument("--goals", action="store_true", help="of the rivals only those that a workload's goals compare")
    parser.add_argument("--place", type=Path, default=_PLACE, help="the folder of data and models")
    parser.add_argument("--results", type=Path, default=_RESULTS, help="the folder of the report")
    parser.add_argument("--name", help="of the report's files; quick or full where it is not given")
    asked = parser.parse_args()
    asked.place, asked.results = asked.place.absolute(), asked.results.absolute()
    asked.rows = tuple(asked.rows or (_QUICK_ROWS if asked.quick else _ALL_ROWS))
    asked.cores = tuple(asked.cores or ((2,) if asked.quick else (1, 2)))
    asked.workloads = asked.workloads or (_QUICK if asked.quick else names)
    asked.name = asked.name or ("quick" if asked.quick else "full")
    return asked


def _session(asked: Any, cores: int) -> list[Measurement]:
    """What a Spark of its own measures.

    Raises:
        subprocess.CalledProcessError: it has ended with an error, which it has printed.
    """
    groups = {workload.name: workload.group for workload in WORKLOADS}
    chosen = [name for name in asked.workloads if groups[name] == "main"]
    of_choice = [name for name in asked.workloads if groups[name] == "choice"]
    of_starts = [name for name in asked.workloads if groups[name] in (*_STARTS, "analysis")]
    asked.place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.place) as folder:
        result = Path(folder) / "result.jsonl"
        result.touch()
        few = (min(max(asked.rows), _CHOICE_ROWS),)
        for rows, workloads in ((asked.rows, chosen), (few, of_choice), ((cold.ROWS,), of_starts)):
            if not workloads:
                continue
            request = Request(
                str(asked.place),
                cores,
                rows,
                asked.rounds,
                tuple(workloads),
                str(result),
                tuple(asked.rivals),
                asked.goals,
            )
            given = Path(folder) / "request.json"
            given.write_text(json.dumps(asdict(request)), encoding="utf-8")
            environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"}
            environment["PYSPARK_PYTHON"] = environment["PYSPARK_DRIVER_PYTHON"] = sys.executable
            command = [sys.executable, "-m", "benchmarks.running", str(given)]
            subprocess.run(command, env=environment, check=True)
        lines = result.read_text(encoding="utf-8").splitlines()
    return [Measurement.from_json(line) for line in lines]


def _command(given: list[str]) -> str:
    """What was asked, without the folders, which are this machine's."""
    kept = [
        one for before, one in zip(["", *given], given, strict=False) if not {before, one} & {"--place", "--results"}
    ]
    return shlex.join(["python", "-m", "benchmarks", *kept])


def _progress(clock: float) -> Any:
    return lambda text: print(f"\r{time.monotonic() - clock:6.0f} s  {text}\033[K", end="", file=sys.stderr)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime())


if __name__ == "__main__":
    main()
