"""Training on Spark's executors: each task runs a child process of `sqlml.estimators.trainer` and returns its answer.

Requests and answers travel as JSON, the rows as Arrow, broadcast once to each executor. A task that is killed takes its
Python worker with it, and the worker its child.

The executors import this module.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from sqlml.errors import SqlmlError
from sqlml.estimators import trainer
from sqlml.estimators.mllib.stages import Stages
from sqlml.estimators.worker import ROWS
from sqlml.spark.applications import is_local
from sqlml.spark.executor_package import shipped

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

_POLL_SECONDS = 0.3


@contextmanager
def opened(spark: SparkSession, rows: Path, stages: Stages) -> Iterator[Tasks]:
    """Makes the rows of an Arrow file available to tasks.

    Args:
        rows: a file that does not change.
        stages: describes and cancels Spark's jobs. Entered on the statement's own thread.
    """
    with stages.described():
        if is_local(spark):
            # Local Python workers can read the driver's files.
            yield Tasks(spark, str(rows), stages)
            return
        sent = spark.sparkContext.broadcast(rows.read_bytes())
        try:
            yield Tasks(spark, sent, stages)
        finally:
            sent.destroy()


class Tasks:
    """Sends requests about the rows to executors. Made by `opened`; threads may use it concurrently."""

    def __init__(self, spark: SparkSession, rows: Broadcast[bytes] | str, stages: Stages) -> None:
        self._spark, self._rows, self._stages = spark, rows, stages
        self.cancelled = stages.cancelled

    def ask(self, request: dict[str, Any], name: str, client: trainer.Client, count: int = 1) -> list[dict[str, Any]]:
        """Runs `count` tasks with the same request, each in its own child; returns their last answers.

        Args:
            name: the title of the job: `trial 3 of 20`.
            client: polled for cancellation; notified when the first task has begun.

        Raises:
            SqlmlError: SQLML_CANCELLED; SQLML_ENGINE_FAILED where Spark cannot run the task.
        """
        tag, begun, stopped = f"sqlml-{uuid.uuid4().hex}", False, False
        with ThreadPoolExecutor(1) as own:
            answers = own.submit(self._run, request, name, tag, count)
            while wait([answers], _POLL_SECONDS).not_done:
                if not begun and self._runs(tag):
                    begun = True
                    client.started()
                if client.cancelled():
                    stopped = True
                    self._spark.sparkContext.cancelJobsWithTag(tag)
        try:
            return [json.loads(answer) for answer in answers.result()]
        except (Py4JError, PySparkException) as error:
            if stopped or client.cancelled():
                raise SqlmlError("SQLML_CANCELLED", "The training was cancelled.") from error
            self._stages.failed(error)
            self._stages.stop_if_cancelled(error)
            raise SqlmlError("SQLML_ENGINE_FAILED", f"A Spark task ({name}) failed: {_reason(error)}") from error

    def _run(self, request: dict[str, Any], name: str, tag: str, count: int) -> list[str]:
        """Runs the job on a thread of its own, so that only its jobs have the tag."""
        answer: Any
        if isinstance(self._rows, str):
            answer = Answer(json.dumps(request), self._rows)
        else:
            answer = shipped(self._spark, __name__, "Answer", {"rows": self._rows}, {"request": json.dumps(request)})
        with self._stages.aside(name, tag):
            tasks = self._spark.range(0, count, 1, count)
            return list(tasks.mapInArrow(answer, "answer string").toArrow()["answer"].to_pylist())

    def _runs(self, tag: str) -> bool:
        """Whether a task of a job with the tag has begun."""
        tracker = self._spark.sparkContext._jsc.sc().statusTracker()
        for number in tracker.getJobIdsForTag(tag):
            job = tracker.getJobInfo(number)
            for stage in job.get().stageIds() if job.isDefined() else ():
                found = tracker.getStageInfo(stage)
                if found.isDefined() and found.get().numActiveTasks() > 0:
                    return True
        return False


class Answer:
    """The work of one task. Its Python worker keeps the child process for the next task."""

    def __init__(self, request: str, rows: Broadcast[bytes] | str) -> None:
        self._request, self._rows = request, rows

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        count = sum(batch.num_rows for batch in batches)
        # joblib's loky would use all cores of the machine; Spark gives a task OMP_NUM_THREADS cores.
        os.environ.setdefault("LOKY_MAX_CPU_COUNT", os.environ.get("OMP_NUM_THREADS", "1"))
        answers = [json.dumps(self._answer()) for _ in range(count)]
        yield pa.RecordBatch.from_pydict({"answer": pa.array(answers, pa.string())})

    def _answer(self) -> dict[str, Any]:
        request = json.loads(self._request)
        # If this worker is killed, its child removes the folder.
        with tempfile.TemporaryDirectory(prefix="sqlml-trial-") as name:
            rows = Path(name) / ROWS
            if isinstance(self._rows, str):
                rows.symlink_to(self._rows)
            elif "job" in request:
                rows.write_bytes(self._rows.value)
            client = trainer.Client(lambda line: None, lambda: False)
            try:
                return trainer.here(Path(name), request.pop("memory"))(request, client)
            except SqlmlError as error:
                return {"error": {"condition": error.condition, "message": error.message, "hint": error.hint}}


def _reason(error: Exception) -> str:
    """The exception line of a Python worker's traceback, or the first line of Spark's message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    python = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception")) and "." not in line[:20]]
    return (python or lines or [repr(error)])[0]
