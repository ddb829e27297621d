"""One line that says what is being done and for how long, while it is being done."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


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

    def __str__(self) -> str:
        return f"{self.seconds:5.1f} s  {self.text}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        self._spinner.update(text=Text(str(self), overflow="ellipsis", no_wrap=True))
        yield self._spinner


@contextmanager
def working(console: Console, text: str) -> Iterator[Step]:
    """A line that lives while the block runs and vanishes with it. Where the output is no terminal: a line a step.

    A statement tells its progress on this process's standard error, a line a step.

    Args:
        console: must not print to `sys.stderr`, which is taken.
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
    """A text stream of which every line is a step."""

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
