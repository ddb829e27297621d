"""A limit on memory while a model scores: batches in pieces, and an error that names the model of a row too large."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from helpers.foreign_graphs import graph, node

from sqlml.importing import requested
from sqlml.importing.loading import opened
from sqlml.scoring import onnx_session

_LIMIT = 200 * 1024**2
# In a process of its own, as a Python worker is one: what other tests have loaded has no part in it.
_WORKER = """
import json, sys
import pyarrow as pa
from sqlml.errors import SqlmlError
from sqlml.scoring.model_cache import scorer
from sqlml.scoring.memory_limit import scored
from sqlml.signature import Signature
digest, title, signature, limit = json.loads(sys.argv[1])
signature = Signature.from_json(signature)
onnx = open(sys.argv[2], "rb").read()
import onnxruntime
def score(columns):
    return scorer(digest, onnx, signature).label(columns)
for rows in json.loads(sys.argv[3]):
    try:
        print(json.dumps(scored(limit, digest, title, score, [pa.array(rows, pa.float64())]).to_pylist()))
    except SqlmlError as error:
        print(json.dumps([error.condition, error.message]))
"""


def _wide(path: str, columns: int) -> str:
    """y = x · columns, by way of so many columns."""
    model = graph(
        [("x", "float", ["n", 1])], [("y", "float", ["n", 1])],
        [node("Expand", "x wide", "many"), node("ReduceSum", "many one", "y")],
        {"wide": np.array([1, columns]), "one": np.array([1])},
    )  # fmt: skip
    found = opened(model.SerializeToString(), requested(), pa.table({"x": [1.0]}), ())
    with open(path, "wb") as file:
        file.write(found.onnx)
    return found.signature.to_json()


def _answers(tmp_path: object, columns: int, batches: list[list[float]]) -> list[list[object]]:
    path = f"{tmp_path}/model.onnx"
    question = json.dumps(["0", "wide/1", _wide(path, columns), _LIMIT])
    ended = subprocess.run(
        [sys.executable, "-c", _WORKER, question, path, json.dumps(batches)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_batch_that_takes_too_much_is_scored_in_pieces(tmp_path: object) -> None:
    rows = [float(value) for value in range(64)]
    columns = 2**21  # 8 MB a row: together 512 MB
    assert _answers(tmp_path, columns, [rows, rows[:3], []]) == [
        [row * columns for row in rows], [row * columns for row in rows[:3]], [],
    ]  # fmt: skip


def test_a_row_that_takes_too_much_is_an_error_and_the_next_batch_is_not(tmp_path: object) -> None:
    refused, *rest = _answers(tmp_path, 2**26, [[1.0, 2.0]])
    assert refused[0] == "SQLML_ENGINE_FAILED" and not rest
    assert refused[1] == (
        f"Model wide/1 needs more than the {_LIMIT} bytes of memory that spark.sqlml.scoring.memory allows, even for a"
        " single row."
    )


def test_an_allocation_that_fails_without_a_text_is_one_of_memory() -> None:
    """Python's own MemoryError has no message; the batch is to be halved all the same."""
    with pytest.raises(MemoryError):
        onnx_session._check_memory(MemoryError())
