"""What a query costs: wall clock, and processor time of this process and all below it. And what it ran on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_PACKAGES = (
    "pyspark",
    "mlflow",
    "onnxruntime",
    "scikit-learn",
    "lightgbm",
    "xgboost-cpu",
    "numpy",
    "pandas",
    "pyarrow",
)


@dataclass(frozen=True)
class Cost:
    """Seconds.

    Attributes:
        processor: None where the system has no /proc.
    """

    wall: float
    processor: float | None


def measured(work: Callable[[], Any]) -> Cost:
    """What it costs to do it once. What the JVM's compiler and collector do meanwhile belongs to it."""
    before, started = processor_seconds(), time.monotonic()
    work()
    wall, after = time.monotonic() - started, processor_seconds()
    return Cost(wall, None if before is None or after is None else after - before)


def processor_seconds() -> float | None:
    """User and system time of this process and all below it: the JVM, Python's daemon, its workers, also ended ones."""
    if not _PROC.is_dir():
        return None
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since it was listed
        # Behind the name, which may hold anything, even blanks and parentheses: proc(5), fields 3 and up.
        fields = text.rpartition(")")[2].split()
        children.setdefault(int(fields[1]), []).append(int(entry.name))
        ticks[int(entry.name)] = sum(int(field) for field in fields[11:15])
    total, todo = 0, [os.getpid()]
    while todo:
        process = todo.pop()
        total += ticks.get(process, 0)
        todo += children.get(process, [])
    return total / _TICKS


def machine() -> dict[str, Any]:
    """What a reader needs to know of the machine and the versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {package: version(package) for package in _PACKAGES},
    }


def load() -> float:
    """How many processes wanted to run in the last minute, on average."""
    return os.getloadavg()[0]


def _processor() -> str:
    names = _PROC / "cpuinfo"
    lines = names.read_text(encoding="utf-8").splitlines() if names.exists() else []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.processor() or platform.machine())
