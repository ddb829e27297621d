"""One Spark on some cores: every workload's rivals are compared, then timed in turns. Run as a process of its own, so
that a session's cores and what its JVM has compiled are its own: `python -m benchmarks.running request.json`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.folders import TESTS

from benchmarks import analysis, rivals, spark_rivals
from benchmarks.data import ID, folder_of, register
from benchmarks.goals import compared
from benchmarks.measuring import Cost, measured
from benchmarks.models import registry_settings, trained
from benchmarks.records import Measurement, Request
from benchmarks.rivals import LABEL, NOTHING, OWN, RAW, Rival, rivals_of
from benchmarks.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

# This package first, and what the caller has put there: another checkout of sqlml, say.
PYTHONPATH = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
# How far a score may be from sqlml's: orbital's leaves are float32.
TOLERANCE = 1e-5
# More rows than this are not compared, only timed; nor does ONNX Runtime alone run on more: its time is scaled.
_MOST_COMPARED, _MOST_ALONE, _BATCH = 100_000, 1_000_000, 10_000


def session(request: Request) -> SparkSession:
    """A local Spark with the registry of the benchmark; its workers find this package."""
    from helpers.doors.settings import session_settings
    from pyspark.sql import SparkSession

    import sqlml

    place = Path(request.place)
    (place / "spark").mkdir(parents=True, exist_ok=True)
    settings = {
        **session_settings(place / "spark", place, f"local[{request.cores}]"),
        **registry_settings(place),
        "spark.driver.memory": "4g",
        "spark.driver.maxResultSize": "0",
        # A task a core: mlflow loads its model anew for every task of a local Spark.
        "spark.sql.files.maxPartitionBytes": "4g",
        # The progress is this program's own.
        "spark.ui.showConsoleProgress": "false",
        "spark.executorEnv.PYTHONPATH": PYTHONPATH,
    }
    builder = SparkSession.builder.appName("sqlml benchmark")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = sqlml.configure(builder).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def missing_engine(rival: Rival) -> str:
    """Why one of our engines cannot be asked for here; "" where it can."""
    from sqlml.settings import SETTINGS

    there = any(setting.key == "spark.sqlml.engine" for setting in SETTINGS)
    # Without the setting there is one engine.
    return "" if there or rival.engine in ("", "onnxruntime") else "not there"


class Bench:
    """A workload with its rivals, prepared."""

    def __init__(self, spark: SparkSession, workload: Workload, rows: int, request: Request) -> None:
        self._spark, self._workload, self._rows, self._request = spark, workload, rows, request
        place = Path(request.place)
        self._models = trained(spark, workload, place)
        self._sources = register(spark, workload.data, folder_of(workload.data, rows, place))
        self._labels: list[NDArray[Any]] = []
        self._scores: list[NDArray[Any]] = []

    def measure(self, progress: Callable[[str], None]) -> list[Measurement]:
        """Compares all, then times those that agree."""
        found, timed = [], []
        for rival in _asked(self._workload, self._request):
            measurement = Measurement(self._workload.name, rival.name, self._rows, self._request.cores)
            found.append(measurement)
            progress(f"comparing {rival.name}")
            measurement.refused = missing_engine(rival)
            if measurement.refused:
                continue
            try:
                work = self._prepared(rival, measurement)
            # Whatever a rival's library raises is its answer to this workload, and stands in the table.
            except Exception as error:
                measurement.refused = _line(error)
            if measurement.refused:
                progress(f"{rival.name} is not timed: {measurement.refused}\n")
            else:
                timed.append((rival, measurement, work))
        for number in range(self._request.rounds + 1):
            # Each round begins with another one: none always follows the same.
            start = number % max(len(timed), 1)
            for rival, measurement, work in timed[start:] + timed[:start]:
                progress(f"round {number} of {self._request.rounds}, {rival.name}")
                with self._set(rival):
                    cost = measured(work) if rival.name != RAW else self._scaled(work)
                if number == 0:
                    measurement.cold = cost
                else:
                    measurement.rounds.append(cost)
        return found

    # -- comparing -----------------------------------------------------------------------------------------------------

    def _prepared(self, rival: Rival, measurement: Measurement) -> Callable[[], Any]:
        """What is timed; sets what the comparison said."""
        if rival.prepare is None:
            return self._alone(measurement)
        scorings = [rival.prepare(self._spark, model) for model in self._models]

        def scored(frame: DataFrame) -> DataFrame:
            for place, scoring in enumerate(scorings):
                frame = scoring(frame, f"score{place}")
            return frame

        names = [f"score{place}" for place in range(len(scorings))]
        with self._set(rival):
            summed = _sums(scored(self._frame(rival)), names)
            # Before it becomes adaptive, which hides its inside.
            plan = summed._jdf.queryExecution().sparkPlan()
            leaves, text = plan.collectLeaves(), plan.toString()
            measurement.python, measurement.joins = "EvalPython" in text, text.count("Join ")
            measurement.columns = sum(leaves.apply(place).output().size() for place in range(leaves.size()))
            if rival.gives != NOTHING:
                rows = self._frame(rival).where(f"{ID} < {_MOST_COMPARED}")
                self._compare(rival.gives, _columns(scored(rows), names, rows), measurement)
        # Built anew each time: Spark keeps the stages of a DataFrame that was collected.
        return lambda: _sums(scored(self._frame(rival)), names).collect()

    def _compare(self, gives: str, found: list[NDArray[Any]], measurement: Measurement) -> None:
        import numpy as np

        self._ask_sqlml()
        said = []
        for scores, labels, ours in zip(found, self._labels, self._scores, strict=True):
            wrong = int(np.sum((scores > 0.5) != labels))
            if gives == OWN:
                said.append(f"own model: {1 - wrong / len(labels):.1%} of the labels the same")
                continue
            said.append(f"{len(labels)} rows, {wrong} other labels")
            if wrong:
                measurement.refused = f"{wrong} of {len(labels)} labels differ from sqlml's"
            if gives != LABEL:
                # NaN differs from everything.
                largest = float(np.max(np.abs(scores - ours)))
                said[-1] += f", largest difference {largest:.1e}"
                if not largest <= TOLERANCE:
                    measurement.refused = f"scores differ from sqlml's by {largest:.1e}"
        measurement.agreement = "; ".join(dict.fromkeys(said))

    def _ask_sqlml(self) -> None:
        """What sqlml says by its ONNX Runtime engine: what all others are compared with."""
        if self._labels:
            return
        with self._set(rivals.named(rivals.ONNX_ENGINE)):
            rows = self._spark.sql(self._sources[""]).where(f"{ID} < {_MOST_COMPARED}")
            for model in self._models:
                frame = spark_rivals.labels(self._spark, model, spark_rivals.sqlml(self._spark, model)(rows, "s"), "l")
                scores, labels = _columns(frame, ["s", "l"], rows)
                self._scores.append(scores)
                self._labels.append(labels.astype(bool))

    # -- timing --------------------------------------------------------------------------------------------------------

    def _frame(self, rival: Rival) -> DataFrame:
        return self._spark.sql(self._sources[self._workload.floor if rival.name == rivals.FLOOR else ""])

    @contextmanager
    def _set(self, rival: Rival) -> Iterator[None]:
        """The rival's settings, and afterwards those of before. They hold for planning and for running alike."""
        conf = self._spark.conf
        before = {key: conf.get(key, None) for key in rival.conf}
        for key, value in rival.conf.items():
            conf.set(key, value)
        try:
            yield
        finally:
            for key, old in before.items():
                if old is None:
                    conf.unset(key)
                else:
                    conf.set(key, old)

    def _alone(self, measurement: Measurement) -> Callable[[], Any]:
        """ONNX Runtime in this process on arrays that are there already, with as many threads as Spark has cores."""
        from benchmarks.onnx_session import probability, session

        frame = self._spark.sql(self._sources[""]).where(f"{ID} < {min(self._rows, _MOST_ALONE)}")
        names = [*self._workload.data.features]
        table = frame.select(ID, *names).toArrow().sort_by(ID).combine_chunks()
        columns = [table.column(name).combine_chunks().to_numpy(zero_copy_only=False) for name in names]
        sessions = [session(model.digest, model.onnx, self._request.cores) for model in self._models]

        def run(rows: int = len(table)) -> list[NDArray[np.float64]]:
            import numpy as np

            starts = range(0, rows, _BATCH)
            batches = [[column[start : min(start + _BATCH, rows)] for column in columns] for start in starts]
            return [np.concatenate([probability(opened, batch) for batch in batches]) for opened in sessions]

        self._compare("probability", run(min(len(table), _MOST_COMPARED)), measurement)
        return run

    def _scaled(self, work: Callable[[], Any]) -> Cost:
        cost, times = measured(work), self._rows / min(self._rows, _MOST_ALONE)
        return Cost(cost.wall * times, None if cost.processor is None else cost.processor * times)


def _sums(frame: DataFrame, names: list[str]) -> DataFrame:
    from pyspark.sql import functions as F

    return frame.agg(*[F.sum(name) for name in names])


def _columns(frame: DataFrame, names: list[str], rows: DataFrame) -> list[NDArray[Any]]:
    """Columns in the order of the rows' numbers; of a frame that has lost them, by those of the rows it was made of,
    which are read in the same order."""
    kept = [ID] if ID in frame.columns else []
    table = frame.select(*kept, *names).toArrow()
    if not kept:
        table = table.append_column(ID, rows.select(ID).toArrow().column(ID))
    table = table.sort_by(ID)
    return [table.column(name).to_numpy() for name in names]


def _line(error: BaseException) -> str:
    """What an error says, and where it wraps another process's error, also what that one says last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    inner = [line for line in lines[1:] if re.match(r"(Caused by: )?[\w.]+(Error|Exception): ", line)]
    return " … ".join([f"{type(error).__name__}: {lines[0]}"[:200], *(line[:200] for line in inner[-1:])])


def _measured(
    spark: SparkSession, workload: Workload, rows: int, request: Request, progress: Callable[[str], None]
) -> list[Measurement]:
    """What came of a workload; one that ends with an error ends no other: hours may have gone before it."""
    try:
        if workload.group in ("cold", "thrift"):
            # What measures it needs the model and a JVM of its own.
            trained(spark, workload, Path(request.place))
            return []
        if workload.group == "analysis":
            return analysis.measure(spark, workload, rows, request, progress)
        return Bench(spark, workload, rows, request).measure(progress)
    except Exception as error:
        progress(f"{_line(error)}\n")
        return [
            Measurement(workload.name, rival.name, rows, request.cores, refused=_line(error))
            for rival in _asked(workload, request)
        ]


def _asked(workload: Workload, request: Request) -> list[Rival]:
    needed = compared(workload.name) if request.goals else {rival.name for rival in rivals_of(workload)}
    return [one for one in rivals_of(workload) if one.name in needed and one.name in (request.rivals or needed)]


def main(request: Request) -> None:
    """Measures everything that is asked for; a line a measurement as soon as it is there."""
    if hasattr(os, "sched_setaffinity"):
        # local[1] alone would leave Python's worker and the JVM's compiler a core of their own.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: request.cores])
    started = time.monotonic()
    spark = session(request)
    chosen = [workload for workload in WORKLOADS if workload.name in request.workloads]
    with Path(request.result).open("a", encoding="utf-8") as result:
        for rows in request.rows:
            for workload in chosen:

                def progress(text: str, what: str = f"{request.cores} cores, {rows} rows, {workload.name}") -> None:
                    print(f"\r{time.monotonic() - started:6.0f} s  {what}: {text}\033[K", end="", file=sys.stderr)

                progress("training")
                for measurement in _measured(spark, workload, rows, request, progress):
                    result.write(json.dumps(asdict(measurement), ensure_ascii=False) + "\n")
                result.flush()
                progress("done\n")
    spark.stop()


if __name__ == "__main__":
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).items()
    }
    main(Request(**given))
