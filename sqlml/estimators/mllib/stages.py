"""What the user sees of a training on the cluster while it works, and where it can stop."""

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
    """The names of Spark's jobs, a line for each stage, and the way to end the jobs of other threads.

    Args:
        title: what is trained: `churn`, or an estimator's name.
        context: the SparkContext.
        progress: gets a line when a stage is done, with its seconds.
        cancelled: asked between stages; jobs of the statement's own thread are stopped from outside, by their group.
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
        """Restores the description of the caller's Spark jobs at the end. Entered on the statement's own thread."""
        before = self.context.getLocalProperty(_DESCRIPTION)
        self._properties = self.context._jsc.sc().getLocalProperties().clone()
        try:
            yield
        finally:
            self.context.setLocalProperty(_DESCRIPTION, before)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """One stage; its body calls what it is given with the result in words."""
        self.stop_if_cancelled(None)
        self._describe(name)
        results: list[str] = []
        started = time.monotonic()
        try:
            yield results.append
        except Exception as error:
            # A job killed from outside fails with an error of Spark's about a cancelled job group.
            self.stop_if_cancelled(error)
            raise
        self._progress(f"{name}: {' '.join(results)} ({time.monotonic() - started:.1f} s)")

    @contextmanager
    def aside(self, name: str, *tags: str) -> Iterator[None]:
        """Work on a thread of its own, such as a trial: with the group and the scheduler's pool of the statement, and a
        tag by which `cancelled` ends its jobs, besides others."""
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
        """Whether the client has cancelled; if so, ends the jobs of other threads that run now."""
        if not (self._killed or self._cancelled()):
            return False
        self.context.cancelJobsWithTag(self._tag)
        return True

    def failed(self, error: Exception) -> None:
        """Told of an error that a job has ended with. Who kills one, in Spark's UI for instance, means the training."""
        self._killed = self._killed or _KILLED in str(error)

    def stop_if_cancelled(self, cause: Exception | None) -> None:
        """Raises SqlmlError SQLML_CANCELLED where the client has cancelled."""
        if self._killed or self._cancelled():
            raise SqlmlError("SQLML_CANCELLED", f"Training {self._title} was cancelled.") from cause

    def _describe(self, name: str) -> None:
        self.context.setJobDescription(f"sqlml: TRAIN MODEL {self._title}: {name}")
