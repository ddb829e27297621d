"""What a query says of a version that the registry could not confirm: the field `last_known_at` of its provenance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers.cut_connection import CutConnection
from helpers.doors.connect import ClientProcess
from helpers.doors.mlflow_server import mlflow_server
from helpers.doors.settings import session_settings

pytestmark = pytest.mark.slow

_TRAIN = "TRAIN MODEL stale USING linear_regression TARGET y AS SELECT id AS x, {0}.0D * id AS y FROM range(40)"
_FIELDS = "p.version AS version, p.last_known_at AS last_known_at"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("stale")) as uri:
        yield uri


def test_the_provenance_has_the_moment_of_the_last_answer(server: str, tmp_path: Path) -> None:
    connection = CutConnection(server)
    settings = session_settings(tmp_path / "driver", tmp_path) | {
        "spark.sqlml.registry.uri": connection.uri,
        "spark.sqlml.registry.staleness": "10m",
    }
    driver = ClientProcess("pyspark", settings, tmp_path / "driver")

    def rows(text: str) -> tuple[tuple[str, ...], ...]:
        (found,) = driver.run([text])
        assert found.failure is None, found.failure
        return found.rows

    try:
        rows(_TRAIN.format(2))
        rows(_TRAIN.format(3))
        rows("ALTER MODEL stale SET ALIAS champion = VERSION 1")
        began = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        # A registry that answers: the field is NULL.
        for reference, version in (("stale", "2"), ("stale@champion", "1")):
            columns = f"PREDICT('{reference}', 7L) AS y, PREDICT_PROVENANCE('{reference}') AS p"
            assert rows(f"SELECT {_FIELDS} FROM (SELECT {columns})") == ((version, "NULL"),)
        ended = datetime.now(UTC).replace(tzinfo=None)
        connection.cut()
        for reference, version, predicted in (("stale", "2", "21.0"), ("stale@champion", "1", "14.0")):
            score = f"round(PREDICT('{reference}', 7L), 6) AS y"
            provenance = f"PREDICT_PROVENANCE('{reference}') AS p"
            # PREDICT pins the version for the whole query, whichever call comes first.
            for columns in (f"{score}, {provenance}", f"{provenance}, {score}"):
                ((y, number, moment),) = rows(f"SELECT y, {_FIELDS} FROM (SELECT {columns})")
                assert (y, number) == (predicted, version)
                assert began <= datetime.fromisoformat(moment) <= ended, (began, moment, ended)
        # What no look-up has found is not made up.
        (refused,) = driver.run(["SELECT PREDICT_PROVENANCE('stale@unknown')"])
        assert refused.failure is not None and "SQLML_REGISTRY_UNAVAILABLE" in str(refused.failure)
        connection.restore()
        # The registry is asked again at the latest five seconds after it was found to be away.
        query = f"SELECT {_FIELDS} FROM (SELECT PREDICT_PROVENANCE('stale@champion') AS p)"
        while (found := rows(query)) != (("1", "NULL"),):
            assert found[0][0] == "1"
    finally:
        driver.close()
        connection.cut()
