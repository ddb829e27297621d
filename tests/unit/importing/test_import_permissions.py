"""IMPORT MODEL asks for permission before it looks anything up, and makes no copy of what one may not score with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.foreign_graphs import graph, node

import sqlml
from sqlml.errors import SqlmlError
from sqlml.formats.onnx_file import content
from sqlml.importing import imported, requested
from sqlml.importing.statement_source import check_copies, read_source
from sqlml.policy.rules import Rules
from sqlml.registry import Registry
from sqlml.registry.location import locate
from sqlml.system.allowed_paths import AllowedPaths

# A guest may import, export and predict with what is called mine.…, and nothing else.
_RULES = Rules.parse("""
[[rule]]
allow = ["import", "export", "predict", "read"]
models = ["mine.*", "onnx"]
""")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A registry with `secret` and `mine.line`, and the versions."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('registry') / 'registry.db'}"
    found = SimpleNamespace(registry=Registry(*locate(uri, "")))
    for name, slope in (("secret", 2.0), ("mine.line", 3.0)):
        model = graph(
            [("x", "float", ["n", 1])], [("y", "float", ["n", 1])], [node("Mul", "x a", "y")],
            {"a": np.array([[slope]], np.float32)},
        )  # fmt: skip
        setattr(found, name.partition(".")[0], sqlml.register_model(name, model, target="y", registry=uri))
    return found


def _guest(registry: Registry, user: str = "guest") -> Any:
    """What IMPORT asks of a session, with the rules' own answers and the real registry."""

    def may(action: str, model: str) -> bool:
        return user == "admin" or _RULES.allows(user, action, model.lower())

    return SimpleNamespace(
        registry=registry,
        files=SimpleNamespace(allowed=AllowedPaths(())),
        caller=SimpleNamespace(user=user, may=may),
    )


def _refusal(store: Any, uri: str) -> SqlmlError:
    with pytest.raises(SqlmlError) as caught:
        read_source(_guest(store.registry), uri, 2**20, "mine.copy")
    return caught.value


def test_a_guest_learns_nothing_of_models_that_they_may_not_export(store: Any) -> None:
    for name in ("secret", "nosuch"):
        for end in ("/1", "/7", "@nope", "", "/Production"):
            error = _refusal(store, f"models:/{name}{end}")
            assert error.condition == "SQLML_PERMISSION_DENIED"
            assert error.message == f"User guest may not export model {name}."
    assert _refusal(store, "models:/mine.line/7").condition == "SQLML_MODEL_NOT_FOUND"
    assert read_source(_guest(store.registry), "models:/mine.line/1", 2**20, "mine.copy").content == content(store.mine)


def test_the_id_of_a_run_says_nothing_of_its_model(store: Any) -> None:
    known, unknown = store.secret.run_id, "0" * 32
    texts = [
        str(_refusal(store, f"runs:/{run}/model")).replace(run, "RUN") for run in (known, unknown)
    ]  # fmt: skip
    assert texts[0] == texts[1] and "secret" not in texts[0] and "[SQLML_MODEL_NOT_FOUND]" in texts[0]
    assert str(_refusal(store, f"models:/m-{unknown}")).startswith("[SQLML_MODEL_NOT_FOUND] The registry does not have")
    with pytest.raises(SqlmlError, match="is not the URI of a model"):
        read_source(_guest(store.registry), "models:/", 2**20, "mine.copy")


def test_bytes_that_are_a_registered_models_take_the_right_to_predict_with_it(store: Any) -> None:
    file = content(store.secret)
    for model, words in ((file, {}), (store.secret.onnx(), {"target": "y"}), (file, {"target": "other"})):
        found = imported(model, requested(**words))
        with pytest.raises(SqlmlError) as caught:
            check_copies(store.registry, _guest(store.registry).caller, found)
        assert caught.value.condition == "SQLML_PERMISSION_DENIED" and "secret" not in caught.value.message
        assert "a registered model that they may not predict with" in caught.value.message
        check_copies(store.registry, _guest(store.registry, "admin").caller, found)
    check_copies(store.registry, _guest(store.registry).caller, imported(content(store.mine), requested()))


def test_long_and_empty_names_are_refused(tmp_path: Path) -> None:
    for name, message in (("f" * 10_000, "has 10000 characters, but the limit is 1000"), ("", "")):
        model = graph([(name, "float", ["n", 1])], [("y", "float", ["n", 1])], [node("Relu", name, "y")])
        if not name:
            model.graph.node[0].input[:] = [""]
        with pytest.raises(SqlmlError) as caught:
            imported(model, requested())
        assert message in caught.value.message and len(caught.value.message) < 500
        if name:
            assert caught.value.condition == "SQLML_FEATURE_UNUSABLE"
            assert imported(model, requested(features=["x"])).signature.names == ("x",)
