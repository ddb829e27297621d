"""What a warm PREDICT adds to the analysis of its query, and where that goes."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cold import queries
from benchmarks.measuring import Cost
from benchmarks.models import trained
from benchmarks.records import Measurement, Request
from benchmarks.rivals import (
    ANSWER,
    AUTO_ENGINE,
    ONNX_ENGINE,
    PROGRAM,
    TEXT,
    VERSION,
    WITHOUT_PREDICT,
    named,
    rivals_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

    from benchmarks.workloads import Workload

# After some for the compilers of the JVM.
_WARM, _ANALYSES = 50, 100
_FUNCTION = "predict_proba"


def measure(
    spark: SparkSession, workload: Workload, rows: int, request: Request, progress: Callable[[str], None]
) -> list[Measurement]:
    """All in turns: the three queries, and by themselves the steps that Python takes of one with PREDICT."""
    trained(spark, workload, Path(request.place))
    predict, without = queries(workload, Path(request.place))
    steps = _steps(spark, workload, predict)
    found = {rival.name: Measurement(workload.name, rival.name, rows, request.cores) for rival in rivals_of(workload)}
    for number in range(_WARM + _ANALYSES):
        progress(f"analysis {number} of {_WARM + _ANALYSES}")
        costs = {WITHOUT_PREDICT: _timed(lambda: spark.sql(without))}
        for engine in (ONNX_ENGINE, AUTO_ENGINE):
            for key, value in named(engine).conf.items():
                spark.conf.set(key, value)
            costs[engine] = _timed(lambda: spark.sql(predict))
        # With the engine that was set last.
        costs |= {name: _timed(step) for name, step in steps.items()}
        for name, cost in costs.items():
            if number == 0:
                found[name].cold = cost
            elif number >= _WARM:
                found[name].rounds.append(cost)
    found[AUTO_ENGINE].agreement = _where(found)
    return list(found.values())


def _steps(spark: SparkSession, workload: Workload, query: str) -> dict[str, Callable[[], Any]]:
    """What Python does when the JVM asks, as `sqlml.spark.bridge` does it."""
    from pyspark.sql import SparkSession as Sessions

    from sqlml.spark import engine_choice
    from sqlml.spark.applications import Applications
    from sqlml.spark.bridge import Bridge

    applications = Applications(spark.sparkContext._gateway)
    bridge, jsession = Bridge(applications), spark._jsparkSession
    (model,) = workload.models
    types = ["double" for _ in workload.data.features]
    arguments = json.dumps([{"name": name, "type": "double"} for name in workload.data.features])
    version = applications.registry(spark).load(model.name)

    def answer() -> Any:
        # A text that refers to the Java object, which Java then takes.
        found = _reply(bridge.predict(jsession, "", _FUNCTION, model.name, None, arguments, True, None))
        return spark._jvm.org.sqlml.python.ObjectReplies.taken(found)

    return {
        TEXT: lambda: _reply(bridge.rewrite(jsession, "", query, None)),
        ANSWER: answer,
        VERSION: lambda: applications.registry(Sessions(spark.sparkContext, jsession)).load(model.name),
        PROGRAM: lambda: engine_choice.chosen(spark, _FUNCTION, version, None, types),
    }


def _reply(text: str) -> str:
    """The reply of the bridge; it returns an error as a text too, which would be timed as if it were an answer."""
    assert not text.startswith('{"error"'), text
    return text


def _timed(work: Callable[[], Any]) -> Cost:
    """By the clock: the processor's time is counted in hundredths of a second."""
    started = time.perf_counter()
    work()
    return Cost(time.perf_counter() - started, None)


def _where(found: dict[str, Measurement]) -> str:
    """Where the time goes that a PREDICT adds."""
    median = {
        name: statistics.median(cost.wall for cost in measurement.rounds) * 1e3 for name, measurement in found.items()
    }
    added = median[AUTO_ENGINE] - median[WITHOUT_PREDICT]
    parts = {
        "text": median[TEXT],
        "registry": median[VERSION],
        "what scores": median[PROGRAM],
        "rest of the answer": median[ANSWER] - median[VERSION] - median[PROGRAM],
        "JVM and the ways there and back": added - median[TEXT] - median[ANSWER],
    }
    return f"adds {added:.1f} ms: {', '.join(f'{name} {time:.1f}' for name, time in parts.items())}"
