"""What a check is told and what it finds."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """How bad a finding is. Only a failure makes the doctor's exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One fact.

    Args:
        detail: what is there.
        remedy: what to do; "" where nothing is to be done.
    """

    status: Status
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Setup:
    """What is examined.

    Args:
        home: the folder of local tables and models.
        settings: the Spark settings a command of sqlml would use.
        environment: the process's environment variables.
    """

    home: Path
    settings: Mapping[str, str]
    environment: Mapping[str, str]


def ok(detail: str) -> Finding:
    return Finding(Status.OK, detail)


def warning(detail: str, remedy: str) -> Finding:
    return Finding(Status.WARNING, detail, remedy)


def failed(detail: str, remedy: str) -> Finding:
    return Finding(Status.FAILED, detail, remedy)


def output_of(command: Sequence[str], environment: Mapping[str, str], seconds: float = 20) -> str:
    """What a program prints, both streams.

    Raises:
        OSError: it cannot be started, fails, or takes too long; the text says which.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env=dict(environment),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"there was no answer within {seconds:g} s") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise OSError(lines[-1] if lines else f"it ended with code {done.returncode}")
    return done.stdout + done.stderr
