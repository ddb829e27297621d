"""The child process that first opens a model made elsewhere: `python -m sqlml.importing.trial FOLDER`.

The folder has model.onnx, request.json, rows.arrow where there are rows to try it on, and native_0.npy, … where the
model itself has answered them. Afterwards it has adapted.onnx and imported.json, or error.json.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators.worker import be_killed_first, limit_memory

MODEL, REQUEST, ROWS, NATIVE = "model.onnx", "request.json", "rows.arrow", "native_{}.npy"
ADAPTED, IMPORTED, ERROR = "adapted.onnx", "imported.json", "error.json"
# How many rows are also scored one by one.
_ALONE = 8


def main() -> None:
    folder = Path(sys.argv[1])
    content = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    be_killed_first()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (content["seconds"], content["seconds"] + 1))
    limit_memory(content["memory"])
    try:
        _work(folder, content["request"], content["native"])
    except SqlmlError as error:
        _fail(folder, error)
    except MemoryError:
        _fail(folder, _refused(f"opening it takes more than {content['memory']} bytes of memory"))
    except Exception as error:
        # Whatever a file brings ONNX's checker or protobuf to raise: it is the file's fault, and stderr has the place.
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        _fail(folder, _refused(f"{type(error).__name__}: {lines[0]}"))
    # Not by the interpreter's own end: a broken model may have left threads behind.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _work(folder: Path, text: str, natives: int) -> None:
    import numpy as np
    import pyarrow as pa
    from onnx import checker

    from sqlml.importing import answers, gate, inputs
    from sqlml.importing.adapter import adapted
    from sqlml.importing.comparison import compared
    from sqlml.importing.request import Imported, Request

    request = Request.from_json(text)
    model = gate.read((folder / MODEL).read_bytes())
    checker.check_model(model)
    filled = inputs.slots(model, request)
    features = inputs.features(filled, request)
    given = answers.answers(model.graph, request.outputs)
    if (folder / ROWS).exists():
        with pa.memory_map(str(folder / ROWS)) as source:
            example = pa.ipc.open_file(source).read_all()
    else:
        example = None
    table, said = _heard(adapted(model, filled, given, None), features, example)
    reading = answers.read(
        given, {answer.name: array for answer, array in zip(given, said, strict=True)}, features, request
    )
    content = adapted(model, filled, given, reading)
    _check_alone(content, reading.signature, table, request.tolerance)
    native = [np.load(folder / NATIVE.format(place), allow_pickle=False) for place in range(natives)]
    names = [output.name for output in model.graph.output]
    fidelity = compared(content, reading, table, dict(zip(names, native, strict=False)), request.tolerance)
    library = " ".join(filter(None, (model.producer_name, model.producer_version))) or "an unnamed tool"
    (folder / ADAPTED).write_bytes(content)
    (folder / IMPORTED).write_text(Imported(content, reading.signature, fidelity, library).to_json(), encoding="utf-8")


def _heard(content: bytes, features: Any, example: Any) -> tuple[Any, list[Any]]:
    """Rows that the model can predict, and each of its outputs on them."""
    from sqlml.estimators import REGRESSION
    from sqlml.importing import rows
    from sqlml.scoring import Scorer
    from sqlml.signature import Signature

    scorer = Scorer(content, Signature(REGRESSION, features, None, "double"))
    tables: Iterable[Any] = rows.attempts(features) if example is None else [rows.chosen(example, features)]
    failure: SqlmlError | None = None
    for table in tables:
        try:
            said = list(scorer.raw(table.columns).values())
        except SqlmlError as error:
            failure = error
            continue
        for array in said:
            if len(array) != len(table):
                raise _refused(
                    f"for {len(table)} rows it gives {len(array)} answers",
                    "Export it with a dynamic batch axis.",
                )
        return table, said
    assert failure is not None
    hint = "Give example=… with rows that it can predict." if example is None else ""
    raise _refused(f"it fails on every row that was tried; {failure.message}", hint)


def _check_alone(content: bytes, signature: Any, table: Any, tolerance: float) -> None:
    """A row's answer must not depend on the rows that happen to be scored with it."""
    import numpy as np

    from sqlml.scoring import Scorer

    scorer = Scorer(content, signature)
    together = scorer.raw(table.columns)
    for row in range(min(_ALONE, len(table))):
        alone = scorer.raw(table.slice(row, 1).columns)
        for name, array in together.items():
            one, other = array[row : row + 1], alone[name]
            if len(together) > 1 and name == "label":
                continue  # where two scores are equal but for rounding, either label may come
            if one.dtype.kind == "f":
                same = np.isclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True).all()
            else:
                same = (one == other).all()
            if not same:
                raise _refused(
                    "its answer for a row changes with the other rows that it is given at the same time",
                    "Export it for inference: model.eval(), and no softmax or mean over the rows.",
                )


def _refused(reason: str, hint: str = "") -> SqlmlError:
    from sqlml.importing.gate import refused

    return refused(reason, hint)


def _fail(folder: Path, error: SqlmlError) -> None:
    content = {"condition": error.condition, "message": error.message, "hint": error.hint}
    (folder / ERROR).write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
