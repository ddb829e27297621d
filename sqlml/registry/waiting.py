"""Polling for the registry with a deadline; it also ends when the waiting statement is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlml.errors import SqlmlError

# Seconds between two polls.
_PAUSE = 0.05

_cancelled: ContextVar[Callable[[], bool]] = ContextVar("cancelled", default=lambda: False)


@contextmanager
def cancellable(cancelled: Callable[[], bool]) -> Iterator[None]:
    """Within this block and thread, waiting for the registry ends once `cancelled` returns True."""
    token = _cancelled.set(cancelled)
    try:
        yield
    finally:
        _cancelled.reset(token)


def check_cancelled() -> None:
    """Raises SqlmlError SQLML_CANCELLED if the statement was cancelled."""
    if _cancelled.get()():
        raise SqlmlError("SQLML_CANCELLED", "The statement was cancelled while it waited for the model registry.")


def attempts(seconds: float) -> Iterator[float]:
    """Yields the remaining seconds before each attempt; the last value is 0 or less.

    Raises:
        SqlmlError: SQLML_CANCELLED.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        yield left
        check_cancelled()
        time.sleep(_PAUSE)
    yield left
