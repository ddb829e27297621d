"""The studio's engine: runs statements on a thread pool, captures their progress, and cancels them."""

from __future__ import annotations

import io
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Any, Protocol

from sqlml.cli.problem import Problem, problem
from sqlml.cli.results import Result

_names = itertools.count(1)
# The most statements that run at once; more wait. Python's default pool would have only six threads on two cores.
_MOST_AT_ONCE = 64


class Cancelling(Protocol):
    """The interface of `sqlml.spark.cancelling`."""

    def named(self, name: str) -> AbstractContextManager[None]: ...

    def cancel(self, name: str) -> None: ...


@dataclass(frozen=True)
class Answer:
    """The result of a statement.

    Args:
        types: the columns' types as Spark names them.
        rows: the first rows.
        more: whether there are more rows.
    """

    text: str
    names: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[Any]]
    more: bool
    seconds: float

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Any]:
        at = list(self.names).index(name)
        return [row[at] for row in self.rows]


class StatementError(Exception):
    """The failure of a statement.

    Args:
        text: the statement.
        problem: the message and position to show.
    """

    def __init__(self, text: str, problem: Problem) -> None:
        super().__init__(problem.message)
        self.text = text
        self.problem = problem


class Running:
    """A running statement.

    Attributes:
        text: the statement.
        progress: its last line of progress, or "".
    """

    def __init__(self, text: str, cancel: Callable[[str], None]) -> None:
        self.text = text
        self.progress = ""
        self.name = f"sqlml-studio-{next(_names)}"
        self.cancelled = False
        self._started = time.monotonic()
        self._cancel = cancel

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def cancel(self) -> None:
        self.cancelled = True
        self._cancel(self.name)


class Engine:
    """Runs statements in the session that all pages share: everyone with the token is one user.

    Args:
        sql: the `sql` method of the session, which takes a text and returns a DataFrame.
        cancelling: cancels statements of that session.
    """

    def __init__(self, sql: Callable[[str], Any], cancelling: Cancelling) -> None:
        self._sql = sql
        self._cancelling = cancelling
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="sqlml-statement")

    def start(self, text: str) -> Running:
        return Running(text, self._cancelling.cancel)

    def submit(self, running: Running, most: int) -> Future[Answer]:
        """Runs `finish` on a thread of the pool."""
        return self._threads.submit(self.finish, running, most)

    def finish(self, running: Running, most: int) -> Answer:
        """Runs a statement to its end on the calling thread.

        Args:
            most: the number of rows to fetch.

        Raises:
            StatementError: the statement failed or was cancelled.
        """

        def tell(line: str) -> None:
            running.progress = line

        try:
            with _progress_to(tell), self._cancelling.named(running.name):
                result = Result(self._sql(running.text))
                rows = result.first(most + 1)
        except Exception as error:
            if running.cancelled:
                raise StatementError(running.text, Problem("Cancelled.")) from error
            raise StatementError(running.text, _problem(error, running.text)) from error
        return Answer(running.text, result.names, result.types, rows[:most], len(rows) > most, running.seconds)


def _problem(error: Exception, sql: str) -> Problem:
    """The problem to show for an exception. A Java exception's message is lost where the JVM is gone."""
    try:
        return problem(error, sql)
    except Exception as lost:
        return Problem(
            f"The statement failed, and Spark does not say why: {type(error).__name__}, {type(lost).__name__}."
        )


class _ByThread(io.TextIOBase):
    """A replacement of sys.stderr that routes lines by thread: a statement's progress goes to its listener."""

    def __init__(self, otherwise: Any) -> None:
        self._otherwise = otherwise
        self._listeners: dict[int, Callable[[str], None]] = {}

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        tell = self._listeners.get(threading.get_ident())
        if tell is None:
            self._otherwise.write(text)
        elif text.strip():
            tell(text.strip().splitlines()[-1])
        return len(text)

    def flush(self) -> None:
        self._otherwise.flush()

    def isatty(self) -> bool:
        return bool(self._otherwise.isatty())

    @contextmanager
    def listening(self, tell: Callable[[str], None]) -> Iterator[None]:
        thread = threading.get_ident()
        self._listeners[thread] = tell
        try:
            yield
        finally:
            del self._listeners[thread]


@contextmanager
def hearing_progress() -> Iterator[None]:
    """A block in which the progress of statements, written to standard error, reaches `Running.progress`."""
    with redirect_stderr(_ByThread(sys.stderr)):
        yield


@contextmanager
def _progress_to(tell: Callable[[str], None]) -> Iterator[None]:
    if isinstance(sys.stderr, _ByThread):
        with sys.stderr.listening(tell):
            yield
    else:
        yield
