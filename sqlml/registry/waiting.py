"""Waiting for the registry with a deadline; it also ends when the waiting statement is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from sqlml.errors import SqlmlError

T = TypeVar("T")

# Seconds between two polls.
_PAUSE = 0.05

# Seconds between two tries of a registry that is away: doubled from the first to the last.
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 15.0

_cancelled: ContextVar[Callable[[], bool]] = ContextVar("cancelled", default=lambda: False)
_progress: ContextVar[Callable[[str], None]] = ContextVar("progress", default=lambda text: None)


@contextmanager
def cancellable(cancelled: Callable[[], bool], progress: Callable[[str], None]) -> Iterator[None]:
    """Within this block and thread, waiting for the registry ends once `cancelled` returns True, and a long wait is
    reported by `progress`."""
    tokens = _cancelled.set(cancelled), _progress.set(progress)
    try:
        yield
    finally:
        _cancelled.reset(tokens[0])
        _progress.reset(tokens[1])


def until_available(step: Callable[[], T], patience: float) -> T:
    """Runs a step, and again while the registry is unavailable. The step must be idempotent.

    Args:
        patience: how long to keep trying, in seconds.

    Raises:
        SqlmlError: SQLML_REGISTRY_UNAVAILABLE, SQLML_CANCELLED; what else the step raises.
    """
    deadline, pause = time.monotonic() + patience, _FIRST_PAUSE
    while True:
        try:
            return step()
        except SqlmlError as error:
            left = deadline - time.monotonic()
            if error.condition != "SQLML_REGISTRY_UNAVAILABLE" or left <= 0:
                raise
            _progress.get()(f"the model registry does not answer; {left:.0f} s are left for other tries")
            for _ in attempts(min(pause, left)):
                pass
            pause = min(2 * pause, _LAST_PAUSE)


def check_cancelled() -> None:
    """Raises SqlmlError SQLML_CANCELLED if the statement was cancelled."""
    if _cancelled.get()():
        raise SqlmlError("SQLML_CANCELLED", "The statement was cancelled while it waited for the model registry.")


def attempts(seconds: float) -> Iterator[float]:
    """Polls every 50 ms: yields the remaining seconds; the last value is 0 or less. With an empty body it is a sleep.

    Raises:
        SqlmlError: SQLML_CANCELLED.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        yield left
        check_cancelled()
        time.sleep(_PAUSE)
    yield left
