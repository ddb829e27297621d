"""The handling of Ctrl-C (SIGINT): counts it, and running statements end when the count rises."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interruptions:
    """Counts SIGINT; a statement compares the count with that at its start."""

    def __init__(self) -> None:
        self._count = 0
        self._before: Any = None

    def count(self) -> int:
        return self._count

    def watch(self, *, pass_on: bool) -> None:
        """Installs the signal handler, again where other code has replaced it.

        Outside the main thread, where Python allows no handlers, it does nothing.

        Args:
            pass_on: also call the previous handler, which for instance raises KeyboardInterrupt.
        """
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread() and before != self._interrupted:
            self._before = before if pass_on else None
            signal.signal(signal.SIGINT, self._interrupted)

    def _interrupted(self, number: int, frame: Any) -> Any:
        self._count += 1
        return self._before(number, frame) if callable(self._before) else None
