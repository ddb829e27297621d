"""A program that looks at a cluster: `python -m sqlml.spark.cluster_probe`, for `sqlml doctor --master …`.

It reads a request as JSON from standard input: Spark settings, the modules to look for, and a mark. It prints the mark
and what the executors answer as one line of JSON. It runs as many tasks as the cluster runs at the same time, so that
every executor gets one.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def main() -> None:
    from pyspark.sql import SparkSession

    request = json.load(sys.stdin)
    builder = SparkSession.builder.appName("sqlml doctor")
    for key, value in request["settings"].items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    tasks = spark.sparkContext.defaultParallelism
    workers = spark.sparkContext.parallelize(range(tasks), tasks).mapPartitions(_asking(request["modules"], _graph()))
    found = {
        "workers": workers.collect(),
        "java": sorted({row.java for row in _java(spark, tasks)}),
        "warehouse": spark.conf.get("spark.sql.warehouse.dir"),
        "unusable": _unusable(spark, tasks),
    }
    print(f"{request['mark']}{json.dumps(found)}", flush=True)
    spark.stop()


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

        versions = {"python": ".".join(map(str, sys.version_info[:2]))}
        for name in modules:
            try:
                versions[name] = importlib.import_module(name).__version__
            except Exception as error:
                versions[name] = f"!{type(error).__name__}: {error}"
        problem = ""
        if not versions["onnxruntime"].startswith("!"):
            import numpy
            import onnxruntime

            try:
                session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
                session.run(["y"], {"x": numpy.array([1.0])})
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
        yield {"host": socket.gethostname(), "program": sys.executable, "versions": versions, "problem": problem}

    return answer


def _java(spark: SparkSession, tasks: int) -> list[Any]:
    version = "java_method('java.lang.System', 'getProperty', 'java.version') AS java"
    return spark.range(0, tasks, 1, tasks).selectExpr(version).collect()


def _unusable(spark: SparkSession, tasks: int) -> str:
    """What is wrong with the warehouse: executors write a table there, and read it again. "" if nothing is."""
    root = str(spark.conf.get("spark.sql.warehouse.dir")).rstrip("/")
    scratch = f"{root}/_sqlml_doctor_{uuid.uuid4().hex}"
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(scratch)
    files = path.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    try:
        spark.range(0, 1000, 1, tasks).write.parquet(scratch)
        rows = spark.read.parquet(scratch).count()
        return "" if rows == 1000 else f"of 1000 rows that executors wrote, {rows} can be read"
    except Exception as error:
        return str(getattr(error, "desc", None) or error).strip().splitlines()[0]
    finally:
        files.delete(path, True)


if __name__ == "__main__":
    main()
