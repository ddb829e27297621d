"""The child process that runs scikit-learn, CatBoost, LightGBM and XGBoost: `python -m sqlml.estimators.worker`,
started by the trainer.

A line on stdin is a request. "memory" is the limit in bytes, or null:

    {"folder": …, "memory": …, "job": …}                   to fit; the folder has rows.arrow
    {"folder": …, "memory": …, "job": …, "trial": …}       to evaluate; the folder has rows.arrow
    {"folder": …, "memory": …, "modules": [names]}         to import Python modules and return their versions

Lines on stdout are answers: `{"started": true}`, `{"progress": text}` any number of times, then one of

    {"done": true, "held": bytes, …}     with the memory that the process still holds. After a fit, model.onnx and
                                         result.json are in the folder; otherwise with "metric" and "scores", or
                                         with "versions", null for a missing module
    {"error": {"condition": …, "message": …, "hint": …}}     a SqlmlError
    {"failed": text}                                         any other error; the traceback is on stderr

End of file on stdin ends the process, even in the middle of a job: that is how it notices that its parent is gone.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import threading
import traceback
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Job
from sqlml.settings import TRAIN_MEMORY
from sqlml.system import memory
from sqlml.system.limits import be_killed_first, limit_data

ROWS, MODEL, RESULT = "rows.arrow", "model.onnx", "result.json"
SMALLER = "Train on fewer rows or columns, or on the cluster: USING mllib.…"
_INSTALL = "Install the package that the driver uses with its extra `driver`, which has what training needs."


def main() -> None:
    """Serves requests until stdin ends."""
    # Output printed by a library must not mix with the answers, so file descriptor 1 is redirected to stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    be_killed_first()
    requests: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    _import_engine()
    while True:
        request = json.loads(requests.get())
        _answer(answers, {"started": True})
        limit_data(request["memory"])
        _answer(answers, _run(request, answers))


def _read(requests: SimpleQueue[str]) -> None:
    """Reads requests on a thread of its own, so that the end of stdin is noticed during a job too."""
    line = ""
    for line in sys.stdin:
        requests.put(line)
    if line:
        # A parent that was killed could not delete the folder of its last job.
        shutil.rmtree(json.loads(line)["folder"], ignore_errors=True)
    os._exit(0)


def _import_engine() -> None:
    """Imports the libraries, the slow part of the start, before the first job. An error shows up again in that job's
    answer."""
    try:
        import sqlml.estimators.sklearn.training  # noqa: F401
    except ImportError:
        traceback.print_exc()


def _run(request: dict[str, Any], answers: TextIO) -> dict[str, Any]:
    outcome = _outcome(request, answers)
    return {"held": _held(), **outcome}


def _outcome(request: dict[str, Any], answers: TextIO) -> dict[str, Any]:
    """The last answer to a request: its result, or its error."""
    try:
        return {"done": True, **_work(request, answers)}
    except SqlmlError as error:
        return {"error": {"condition": error.condition, "message": error.message, "hint": error.hint}}
    except ModuleNotFoundError as error:
        message = f"scikit-learn cannot train here: the Python package {error.name} is missing."
        return {"error": {"condition": "SQLML_MISSING_PACKAGE", "message": message, "hint": _INSTALL}}
    except MemoryError:
        message = f"The training needs more memory than {TRAIN_MEMORY.key} allows."
        return {"error": {"condition": "SQLML_ENGINE_FAILED", "message": message, "hint": SMALLER}}
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        text = f"{type(error).__name__}: {error}".strip()
        return {"failed": text.splitlines()[0]}


def _work(request: dict[str, Any], answers: TextIO) -> dict[str, Any]:
    """Carries out a request: versions, a trial or a fit."""
    if "modules" in request:
        return {"versions": {name: _version(name) for name in request["modules"]}}
    import pyarrow as pa

    from sqlml.estimators.sklearn import training as sklearn

    folder = Path(request["folder"])
    job = Job.from_json(request["job"])
    with pa.memory_map(str(folder / ROWS)) as source:
        table = pa.ipc.open_file(source).read_all()
        if "trial" in request:
            metric, scores = sklearn.evaluate(job, table, **request["trial"])
            return {"metric": metric, "scores": scores}
        fitted = sklearn.fit(job, table, lambda text: _answer(answers, {"progress": text}))
    (folder / MODEL).write_bytes(fitted.onnx)
    (folder / RESULT).write_text(fitted.to_json(), encoding="utf-8")
    return {}


def _held() -> int:
    """The private memory of this process in bytes, after it has returned what it can to the system."""
    memory.give_back()
    return memory.own()


def _version(module: str) -> str | None:
    """A module's version; None if it cannot be imported."""
    try:
        return str(importlib.import_module(module).__version__)
    except ImportError:
        traceback.print_exc()
        return None


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
