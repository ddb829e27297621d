"""Ctrl-C. It means: stop the statements that run now."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interruptions:
    """Counts the user's Ctrl-C, so that a statement can tell whether there was one since it began."""

    def __init__(self) -> None:
        self._count = 0
        self._before: Any = None

    def count(self) -> int:
        return self._count

    def watch(self, *, pass_on: bool) -> None:
        """Starts counting, or goes on where someone else has taken the signal since.

        Outside the main thread, where Python allows no handlers, nothing is counted.

        Args:
            pass_on: also do what Ctrl-C did before, such as raising KeyboardInterrupt.
        """
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread() and before != self._interrupted:
            self._before = before if pass_on else None
            signal.signal(signal.SIGINT, self._interrupted)

    def _interrupted(self, number: int, frame: Any) -> Any:
        self._count += 1
        return self._before(number, frame) if callable(self._before) else None
