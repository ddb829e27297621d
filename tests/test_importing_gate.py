"""Files that must not be opened, and files that must not be opened for long."""

from __future__ import annotations

import ast
import io
import os
import pickle
import random
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from fixtures.foreign import graph, node, zipmap_output
from onnx import ModelProto, TensorProto, helper

from sqlml.errors import SqlmlError
from sqlml.importing import child, gate, imported, requested
from sqlml.importing.limits import Limits
from sqlml.importing.operators import ONNX, ONNX_ML, OPERATORS, REASONS
from sqlml.importing.source import content_of

_ROOT = Path(__file__).parent.parent


def _model(*nodes: Any, **words: Any) -> ModelProto:
    nodes = nodes or (node("Relu", "x", "y"),)
    return graph([("x", "float", ["n", 1])], [("y", "float", ["n", 1])], nodes, **words)


def _refused(content: ModelProto | bytes) -> SqlmlError:
    with pytest.raises(SqlmlError) as caught:
        gate.read(content if isinstance(content, bytes) else content.SerializeToString())
    assert caught.value.condition == "SQLML_MODEL_REFUSED"
    return caught.value


def _loop() -> ModelProto:
    body = helper.make_graph([], "body", [], [])
    return _model(node("Loop", "n c x", "y", body=body))


def _if() -> ModelProto:
    body = helper.make_graph([], "body", [], [])
    return _model(node("If", "c", "y", then_branch=body, else_branch=body))


def _functions() -> ModelProto:
    model = _model()
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "laugh", ["a"], ["b"], [node("Relu", "a", "b")], opsets))
    return model


def _external(where: str) -> ModelProto:
    model = _model(node("Add", "x w", "y"), constants={"w": np.array([1.0], np.float32)})
    tensor = model.graph.initializer[0]
    if where == "attribute":
        model = _model(node("Constant", "", "w", value=tensor), node("Add", "x w", "y"))
        tensor = model.graph.node[0].attribute[0].t
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/hostname"
    return model


def _hidden() -> ModelProto:
    """A graph in an attribute of an operator that is allowed."""
    return _model(node("Relu", "x", "y", extra=helper.make_graph([], "body", [], [])))


def _sparse() -> ModelProto:
    model = _model()
    model.graph.sparse_initializer.add().dims[:] = [2**40]
    return model


def _huge() -> ModelProto:
    model = _model(constants={"w": np.array([1.0], np.float32)})
    model.graph.initializer[0].dims[:] = [2**20, 2**20]
    return model


def _training() -> ModelProto:
    model = _model()
    model.training_info.add()
    return model


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_loop(), "it uses Loop: it runs a part of the graph again and again"),
        (_if(), "it uses If: it holds graphs of its own"),
        (_model(node("Scan", "x", "y")), "it uses Scan: it runs a part"),
        (_model(node("RandomNormalLike", "x", "y")), "a prediction must not depend on chance"),
        (_model(node("Rellu", "x", "y")), "it uses Rellu, which is not among the"),
        (_model(node("FusedGemm", "x", "y", domain="com.microsoft")), "FusedGemm is of the domain com.microsoft"),
        (_model(node("PyOp", "x", "y", domain="ai.onnx.contrib")), "of the domain ai.onnx.contrib"),
        (_functions(), "it defines functions of its own (laugh)"),
        (_external("initializer"), "the numbers of w are in another file"),
        (_external("attribute"), "the numbers of value of Constant are in another file"),
        (_hidden(), "extra of Relu is a graph in the graph"),
        (_sparse(), "it has sparse constants"),
        (_huge(), "w says it has 1048576×1048576 elements"),
        (_training(), "it holds graphs for training"),
        (_model(opset=8), "it is written for version 8 of the operators of ONNX, and 9 to"),
        (_model(opset=99), "it is written for version 99"),
        (ModelProto(), "it has no operators"),
        (b"", "it has no operators"),
        (b"\x00\x01garbage", "it is no ONNX file"),
        (pickle.dumps({"a": 1}), "it is no ONNX file but a Python pickle"),
        (b"\x89HDF\r\n", "HDF5, as Keras saves it"),
    ],
)
def test_refused_by_name_before_anything_opens_it(content: ModelProto | bytes, reason: str) -> None:
    started = time.monotonic()
    assert reason in _refused(content).message
    assert time.monotonic() - started < 0.5


def test_the_closest_operator_is_offered() -> None:
    assert _refused(_model(node("Rellu", "x", "y"))).hint == "Did you mean Relu?"


def test_zip_archives_and_sizes() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("data.pkl", b"")
    assert "as PyTorch and Keras save them" in _refused(archive.getvalue()).message
    content = _model().SerializeToString()
    with pytest.raises(SqlmlError, match=f"it has {len(content)} bytes, and the limit is 10"):
        gate.read(content, Limits(size=10))


def test_sources(tmp_path: Path) -> None:
    model = _model()
    path = tmp_path / "model.onnx"
    onnx.save_model(model, str(path))
    content = model.SerializeToString()
    assert content_of(model) == content_of(content) == content_of(path) == content_of(str(path)) == content
    os.mkfifo(tmp_path / "pipe")
    for odd, reason in (("pipe", "is no file"), ("", "is a folder"), ("nothing", "No such file or directory")):
        with pytest.raises(SqlmlError, match=reason):
            content_of(tmp_path / odd)
    with pytest.raises(SqlmlError, match="'/dev/zero' is no file"):
        content_of("/dev/zero")
    from sklearn.linear_model import LinearRegression

    with pytest.raises(SqlmlError, match="from skl2onnx import to_onnx") as caught:
        content_of(LinearRegression())
    assert caught.value.message == "A sklearn LinearRegression cannot be registered as it is."
    with pytest.raises(SqlmlError, match=r"It is a torch\.nn\.Module, an onnx\.ModelProto"):
        content_of(42)


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_operator_of_the_table_is_one() -> None:
    for domain, names in OPERATORS.items():
        assert [name for name in sorted(names) if not onnx.defs.has(name, domain=domain)] == []
    assert not set(REASONS) & OPERATORS[ONNX]
    assert all(onnx.defs.has(name) for name in REASONS)


def test_our_own_exporters_pass() -> None:
    """Every operator that the exporters name, whatever the function they give it to."""
    named: set[tuple[str, str]] = set()
    for path in (_ROOT / "sqlml" / "export").rglob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.Constant) and isinstance(found.value, str):
                named |= {
                    (domain, found.value) for domain in (ONNX, ONNX_ML) if onnx.defs.has(found.value, domain=domain)
                }
    assert len(named) > 25
    assert sorted(name for domain, name in named if name not in OPERATORS[domain]) == []


# -- the child process -------------------------------------------------------------------------------------------------


def _tried(model: ModelProto, words: dict[str, Any] | None = None, **limits: Any) -> SqlmlError:
    content = model.SerializeToString()
    gate.read(content)
    with pytest.raises(SqlmlError) as caught:
        child.tried(content, requested(**(words or {})), limits=Limits(**limits))
    assert caught.value.condition == "SQLML_MODEL_REFUSED"
    return caught.value


def test_what_takes_too_much_memory_is_refused() -> None:
    bomb = _model(
        node("ConstantOfShape", "shape", "large"), node("ReduceSum", "large", "one"), node("Add", "x one", "y"),
        constants={"shape": np.array([2**17, 2**17])},
    )  # fmt: skip
    started = time.monotonic()
    error = _tried(bomb, memory=1024**3)
    assert "Failed to allocate memory" in error.message
    assert time.monotonic() - started < 30


def test_what_takes_too_long_is_refused() -> None:
    work = [node("MatMul", "m m", "m0")] + [node("MatMul", f"m{i} m", f"m{i + 1}") for i in range(400)]
    slow = _model(
        node("ConstantOfShape", "shape", "z"), node("ReduceSum", "x", "s", keepdims=0), node("Add", "z s", "m"),
        *work, node("ReduceMax", "m400", "t", keepdims=0), node("Add", "x t", "y"),
        constants={"shape": np.array([2048, 2048])},
    )  # fmt: skip
    started = time.monotonic()
    error = _tried(slow, seconds=3)
    assert "takes more than 3 seconds" in error.message
    assert time.monotonic() - started < 15


def test_what_onnx_refuses_is_refused_in_one_line() -> None:
    wrong = _model(node("Relu", "nothing", "y"))
    assert "it is no valid ONNX: Nodes in a graph must be topologically sorted" in _tried(wrong).message
    lying = _model(node("Add", "x w", "y"), constants={"w": np.ones(4, np.float32)})
    lying.graph.initializer[0].dims[:] = [3]
    assert "\n" not in _tried(lying).message


def test_an_allowed_model_comes_through_the_child() -> None:
    found = imported(_model(), requested(features=["age"], target="y"))
    assert found.signature.names == ("age",) and found.fidelity.rows == 0
    with pytest.raises(SqlmlError) as caught:
        imported(_model(), requested(features=["age", "plan"]))
    assert caught.value.condition == "SQLML_BINDING_MISMATCH"


def test_a_sequence_that_is_no_zipmap() -> None:
    model = zipmap_output(_model(), "y")
    assert "its output y is no tensor" in _tried(model, {"features": ["a"]}).message


# -- mutants -----------------------------------------------------------------------------------------------------------


def _mutants(count: int) -> list[bytes]:
    """A good model with one to three bytes changed."""
    chance = random.Random(1)
    good = _model(node("Add", "x w", "y"), constants={"w": np.array([1.0], np.float32)}).SerializeToString()
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
            gate.read(mutant)
            outcomes["read"] += 1
        except SqlmlError as error:
            outcomes[error.condition] += 1
    assert set(outcomes) == {"read", "SQLML_MODEL_REFUSED"}
    assert outcomes["read"] > 100
