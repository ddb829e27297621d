"""Execution of trials for libraries of one machine: on Spark's executors, or in child processes of the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import SKLEARN, trainer
from sqlml.estimators.worker import ROWS
from sqlml.jobs.job import Job
from sqlml.session import Application, Caller, Tasks
from sqlml.settings import AUTO, DRIVER, EXECUTORS, TRIALS
from sqlml.training.tuning import AT_ONCE

# Modules that a trial imports besides the engine's own, which is named like the engine.
_NEEDED = (SKLEARN, "onnx")


@dataclass(frozen=True)
class Place:
    """A pool that runs trials.

    Attributes:
        ask: sends a request under a trial's name and waits for its answer.
        workers: the number of concurrent trials.
        workers_of_many_rows: the same for many rows, where a library uses all cores itself.
        cancelled: polled on the statement's own thread, so that a cancelled statement's tasks end.
        spare: called when a trial was stopped; starts another process for the next one.
    """

    ask: Callable[[dict[str, Any], str, trainer.Client], dict[str, Any]]
    workers: int
    workers_of_many_rows: int
    cancelled: Callable[[], bool]
    spare: Callable[[], None]

    def evaluate(
        self,
        job: Job,
        name: str,
        *,
        metric: str | None,
        folds: int,
        sample: int | None = None,
        stop: Callable[[], bool] | None = None,
        started: Callable[[], None] = lambda: None,
    ) -> tuple[str, list[float]]:
        """Runs `trainer.evaluate` for a named trial."""
        client = trainer.Client(lambda line: None, stop or self.cancelled, started)
        return trainer.evaluate(
            lambda request, client: self.ask(request, name, client),
            job,
            client,
            metric=metric,
            folds=folds,
            sample=sample,
        )


def on_the_driver(caller: Caller, folder: Path, memory: int | None) -> Place:
    """A pool of child processes of this process. The arguments are those of `pool`."""
    ask = trainer.here(folder, memory)
    # With many rows each trial uses all cores, so two at a time would only wait for each other.
    workers = trainer.MOST_JOBS, 1
    return Place(lambda request, name, client: ask(request, client), *workers, caller.cancelled, trainer.warm)


@contextmanager
def place(
    caller: Caller, application: Application, folder: Path, model: str, engines: Iterable[str], memory: int | None
) -> Iterator[Place]:
    """A context with the pool that `spark.sqlml.train.trials` selects. With `auto`, the driver is used if executors
    lack something, and the user is told.

    Args:
        folder: made by `trainer.collected`.
        model: the model's name.
        engines: the engines of all estimators that will be tried.
        memory: the most bytes of data a child process may have; None for no limit.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE if trials must run on executors and cannot.
    """
    wanted = application.setting(TRIALS)
    if wanted == DRIVER or (wanted == AUTO and application.is_local):
        yield on_the_driver(caller, folder, memory)
        return
    with application.tasks(folder / ROWS, model) as tasks:
        lack = _lack(tasks, folder, caller, [*_NEEDED, *engines], memory)
        if lack is None:
            caller.progress("trials run on the executors")
            # A Spark task has cores of its own, so many rows make no difference.
            yield Place(partial(_of_a_task, tasks, memory), AT_ONCE, AT_ONCE, tasks.cancelled, lambda: None)
            return
    if wanted == EXECUTORS:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"Trials must run on the executors, but {lack}.",
            hint=f"Install the packages of the driver there, or have {TRIALS.key} set to {AUTO} or {DRIVER}.",
        )
    caller.progress(f"trials run on the driver: {lack}")
    yield on_the_driver(caller, folder, memory)


def _of_a_task(
    tasks: Tasks, memory: int | None, request: dict[str, Any], name: str, client: trainer.Client
) -> dict[str, Any]:
    """Sends a request to one task and returns its answer."""
    (answer,) = tasks.ask({**request, "memory": memory}, name, client)
    return answer


def _lack(tasks: Tasks, folder: Path, caller: Caller, modules: list[str], memory: int | None) -> str | None:
    """A sentence about a difference between the executors' Python and the driver's; None if there is none. Also starts
    the children on the executors."""
    request = {"modules": list(dict.fromkeys(modules)), "memory": memory}
    client = trainer.Client(lambda line: None, caller.cancelled)
    try:
        answers = tasks.ask(request, "libraries of the executors", client, AT_ONCE)
    except SqlmlError as error:
        if error.condition == "SQLML_CANCELLED":
            raise
        return f"the executors' Python does not answer: {error.message}"
    own = trainer.here(folder, memory)(request, client)["versions"]
    for answer in answers:
        if "versions" not in answer:
            return f"the executors' Python does not answer: {answer.get('failed') or answer['error']['message']}"
        for name, version in answer["versions"].items():
            if version is None:
                return f"the executors' Python has no {name}"
            if version != own[name]:
                return f"the executors' Python has {name} {version}, the driver's {own[name]}"
    return None
