"""A program that looks at a cluster: `python -m sqlml.spark.cluster_probe`, for `sqlml doctor --master …`.

It reads a request as JSON from standard input: Spark settings, the modules to look for, and a mark. It prints two lines
of JSON after the mark: what the executors answer, and what is wrong with the warehouse.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

# In seconds: the limit for the first executor to register, and the quiet time after the last one.
_FIRST_EXECUTOR, _NO_OTHER = 60.0, 3.0


def main() -> None:
    from pyspark.sql import SparkSession

    from sqlml.spark.launch import configure

    request = json.load(sys.stdin)
    builder = SparkSession.builder.appName("sqlml doctor")
    for key, value in request["settings"].items():
        builder = builder.config(key, value)
    spark = configure(builder).getOrCreate()
    executors = registered(spark.sparkContext)
    tasks = max(executors, spark.sparkContext.defaultParallelism)
    workers = spark.sparkContext.parallelize(range(tasks), tasks).mapPartitions(_asking(request["modules"], _graph()))
    found = {
        "executors": executors,
        "workers": workers.collect(),
        "java": sorted({row.java for row in _java(spark, tasks)}),
    }
    print(f"{request['mark']}{json.dumps(found)}", flush=True)
    warehouse = {"warehouse": spark.conf.get("spark.sql.warehouse.dir"), "unusable": _unusable(spark, tasks)}
    print(f"{request['mark']}{json.dumps(warehouse)}", flush=True)
    spark.stop()


def registered(context: SparkContext) -> int:
    """The number of executors, once no other has registered for three seconds; waits a minute for the first one."""
    jvm: Any = context._jsc
    seen, since, end = 0, time.monotonic(), time.monotonic() + _FIRST_EXECUTOR
    while time.monotonic() < end and (seen == 0 or time.monotonic() - since < _NO_OTHER):
        # The driver is one of them.
        now = int(jvm.sc().getExecutorMemoryStatus().size()) - 1
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.2)
    return seen


def _graph() -> bytes:
    """A graph that returns its input."""
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "doctor", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def _asking(modules: Sequence[str], graph: bytes) -> Callable[[Iterable[int]], Iterator[dict[str, Any]]]:
    # A nested function is pickled by value: executors may have no sqlml.
    def answer(numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
        import importlib
        import socket
        import sys
        import time

        # The task holds its slot for a while, so that the others go to other slots.
        time.sleep(1)
        versions = {"python": ".".join(map(str, sys.version_info[:2]))}
        found = {}
        for name in modules:
            try:
                found[name] = importlib.import_module(name)
                versions[name] = found[name].__version__
            except Exception as error:
                versions[name] = f"!{type(error).__name__}: {error}"
        problem = ""
        if {"numpy", "onnxruntime"} <= found.keys():
            try:
                session = found["onnxruntime"].InferenceSession(graph, providers=["CPUExecutionProvider"])
                session.run(["y"], {"x": found["numpy"].array([1.0])})
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
        yield {"host": socket.gethostname(), "program": sys.executable, "versions": versions, "problem": problem}

    return answer


def _java(spark: SparkSession, tasks: int) -> list[Any]:
    version = "java_method('java.lang.System', 'getProperty', 'java.version') AS java"
    return spark.range(0, tasks, 1, tasks).selectExpr(version).collect()


def _unusable(spark: SparkSession, tasks: int) -> str:
    """A probe of the warehouse: executors write a table and read it. Returns the error, or "" if there is none."""
    root = str(spark.conf.get("spark.sql.warehouse.dir")).rstrip("/")
    scratch = f"{root}/_sqlml_doctor_{uuid.uuid4().hex}"
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(scratch)
    try:
        files = path.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    except Exception as error:
        return _first_line(error)
    problem = ""
    try:
        spark.range(0, 1000, 1, tasks).write.parquet(scratch)
        rows = spark.read.parquet(scratch).count()
        if rows != 1000:
            problem = f"of 1000 rows that executors wrote, {rows} can be read"
    except Exception as error:
        problem = _first_line(error)
    try:
        files.delete(path, True)
    except Exception as error:
        problem = problem or f"{scratch}, which executors wrote, cannot be deleted: {_first_line(error)}"
    return problem


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "java_exception", None) or error).strip()
    return next(iter(text.splitlines()), type(error).__name__)


if __name__ == "__main__":
    main()
