"""One line that says what is being done and for how long, while it is being done."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

# Where Spark's side of the package reports the progress of a statement.
PROGRESS_LOGGER = "sqlml.progress"


class Step:
    """What is being done now.

    Args:
        text: the first thing to say.
    """

    def __init__(self, text: str) -> None:
        from rich.spinner import Spinner

        self.text = text
        self._spinner = Spinner("dots")
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self._spinner.update(text=f"{self.seconds:5.1f} s  {self.text}")
        yield self._spinner


@contextmanager
def working(console: Console, text: str) -> Iterator[Step]:
    """A line that lives while the block runs and vanishes with it. Where the output is no terminal: a line a step."""
    from rich.live import Live

    step = Step(text)
    handler = _Steps(step, console)
    logger = logging.getLogger(PROGRESS_LOGGER)
    logger.addHandler(handler)
    try:
        if console.is_terminal:
            with Live(step, console=console, transient=True, refresh_per_second=8):
                yield step
        else:
            yield step
    finally:
        logger.removeHandler(handler)


class _Steps(logging.Handler):
    """Shows the messages of the progress logger."""

    def __init__(self, step: Step, console: Console) -> None:
        super().__init__(logging.INFO)
        self._step = step
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._step.text = record.getMessage()
        if not self._console.is_terminal:
            self._console.print(f"  {self._step.seconds:5.1f} s  {self._step.text}", markup=False, highlight=False)
