"""USING auto: a search over estimators and their hyperparameters within a time budget for the whole statement.

The first trials are each candidate's defaults, the others are Optuna's proposals. With many rows a trial is fitted to a
sample, and the best ones are repeated on all rows; all are measured on the same rows, so that scores are comparable.
The search ends in time to fit, export, compare and register the best model.

With a number of trials and a budget that is never reached, a seed determines the model: a proposal depends on all
trials but the last few in the order of their numbers, never on the order in which they finish. If the budget ends the
search, the model depends on the machine's speed.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Fitted, Job
from sqlml.training.automl_plan import AutoPlan, Costs
from sqlml.training.automl_race import Evaluate, Proposal, Proposals, Race
from sqlml.training.tuning import AT_ONCE, POLL_SECONDS, Trial, all_failed, by_score

# How far the final fit may overrun the budget, as a share of it.
_LENIENCE = 0.1
_SECONDS_BETWEEN_LINES = 2.0
# How many of the best trials are fitted if their graphs are not faithful, before the statement fails.
_MOST_FITTED = 3


def search(
    plan: AutoPlan,
    job: Job,
    evaluate: Evaluate,
    *,
    workers: int,
    progress: Callable[[str], None],
    cancelled: Callable[[], bool],
    on_trial: Callable[[Trial], None],
    spare: Callable[[], None],
) -> list[Trial]:
    """Runs the search; returns the successful trials, best first.

    Args:
        evaluate: scores a job; called by several threads at once; raises SQLML_CANCELLED soon after its stop callback
            returns True.
        workers: the number of threads.
        progress, on_trial: called on the calling thread.
        spare: called when a trial was stopped, to start another process for the next one.

    Raises:
        SqlmlError: SQLML_CANCELLED; SQLML_MISSING_PACKAGE; the first trial's error if all first trials have failed;
            SQLML_OPTION_INVALID if the budget ends before any trial has.
    """
    proposals = Proposals(plan)
    race = Race(plan, job, evaluate, cancelled)
    finished: list[Trial] = []
    lines = _Lines(plan, progress)
    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[Proposal, Future[Trial | None]]] = deque()
        while True:
            # Keep `AT_ONCE` trials running, then wait for the oldest: results are used in the order of the proposals.
            while len(running) < AT_ONCE and not race.over and proposals.count < (plan.trials or math.inf):
                proposal = proposals.next(finished)
                running.append((proposal, pool.submit(race.run, proposal)))
            if not running:
                break
            proposal, future = running.popleft()
            while wait([future], POLL_SECONDS).not_done:
                # The child processes poll for cancellation too. This poll sees Ctrl-C, which only reaches this thread.
                cancelled()
            trial = future.result()
            if trial is None:
                proposals.drop(proposal)
                continue
            trial = replace(trial, number=len(finished) + 1)
            if trial.error is not None and trial.error.condition == "SQLML_CANCELLED":
                spare()
            finished.append(trial)
            proposals.tell(proposal, trial)
            on_trial(trial)
            lines.tell(finished)
            if len(finished) == len(plan.candidates) and all(one.error is not None for one in finished):
                race.over = True
    good = by_score([trial for trial in finished if trial.error is None])
    failed = [trial for trial in finished if trial.error is not None and trial.error.condition != "SQLML_CANCELLED"]
    if not good and failed:
        # Trials that were already running when the last candidate failed are not counted.
        raise all_failed(failed[: len(plan.candidates)])
    if not good:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The time_budget of {plan.budget:g} s ended before any trial.",
            hint="Raise it, or train on fewer rows with OPTIONS (max_rows = …).",
        )
    return good


def fit_best(
    plan: AutoPlan, good: list[Trial], job: Job, fit: Callable[[Job], Fitted], progress: Callable[[str], None]
) -> tuple[Trial, Fitted]:
    """Fits the best trial that is expected to fit in the remaining time and has a faithful graph.

    Args:
        good: successful trials, best first.

    Raises:
        SqlmlError: the error of the last trial that was fitted.
    """
    costs = Costs(plan, good)
    left = plan.left + plan.budget * _LENIENCE
    affordable = [trial for trial in good if costs.final(trial) <= left]
    # If none fits in the time, the fastest is taken: a late model is better than none.
    order = affordable or sorted(good, key=costs.final)
    *others, last = order[:_MOST_FITTED]
    for trial in others:
        try:
            return trial, fit(_job(job, trial))
        except SqlmlError as error:
            if error.condition not in ("SQLML_FIDELITY", "SQLML_ENGINE_FAILED"):
                raise
            progress(f"trial {trial.number} is skipped: {error.message}")
    return last, fit(_job(job, last))


def _job(job: Job, trial: Trial) -> Job:
    return replace(job, estimator=trial.estimator, params={**job.params, **trial.params})


class _Lines:
    """Progress lines of the search: when a better trial was found, or some seconds after the last line."""

    def __init__(self, plan: AutoPlan, progress: Callable[[str], None]) -> None:
        self._plan, self._progress = plan, progress
        self._best: int | None = None
        self._last_line = -math.inf

    def tell(self, finished: list[Trial]) -> None:
        good = by_score([trial for trial in finished if trial.error is None])
        now = time.monotonic()
        news = good and good[0].number != self._best
        if not news and now - self._last_line < _SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        self._best = good[0].number if good else None
        noun = good[0].estimator.split(".")[-1] if good else ""
        best = f", best {good[0].metric} {good[0].score:.4g} by {noun}" if good else ""
        failed = f", {len(finished) - len(good)} failed" if len(good) < len(finished) else ""
        of = f" of {self._plan.trials}" if self._plan.trials else ""
        left = max(self._plan.left, 0.0)
        self._progress(f"trial {finished[-1].number}{of}{best}{failed}, about {left:.0f} s left")
