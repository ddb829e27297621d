"""The fit of a planned model: by MLlib on the cluster, or by a library in child processes, after an optional search.

`fit` is the entry point; the three functions below it are USING auto, MLlib, and one machine. A `_Search` runs trials
or a cross-validation before the final fit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.estimators import SKLEARN, Estimator, resolve
from sqlml.jobs.job import Fitted, Job
from sqlml.session import Application, Caller
from sqlml.settings import MAX_ROWS
from sqlml.training import automl
from sqlml.training.automl_plan import AutoPlan
from sqlml.training.tuning import Plan, Trial, tune

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Work:
    """A job, its estimator, and its rows.

    Attributes:
        model: the model's name.
        frame: a Spark DataFrame of the job's columns.
        collect: collects the rows for a library of one machine.
        rows: the number of rows.
        most_rows: the most rows that one machine may collect.
        memory: the most bytes of data a child process may have; None for no limit.
    """

    model: str
    job: Job
    estimator: Estimator
    frame: Any
    collect: Callable[[], pa.Table]
    rows: int
    most_rows: int
    memory: int | None


@dataclass(frozen=True)
class Found:
    """The fitted model, its estimator, and the trial whose hyperparameters it has, if there was a search."""

    fitted: Fitted
    estimator: Estimator
    best: Trial | None = None


def fit(
    work: Work,
    plan: Plan | AutoPlan | None,
    folds: int | None,
    metric: str | None,
    caller: Caller,
    application: Application,
    on_trial: Callable[[Trial], None],
) -> Found:
    """Searches hyperparameters if there is a plan, then fits.

    Args:
        folds: folds of a cross-validation without a search, whose mean and deviation become metrics; None for none.
        metric: the metric to cross-validate; None for the task's usual one.
    """
    leave_out = plan.folds if plan else folds or 1
    if isinstance(plan, AutoPlan):
        return _automatic(work, plan, caller, application, on_trial)
    search = _Search(plan, folds, caller, on_trial)
    if work.estimator.distributed:
        return _on_the_cluster(work, search, leave_out, metric)
    return _on_one_machine(work, search, application, leave_out, metric)


def _on_the_cluster(work: Work, search: _Search, folds: int, metric: str | None) -> Found:
    """Fits by MLlib, or XGBoost on Spark, after trials or a cross-validation on the same cached rows."""
    from sqlml.estimators.mllib import training as mllib

    caller = search.caller
    with mllib.opened(work.job, work.frame, caller.progress, caller.cancelled, title=work.model) as training:
        if search.is_asked:
            training.cut(folds)
        return search.run(
            work,
            lambda job, name: training.evaluate(job, name, metric=metric),
            training.fit,
            workers=mllib.TRIALS_AT_ONCE,
            cancelled=training.cancelled,
        )


def _on_one_machine(work: Work, search: _Search, application: Application, folds: int, metric: str | None) -> Found:
    """Fits in a child process of the driver, after trials or a cross-validation in a pool of processes."""
    _check_rows(work)
    from sqlml.estimators import trainer
    from sqlml.training import trials

    caller = search.caller
    client = trainer.Client(caller.progress, caller.cancelled)
    with trainer.collected(work.collect, client) as folder, ExitStack() as stack:
        place = trials.on_the_driver(caller, folder, work.memory)
        if search.plan is not None:
            engines = [work.estimator.engine]
            place = stack.enter_context(trials.place(caller, application, folder, work.model, engines, work.memory))
        return search.run(
            work,
            lambda job, name: place.evaluate(job, name, metric=metric, folds=folds),
            lambda job: trainer.fit(folder, job, client, work.memory),
            workers=place.workers,
            cancelled=place.cancelled,
        )


@dataclass(frozen=True)
class _Search:
    """A search before the fit: trials if there is a plan, a cross-validation if there are folds, or nothing."""

    plan: Plan | None
    folds: int | None
    caller: Caller
    on_trial: Callable[[Trial], None]

    @property
    def is_asked(self) -> bool:
        return self.plan is not None or self.folds is not None

    def run(
        self,
        work: Work,
        evaluate: Callable[[Job, str], tuple[str, list[float]]],
        fit: Callable[[Job], Fitted],
        *,
        workers: int,
        cancelled: Callable[[], bool],
    ) -> Found:
        """Runs the search, fits the best job, and adds the search's score to the metrics."""
        job, best, caller = work.job, None, self.caller
        measured: dict[str, float] = {}
        if self.plan is not None:
            best = tune(
                self.plan,
                job,
                evaluate,
                workers=workers,
                progress=caller.progress,
                cancelled=cancelled,
                on_trial=self.on_trial,
            )
            caller.progress(f"best of all trials: {_shown(best.params)}")
            job = replace(job, params={**job.params, **best.params})
            measured = {f"tuning_{best.metric}": best.score}
        elif self.folds is not None:
            caller.progress(f"cross-validating in {self.folds} folds")
            name, scores = evaluate(job, f"cross-validation in {self.folds} folds")
            measured = {f"cv_{name}": fmean(scores), f"cv_{name}_deviation": pstdev(scores)}
        fitted = fit(job)
        return Found(replace(fitted, metrics={**fitted.metrics, **measured}), work.estimator, best)


def _automatic(
    work: Work, plan: AutoPlan, caller: Caller, application: Application, on_trial: Callable[[Trial], None]
) -> Found:
    """USING auto: races the candidates' trials in child processes, and fits the best."""
    _check_rows(work)
    from sqlml.estimators import trainer
    from sqlml.training import trials

    client = trainer.Client(caller.progress, caller.cancelled)
    engines = [candidate.estimator.split(".")[0] for candidate in plan.candidates]
    numbers = count(1)
    with (
        trainer.collected(work.collect, client) as folder,
        trials.place(caller, application, folder, work.model, engines, work.memory) as place,
    ):

        def evaluate(
            job: Job, sample: int | None, stop: Callable[[], bool], started: Callable[[], None]
        ) -> tuple[str, list[float]]:
            name = f"trial {next(numbers)}, {job.estimator}"
            given: dict[str, Any] = {"metric": plan.metric, "folds": plan.folds, "sample": sample}
            return place.evaluate(job, name, stop=stop, started=started, **given)

        good = automl.search(
            plan,
            work.job,
            evaluate,
            workers=place.workers if plan.sample is None else place.workers_of_many_rows,
            progress=caller.progress,
            cancelled=place.cancelled,
            on_trial=on_trial,
            spare=place.spare,
        )
        best, fitted = automl.fit_best(
            plan, good, work.job, lambda job: trainer.fit(folder, job, client, work.memory), caller.progress
        )
    caller.progress(f"best of all trials: {best.estimator} with {_shown(best.params)}")
    fitted = replace(fitted, metrics={**fitted.metrics, f"tuning_{best.metric}": best.score})
    return Found(fitted, resolve(best.estimator, work.job.signature.task, SKLEARN), best)


def _check_rows(work: Work) -> None:
    """Raises SqlmlError SQLML_TOO_MANY_ROWS if the estimator or one machine cannot take all rows."""
    estimator, rows = work.estimator, work.rows
    if estimator.most_rows is not None and rows > estimator.most_rows:
        raise SqlmlError(
            "SQLML_TOO_MANY_ROWS",
            f"{estimator.name} keeps the training rows in the model, so it can train on at most {estimator.most_rows}"
            f" rows, but the query has {rows}.",
            hint="Train on a sample with OPTIONS (max_rows = …), or use another estimator.",
        )
    if rows > work.most_rows:
        raise SqlmlError(
            "SQLML_TOO_MANY_ROWS",
            f"{estimator.name} trains on one machine, which is limited to {work.most_rows} rows, but the query has"
            f" {rows}.",
            hint="Train on the cluster with USING mllib.…, train on a sample with OPTIONS (max_rows = …), or have"
            f" {MAX_ROWS.key} raised.",
        )


def _shown(params: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in params.items())
