"""A registry that others can write to: only the bytes that were registered are loaded, and only from where they lie."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.foreign_graphs import node
from helpers.hostile import model

import sqlml
from sqlml.errors import SqlmlError
from sqlml.registry import Registry
from sqlml.system.allowed_paths import AllowedPaths


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with two versions of a model."""
    folder = tmp_path_factory.mktemp("kept")
    for shift in (1.0, 2.0):
        graph = model(node("Add", "x w", "y"), constants={"w": np.array([shift], np.float32)})
        sqlml.register_model("m", graph, registry=f"sqlite:///{folder / 'mlflow.db'}", target="y")
    return folder


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Iterator[Path]:
    """The registry as it was registered; what a test does to its versions is undone."""
    shutil.copytree(kept / "mlartifacts", tmp_path / "copy")
    sources = _sources(kept)
    yield kept
    shutil.rmtree(kept / "mlartifacts")
    shutil.copytree(tmp_path / "copy", kept / "mlartifacts")
    _changed_source(kept, sources[0])


def _sources(home: Path) -> list[str]:
    with sqlite3.connect(home / "mlflow.db") as database:
        return [source for (source,) in database.execute("SELECT source FROM model_versions ORDER BY version")]


def _changed_source(home: Path, source: str) -> None:
    with sqlite3.connect(home / "mlflow.db") as database:
        database.execute("UPDATE model_versions SET source = ?, storage_location = NULL WHERE version = 1", (source,))


def _registry(home: Path) -> Registry:
    """As a driver that has just been started sees it."""
    return Registry(f"sqlite:///{home / 'mlflow.db'}", (home / "mlartifacts").as_uri())


def _files(home: Path, name: str) -> list[Path]:
    """Of version 1 and of version 2."""
    places = {str(path.parent): path for path in home.rglob(name)}
    return [places[source.removeprefix("file://")] for source in _sources(home)]


def _corrupt(home: Path, reason: str) -> None:
    with pytest.raises(SqlmlError) as caught:
        _registry(home).load("m/1").onnx()
    assert caught.value.condition == "SQLML_MODEL_CORRUPT", caught.value
    assert reason in caught.value.message
    assert _registry(home).load("m/2").onnx(), "the other version is as good as before"


def test_as_it_was_registered(home: Path) -> None:
    assert _registry(home).load("m/1").onnx() != _registry(home).load("m/2").onnx()


@pytest.mark.parametrize("name", ["model.onnx", "sqlml.json"])
def test_one_bit_is_another_file(home: Path, name: str) -> None:
    (path, _) = _files(home, name)
    good = path.read_bytes()
    dice = random.Random(2)
    for place in {0, len(good) - 1, *(dice.randrange(len(good)) for _ in range(6))}:
        bad = bytearray(good)
        bad[place] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        _corrupt(home, f"{name} is not the file that was registered")
    for other in (good[:-1], good[: len(good) // 2], b"", good + b"\n"):
        path.write_bytes(other)
        _corrupt(home, f"{name} is not the file that was registered")
    path.unlink()
    _corrupt(home, f"{name} is missing")


def test_two_versions_that_are_exchanged(home: Path) -> None:
    first, second = _files(home, "model.onnx")
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    _corrupt(home, "model.onnx is not the file that was registered")
    first.write_bytes(content)


def test_an_edited_document(home: Path) -> None:
    (path, _) = _files(home, "sqlml.json")
    document = json.loads(path.read_bytes())
    document["signature"]["features"][0]["required"] = False
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1))
    _corrupt(home, "sqlml.json is not the file that was registered")


def test_what_lies_beside_is_never_read(home: Path, tmp_path: Path) -> None:
    """Pickles, code and loaders: all that MLflow would run."""
    canary = tmp_path / "canary"
    for path in _files(home, "MLmodel"):
        (path.parent / "code").mkdir()
        (path.parent / "code" / "loader.py").write_text(f"open({str(canary)!r}, 'w')")
        (path.parent / "python_model.pkl").write_bytes(b"cposix\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR.")
        path.write_text("flavors: {python_function: {loader_module: loader, code: code}}")
    assert _registry(home).load("m/1").onnx() and _registry(home).load("m/2").onnx()
    assert not canary.exists()


def test_a_source_that_leads_elsewhere(home: Path, tmp_path: Path) -> None:
    """Even to the same bytes."""
    (path, _) = _files(home, "model.onnx")
    shutil.copytree(path.parent, tmp_path / "same")
    (home / "mlartifacts" / "link").symlink_to(tmp_path / "same")
    for source in (
        (tmp_path / "same").as_uri(),
        f"{home}/mlartifacts/../../{tmp_path.name}/same",
        str(home / "mlartifacts" / "link"),
        "file:///etc",
        "../../etc",
        "/proc/self/fd",
        "http://169.254.169.254/latest",
        "s3://bucket/model",
        "mlflow-artifacts://127.0.0.1:9/model",
        "mlflow-artifacts:/1/model",
        "dbfs:/model",
    ):
        _changed_source(home, source)
        _corrupt(home, "the registry refers to sqlml.json outside of its own folder")


def test_pipes_and_links_in_the_folder(home: Path, tmp_path: Path) -> None:
    (path, _) = _files(home, "model.onnx")
    content = path.read_bytes()
    (tmp_path / "same").write_bytes(content)
    path.unlink()
    path.symlink_to(tmp_path / "same")
    _corrupt(home, "the registry refers to model.onnx outside of its own folder")
    path.unlink()
    os.mkfifo(path)
    _corrupt(home, "the registry refers to model.onnx outside of its own folder")


def _log(home: Path, files: dict[str, str | bytes]) -> str:
    """A run of somebody else's with some files; returns its id."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    found = client.get_experiment_by_name("sqlml")
    run = client.create_run(found.experiment_id)
    for name, content in files.items():
        path = home / "written" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        client.log_artifact(run.info.run_id, str(path), "model")
    return str(run.info.run_id)


def _read(home: Path, uri: str) -> bytes:
    from sqlml.importing import mlmodel

    return mlmodel.read(_registry(home).resolve(uri, AllowedPaths(())).read, 10_000, uri, "name").content


def _refusal(home: Path, mlmodel: str, **files: bytes) -> SqlmlError:
    run = _log(home, {"MLmodel": mlmodel, **files})
    with pytest.raises(SqlmlError) as caught:
        _read(home, f"runs:/{run}/model")
    return caught.value


def test_models_of_other_people(home: Path) -> None:
    good = model().SerializeToString()
    run = _log(home, {"MLmodel": "flavors: {onnx: {data: the.onnx}}", "the.onnx": good})
    assert _read(home, f"runs:/{run}/model") == good
    large = _log(home, {"MLmodel": "flavors: {onnx: {data: the.onnx}}", "the.onnx": b"x" * 20_000})
    with pytest.raises(SqlmlError, match="20000 bytes, but the limit is 10000"):
        _read(home, f"runs:/{large}/model")
    with pytest.raises(SqlmlError, match="SQLML_PATH_NOT_FOUND"):
        _read(home, f"runs:/{run}/nothing")
    for uri, condition in (
        (f"runs:/{run}/../../../../../../etc", "SQLML_OPTION_INVALID"),
        (f"runs:/{large}/../../{run}/artifacts/model", "SQLML_OPTION_INVALID"),
        (f"runs:/{large}/%2e%2e/.%2E/{run}/artifacts/model", "SQLML_OPTION_INVALID"),
        (f"runs:/{large}/..%252f..%255c{run}/artifacts/model", "SQLML_OPTION_INVALID"),
        ("runs:/nothing/model", "SQLML_MODEL_NOT_FOUND"),
        ("models:/nothing/1", "SQLML_MODEL_NOT_FOUND"),
        ("models:/m/7", "SQLML_MODEL_NOT_FOUND"),
        ("models:/m@nobody", "SQLML_MODEL_NOT_FOUND"),
        ("models:/a/b/c", "SQLML_OPTION_INVALID"),
        ('models:/it\'s "both"', "SQLML_MODEL_NOT_FOUND"),
    ):
        with pytest.raises(SqlmlError) as caught:
            _registry(home).resolve(uri, AllowedPaths(()))
        assert caught.value.condition == condition, caught.value
    assert _registry(home).resolve("models:/m/1", AllowedPaths(())).version.version == 1  # type: ignore[union-attr]
    assert _registry(home).resolve("models:/m", AllowedPaths(())).version.version == 2  # type: ignore[union-attr]


def test_a_run_belongs_to_the_names_that_its_models_have_now(tmp_path: Path) -> None:
    """Who may have it is asked under these names, whatever the model was called when it was trained."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    version = sqlml.register_model("was", model(), registry=uri)
    registry, client = Registry(uri, (tmp_path / "mlartifacts").as_uri()), MlflowClient(uri, uri)
    registry.rename("was", "is_now")
    found = registry.resolve(f"runs:/{version.run_id}/model", AllowedPaths(()))
    assert found.models == {"was", "is_now"}
    # One that MLflow's own API has registered: the run knows nothing of it.
    experiment = client.get_experiment_by_name("sqlml")
    assert experiment is not None
    run = client.create_run(experiment.experiment_id)
    client.create_registered_model("Others")
    client.create_model_version("Others", f"{run.info.artifact_uri}/model", run.info.run_id, await_creation_for=0)
    assert registry.resolve(f"runs:/{run.info.run_id}/model", AllowedPaths(())).models == {"Others"}


@pytest.mark.parametrize(
    ("flavor", "lines"),
    [
        ("sklearn", "model = mlflow.sklearn.load_model('runs:/"),
        ("xgboost", "onnxmltools.convert_xgboost(model"),
        ("lightgbm", "onnxmltools.convert_lightgbm(model"),
        ("catboost", "model.save_model('model.onnx', format='onnx')"),
        ("pytorch", "onnx = model.eval(); sqlml.register_model('name', onnx, features=[…])"),
        ("keras", "tf2onnx.convert.from_keras(model"),
        ("python_function", "If its library can write ONNX"),
        ("own", "If its library can write ONNX"),
    ],
)
def test_another_flavour_is_a_program(home: Path, tmp_path: Path, flavor: str, lines: str) -> None:
    canary = tmp_path / "canary"
    pickled = b"cposix\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR."
    text = f"flavors: {{python_function: {{loader_module: os, data: model.pkl}}, {flavor}: {{data: model.pkl}}}}"
    error = _refusal(home, text, **{"model.pkl": pickled})
    assert error.condition == "SQLML_MODEL_REFUSED"
    assert f"is a model of the flavour {flavor}, and loading it would run code" in error.message
    assert lines in error.hint and not canary.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("flavors: {onnx: {data: ../../secret}}", "which is not a file beside it"),
        ("flavors: {onnx: {data: /etc/passwd}}", "which is not a file beside it"),
        ("flavors: {onnx: {data: [a]}}", "which is not a file beside it"),
        ("metadata: {sqlml.graph: ../x}\nflavors: {onnx: {data: a}}", "which is not a file beside it"),
        ("flavors: {onnx: !!python/object/apply:os.system ['true']}", "does not name the ONNX file"),
        ("base: &base {flavors: {onnx: {}}}\n<<: *base", "does not name a flavour"),
        ("a: &a [x]\nb: &b [*a, *a]\nflavors: {onnx: {data: *b}}", "the graph a list, which is not a file beside it"),
        ("flavors: [", "cannot be read: ParserError"),
        ("[" * 2_000, "cannot be read: "),
        ("flavors: 7", "does not name a flavour"),
        ("7", "MLmodel is not a mapping"),
        ("x" * 2**21, "the limit is 262144"),
        ("a: &a [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else '*a'] * 9)}]\n" for i in range(9)),
         "does not name a flavour"),
    ],
    ids=lambda value: value[:24],
)  # fmt: skip
def test_a_strange_mlmodel(home: Path, text: str, reason: str) -> None:
    assert reason in _refusal(home, text).message


def test_the_columns_that_mlflow_knows(home: Path) -> None:
    from sqlml.importing import mlmodel

    def columns(inputs: Any) -> list[tuple[str, str | None]]:
        content = json.dumps({"flavors": {"onnx": {}}, "signature": {"inputs": inputs}}).encode()
        found = mlmodel.read(lambda name, most: content, 100, "uri", "name")
        return [(column.name, column.type) for column in found.columns]

    known = json.dumps([{"name": "age", "type": "long"}, {"name": "plan", "type": "string"}])
    assert columns(known) == [("age", "bigint"), ("plan", "string")]
    for odd in (
        None, 7, "[", "7", '[{"type": "tensor"}]', '[{"name": "a", "type": {"b": 1}}]',
        '[{"name": "a", "type": "binary"}]', "[" * 100_000,
    ):  # fmt: skip
        assert columns(odd) == []
