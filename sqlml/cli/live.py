"""A live status line on the terminal: what is being done, and for how long."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class Step:
    """The current step of the work, which the status line shows.

    Args:
        text: the first step.
    """

    def __init__(self, text: str) -> None:
        from rich.spinner import Spinner

        self.text = text
        self._spinner = Spinner("dots")
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def __str__(self) -> str:
        return f"{self.seconds:5.1f} s  {self.text}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        self._spinner.update(text=Text(str(self), overflow="ellipsis", no_wrap=True))
        yield self._spinner


@contextmanager
def working(console: Console, text: str) -> Iterator[Step]:
    """Shows a status line while the block runs. Where the output is no terminal it prints a line per step.

    Statements write their progress to this process's standard error; each of those lines becomes a step.

    Args:
        console: must not print to `sys.stderr`, which is redirected.
    """
    from rich.live import Live

    step = Step(text)
    with redirect_stderr(_Steps(step, console)):
        if console.is_terminal:
            with Live(step, console=console, transient=True, refresh_per_second=8, redirect_stderr=False):
                yield step
        else:
            yield step


class _Steps(io.TextIOBase):
    """A text stream that turns each line into a step."""

    def __init__(self, step: Step, console: Console) -> None:
        self._step = step
        self._console = console
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in filter(str.strip, lines):
            self._step.text = line.strip()
            if not self._console.is_terminal:
                self._console.print(f"  {self._step}", markup=False, highlight=False, soft_wrap=True)
        return len(text)
