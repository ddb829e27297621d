"""Progress and cancellation of a training on the cluster."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlml.errors import SqlmlError

_DESCRIPTION = "spark.job.description"
_KILLED = "SPARK_JOB_CANCELLED"


class Stages:
    """Describes Spark jobs, reports a progress line per stage, and cancels the jobs of other threads.

    Args:
        title: the subject in descriptions: the model's name, or the estimator's.
        context: the SparkContext.
        progress: gets a line when a stage is done, with its seconds.
        cancelled: polled between stages; jobs of the statement's own thread are cancelled from outside, by their job
            group.
    """

    def __init__(
        self, title: str, context: Any, progress: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> None:
        self.context = context
        self._title = title
        self._progress = progress
        self._cancelled = cancelled
        self._tag = f"sqlml-{uuid.uuid4().hex}"
        self._killed = False
        self._properties: Any = None

    @contextmanager
    def described(self) -> Iterator[None]:
        """A context, entered on the statement's thread, that restores the caller's job description at its end."""
        before = self.context.getLocalProperty(_DESCRIPTION)
        self._properties = self.context._jsc.sc().getLocalProperties().clone()
        try:
            yield
        finally:
            self.context.setLocalProperty(_DESCRIPTION, before)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """A context for one stage; yields a function that its body calls with the result in words."""
        self.stop_if_cancelled(None)
        self._describe(name)
        results: list[str] = []
        started = time.monotonic()
        try:
            yield results.append
        except Exception as error:
            # A job cancelled from outside fails with Spark's error about a cancelled job group; report it as a
            # cancellation.
            self.stop_if_cancelled(error)
            raise
        self._progress(f"{name}: {' '.join(results)} ({time.monotonic() - started:.1f} s)")

    @contextmanager
    def aside(self, name: str, *tags: str) -> Iterator[None]:
        """A context for work on another thread, such as a trial. It inherits the statement's job group and scheduler
        pool, and its jobs get tags, one of which `cancelled` cancels by."""
        self.stop_if_cancelled(None)
        self.context._jsc.sc().setLocalProperties(self._properties.clone())
        for tag in (self._tag, *tags):
            self.context.addJobTag(tag)
        self._describe(name)
        try:
            yield
        except Exception as error:
            self.stop_if_cancelled(error)
            raise

    def cancelled(self) -> bool:
        """True if the client has cancelled; in that case jobs of other threads are cancelled too."""
        if not (self._killed or self._cancelled()):
            return False
        self.context.cancelJobsWithTag(self._tag)
        return True

    def failed(self, error: Exception) -> None:
        """Notes a job's error: a job killed in Spark's UI, for instance, cancels the whole training."""
        self._killed = self._killed or _KILLED in str(error)

    def stop_if_cancelled(self, cause: Exception | None) -> None:
        """Raises SqlmlError SQLML_CANCELLED if the client has cancelled."""
        if self._killed or self._cancelled():
            raise SqlmlError("SQLML_CANCELLED", f"Training {self._title} was cancelled.") from cause

    def _describe(self, name: str) -> None:
        self.context.setJobDescription(f"sqlml: TRAIN MODEL {self._title}: {name}")
