"""Bad input that a golden file cannot hold: a wide table, a registry that is gone; the rest is golden/bad_input.sql."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers.doors.in_process import run_statement
from helpers.doors.settings import launch_settings
from helpers.doors.shell import Shell

from sqlml.errors import SqlmlError
from sqlml.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

_LIMIT = 10.0


def test_two_hundred_columns(spark: SparkSession) -> None:
    columns = ", ".join(f"CAST((id * {7 + i}) % {11 + i} AS DOUBLE) AS c{i}" for i in range(150))
    texts = ", ".join(f"concat('t', (id * {3 + i}) % {2 + i % 5}) AS t{i}" for i in range(50))
    session = spark.newSession()
    session.sql(f"SELECT id, {columns}, {texts} FROM range(80)").createOrReplaceTempView("wide")
    session.sql(
        "TRAIN MODEL wide USING sklearn.decision_tree TARGET label OPTIONS (test_fraction = 0)"
        " AS SELECT * EXCEPT (id), IF(c3 > 4, 'high', 'low') AS label FROM wide"
    ).collect()
    row = session.sql("SELECT count_if(PREDICT(wide, *) = IF(c3 > 4, 'high', 'low')), count(*) FROM wide").first()
    assert row == (80, 80)
    names = ", ".join([f"t{i}" for i in range(50)] + [f"c{i}" for i in range(150)])
    assert session.sql(f"SELECT count(PREDICT(wide, {names})) FROM wide").first() == (80,)
    missing = run_statement(session, "SELECT PREDICT(wide, * EXCEPT (c7)) FROM wide")
    assert missing.failure is not None
    assert missing.failure.condition == "SQLML_COLUMN_NOT_FOUND"
    session.sql("DROP MODEL wide").collect()


@pytest.fixture
def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def silent_port() -> Iterator[str]:
    """An address that takes a connection and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("address", ["closed_port", "silent_port"])
def test_an_unreachable_registry_is_an_error_in_time(address: str, request: pytest.FixtureRequest) -> None:
    # What MLflow's import costs is no waiting for the registry.
    import mlflow  # noqa: F401

    uri = request.getfixturevalue(address)
    registry = Registry(uri)
    for ask in (registry.models, lambda: registry.load("churn"), lambda: registry.exists("churn")):
        started = time.monotonic()
        with pytest.raises(SqlmlError) as caught:
            ask()
        assert time.monotonic() - started < _LIMIT
        assert caught.value.condition == "SQLML_REGISTRY_UNAVAILABLE"
        assert uri in caught.value.message


@pytest.mark.doors
def test_an_unreachable_registry_through_the_shell(tmp_path: Path, silent_port: str) -> None:
    """The worst of both: a Python that has to start first, and a registry that never answers."""
    settings = {**launch_settings(tmp_path, tmp_path), "spark.sqlml.registry.uri": silent_port}
    shell = Shell(settings, tmp_path)
    try:
        # The first of our statements starts Python.
        shell.run(["DESCRIBE MODEL"])
        for statement in (
            "SHOW MODELS",
            "SELECT PREDICT(churn, 1)",
            "DROP MODEL churn",
            "TRAIN MODEL churn TARGET y AS SELECT id AS x, id * 2.0D AS y FROM range(20)",
        ):
            started = time.monotonic()
            result = shell.run([statement])[0]
            took = time.monotonic() - started
            assert result.failure is not None
            assert result.failure.condition == "SQLML_REGISTRY_UNAVAILABLE", result
            assert took < _LIMIT + 5 * (statement == "SHOW MODELS"), f"{statement}: {took:.1f} s"
    finally:
        shell.close()
