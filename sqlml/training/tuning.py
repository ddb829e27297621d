"""Hyperparameter search: Optuna proposes trials, child processes or Spark evaluate them, and the best is fitted at the
end.

Trials are proposed in rounds of `AT_ONCE`, so a seed gives the same trials on every machine.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators.metrics import LOWER_IS_BETTER
from sqlml.jobs.job import Job
from sqlml.training.searches import Search

DEFAULT_TRIALS = 20
# The number of trials per round, proposed before any of them has a score. It is not the number of cores, so that the
# same seed makes the same proposals on every machine.
AT_ONCE = 4
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Trial:
    """A set of hyperparameters and its score.

    Attributes:
        params: the hyperparameters that were proposed.
        score: the mean of the metric over the folds; NaN if the trial failed.
        error: the error of a failed trial; None otherwise.
        estimator: its name in `ESTIMATORS`.
        sample: the number of rows it was fitted to if that is a sample; None for all.
    """

    number: int
    params: dict[str, Any]
    metric: str
    score: float
    seconds: float
    error: SqlmlError | None
    estimator: str
    sample: int | None = None


@dataclass(frozen=True)
class Plan:
    """The search space and its limits: number of trials, and seconds."""

    searches: Mapping[str, Search]
    trials: int
    budget: float | None
    metric: str | None
    folds: int
    seed: int


def tune(
    plan: Plan,
    job: Job,
    evaluate: Callable[[Job, str], tuple[str, list[float]]],
    *,
    workers: int,
    progress: Callable[[str], None],
    cancelled: Callable[[], bool],
    on_trial: Callable[[Trial], None],
) -> Trial:
    """Runs the search and returns the best trial.

    Args:
        evaluate: scores a job by cross-validation; the second argument is its label, `trial 3 of 20`. Called by several
            threads at once.
        workers: the number of threads.
        progress, on_trial: called on the calling thread, as is `cancelled`, now and then.

    Raises:
        SqlmlError: SQLML_CANCELLED; SQLML_MISSING_PACKAGE; the first trial's error if all have failed.
    """
    plan = replace(plan, trials=min(plan.trials, _combinations(plan) or plan.trials))
    study = _study(plan)
    started = time.monotonic()
    finished: list[Trial] = []
    while len(finished) < plan.trials and not _is_over(plan, started, finished):
        # One round: ask Optuna for proposals, evaluate them in parallel, and tell it the scores in the order of the
        # proposals.
        count = min(AT_ONCE, plan.trials - len(finished))
        optuna_trials = [study.ask() for _ in range(count)]
        proposals = [
            {name: search.suggest(trial, name) for name, search in plan.searches.items()} for trial in optuna_trials
        ]
        trials = _try(job, proposals, len(finished), plan.trials, evaluate, workers, cancelled)
        for proposed, trial in zip(optuna_trials, trials, strict=True):
            finished.append(trial)
            tell(study, proposed, trial)
            on_trial(trial)
        progress(_line(plan, finished, time.monotonic() - started))
    good = [trial for trial in finished if trial.error is None]
    if not good:
        raise all_failed(finished)
    return by_score(good)[0]


def all_failed(trials: list[Trial]) -> SqlmlError:
    """An error for a search without a successful trial, made of the first trial's error."""
    error = trials[0].error
    assert error is not None
    message = f"All {len(trials)} trials failed. The first error: {error.message}"
    found = SqlmlError(error.condition, message, hint=error.hint)
    found.__cause__ = error
    return found


def sampler(seed: int) -> Any:
    """Optuna's TPE sampler with a constant liar, which assumes a bad score for trials still running.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE.
    """
    return optuna_package().samplers.TPESampler(seed=seed, constant_liar=True)


def optuna_package() -> Any:
    """The package optuna, with its log silenced.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"A search for hyperparameters needs the Python package {error.name}.",
            hint="Install it where the driver runs: pip install 'sqlml[tuning]'.",
        ) from error
    optuna.logging.set_verbosity(logging.ERROR)
    return optuna


def _study(plan: Plan) -> Any:
    """A study of Optuna. If there are no more combinations than trials, all of them are enqueued: a grid search."""
    optuna = optuna_package()
    if plan.trials == _combinations(plan):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=plan.seed))
        for indices in product(*(range(search.size or 0) for search in plan.searches.values())):
            study.enqueue_trial(dict(zip(plan.searches, indices, strict=True)))
        return study
    return optuna.create_study(sampler=sampler(plan.seed))


def _combinations(plan: Plan) -> int | None:
    """The number of combinations of candidate values; None if a range is among the searches."""
    sizes = [search.size for search in plan.searches.values()]
    return math.prod(size for size in sizes if size) if all(sizes) else None


def tell(study: Any, proposed: Any, trial: Trial) -> None:
    """Tells Optuna a trial's score. A stopped trial counts as pruned, that is, worse than all finished ones; a failed
    one is ignored."""
    from optuna.trial import TrialState

    if trial.error is not None and trial.error.condition == "SQLML_CANCELLED":
        study.tell(proposed, state=TrialState.PRUNED)
    elif trial.error is not None:
        study.tell(proposed, state=TrialState.FAIL)
    else:
        study.tell(proposed, trial.score if trial.metric in LOWER_IS_BETTER else -trial.score)


def _try(
    job: Job,
    proposals: list[dict[str, Any]],
    first: int,
    count: int,
    evaluate: Callable[[Job, str], tuple[str, list[float]]],
    workers: int,
    cancelled: Callable[[], bool],
) -> list[Trial]:
    """Evaluates proposals in parallel and returns their trials in order; an error becomes a failed trial."""

    def one(number: int, params: dict[str, Any]) -> Trial:
        started = time.monotonic()
        try:
            metric, scores = evaluate(replace(job, params={**job.params, **params}), f"trial {number} of {count}")
        except SqlmlError as error:
            if error.condition in ("SQLML_CANCELLED", "SQLML_MISSING_PACKAGE"):
                raise
            return Trial(number, params, "", math.nan, time.monotonic() - started, error, job.estimator)
        return Trial(number, params, metric, fmean(scores), time.monotonic() - started, None, job.estimator)

    with ThreadPoolExecutor(min(workers, len(proposals))) as pool:
        running: list[Future[Trial]] = [pool.submit(one, first + index, p) for index, p in enumerate(proposals, 1)]
        while wait(running, POLL_SECONDS).not_done:
            # The evaluations poll for cancellation too. This poll sees Ctrl-C, which only reaches this thread, and
            # cancels Spark's jobs.
            cancelled()
        return [trial.result() for trial in running]


def _is_over(plan: Plan, started: float, finished: list[Trial]) -> bool:
    """True if another round would exceed the time budget, judged by the mean time of the rounds so far."""
    if plan.budget is None or not finished:
        return False
    passed = time.monotonic() - started
    rounds = len(finished) / AT_ONCE
    return passed + passed / rounds > plan.budget


def by_score(good: list[Trial]) -> list[Trial]:
    """Successful trials, best first; ties in the order of their numbers."""
    sign = 1.0 if good and good[0].metric in LOWER_IS_BETTER else -1.0
    return sorted(good, key=lambda trial: (sign * trial.score, trial.number))


def leader_board(trials: list[Trial]) -> tuple[Trial, ...]:
    """All trials, best first, failed ones last."""
    good, failed = ([trial for trial in trials if (trial.error is None) == well] for well in (True, False))
    return *by_score(good), *failed


def _line(plan: Plan, finished: list[Trial], passed: float) -> str:
    good = [trial for trial in finished if trial.error is None]
    failed = f", {len(finished) - len(good)} failed" if len(good) < len(finished) else ""
    best = f", best {good[0].metric} {by_score(good)[0].score:.4g}" if good else ""
    left = passed / len(finished) * (plan.trials - len(finished))
    if plan.budget is not None:
        left = min(left, max(plan.budget - passed, 0.0))
    return f"trial {len(finished)} of {plan.trials}{best}{failed}, about {left:.0f} s left"
