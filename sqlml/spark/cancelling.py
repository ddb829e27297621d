"""Cancellation of a running statement from another thread, for classic sessions and Spark Connect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession


class Cancelling:
    """The cancellable statements of one session, classic or of Spark Connect.

    In a classic session `cancel` ends Spark's jobs by their tag on the SparkContext (a session's own tags are known
    only to the thread that set them), and interrupts the statement's thread in the JVM, which ends work between jobs
    such as training. A Connect server does both when the session's tag is interrupted.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._lock = threading.Lock()
        self._threads: dict[str, Any] = {}

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """A block on this thread that `cancel` can end by the name."""
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
        """Ends the block with this name; does nothing where it has ended."""
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
        # Clears an interrupt left from a cancelled statement on the same thread.
        jvm.java.lang.Thread.interrupted()
        return jvm.java.lang.Thread.currentThread()
