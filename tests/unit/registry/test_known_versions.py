"""The cache of versions for outages: what is remembered, and what may not be."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from sqlml.errors import ModelNotFoundError, SqlmlError
from sqlml.parser.references import ModelReference
from sqlml.registry import known_versions
from sqlml.registry.known_versions import KnownVersions

_BY_NAME, _BY_NUMBER = ModelReference("churn"), ModelReference("churn", version=1)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_versions, "_RETRY_SECONDS", 0.0)


def _records(version: int) -> Any:
    return SimpleNamespace(name="churn"), SimpleNamespace(version=str(version))


def _away() -> Any:
    raise SqlmlError("SQLML_REGISTRY_UNAVAILABLE", "The registry is away.")


def _version(known: KnownVersions, reference: ModelReference) -> str:
    return str(known.find(reference, _away)[1].version)


def test_an_answer_from_before_a_change_is_not_remembered_after_it() -> None:
    known = KnownVersions(staleness=60.0)

    def slow() -> Any:
        with known.changed("churn"):
            # Another thread registers version 2 while this one waits for its answer.
            return _records(1)

    assert known.find(_BY_NAME, slow)[1].version == "1"
    with pytest.raises(SqlmlError, match="away"):
        known.find(_BY_NAME, _away)


def test_a_change_is_forgotten_at_its_end_and_not_at_its_beginning() -> None:
    known = KnownVersions(staleness=60.0)
    with known.changed("churn"):
        known.find(_BY_NAME, lambda: _records(1))
    with pytest.raises(SqlmlError, match="away"):
        known.find(_BY_NAME, _away)


def test_a_mistyped_alias_evicts_itself_alone() -> None:
    known = KnownVersions(staleness=60.0)
    known.find(_BY_NAME, lambda: _records(1))

    def missing() -> Any:
        raise SqlmlError("SQLML_MODEL_NOT_FOUND", "Model churn has no alias champoin.")

    with pytest.raises(SqlmlError, match="champoin"):
        known.find(ModelReference("churn", alias="champoin"), missing)
    assert _version(known, _BY_NAME) == _version(known, _BY_NUMBER) == "1"


def test_a_cancelled_question_evicts_nothing() -> None:
    known = KnownVersions(staleness=60.0)
    known.find(_BY_NAME, lambda: _records(1))

    def cancelled() -> Any:
        raise SqlmlError("SQLML_CANCELLED", "The statement was cancelled.")

    with pytest.raises(SqlmlError, match="cancelled"):
        known.find(_BY_NAME, cancelled)
    assert _version(known, _BY_NAME) == "1"


def test_a_dropped_model_is_evicted_with_all_its_references() -> None:
    known = KnownVersions(staleness=60.0)
    known.find(_BY_NAME, lambda: _records(1))

    def gone() -> Any:
        raise ModelNotFoundError("churn", [])

    with pytest.raises(SqlmlError):
        known.find(_BY_NAME, gone)
    with pytest.raises(SqlmlError, match="away"):
        known.find(_BY_NUMBER, _away)


def test_an_answer_of_the_cache_has_the_moment_of_its_look_up(caplog: pytest.LogCaptureFixture) -> None:
    known = KnownVersions(staleness=60.0)
    before = datetime.now(UTC)
    assert known.find(_BY_NAME, lambda: _records(1)).last_known_at is None
    after = datetime.now(UTC)
    for reference in (_BY_NAME, _BY_NUMBER):
        moment = known.find(reference, _away).last_known_at
        assert moment is not None and before <= moment <= after
    # The registry is not asked for some seconds, and the answer is as old as before.
    assert known.find(_BY_NAME, lambda: _records(2)).last_known_at == moment
    assert f"is version 1 as last known at {moment.isoformat(timespec='seconds')}" in caplog.text
