"""The network to the registry is cut and restored in every step of a statement, PostgreSQL is restarted, packets are
late: no model is lost that was fitted, none is half there, and every error says what it is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest
from helpers.cluster.drivers import Driver, failure, rows
from helpers.cluster.exact import ENGINES, expected, score, train
from helpers.cluster.lacking import services_lack
from helpers.cluster.opening import Cluster, cluster
from helpers.doors.result import Result

pytestmark = [
    pytest.mark.doors,
    pytest.mark.nightly,
    pytest.mark.skipif(bool(services_lack()), reason=services_lack()),
]

_ROWS = 1000
# Longer than a request waits for its answer, and than it is tried again.
_AWAY = 8.0
_UNAVAILABLE = "SQLML_REGISTRY_UNAVAILABLE"
_AWAY_SAYS = "the model registry does not answer"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("outages")) as opened:
        yield opened


@pytest.fixture(scope="module")
def driver(whole: Cluster) -> Iterator[Driver]:
    opened = whole.driver()
    opened.rows(train("exact"))
    yield opened
    opened.close()


def _cut_in_each_step(whole: Cluster, driver: Driver, *statements: str) -> Iterator[tuple[Result, bool]]:
    """Runs the last of some statements again and again: the first time the network goes before its first request to the
    registry, then after the first was answered, and so on until it needs no more than were answered. The network comes
    back after a while.

    Yields:
        The answer, and whether its fit had begun when the network went; after the restoration.
    """
    registry = whole.registry
    for step in count():
        answered, said = len(registry.requests()), driver.said()
        driver.send(*statements)
        while len(registry.requests()) - answered < step and not driver.has_answered():
            time.sleep(0.002)
        if driver.has_answered():
            yield driver.answers()[-1], True
            return
        whole.hosts.cut(registry.host)
        fitting = driver.has_said("reading 2 features", said)
        deadline = time.monotonic() + _AWAY
        while time.monotonic() < deadline and not driver.has_answered() and not driver.has_said(_AWAY_SAYS, said):
            time.sleep(0.05)
        whole.hosts.heal(registry.host)
        yield driver.answers()[-1], fitting


def _succeeds(result: Result) -> bool:
    """Whether a statement succeeded; a failure must be that the registry is unavailable."""
    assert result.failure is None or result.failure.condition == _UNAVAILABLE, result.raw
    return result.failure is None


def _versions(driver: Driver, name: str) -> list[str]:
    return [row[1] for row in driver.rows(f"SHOW MODEL VERSIONS {name}")]


def _all_score(driver: Driver, name: str) -> int:
    """Scores with every version by its number, and returns how many there are."""
    versions = _versions(driver, name)
    for version in versions:
        assert driver.rows(score(f"'{name}/{version}'", _ROWS)) == expected(_ROWS)
    return len(versions)


@pytest.mark.parametrize("verb", ["TRAIN", "RETRAIN"])
def test_cut_in_each_step_of_a_training(whole: Cluster, driver: Driver, verb: str) -> None:
    name = f"cut_{verb.lower()}"
    statement, made, cuts = train(name), 0, 0
    if verb == "RETRAIN":
        driver.rows(statement)
        statement, made = f"RETRAIN MODEL {name}", 1
    for result, fitting in _cut_in_each_step(whole, driver, statement):
        # What has begun to learn ends with a version.
        succeeds = _succeeds(result)
        assert succeeds or not fitting, result.raw
        made += succeeds
        cuts += 1
    assert cuts > 10
    assert _all_score(driver, name) == made
    # Also those of what failed have ended.
    deadline = time.monotonic() + 150.0
    while (states := whole.registry.states_of_runs(name)).count("RUNNING"):
        assert time.monotonic() < deadline, states
        driver.run("SHOW MODELS")
        time.sleep(2.0)
    assert states.count("FINISHED") == made


def test_cut_in_each_step_of_an_alter(whole: Cluster, driver: Driver) -> None:
    for version in "1", "2":
        assert driver.rows(train("altered"))[0][1] == version
    statements = [f"ALTER MODEL altered SET ALIAS best = VERSION {version}" for version in (1, 2)]
    driver.rows(statements[0])
    for step, (result, _) in enumerate(_cut_in_each_step(whole, driver, statements[1])):
        # The alias is at one of both versions, and after a success at the new one.
        succeeds = _succeeds(result)
        assert driver.rows(score("'altered@best'", _ROWS)) == expected(_ROWS), step
        (at,) = (row[1] for row in driver.rows("SHOW MODEL VERSIONS altered") if row[2] == "best")
        assert at == "2" or (at == "1" and not succeeds), step
        driver.rows(statements[0])
    assert succeeds
    assert _all_score(driver, "altered") == 2


def test_cut_in_each_step_of_a_query(whole: Cluster, driver: Driver) -> None:
    with closing(whole.driver({"spark.sqlml.registry.staleness": "10m"})) as patient:
        patient.rows(score("exact", _ROWS))
        driver.rows(score("'exact/1'", _ROWS))
        for engine in ENGINES:
            setting = f"SET spark.sqlml.engine = {engine}"
            for result, _ in _cut_in_each_step(whole, driver, setting, score("exact", _ROWS)):
                assert not _succeeds(result) or result.rows == expected(_ROWS)
            assert result.rows == expected(_ROWS)
            # What the driver knows needs no registry: a version by its number, and within the set time a name.
            for one, model in ((driver, "'exact/1'"), (patient, "exact")):
                for result, _ in _cut_in_each_step(whole, one, setting, score(model, _ROWS)):
                    assert result.failure is None, result.raw
                    assert result.rows == expected(_ROWS)


def test_cut_in_each_step_of_an_enrichment(whole: Cluster, driver: Driver) -> None:
    query = f"SELECT id, id % 8 AS a, id % 5 AS b FROM range({_ROWS})"
    statement = f"ENRICH TABLE ({query}) WITH MODEL exact CREATE OR REPLACE TABLE enriched USING parquet"
    sums = "SELECT CAST(sum(predicted_y) AS BIGINT), count(*), count_if(predicted_y <> 3 * a + b) FROM enriched"
    driver.rows(statement)
    for result, _ in _cut_in_each_step(whole, driver, statement):
        _succeeds(result)
        assert driver.rows(sums) == expected(_ROWS)
    assert result.failure is None


def test_postgres_restarts(whole: Cluster, driver: Driver) -> None:
    registry = whole.registry
    driver.rows(score("'exact/1'", _ROWS))
    said = driver.said()
    driver.send(train("restarted", seconds=2.0))
    driver.wait_for_line("reading 2 features", said)
    registry.stop_postgres()
    driver.wait_for_line(_AWAY_SAYS, said)
    registry.start_postgres()
    assert rows(driver.answers())[0][1] == "1"
    # And between queries: a number is known, a name is an error that says so, or right again.
    registry.stop_postgres()
    assert driver.rows(score("'exact/1'", _ROWS)) == expected(_ROWS)
    assert failure(driver.run(score("restarted", _ROWS))).condition == _UNAVAILABLE
    assert failure(driver.run(train("restarted"))).condition == _UNAVAILABLE
    registry.start_postgres()
    for _ in range(8):
        assert driver.rows(score("restarted", _ROWS)) == expected(_ROWS)
    assert _versions(driver, "restarted") == ["1"]


def test_what_waits_in_vain_is_imported_later(whole: Cluster) -> None:
    """The network stays away for longer than the driver is patient."""
    with closing(whole.driver({"spark.sqlml.registry.patience": "5s"})) as driver:
        driver.rows(train("earlier"))
        said = driver.said()
        driver.send(train("kept", seconds=2.0))
        driver.wait_for_line("reading 2 features", said)
        whole.hosts.cut(whole.registry.host)
        answer = driver.answers()[-1]
        assert answer.failure is not None and answer.failure.condition == _UNAVAILABLE, answer
        whole.hosts.heal(whole.registry.host)
        command = re.search(r"IMPORT MODEL kept FROM '[^']+'", answer.raw)
        assert command is not None, answer.raw
        driver.rows(command[0])
        assert driver.rows(score("kept", _ROWS)) == expected(_ROWS)


def test_300_ms_of_delay(whole: Cluster) -> None:
    with closing(whole.driver(uri=whole.registry.slow_uri(0.3))) as driver:
        driver.rows(train("late"))
        for engine in ENGINES:
            assert driver.rows(f"SET spark.sqlml.engine = {engine}", score("late")) == expected()
        driver.rows("ALTER MODEL late SET ALIAS best = VERSION 1")
        driver.rows("RETRAIN MODEL late")
        assert _all_score(driver, "late") == 2
        driver.rows("SHOW MODELS")
