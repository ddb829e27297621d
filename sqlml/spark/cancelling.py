"""Statements that another thread can end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession


class Cancelling:
    """The statements that threads of this process run in one session, classic or of Spark Connect.

    Spark ends its own jobs by their tag. What sqlml does between jobs, training for one, ends as for a Thrift server:
    the statement's thread in the JVM is interrupted. A Connect server does both when the tag is interrupted.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._lock = threading.Lock()
        self._threads: dict[str, Any] = {}

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """What the thread runs in this block can be cancelled under the name."""
        self._spark.addTag(name)
        thread = self._java_thread()
        if thread is not None:
            with self._lock:
                self._threads[name] = thread
        try:
            yield
        finally:
            with self._lock:
                self._threads.pop(name, None)
            self._spark.removeTag(name)

    def cancel(self, name: str) -> None:
        """Ends what runs under a name; nothing where that has ended."""
        self._spark.interruptTag(name)
        with self._lock:
            thread = self._threads.get(name)
            if thread is not None:
                thread.interrupt()

    def _java_thread(self) -> Any:
        if not isinstance(self._spark, SparkSession):
            return None
        jvm: Any = self._spark.sparkContext._jvm
        # Of a cancelled statement that this thread ran before.
        jvm.java.lang.Thread.interrupted()
        return jvm.java.lang.Thread.currentThread()
