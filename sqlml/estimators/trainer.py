"""A pool of child processes that run scikit-learn, CatBoost, LightGBM and XGBoost: the driver survives when one of
them crashes, runs out of memory or is cancelled.

A child serves one job at a time and is kept for the next one, because importing scikit-learn takes seconds. The job
goes over as JSON and the rows as Arrow in a private temporary folder; the model comes back as JSON and ONNX. Nothing is
pickled.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any

import sqlml
from sqlml.errors import SqlmlError
from sqlml.estimators import SKLEARN, resolve
from sqlml.estimators.worker import MODEL, RESULT, ROWS, SMALLER
from sqlml.jobs.job import Fitted, Job
from sqlml.settings import TRAIN_MEMORY
from sqlml.system import temporary

if TYPE_CHECKING:
    import pyarrow as pa

_POLL_SECONDS = 0.3
MOST_JOBS = max(2, os.cpu_count() or 1)
_MOST_IDLE = 2
# The last words of a C++ library that gets no memory, for an array or for the stack of a thread.
_NO_MEMORY = ("std::bad_alloc", "Resource temporarily unavailable")
# A child that holds more memory than this after a job is not kept.
_MOST_IDLE_BYTES = 1024**3
_STDERR_BYTES, _STDERR_LINES = 16_384, 5
_KEYS_TO_THE_JVM = (
    "PYSPARK_GATEWAY_PORT",
    "PYSPARK_GATEWAY_SECRET",
    "PYTHON_WORKER_FACTORY_SECRET",
    "SQLML_BRIDGE_TOKEN",
)


@dataclass(frozen=True)
class Client:
    """Callbacks to the statement that waits for a training.

    Attributes:
        progress: called on the thread of the training, with a line of text.
        cancelled: polled every 0.3 s; when it returns True, the child is killed.
        started: called when a child has begun the job. Until then the child may still have been starting.
    """

    progress: Callable[[str], None]
    cancelled: Callable[[], bool]
    started: Callable[[], None] = lambda: None


@contextmanager
def collected(rows: Callable[[], pa.Table], client: Client) -> Iterator[Path]:
    """A context with a temporary folder that holds the rows as an Arrow file, for `fit` and `evaluate`.

    It takes one of as many slots as the machine has cores. Statements that wait for a slot have not collected rows yet,
    so they hold no memory.
    """
    import pyarrow as pa

    with temporary.folder("train") as folder, _slot(client):
        table = rows()
        with pa.ipc.new_file(str(folder / ROWS), table.schema) as file:
            file.write_table(table)
        del table
        # Arrow's pool would keep the memory of the rows, though the child reads them from the file.
        pa.default_memory_pool().release_unused()
        yield folder


Ask = Callable[[dict[str, Any], Client], dict[str, Any]]
"""Sends a request of `sqlml.estimators.worker`, but for its folder, to a child, and waits for the last answer."""


def here(folder: Path, memory: int | None = None) -> Ask:
    """A function that sends requests to child processes of this process.

    Args:
        folder: a folder made by `collected`.
        memory: the most bytes of data a child may have; None for no limit.
    """
    return lambda request, client: _run({**request, "folder": str(folder), "memory": memory}, client)


def fit(folder: Path, job: Job, client: Client, memory: int | None = None) -> Fitted:
    """Runs `sqlml.estimators.sklearn.training.fit` in a child process. The arguments are those of `here`.

    Raises:
        SqlmlError: the errors of `sklearn.training.fit`; SQLML_CANCELLED; SQLML_ENGINE_FAILED when the child crashed or
            was killed; SQLML_MISSING_PACKAGE.
    """
    _understood(here(folder, memory)({"job": job.to_json()}, client), job)
    return Fitted.from_json((folder / RESULT).read_text(encoding="utf-8"), (folder / MODEL).read_bytes())


def evaluate(
    ask: Ask, job: Job, client: Client, *, metric: str | None, folds: int, sample: int | None = None
) -> tuple[str, list[float]]:
    """Runs `sqlml.estimators.sklearn.training.evaluate` in a child process. Thread-safe."""
    trial = {"metric": metric, "folds": folds, "sample": sample}
    answer = _understood(ask({"job": job.to_json(), "trial": trial}, client), job)
    return answer["metric"], answer["scores"]


def _understood(answer: dict[str, Any], job: Job) -> dict[str, Any]:
    """A child's answer; raises SqlmlError for an error or a crash of the library."""
    if "error" in answer:
        raise SqlmlError(**answer["error"])
    if "failed" in answer:
        estimator = resolve(job.estimator, job.signature.task, SKLEARN)
        raise SqlmlError("SQLML_ENGINE_FAILED", f"{estimator.name} failed in {estimator.library}: {answer['failed']}")
    return answer


def warm(count: int = 1) -> None:
    """Starts child processes until `count` are idle; returns at once, without waiting for their imports."""
    with _LOCK:
        while len(_IDLE) < count:
            _IDLE.append(_Worker())


def _run(request: dict[str, Any], client: Client) -> dict[str, Any]:
    """Sends a request to an idle or a new child; tries another child if an idle one turns out to be dead."""
    while True:
        worker = _take()
        try:
            answer = worker.run(request, client)
        except _DiedIdleError:
            worker.kill()
        except BaseException:
            # After Ctrl-C or an error in `progress` the client is gone, so the child must not keep working.
            worker.kill()
            raise
        else:
            _give_back(worker, answer)
            return answer


# -- a child -----------------------------------------------------------------------------------------------------------


class _DiedIdleError(Exception):
    """A kept child had died before it saw the job; the job can go to another child."""


class _Worker:
    """One child process and the pipes to it."""

    def __init__(self) -> None:
        self._kept = False
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `kill`)
        self._buffer = b""
        self._process = subprocess.Popen(
            # -P: a random.py in the current folder must not shadow the standard library's.
            [sys.executable, "-P", "-m", "sqlml.estimators.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment(),
            start_new_session=True,  # so that only the parent gets the terminal's Ctrl-C
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, request: dict[str, Any], client: Client) -> dict[str, Any]:
        """Sends a request, passes on progress, and returns the child's final answer."""
        assert self._process.stdin is not None
        # Writing to a dead child breaks the pipe. The end of its output is noticed below and reported there.
        with suppress(BrokenPipeError):
            self._process.stdin.write((json.dumps(request) + "\n").encode())
            self._process.stdin.flush()
        started = False
        for answer in self._answers(client):
            if answer is None:
                raise self._died() if started or not self._kept else _DiedIdleError
            started = True
            if "progress" in answer:
                client.progress(answer["progress"])
            elif "started" in answer:
                client.started()
            else:
                self._kept = True
                return answer
        raise AssertionError("the answers end with None")

    def _answers(self, client: Client) -> Iterator[dict[str, Any] | None]:
        """Yields the child's answers line by line, and None when the child has died; raises SQLML_CANCELLED."""
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            polled = time.monotonic()
            while True:
                # Wait for output for one poll interval at most, then check whether the statement was cancelled, then
                # split the output into JSON lines.
                ready = selector.select(_POLL_SECONDS)
                if time.monotonic() - polled >= _POLL_SECONDS:
                    polled = time.monotonic()
                    _stop_if_cancelled(client)
                content = os.read(output, 65_536) if ready else b""
                if ready and not content:
                    yield None
                *lines, self._buffer = (self._buffer + content).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def kill(self) -> None:
        """Kills the child and its own children, and waits until it is gone."""
        if self.alive:
            # The child leads its own process group. It has not been reaped yet, so its pid cannot belong to another
            # process.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            # Closing flushes the pipe, which fails if the dead child has not read everything.
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()

    def _died(self) -> SqlmlError:
        """The SqlmlError for a child that died: by its exit code, with the last lines of its stderr."""
        code = self._process.wait()
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _STDERR_BYTES))
        last = self._stderr.read().decode(errors="replace").strip().splitlines()[-_STDERR_LINES:]
        if code == -signal.SIGKILL:
            return SqlmlError(
                "SQLML_ENGINE_FAILED",
                "The training process was killed, probably because the system ran out of memory.",
                hint=SMALLER,
            )
        if code == -signal.SIGABRT and any(words in line for line in last for words in _NO_MEMORY):
            return SqlmlError(
                "SQLML_ENGINE_FAILED",
                f"The training needs more memory than {TRAIN_MEMORY.key} allows or than this machine has: the process"
                " could not allocate memory or start a thread.",
                hint=SMALLER,
            )
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return SqlmlError("SQLML_ENGINE_FAILED", f"The training process {how}: {' | '.join(last) or 'no message'}")


def environment() -> dict[str, str]:
    """The environment of a child process: the parent's, with this package on PYTHONPATH and OpenMP threads that sleep
    instead of spinning, and without the secrets of the parent's JVM gateway."""
    package = str(Path(sqlml.__file__).parent.parent)
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {name: value for name, value in os.environ.items() if name not in _KEYS_TO_THE_JVM}
    return {"OMP_WAIT_POLICY": "PASSIVE", **inherited, "PYTHONPATH": os.pathsep.join(paths)}


# -- slots and idle children -------------------------------------------------------------------------------------------

_SLOTS = BoundedSemaphore(MOST_JOBS)
_LOCK = Lock()
_IDLE: list[_Worker] = []


@contextmanager
def _slot(client: Client) -> Iterator[None]:
    """A context that holds one of the `MOST_JOBS` slots; waits for one, and tells the client so."""
    if not _SLOTS.acquire(blocking=False):
        client.progress(f"waiting: {MOST_JOBS} trainings are running")
        while not _SLOTS.acquire(timeout=_POLL_SECONDS):
            _stop_if_cancelled(client)
    try:
        yield
    finally:
        _SLOTS.release()


def _stop_if_cancelled(client: Client) -> None:
    if client.cancelled():
        raise SqlmlError("SQLML_CANCELLED", "The training was cancelled.")


def _take() -> _Worker:
    """An idle child that is alive, or a new one."""
    with _LOCK:
        while _IDLE:
            worker = _IDLE.pop()
            if worker.alive:
                return worker
            worker.kill()
    return _Worker()


def _give_back(worker: _Worker, answer: dict[str, Any]) -> None:
    """Keeps a child for the next job, or kills it if it failed, holds too much memory, or enough are idle."""
    with _LOCK:
        if "failed" not in answer and answer.get("held", 0) <= _MOST_IDLE_BYTES and len(_IDLE) < _MOST_IDLE:
            _IDLE.append(worker)
            return
    worker.kill()


@atexit.register
def _end() -> None:
    """Kills the idle children when the driver's Python exits."""
    with _LOCK:
        while _IDLE:
            _IDLE.pop().kill()
