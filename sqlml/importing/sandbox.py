"""The parent side of the import sandbox: starts a child process with limits and reads its result from a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.estimators.trainer import environment
from sqlml.importing.limits import DEFAULT, Limits
from sqlml.importing.request import Column, Imported, Request
from sqlml.importing.sandbox_main import ADAPTED, ERROR, IMPORTED, MODEL, NATIVE, REQUEST, ROWS
from sqlml.importing.validation import refused
from sqlml.system import temporary

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_STDERR_BYTES = 2_000
_POLL_SECONDS = 0.3
# Only two sandboxes at a time, because each may use all the memory that the limit allows.
_SLOTS = BoundedSemaphore(2)


def tried(
    content: bytes,
    request: Request,
    rows: pa.Table | None = None,
    native: Sequence[NDArray[Any]] = (),
    *,
    suggested: tuple[Column, ...] = (),
    limits: Limits = DEFAULT,
    cancelled: Callable[[], bool] = lambda: False,
) -> Imported:
    """Imports the model in a sandbox and returns it in sqlml's layout.

    Args:
        content: the file's bytes; the sandbox validates them first (`validation.read`).
        rows: rows for the trial run, with the features among the columns; None for generated ones.
        native: the outputs of the native model on these rows, in the order of the graph's.
        suggested: the features to assume where neither the request nor the file names them.
        cancelled: polled every 0.3 s; True kills the process.

    Raises:
        SqlmlError: SQLML_CANCELLED; SQLML_MODEL_REFUSED, also for a model that crashes ONNX Runtime or passes a
            limit; SQLML_FIDELITY; the errors of `inputs.slots` and `outputs.read`.
    """
    with _slot(cancelled), temporary.folder("import") as folder:
        (folder / MODEL).write_bytes(content)
        _write(folder, rows, native)
        question = {
            "request": request.to_json(),
            "suggested": Request(columns=suggested).to_json(),
            "native": len(native),
            "limits": limits.to_json(),
        }
        (folder / REQUEST).write_text(json.dumps(question), encoding="utf-8")
        _run(folder, limits.seconds, cancelled)
        if (folder / ERROR).exists():
            raise SqlmlError(**json.loads((folder / ERROR).read_text(encoding="utf-8")))
        return Imported.from_json((folder / IMPORTED).read_text(encoding="utf-8"), (folder / ADAPTED).read_bytes())


def _write(folder: Path, rows: pa.Table | None, native: Sequence[NDArray[Any]]) -> None:
    if rows is not None:
        import pyarrow as pa

        with pa.ipc.new_file(str(folder / ROWS), rows.schema) as file:
            file.write_table(rows)
    for index, array in enumerate(native):
        import numpy as np

        np.save(folder / NATIVE.format(index), array, allow_pickle=False)


@contextmanager
def _slot(cancelled: Callable[[], bool]) -> Iterator[None]:
    """Waits for one of the two sandboxes."""
    while not _SLOTS.acquire(timeout=_POLL_SECONDS):
        _check(cancelled)
    try:
        yield
    finally:
        _SLOTS.release()


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise SqlmlError("SQLML_CANCELLED", "The statement was cancelled, and nothing was registered.")


def _run(folder: Path, seconds: int, cancelled: Callable[[], bool]) -> None:
    """Runs the child until it ends, the time is over or the caller cancels; raises unless it exits with 0."""
    # The working directory is empty, so that a graph that refers to files finds none.
    empty = folder / "empty"
    empty.mkdir()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sqlml.importing.sandbox_main", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
            cwd=empty,
            start_new_session=True,
        )
        try:
            code = _ended(process, seconds, cancelled)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            raise refused(
                f"opening it and predicting a few rows needs more than {seconds} seconds or more memory than there is"
            )
        if code != 0:
            output.seek(max(0, output.seek(0, os.SEEK_END) - _STDERR_BYTES))
            last = output.read().decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            how = signal.Signals(-code).name if code < 0 else f"code {code}"
            raise refused(f"opening it ended the sandbox process with {how}: {last[0]}")


def _ended(process: subprocess.Popen[bytes], seconds: int, cancelled: Callable[[], bool]) -> int:
    # The child limits its own CPU seconds; on a busy machine those take longer by the clock.
    until = time.monotonic() + 2 * seconds
    while time.monotonic() < until:
        try:
            return process.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            _check(cancelled)
    raise refused(f"opening it and predicting a few rows needs more than {seconds} seconds")
