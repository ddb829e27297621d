"""A probe of the executors' Python before a distributed library runs there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pyspark import SparkContext

from sqlml.errors import SqlmlError

# What has been found on all executors of an application, by its id.
_complete: set[tuple[str, tuple[str, ...]]] = set()


def check_modules(context: SparkContext, modules: tuple[str, ...], estimator: str) -> None:
    """Asks as many tasks as run at the same time whether their Python can import some modules, once an application.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE with the interpreter and the host of an executor that lacks one.
    """
    if context.master == "local" or context.master.startswith("local["):
        return
    known = (context.applicationId, modules)
    if known in _complete:
        return
    tasks = context.defaultParallelism
    for lacking, python, host in context.parallelize(range(tasks), tasks).mapPartitions(_asking(modules)).collect():
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

        lacking = [module for module in modules if importlib.util.find_spec(module) is None]
        yield lacking, sys.executable, socket.gethostname()

    return answer
