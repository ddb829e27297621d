"""Many sessions at once, clients that die, and models that change under a query."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from helpers.doors.processes import busy_seconds
from helpers.doors.servers import environment
from helpers.doors.thrift import Thrift, run_statement

if TYPE_CHECKING:
    from helpers.doors.opening import Doors
    from helpers.doors.result import Door
    from pyspark.sql import SparkSession

_SESSIONS = 10
# A training that goes on for minutes, for each engine.
_LONG = {
    "sklearn": "USING sklearn.gradient_boosting TARGET y OPTIONS (n_estimators = 200000)",
    "mllib": "USING mllib.gradient_boosting TARGET y OPTIONS (maxIter = 1000)",
}
_LONG_QUERY = "SELECT id % 97 AS a, id % 89 AS b, (id * 7919) % 1000 / 10.0D AS y FROM range(4000)"


@pytest.mark.doors
def test_ten_sessions_train_and_score_at_once(doors: Doors) -> None:
    """Each has a temporary view of the same name and must learn and score its own."""
    door = Thrift(doors.thrift.port)

    def work(number: int) -> str:
        model = f"session_{number}"
        statements = [
            f"CREATE TEMPORARY VIEW mine AS SELECT id AS x, id * 2.0D + {100 * number} AS y FROM range(40)",
            f"TRAIN MODEL {model} USING sklearn.linear_regression TARGET y AS SELECT * FROM mine",
            f"SELECT round(PREDICT({model}, x => 5)), round(max(abs(PREDICT({model}, *) - y)), 6), count(*) FROM mine",
            f"DROP MODEL {model}",
        ]
        results = door.run(statements)
        assert not any(result.failure for result in results), results
        return "\t".join(results[2].rows[0])

    with ThreadPoolExecutor(_SESSIONS) as pool:
        answers = list(pool.map(work, range(_SESSIONS)))
    assert answers == [f"{100 * number + 10}.0\t0.0\t40" for number in range(_SESSIONS)]


@pytest.mark.doors
def test_sessions_that_train_one_model_get_versions_of_their_own(doors: Doors) -> None:
    door = Thrift(doors.thrift.port)
    query = "SELECT id AS x, id * 2.0D AS y FROM range(40)"
    train = f"TRAIN MODEL shared USING sklearn.linear_regression TARGET y AS {query}"
    with ThreadPoolExecutor(4) as pool:
        results = [results[0] for results in pool.map(door.run, [[train]] * 4)]
    assert [result.raw for result in results if result.failure] == []
    assert sorted(result.rows[0][1] for result in results) == ["1", "2", "3", "4"]
    assert door.run(["DROP MODEL shared"])[0].rows == (("shared", "4", "NULL"),)


_THRIFT_CLIENT = """
import sys
from pyhive import hive
cursor = hive.connect(host="127.0.0.1", port=int(sys.argv[1]), username="tester", auth="NONE").cursor()
cursor.execute(sys.argv[2], async_=True)
while True:
    for line in cursor.fetch_logs():
        print(line, flush=True)
    cursor.poll()
"""

# No progress reaches a Connect client before its result.
_CONNECT_CLIENT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{sys.argv[1]}").getOrCreate()
spark.sql("SELECT 1").collect()
print("fitting, for all this client knows", flush=True)
spark.sql(sys.argv[2]).collect()
"""


@pytest.mark.doors
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("engine", "door"),
    [
        pytest.param("sklearn", "pyhive", marks=pytest.mark.nightly),
        ("mllib", "pyhive"),
        ("sklearn", "connect"),
        pytest.param("mllib", "connect", marks=pytest.mark.nightly),
    ],
)
def test_a_killed_client_ends_its_training(doors: Doors, engine: str, door: str) -> None:
    """Nothing is registered, and within 10 s the server and all it started are idle."""
    server = doors.thrift if door == "pyhive" else doors.connect
    statement = f"TRAIN MODEL killed_{engine} {_LONG[engine]} AS {_LONG_QUERY}"
    client = subprocess.Popen(
        [sys.executable, "-c", _THRIFT_CLIENT if door == "pyhive" else _CONNECT_CLIENT, str(server.port), statement],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert client.stdout is not None
        said = next((line for line in client.stdout if "fitting" in line), None)
        assert said is not None, "no progress arrived at the client"
        _wait_until_it_trains(doors.open(door), f"killed_{engine}")
        assert client.poll() is None
        assert busy_seconds(server.process.pid, during=2) > 0.5, "the training does not run"
    finally:
        os.kill(client.pid, signal.SIGKILL)
        client.wait()
        if client.stdout is not None:
            client.stdout.close()
    time.sleep(10)
    assert busy_seconds(server.process.pid, during=2) < 0.5, "the training still runs"
    shown = doors.open(door).run([f"SHOW MODELS LIKE 'killed_{engine}'"])[0]
    assert shown.failure is None
    assert shown.rows == ()


def _wait_until_it_trains(door: Door, model: str) -> None:
    """A server may have to start its Python first, and reads the rows before it fits."""
    asked = f"SELECT count(*) FROM sqlml.training_runs WHERE model = '{model}' AND status = 'RUNNING'"
    deadline = time.monotonic() + 90
    while (result := door.run([asked])[0]).rows != (("1",),):
        assert result.failure is None and time.monotonic() < deadline, result
        time.sleep(0.5)
    time.sleep(5)


_SLOW_READER = """
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{sys.argv[1]}").getOrCreate()
rows = spark.sql("SELECT id, repeat('x', 100) AS x FROM range(1000000)").toLocalIterator()
next(rows)
time.sleep(12)
print(1 + sum(1 for _ in rows))
"""


@pytest.mark.doors
def test_a_connect_client_may_read_slowly(doors: Doors) -> None:
    """What ends the trainings of dead clients must not end the results of living ones."""
    command = [sys.executable, "-c", _SLOW_READER, str(doors.connect.port)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout.split() == ["1000000"], done.stderr[-3000:]


@pytest.mark.doors
def test_a_cancelled_training_registers_nothing(doors: Doors) -> None:
    cursor = Thrift(doors.thrift.port).connect().cursor()
    cursor.execute(f"TRAIN MODEL cancelled {_LONG['sklearn']} AS {_LONG_QUERY}", async_=True)
    deadline = time.monotonic() + 60
    while not any("fitting" in line for line in cursor.fetch_logs()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    started = time.monotonic()
    cursor.cancel()
    shown = run_statement(cursor, "SHOW MODELS LIKE 'cancelled'")
    assert time.monotonic() - started < 10
    assert shown.rows == ()


def test_a_query_never_mixes_versions(spark: SparkSession) -> None:
    """Model `mix` predicts its own version's number. Whatever is trained meanwhile, a query sees one number."""
    train = "TRAIN MODEL mix USING sklearn.linear_regression TARGET y AS SELECT id AS x, {}.0D AS y FROM range(12)"
    for number in (1, 2):
        spark.sql(train.format(number)).collect()
    scored = "SELECT round(PREDICT(mix, x => id)) AS v FROM range(4)"
    other = "SELECT (SELECT max(round(PREDICT(mix, x))) FROM VALUES (1), (2) AS t(x)) AS v"
    query = f"SELECT collect_set(v) AS versions FROM ({' UNION ALL '.join([scored, other] * 3)})"

    def keep_training() -> None:
        session = spark.newSession()
        for number in range(3, 8):
            session.sql(train.format(number)).collect()

    seen = []
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(keep_training)
        while not training.done():
            seen += [row.versions for row in spark.sql(query).collect()]
        training.result()
    seen += [row.versions for row in spark.sql(query).collect()]
    spark.sql("DROP MODEL mix").collect()
    assert all(len(versions) == 1 for versions in seen), seen
    assert seen[-1] == [7.0]


def test_a_frame_keeps_its_version(spark: SparkSession) -> None:
    """A query that was analysed before a TRAIN, or a DROP, goes on with what it was analysed with."""
    train = "TRAIN MODEL kept USING sklearn.linear_regression TARGET y AS SELECT id AS x, {}.0D AS y FROM range(12)"
    spark.sql(train.format(1)).collect()
    frame = spark.sql("SELECT round(PREDICT(kept, 1)) AS v")
    spark.sql(train.format(2)).collect()
    assert [row.v for row in frame.collect()] == [1.0]
    assert [row.v for row in frame.select("v").union(frame).collect()] == [1.0, 1.0]
    assert [row.v for row in spark.sql("SELECT round(PREDICT(kept, 1)) AS v").collect()] == [2.0]
    spark.sql("DROP MODEL kept").collect()
    assert [row.v for row in frame.collect()] == [1.0]
