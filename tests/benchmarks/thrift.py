"""The first PREDICT of a Thrift server that runs already, the second, and the same query without it.

Each round starts a server for each engine. Over one connection: a trivial query, the query without PREDICT twice, then
PREDICT twice. So what Spark itself does for a first query over a file is paid before, and what is left is ours.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cold import ROWS, queries
from benchmarks.measuring import measured
from benchmarks.models import registry_settings
from benchmarks.records import Measurement
from benchmarks.rivals import (
    AUTO_ENGINE,
    AUTO_SECOND,
    ONNX_ENGINE,
    ONNX_SECOND,
    WITHOUT_FIRST,
    WITHOUT_PREDICT,
    named,
    rivals_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.workloads import Workload

_SECOND = {AUTO_ENGINE: AUTO_SECOND, ONNX_ENGINE: ONNX_SECOND}


def measure(
    workload: Workload, place: Path, cores: int, rounds: int, progress: Callable[[str], None]
) -> list[Measurement]:
    """All in turns. The model is in the registry already: `benchmarks.running` has trained it.

    Raises:
        AssertionError: the engines do not say the same.
    """
    predict, without = queries(workload, place)
    found = {rival.name: Measurement(workload.name, rival.name, ROWS, cores) for rival in rivals_of(workload)}
    sums: list[float] = []
    for number in range(rounds + 1):
        for engine, second in _SECOND.items():
            asked = {WITHOUT_FIRST: without, WITHOUT_PREDICT: without, engine: predict, second: predict}
            progress(f"{workload.name}, round {number} of {rounds}: {engine}")
            answers = _server(asked, named(engine).engine, place, cores, found, cold=number == 0)
            sums += [answers[engine], answers[second]]
    assert max(sums) - min(sums) <= 1e-6 * ROWS, f"the engines do not say the same: {sums}"
    for name in (*_SECOND, *_SECOND.values()):
        found[name].agreement = f"sums differ by {max(sums) - min(sums):.1e} at most"
    return list(found.values())


def _server(
    asked: dict[str, str], engine: str, place: Path, cores: int, found: dict[str, Measurement], *, cold: bool
) -> dict[str, float]:
    """Times queries over one connection of a new server; the number that each gives."""
    from helpers.doors.servers import thrift_server
    from helpers.doors.settings import launch_settings
    from helpers.doors.thrift import Thrift

    answers: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        settings = {**launch_settings(own, place, f"local[{cores}]"), **registry_settings(place)}
        server = thrift_server(settings, own)
        try:
            connection = Thrift(server.port).connect()
            cursor = connection.cursor()
            _one(cursor, f"SET spark.sqlml.engine = {engine}")
            _one(cursor, "SELECT 1")
            for name, query in asked.items():

                def ask(name: str = name, query: str = query) -> None:
                    answers[name] = float(_one(cursor, query)[0])

                cost = measured(ask)
                # The first servers bring the files into the system's memory. A query that both are asked has two costs.
                if cold:
                    found[name].cold = cost
                else:
                    found[name].rounds.append(cost)
            connection.close()
        finally:
            server.stop()
    assert all(map(math.isfinite, answers.values())), answers
    return answers


def _one(cursor: Any, query: str) -> Any:
    cursor.execute(query)
    (row,) = cursor.fetchall()
    return row
