"""A probe of the executors' Python before a distributed library runs there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkException

from sqlml.errors import SqlmlError

# Probes that succeeded: application id, number of executors (which may grow), modules.
_complete: set[tuple[str, int, tuple[str, ...]]] = set()


def check_modules(context: SparkContext, modules: tuple[str, ...], estimator: str) -> None:
    """Checks that the executors' Python finds some modules, once for each set of executors of an application.

    The modules are looked up, not imported, by as many tasks as run at the same time.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE with the interpreter and the host of an executor that lacks one;
            SQLML_ENGINE_FAILED if the tasks fail, as with no such interpreter.
    """
    if context.master == "local" or context.master.startswith("local["):
        return
    scala: Any = context._jsc
    executors = int(scala.sc().getExecutorMemoryStatus().size()) - 1
    known = (context.applicationId, executors, modules)
    if known in _complete:
        return
    tasks = max(executors, context.defaultParallelism)
    try:
        answers = context.parallelize(range(tasks), tasks).mapPartitions(_asking(modules)).collect()
    except (Py4JJavaError, PySparkException) as error:
        text = str(getattr(error, "java_exception", error)).strip()
        reason = next(iter(text.splitlines()), type(error).__name__)
        raise SqlmlError("SQLML_ENGINE_FAILED", f"The executors cannot run Python: {reason}") from error
    for lacking, python, host in answers:
        if lacking:
            raise SqlmlError(
                "SQLML_MISSING_PACKAGE",
                f"{estimator} runs on the executors, and the Python of one does not have {', '.join(lacking)}: {python}"
                f" on {host}.",
                hint="Install it there, send an environment with --archives, or name another Python in"
                " spark.pyspark.python.",
            )
    _complete.add(known)


def _asking(modules: tuple[str, ...]) -> Callable[[Iterable[int]], Iterator[tuple[list[str], str, str]]]:
    # A nested function is pickled by value: executors may have no sqlml.
    def answer(numbers: Iterable[int]) -> Iterator[tuple[list[str], str, str]]:
        import importlib.util
        import socket
        import sys
        import time

        # The task holds its slot for a while, so that the others go to other slots.
        time.sleep(0.5)
        lacking = [module for module in modules if importlib.util.find_spec(module) is None]
        yield lacking, sys.executable, socket.gethostname()

    return answer
