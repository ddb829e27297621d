"""The Python that spark-sql, a Thrift server or a Connect server starts for itself: org.sqlml.python.PythonProcess."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Any

from sqlml.spark.interruptions import Interruptions


def main() -> None:
    threading.Thread(target=_end_with_parent, name="sqlml-parent", daemon=True).start()
    # Ctrl-C in a shell reaches every process of the terminal; here it ends the statement and not the process.
    interruptions = Interruptions()
    interruptions.watch(pass_on=False)
    # Executors run the Python they are told to, or else this one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    _find_pyspark()

    from pyspark.java_gateway import ensure_callback_server_started, launch_gateway

    from sqlml.spark.applications import Applications
    from sqlml.spark.bridge import Bridge

    gateway: Any = launch_gateway()
    ensure_callback_server_started(gateway)
    handler = Bridge(Applications(gateway), interruptions=interruptions)
    gateway.jvm.org.sqlml.python.Bridge.register(handler, os.environ["SQLML_BRIDGE_TOKEN"])
    threading.Event().wait()


def _end_with_parent() -> None:
    """The JVM holds the other end of standard input and never writes; the end of it is the end of the JVM."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os._exit(0)


def _find_pyspark() -> None:
    """This Python's own pyspark; where it has none, the one of the Spark that started it."""
    if importlib.util.find_spec("pyspark") is None and "SPARK_HOME" in os.environ:
        home = Path(os.environ["SPARK_HOME"]) / "python"
        sys.path += [str(home), *map(str, (home / "lib").glob("py4j-*.zip"))]


if __name__ == "__main__":
    main()
