"""Files that must not be opened, and files that must not be opened for long."""

from __future__ import annotations

import ast
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
from helpers import hostile
from helpers.folders import ROOT
from helpers.foreign_graphs import node, zipmap_output
from helpers.hostile import model
from onnx import ModelProto

# Imported here, so that the first refusal is not timed with it.
import sqlml.compiler.operators  # noqa: F401
from sqlml.errors import SqlmlError
from sqlml.importing import imported, requested, sandbox, validation
from sqlml.importing.content import content_of
from sqlml.importing.limits import Limits
from sqlml.importing.operators import ONNX, ONNX_ML
from sqlml.scoring.scorer import Scorer


def _refused(content: ModelProto | bytes) -> SqlmlError:
    with pytest.raises(SqlmlError) as caught:
        validation.read(content if isinstance(content, bytes) else content.SerializeToString())
    assert caught.value.condition == "SQLML_MODEL_REFUSED"
    return caught.value


@pytest.mark.parametrize(("content", "reason"), hostile.GATE.values(), ids=hostile.GATE)
def test_refused_by_name_before_anything_opens_it(content: ModelProto | bytes, reason: str) -> None:
    started = time.monotonic()
    assert reason in _refused(content).message
    assert time.monotonic() - started < 0.5


def test_the_closest_operator_is_offered() -> None:
    assert _refused(model(node("Rellu", "x", "y"))).hint == "Did you mean Relu?"


def test_sizes() -> None:
    content = model().SerializeToString()
    with pytest.raises(SqlmlError, match=f"it has {len(content)} bytes, but the limit is 10"):
        validation.read(content, Limits(size=10))


def test_sources(tmp_path: Path) -> None:
    good = model()
    path = tmp_path / "model.onnx"
    onnx.save_model(good, str(path))
    content = good.SerializeToString()
    assert content_of(good) == content_of(content) == content_of(path) == content_of(str(path)) == content
    os.mkfifo(tmp_path / "pipe")
    for odd, reason in (
        ("pipe", "is not a regular file"),
        ("", "is a folder"),
        ("nothing", "No such file or directory"),
    ):
        with pytest.raises(SqlmlError, match=reason):
            content_of(tmp_path / odd)
    with pytest.raises(SqlmlError, match="'/dev/zero' is not a regular file"):
        content_of("/dev/zero")
    from sklearn.linear_model import LinearRegression

    with pytest.raises(SqlmlError, match="from skl2onnx import to_onnx") as caught:
        content_of(LinearRegression())
    assert caught.value.message == "An object of type sklearn.LinearRegression cannot be registered."
    with pytest.raises(SqlmlError, match=r"A model must be a torch\.nn\.Module, an onnx\.ModelProto"):
        content_of(42)


# -- the table ---------------------------------------------------------------------------------------------------------


def test_our_own_exporters_pass() -> None:
    """Every operator that the exporters name, whatever the function they give it to."""
    named: set[tuple[str, str]] = set()
    for path in (ROOT / "sqlml" / "export").rglob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.Constant) and isinstance(found.value, str):
                named |= {
                    (domain, found.value) for domain in (ONNX, ONNX_ML) if onnx.defs.has(found.value, domain=domain)
                }
    assert len(named) > 25
    assert sorted(name for domain, name in named if not Limits().allows(domain, name)) == []


# -- the child process -------------------------------------------------------------------------------------------------


def _tried(given: ModelProto, words: dict[str, Any] | None = None, **limits: Any) -> SqlmlError:
    content = given.SerializeToString()
    validation.read(content)
    with pytest.raises(SqlmlError) as caught:
        sandbox.tried(content, requested(**(words or {})), limits=Limits(**limits))
    assert caught.value.condition == "SQLML_MODEL_REFUSED"
    return caught.value


@pytest.mark.parametrize(("given", "reason"), hostile.TRIAL.values(), ids=hostile.TRIAL)
def test_what_passes_the_gate_ends_in_the_child(given: ModelProto, reason: str) -> None:
    """With the limits as they are by default."""
    started = time.monotonic()
    error = _tried(given)
    assert reason in error.message and "\n" not in str(error)
    assert time.monotonic() - started < 20


def test_a_statement_that_is_cancelled_ends_the_child() -> None:
    started = time.monotonic()
    with pytest.raises(SqlmlError) as caught:
        sandbox.tried(_slow().SerializeToString(), requested(), cancelled=lambda: time.monotonic() > started + 1)
    assert caught.value.condition == "SQLML_CANCELLED"
    assert time.monotonic() - started < 10


def test_operators_that_an_administrator_allows() -> None:
    """One of ONNX's, and one of a runtime's own domain."""
    gelu = model(node("Gelu", "x", "y", domain="com.microsoft"))
    gelu.opset_import.add(domain="com.microsoft", version=1)
    with pytest.raises(SqlmlError, match=r"belongs to the domain com\.microsoft") as caught:
        imported(gelu, requested())
    assert caught.value.hint.endswith("can allow it with spark.sqlml.import.operators = com.microsoft.Gelu.")
    found = imported(gelu, requested(), limits=Limits(operators=frozenset({"com.microsoft.Gelu"})))
    (said,) = Scorer(found.onnx, found.signature).label([pa.array([1.0])]).to_pylist()
    assert said == pytest.approx(0.8413447, abs=1e-6)
    limits = Limits(operators=frozenset({"Range", "ai.onnx.ml.Own"}))
    assert limits.allows("", "Range") and limits.allows("ai.onnx", "Range") and not limits.allows("", "Loop")
    assert not limits.allows("evil", "Range") and Limits.from_json(limits.to_json()) == limits


def test_sizes_that_come_from_shapes_are_no_values() -> None:
    """As PyTorch exports x.expand and torch.arange; and what an administrator allows by name is not looked at."""
    shaped = model(
        node("Shape", "x", "s"), node("Gather", "s first", "n"), node("Concat", "n width", "wide", axis=0),
        node("ConstantOfShape", "wide", "zeros"), node("Expand", "x wide", "many"), node("Add", "many zeros", "sum"),
        node("Reshape", "sum back", "r"), node("ReduceMean", "r", "y", axes=[1]),
        constants={"first": np.array([0]), "width": np.array([4]), "back": np.array([0, 4])},
    )  # fmt: skip
    found = imported(shaped, requested())
    assert Scorer(found.onnx, found.signature).label([pa.array([1.0, 2.5])]).to_pylist() == [1.0, 2.5]
    by_rows = hostile.GATE["range"][0]
    assert isinstance(by_rows, ModelProto)
    validation.check(by_rows, Limits(operators=frozenset({"Range"})))
    by_constant = hostile.GATE["size_constant"][0]
    assert isinstance(by_constant, ModelProto)
    with pytest.raises(
        SqlmlError, match="the size of the result of its operator ConstantOfShape depends on the values of a row"
    ):
        validation.check(by_constant, Limits(operators=frozenset({"Range", "ConstantOfShape"})))


def test_a_squeeze_of_every_dimension_names_itself() -> None:
    """It works for many rows, and takes away the only one."""
    squeezed = model(
        node("Squeeze", "x", "z"),
        node("ReduceMean", "z", "m", axes=[0], keepdims=1),
        node("Sub", "z z", "o"),
        node("Unsqueeze", "o axis", "y"),
        constants={"axis": np.array([1])},
    )
    error = _tried(squeezed)
    assert "but not a single one of them" in error.message and "It uses Squeeze without axes" in error.hint
    assert "embedding" not in str(error) and "/onnxruntime_src" not in str(error)


def _slow() -> ModelProto:
    work = [node("MatMul", "m m", "m0")] + [node("MatMul", f"m{i} m", f"m{i + 1}") for i in range(400)]
    return model(
        node("ConstantOfShape", "shape", "z"), node("ReduceSum", "x", "s", keepdims=0), node("Add", "z s", "m"),
        *work, node("ReduceMax", "m400", "t", keepdims=0), node("Add", "x t", "y"),
        constants={"shape": np.array([2048, 2048])},
    )  # fmt: skip


def test_a_large_file_is_read_only_where_there_is_a_limit_of_memory() -> None:
    """Empty operators of two bytes each take some 70 times as much to read."""
    content = model().SerializeToString() + _part(7, b"\x0a\x00" * 3_000_000)
    with pytest.raises(SqlmlError, match="SQLML_MODEL_REFUSED") as caught:
        imported(content, requested(), limits=Limits(memory=250 * 1024**2))
    assert "3000001 operators" not in caught.value.message, "it was read in this process, which has no limit"


def _part(field: int, content: bytes) -> bytes:
    """A field of bytes in protobuf's form."""
    length, digits = len(content), []
    while length > 127:
        digits.append(length % 128 + 128)
        length //= 128
    return bytes([field * 8 + 2, *digits, length]) + content


def test_what_takes_too_long_is_refused() -> None:
    started = time.monotonic()
    error = _tried(_slow(), seconds=3)
    assert "needs more than 3 seconds" in error.message
    assert time.monotonic() - started < 15


def test_an_allowed_model_comes_through_the_child() -> None:
    found = imported(model(), requested(features=["age"], target="y"))
    assert found.signature.names == ("age",) and found.fidelity.rows == 0
    with pytest.raises(SqlmlError) as caught:
        imported(model(), requested(features=["age", "plan"]))
    assert caught.value.condition == "SQLML_BINDING_MISMATCH"


def test_a_sequence_that_is_no_zipmap() -> None:
    sequence = zipmap_output(model(), "y")
    assert "its output y is not a tensor" in _tried(sequence, {"features": ["a"]}).message


# -- mutants -----------------------------------------------------------------------------------------------------------


def _mutants(count: int) -> list[bytes]:
    """A good model with one to three bytes changed."""
    chance = random.Random(1)
    good = model(node("Add", "x w", "y"), constants={"w": np.array([1.0], np.float32)}).SerializeToString()
    mutants = []
    for _ in range(count):
        changed = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        mutants.append(bytes(changed))
    return mutants


def test_mutants_are_read_or_refused() -> None:
    outcomes: Counter[str] = Counter()
    for mutant in _mutants(3_000):
        try:
            validation.read(mutant)
            outcomes["read"] += 1
        except SqlmlError as error:
            outcomes[error.condition] += 1
    assert set(outcomes) == {"read", "SQLML_MODEL_REFUSED"}
    assert outcomes["read"] > 100
