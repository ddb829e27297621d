"""Two drivers on hosts of their own that use one registry and one name."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from helpers.cluster.drivers import Driver, driver_host, rows
from helpers.cluster.exact import expected, score, train
from helpers.cluster.lacking import services_lack
from helpers.cluster.opening import Cluster, cluster

pytestmark = [
    pytest.mark.doors,
    pytest.mark.nightly,
    pytest.mark.skipif(bool(services_lack()), reason=services_lack()),
]

_ROWS = 1000
_ROUNDS = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("two")) as opened:
        yield opened


@pytest.fixture(scope="module")
def drivers(whole: Cluster) -> tuple[Driver, Driver]:
    """On hosts that call themselves the same, as containers do: neither sees the other's processes."""
    other = driver_host(whole.hosts, "driver-2", hostname=whole.driver_host.name)
    size = {"spark.cores.max": "2"}
    return whole.driver(size), whole.driver(size, host=other)


def test_one_name(drivers: tuple[Driver, Driver]) -> None:
    """Whoever trains at the same time gets a version of their own, and each is whole."""
    made = []
    for _ in range(_ROUNDS):
        for driver in drivers:
            driver.send(train("shared", seconds=2.0))
        made += [rows(driver.answers())[0][1] for driver in drivers]
    assert sorted(made) == [str(number) for number in range(1, 2 * _ROUNDS + 1)]
    for driver in drivers:
        assert {row[1] for row in driver.rows("SHOW MODEL VERSIONS shared")} == set(made)
        for version in made:
            assert driver.rows(score(f"'shared/{version}'", _ROWS)) == expected(_ROWS)


def test_a_live_training_is_left_alone(whole: Cluster, drivers: tuple[Driver, Driver]) -> None:
    first, second = drivers
    said = first.said()
    first.send(train("alive", seconds=12.0))
    first.wait_for_line("reading 2 features", said)
    second.rows("SHOW MODELS")
    second.rows(train("beside"))
    assert whole.registry.states_of_runs("alive") == ["RUNNING"]
    assert rows(first.answers())[0][1] == "1"
    assert whole.registry.states_of_runs("alive") == ["FINISHED"]


def test_aliases_move_while_the_other_scores(drivers: tuple[Driver, Driver]) -> None:
    first, second = drivers
    for _ in range(2):
        first.rows(train("moved"))
    first.rows("ALTER MODEL moved SET ALIAS live = VERSION 1")
    for turn in range(_ROUNDS):
        second.send(*[score("'moved@live'", _ROWS)] * 4)
        first.rows(f"ALTER MODEL moved SET ALIAS live = VERSION {2 - turn % 2}")
        for answer in second.answers():
            assert rows([answer]) == expected(_ROWS)


def test_one_drops_what_the_other_trains(drivers: tuple[Driver, Driver]) -> None:
    first, second = drivers
    first.rows(train("dropped"))
    said = first.said()
    first.send(train("dropped", seconds=4.0))
    first.wait_for_line("reading 2 features", said)
    second.rows("DROP MODEL dropped")
    assert rows(first.answers())[0][1] == "1"
    for driver in drivers:
        assert driver.rows(score("dropped", _ROWS)) == expected(_ROWS)


def test_a_killed_drivers_run_ends(whole: Cluster, drivers: tuple[Driver, Driver]) -> None:
    """The host is gone, so nobody but the lease tells."""
    host = driver_host(whole.hosts, "driver-3", hostname=whole.driver_host.name)
    lost = whole.driver(host=host)
    lost.send(train("orphan", seconds=60.0))
    lost.wait_for_line("reading 2 features")
    host.stop()
    deadline = time.monotonic() + 240.0
    while whole.registry.states_of_runs("orphan") != ["KILLED"]:
        assert time.monotonic() < deadline, whole.registry.states_of_runs("orphan")
        drivers[0].rows("SHOW MODELS")
        time.sleep(2.0)
    assert drivers[0].rows(train("orphan"))[0][1] == "1"
