"""The first PREDICT of a process: `sqlml sql -e "SELECT … PREDICT …"`, and the same query without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.data import folder_of
from benchmarks.measuring import measured
from benchmarks.models import registry_settings
from benchmarks.records import Measurement
from benchmarks.rivals import AUTO_ENGINE, WITHOUT_PREDICT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.workloads import Workload

ROWS = 1_000


def measure(
    workload: Workload, place: Path, cores: int, rounds: int, progress: Callable[[str], None]
) -> list[Measurement]:
    """Both in turns. The model is in the registry already: `benchmarks.running` has trained it.

    Raises:
        RuntimeError: a command failed.
    """
    predict, without = queries(workload, place)
    asked = {AUTO_ENGINE: predict, WITHOUT_PREDICT: without}
    found = {name: Measurement(workload.name, name, ROWS, cores) for name in asked}
    found[AUTO_ENGINE].agreement = "whichever engine is the default"
    for number in range(rounds + 1):
        for name, query in asked.items():
            progress(f"{workload.name}, round {number} of {rounds}: {name}")
            cost = measured(lambda query=query: _run(query, place, cores))  # type: ignore[misc]
            # The first brings the files into the system's memory.
            if number == 0:
                found[name].cold = cost
            else:
                found[name].rounds.append(cost)
    return list(found.values())


def queries(workload: Workload, place: Path) -> tuple[str, str]:
    """With PREDICT and without, over the same columns."""
    (model,) = workload.models
    source = f"parquet.`{folder_of(workload.data, ROWS, place) / 't'}`"
    columns = " + ".join(workload.data.features)
    return f"SELECT sum(PREDICT_PROBA({model.name}, *)[1]) FROM {source}", f"SELECT sum({columns}) FROM {source}"


def _run(query: str, place: Path, cores: int) -> None:
    command = [sys.executable, "-m", "sqlml", "sql", "-e", query, "--master", f"local[{cores}]"]
    command += ["--home", str(place / "home")]
    for key, value in registry_settings(place).items():
        command += ["--conf", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
