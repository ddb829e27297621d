"""Executors and workers that die, stand still, leave or have no disk, while they score and train: nothing is lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator

import pytest
from helpers.cluster.drivers import Driver, rows
from helpers.cluster.exact import ENGINES, ROWS, expected, score, train
from helpers.cluster.lacking import services_lack
from helpers.cluster.opening import Cluster, cluster
from helpers.cluster.spark_daemons import Worker
from helpers.doors.result import Result

pytestmark = [
    pytest.mark.doors,
    pytest.mark.nightly,
    pytest.mark.skipif(bool(services_lack()), reason=services_lack()),
]

_ESTIMATORS = ("decision_tree", "mllib.decision_tree")
_VICTIMS = ("executor", "worker")
_MEGABYTES = 400
_SPECULATION = {
    "spark.speculation": "true",
    "spark.speculation.interval": "200ms",
    "spark.speculation.quantile": "0.5",
}
# Spark tries a task four times, and on the same executor without it.
_EXCLUSION = {"spark.excludeOnFailure.enabled": "true"}
_DECOMMISSIONING = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.minExecutors": "1",
    "spark.dynamicAllocation.executorIdleTimeout": "5s",
    "spark.decommission.enabled": "true",
    "spark.storage.decommission.enabled": "true",
    "spark.storage.decommission.shuffleBlocks.enabled": "true",
    "spark.storage.decommission.rddBlocks.enabled": "true",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("losses"), cores=1, megabytes=_MEGABYTES) as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(whole: Cluster) -> None:
    driver = whole.driver()
    driver.rows(train("exact"))
    driver.close()


@pytest.fixture
def driver(whole: Cluster, trained: None, request: pytest.FixtureRequest) -> Iterator[Driver]:
    """An application that has an executor on either worker, which have no room for another application."""
    opened = whole.driver(getattr(request, "param", None))
    yield opened
    opened.close()


def _answers(driver: Driver, worker: Worker, meanwhile: Callable[[], None], *statements: str) -> list[Result]:
    """Sends statements, does something as soon as a task of theirs runs on a worker, and waits for the answers."""
    worker.wait_for_executor()
    before = worker.begun()
    driver.send(*statements)
    try:
        deadline = time.monotonic() + 120.0
        while worker.begun() == before:
            assert time.monotonic() < deadline, "no task runs there"
            time.sleep(0.05)
        assert not driver.has_answered()
        meanwhile()
    finally:
        answers = driver.answers()
    return answers


def _kill(worker: Worker, victim: str) -> None:
    if victim == "executor":
        worker.send_executors_signal()
    else:
        worker.send_signal()
        worker.wait_until_ended()


def _heal(worker: Worker, victim: str) -> None:
    if victim == "worker":
        worker.start()
        worker.wait_until_registered()


@pytest.mark.parametrize("victim", _VICTIMS)
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_while_scoring(whole: Cluster, driver: Driver, engine: str, victim: str) -> None:
    worker, statements = whole.workers[1], (f"SET spark.sqlml.engine = {engine}", score("exact", seconds=6.0))
    answers = _answers(driver, worker, lambda: _kill(worker, victim), *statements)
    _heal(worker, victim)
    assert rows(answers) == expected()


@pytest.mark.parametrize("victim", _VICTIMS)
@pytest.mark.parametrize("estimator", _ESTIMATORS)
def test_killed_while_training(whole: Cluster, driver: Driver, estimator: str, victim: str) -> None:
    worker, name = whole.workers[1], f"{estimator.replace('.', '_')}_{victim}"
    answers = _answers(driver, worker, lambda: _kill(worker, victim), train(name, estimator, seconds=5.0))
    _heal(worker, victim)
    assert rows(answers)[0][:2] == (name, "1")
    assert len(driver.rows(f"SHOW MODEL VERSIONS {name}")) == 1
    assert driver.rows(score(name)) == expected()


@pytest.mark.parametrize("victim", _VICTIMS)
def test_killed_while_writing(whole: Cluster, driver: Driver, victim: str) -> None:
    """A table of predictions has each row once."""
    worker, table = whole.workers[1], f"written_{victim}"
    answers = _answers(driver, worker, lambda: _kill(worker, victim), _write(table, seconds=6.0))
    _heal(worker, victim)
    rows(answers)
    assert driver.rows(_sums(table)) == expected()


def _write(table: str, seconds: float) -> str:
    wait = f"java_method('java.lang.Thread', 'sleep', {round(seconds * 10)}L)"
    slowly = f"WHERE IF(id % 10000 = 0, {wait}, 'null') = 'null'"
    query = f"SELECT id, id % 8 AS a, id % 5 AS b FROM range(0, {ROWS}, 1, 8) {slowly}"
    return f"ENRICH TABLE ({query}) WITH MODEL exact CREATE TABLE {table} USING parquet"


def _sums(table: str) -> str:
    """What is `expected()` of a table that has each row once."""
    twice = "count(*) - count(DISTINCT id)"
    wrong = f"count_if(predicted_y <> 3 * a + b) + {twice}"
    return f"SELECT CAST(sum(predicted_y) AS BIGINT), count(DISTINCT id), {wrong} FROM {table}"


@pytest.mark.parametrize("driver", [_SPECULATION], indirect=True, ids=["speculation"])
def test_speculation(whole: Cluster, driver: Driver) -> None:
    """An executor stands still: its task runs again elsewhere, and counts once."""
    worker = whole.workers[1]
    statements = [(f"SET spark.sqlml.engine = {engine}", score("exact", seconds=6.0)) for engine in ENGINES]
    for said in (*statements, (_write("speculated", seconds=6.0),)):
        driver.rows(score("exact", 1000))
        # It stands until the answer is there.
        answers = _answers(driver, worker, lambda: worker.send_executors_signal(signal.SIGSTOP), *said)
        worker.send_executors_signal(signal.SIGCONT)
        if said in statements:
            assert rows(answers) == expected()
        else:
            rows(answers)
            assert driver.rows(_sums("speculated")) == expected()


@pytest.mark.parametrize("driver", [_DECOMMISSIONING], indirect=True, ids=["decommissioning"])
@pytest.mark.parametrize("engine", ENGINES)
def test_decommissioning(whole: Cluster, driver: Driver, engine: str) -> None:
    """A worker leaves in the middle: its executor ends its tasks or hands them on, and is replaced on demand."""
    worker, setting = whole.workers[1], f"SET spark.sqlml.engine = {engine}"
    query = score("exact", seconds=12.0, partitions=16)
    answers = _answers(driver, worker, lambda: worker.send_signal(signal.SIGPWR), setting, query)
    assert "Decommission worker" in (worker.host.disk / "daemon.log").read_text(encoding="utf-8")
    _kill(worker, "worker")
    _heal(worker, "worker")
    assert rows(answers) == expected()
    # Idle executors leave, and come back for the next query.
    deadline = time.monotonic() + 60.0
    while sum(len(one.executors()) for one in whole.workers) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert driver.rows(setting, score("exact")) == expected()


@pytest.mark.parametrize("driver", [_EXCLUSION], indirect=True, ids=["exclusion"])
def test_a_full_disk(whole: Cluster, driver: Driver) -> None:
    """An executor has no room for a byte, not even for what Spark sends it: its tasks go to another."""
    worker = whole.workers[1]
    worker.wait_for_executor()
    with pytest.raises(RuntimeError, match="No space left on device"):
        worker.host.run(["dd", "if=/dev/zero", "of=/host/filler", "bs=64k"])
    try:
        for engine in ENGINES:
            assert driver.rows(f"SET spark.sqlml.engine = {engine}", score("exact")) == expected()
        driver.rows(_write("full", seconds=1.0))
        for estimator in _ESTIMATORS:
            assert driver.rows(train("full", estimator))[0][0] == "full"
    finally:
        worker.host.run(["rm", "/host/filler"])
    assert driver.rows(_sums("full")) == expected()
    for version in (1, 2):
        assert driver.rows(score(f"'full/{version}'")) == expected()
    assert len(driver.rows("SHOW MODEL VERSIONS full")) == 2
