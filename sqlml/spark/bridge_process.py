"""The Python process that spark-sql, a Thrift server or a Connect server starts (org.sqlml.python.PythonProcess).

It connects to the JVM through Py4J, registers a `Bridge` there, and ends with the JVM.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.spark.interruptions import Interruptions


def main() -> None:
    """Connects to the parent JVM through Py4J, registers the bridge, and waits until the JVM ends."""
    threading.Thread(target=_end_with_parent, name="sqlml-parent", daemon=True).start()
    # Ctrl-C in a shell reaches every process of the terminal; here it must end the statement and not the process.
    interruptions = Interruptions()
    interruptions.watch(pass_on=False)
    # Executors use this interpreter unless the environment names another.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    _find_pyspark()

    from pyspark.java_gateway import ensure_callback_server_started, launch_gateway

    from sqlml.spark.applications import Applications
    from sqlml.spark.bridge import Bridge
    from sqlml.spark.launch import check_version

    gateway: Any = launch_gateway()
    try:
        check_version(gateway)
    except SqlmlError as error:
        # The JVM shows what this process has printed.
        sys.exit(str(error))
    ensure_callback_server_started(gateway)
    handler = Bridge(Applications(gateway), interruptions=interruptions)
    gateway.jvm.org.sqlml.python.Bridge.register(handler, os.environ["SQLML_BRIDGE_TOKEN"])
    threading.Event().wait()


def _end_with_parent() -> None:
    """Ends this process at the end of standard input, whose other end the JVM holds open without writing."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os._exit(0)


def _find_pyspark() -> None:
    """Puts Spark's own pyspark on the path, unless this Python has one installed."""
    if importlib.util.find_spec("pyspark") is None and "SPARK_HOME" in os.environ:
        home = Path(os.environ["SPARK_HOME"]) / "python"
        sys.path += [str(home), *map(str, (home / "lib").glob("py4j-*.zip"))]


if __name__ == "__main__":
    main()
