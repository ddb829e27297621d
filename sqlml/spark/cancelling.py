"""Statements that another thread can end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession


class Cancelling:
    """The statements that threads of this process run in one session, classic or of Spark Connect.

    Spark ends its own jobs by their tag, which is the context's: a classic session knows its tags by thread, and does
    not find those of another. What sqlml does between jobs, training for one, ends as for a Thrift server: the
    statement's thread in the JVM is interrupted. A Connect server does both when the session's tag is interrupted.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._lock = threading.Lock()
        self._threads: dict[str, Any] = {}

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """What the thread runs in this block can be cancelled under the name."""
        if not isinstance(self._spark, SparkSession):
            self._spark.addTag(name)
            try:
                yield
            finally:
                self._spark.removeTag(name)
            return
        context = self._spark.sparkContext
        context.addJobTag(name)
        thread = self._java_thread()
        with self._lock:
            self._threads[name] = thread
        try:
            yield
        finally:
            with self._lock:
                self._threads.pop(name, None)
            context.removeJobTag(name)

    def cancel(self, name: str) -> None:
        """Ends what runs under a name; nothing where that has ended."""
        if not isinstance(self._spark, SparkSession):
            self._spark.interruptTag(name)
            return
        self._spark.sparkContext.cancelJobsWithTag(name)
        with self._lock:
            thread = self._threads.get(name)
            if thread is not None:
                thread.interrupt()

    def _java_thread(self) -> Any:
        jvm: Any = self._spark.sparkContext._jvm
        # Of a cancelled statement that this thread ran before.
        jvm.java.lang.Thread.interrupted()
        return jvm.java.lang.Thread.currentThread()
