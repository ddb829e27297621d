"""The sandbox process, in which foreign models are opened: `python -m sqlml.importing.sandbox_main FOLDER`.

It reads from FOLDER model.onnx, request.json, rows.arrow (rows for the trial run, if any) and native_0.npy, … (the
native model's outputs on them, if any). It writes adapted.onnx and imported.json, or error.json.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.importing.limits import Limits
from sqlml.importing.validation import refused
from sqlml.system.limits import be_killed_first, limit_data

MODEL, REQUEST, ROWS, NATIVE = "model.onnx", "request.json", "rows.arrow", "native_{}.npy"
ADAPTED, IMPORTED, ERROR = "adapted.onnx", "imported.json", "error.json"


def main() -> None:
    """Sets the process's limits, runs the import, and writes its result or error."""
    folder = Path(sys.argv[1])
    question = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    limits = Limits.from_json(question["limits"])
    be_killed_first()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    limit_data(limits.memory)
    try:
        _work(folder, question, limits)
    except SqlmlError as error:
        _fail(folder, error)
    except MemoryError:
        _fail(folder, refused(f"opening it needs more than {limits.memory} bytes of memory"))
    except Exception as error:
        # A malformed file makes ONNX or protobuf raise anything: the model is refused, and stderr has the traceback.
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        _fail(folder, refused(f"{type(error).__name__}: {lines[0]}"))
    # os._exit skips the interpreter's shutdown, which waits for threads that a broken model may have left behind.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _work(folder: Path, question: dict[str, Any], limits: Limits) -> None:
    """Reads the request from the folder, runs `loading.opened`, and writes the result."""
    import numpy as np
    import pyarrow as pa

    from sqlml.importing.loading import opened
    from sqlml.importing.request import Request

    example = None
    if (folder / ROWS).exists():
        with pa.memory_map(str(folder / ROWS)) as source:
            example = pa.ipc.open_file(source).read_all()
    native = [np.load(folder / NATIVE.format(index), allow_pickle=False) for index in range(question["native"])]
    request, suggested = (Request.from_json(question[name]) for name in ("request", "suggested"))
    content = (folder / MODEL).read_bytes()
    found = opened(content, request, example, native, limits, suggested.columns or ())
    (folder / ADAPTED).write_bytes(found.onnx)
    (folder / IMPORTED).write_text(found.to_json(), encoding="utf-8")


def _fail(folder: Path, error: SqlmlError) -> None:
    content = {"condition": error.condition, "message": error.message, "hint": error.hint}
    (folder / ERROR).write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
