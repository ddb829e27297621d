"""The promise to whoever updates sqlml: what an earlier release has registered loads, describes itself and scores as it
did. tests/fixtures/registry has a registry as each release wrote it, made by the script there."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings
from helpers.folders import FIXTURES

from sqlml.registry import Registry
from sqlml.statements import parse

_REGISTRIES = sorted(path.parent for path in (FIXTURES / "registry").glob("*/registry.sql"))


@pytest.fixture(params=_REGISTRIES, ids=lambda path: path.name)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """The URI of a copy, and what each of its models said when it was made."""
    made: Path = request.param
    shutil.copytree(made / "artifacts", tmp_path / "artifacts")
    store = sqlite3.connect(tmp_path / "registry.db")
    store.executescript((made / "registry.sql").read_text(encoding="utf-8").replace("{folder}", str(tmp_path)))
    store.close()
    return f"sqlite:///{tmp_path / 'registry.db'}", json.loads((made / "expected.json").read_text(encoding="utf-8"))


def test_there_are_registries() -> None:
    assert [path.name for path in _REGISTRIES][:1] == ["0.1.0"]
    assert sum(path.stat().st_size for path in _REGISTRIES[0].rglob("*")) < 1_000_000


def test_versions_load_and_tell_what_they_told(registry: tuple[str, dict[str, Any]]) -> None:
    uri, expected = registry
    session: Any = SimpleNamespace(registry=Registry(uri))
    for name, told in expected.items():
        assert session.registry.load(name).onnx()
        describe, create = parse(f"DESCRIBE MODEL EXTENDED {name}"), parse(f"SHOW CREATE MODEL {name}")
        assert describe is not None and create is not None
        said = [[one, None if one in ("aliases", "team") else value] for one, value, _ in describe.run(session)]
        # Later releases may say more, and say it in other words.
        assert [row[:2] for row in told["describe"] if row[1] is not None and list(row[:2]) not in said] == []
        ((text,),) = create.run(session)
        assert text.startswith(("TRAIN MODEL fixture.", "-- Version 1 of model fixture.graph"))
        change = parse(f"ALTER MODEL {name} VERSION 1 SET TAGS ('read' = 'by a later release')")
        assert change is not None and change.run(session)
        assert session.registry.load(name).tags["read"] == "by a later release"


@pytest.mark.slow
def test_versions_score_as_they_did(registry: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    uri, expected = registry
    door = ClientProcess("pyspark", {**session_settings(tmp_path, tmp_path), "spark.sqlml.registry.uri": uri}, tmp_path)
    try:
        results = door.run([told["query"] for told in expected.values()])
    finally:
        door.close()
    for result, told in zip(results, expected.values(), strict=True):
        assert result.failure is None, result.raw
        assert len(result.rows) == len(told["rows"])
        for said, row in zip(result.rows, told["rows"], strict=True):
            assert all(map(_same, said, row)), (said, row)


def _same(said: str, told: Any) -> bool:
    if told is None or said == "NULL":
        return told is None and said == "NULL"
    return float(said) == pytest.approx(told, rel=1e-9) if isinstance(told, float) else said == str(told)
