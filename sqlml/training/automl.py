"""USING auto: which estimator, with which hyperparameters, within a budget of seconds for the whole statement.

The first trials are each candidate with usual settings, the others what Optuna proposes. On many rows a trial learns
from a sample, and the best of them are tried on all rows; all are measured on the same rows, so that their scores
compare. The search ends in time for its best model to be fitted, converted, compared and registered.

With a number of trials and a budget that is never reached the same seed gives the same model: what is proposed depends
on the answers to all trials but the last few, in the order of their numbers, whatever the order they come in. Where
the budget ends the search, the model depends on how fast the machine is.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators.job import Fitted, Job
from sqlml.training.automl_spaces import Candidate
from sqlml.training.tuning import AT_ONCE, POLL_SECONDS, Trial, all_failed, by_score, sampler, tell

DEFAULT_BUDGET = 60.0
# With fewer rows than this a fifth of them measures too little: each is left out once, in so many folds.
_MOST_ROWS_TO_FOLD, _FOLDS = 10_000, 5
# With more rows than this trials learn from a sample of them.
_MOST_ROWS_OF_A_TRIAL, _SHARE_OF_A_SAMPLE = 30_000, 12
# After the first trials one in so many learns from all rows.
_EVERY, _FIRST_REPEATED = 4, 2
# The final fit's share of the seconds of a trial on all rows: it has a quarter more rows, and its graph is made,
# measured and compared; and what it takes beyond that, with the registry's part.
_FINAL_FACTOR, _FINAL_SECONDS = 1.4, 1.5
# Seconds of learning grow with the rows to this power: measured 0.7 to 0.9 from 27,000 to 209,000 flights.
_GROWTH = 0.8
# No trial may take more of the budget, once there is something to fit; and how far the final fit may overrun it.
_MOST_OF_THE_BUDGET, _LENIENCE = 0.25, 0.1
_SECONDS_BETWEEN_LINES = 2.0
# How many of the best may turn out to have no faithful graph before the statement gives up.
_MOST_FITTED = 3


@dataclass(frozen=True)
class AutoPlan:
    """What is tried, and how long.

    Attributes:
        trials: the most there may be; None for as many as the budget allows.
        started: when the statement began, on the monotonic clock.
        budget: seconds of the whole statement.
        folds: of cross-validation of every trial; with 1 a fifth of the rows is left out once.
        rows: how many there are to learn from.
    """

    candidates: tuple[Candidate, ...]
    trials: int | None
    started: float
    budget: float
    metric: str | None
    folds: int
    seed: int
    rows: int

    @property
    def sample(self) -> int | None:
        """How many rows a trial learns from; None for all."""
        if self.rows <= _MOST_ROWS_OF_A_TRIAL:
            return None
        return max(_MOST_ROWS_OF_A_TRIAL // 3, self.rows // _SHARE_OF_A_SAMPLE)

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""
        return self.started + self.budget - time.monotonic()


def folds_of(rows: int) -> int:
    """Of each trial, where the user does not say."""
    return _FOLDS if rows <= _MOST_ROWS_TO_FOLD else 1


Evaluate = Callable[[Job, int | None, Callable[[], bool], Callable[[], None]], tuple[str, list[float]]]
"""Scores a job on other rows than it learns from. Takes the job, how many rows to learn from, what is asked whether to
stop, and what to call when it has begun."""


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
    """The trials that have succeeded, the best one first.

    Args:
        evaluate: called by several threads at once; raises SQLML_CANCELLED soon after it is to stop.
        workers: how many threads.
        progress, on_trial: called on this thread.
        spare: called where a trial was stopped, so that another process for the next one begins to start.

    Raises:
        SqlmlError: SQLML_CANCELLED; SQLML_MISSING_PACKAGE; the first trial's error where all first trials have failed;
            SQLML_OPTION_INVALID where the budget is over before any has ended.
    """
    asked = _Proposals(plan)
    race = _Race(plan, job, evaluate, cancelled)
    finished: list[Trial] = []
    lines = _Lines(plan, progress)
    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[_Proposal, Future[Trial | None]]] = deque()
        while True:
            while len(running) < AT_ONCE and not race.over and asked.count < (plan.trials or math.inf):
                proposal = asked.next(finished)
                running.append((proposal, pool.submit(race.run, proposal)))
            if not running:
                break
            proposal, future = running.popleft()
            while wait([future], POLL_SECONDS).not_done:
                # The children ask too; this is for Ctrl-C, which only this thread sees.
                cancelled()
            trial = future.result()
            if trial is None:
                asked.drop(proposal)
                continue
            trial = replace(trial, number=len(finished) + 1)
            if trial.error is not None and trial.error.condition == "SQLML_CANCELLED":
                spare()
            finished.append(trial)
            asked.tell(proposal, trial)
            on_trial(trial)
            lines.tell(finished)
            if len(finished) == len(plan.candidates) and all(one.error is not None for one in finished):
                race.over = True
    good = by_score([trial for trial in finished if trial.error is None])
    failed = [trial for trial in finished if trial.error is not None and trial.error.condition != "SQLML_CANCELLED"]
    if not good and failed:
        # Not those that were on their way meanwhile.
        raise all_failed(failed[: len(plan.candidates)])
    if not good:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The time_budget of {plan.budget:g} s was over before any trial had ended.",
            hint="Raise it, or learn from fewer rows: OPTIONS (max_rows = …).",
        )
    return good


def fit_best(
    plan: AutoPlan, good: list[Trial], job: Job, fit: Callable[[Job], Fitted], progress: Callable[[str], None]
) -> tuple[Trial, Fitted]:
    """The best trial that can be fitted in the time that is left, and that has a faithful graph.

    Args:
        good: the best one first.

    Raises:
        SqlmlError: that of the last one that was tried.
    """
    costs = _Costs(plan, good)
    left = plan.left + plan.budget * _LENIENCE
    affordable = [trial for trial in good if costs.final(trial) <= left]
    # A model that comes late is better than none.
    order = affordable or sorted(good, key=costs.final)
    *others, last = order[:_MOST_FITTED]
    for trial in others:
        try:
            return trial, fit(_job(job, trial))
        except SqlmlError as error:
            if error.condition not in ("SQLML_FIDELITY", "SQLML_ENGINE_FAILED"):
                raise
            progress(f"trial {trial.number} is passed over: {error.message}")
    return last, fit(_job(job, last))


def _job(job: Job, trial: Trial) -> Job:
    return replace(job, estimator=trial.estimator, params={**job.params, **trial.params})


# -- what is proposed --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Proposal:
    """A trial that is to be run; `asked` is Optuna's, None for one that repeats another on all rows."""

    candidate: Candidate
    params: dict[str, Any]
    sample: int | None
    asked: Any


class _Proposals:
    """The trials in the order of their numbers."""

    def __init__(self, plan: AutoPlan) -> None:
        import optuna

        self._plan = plan
        self._by_noun = {candidate.noun: candidate for candidate in plan.candidates}
        self._study = optuna.create_study(sampler=sampler(plan.seed))
        for candidate in plan.candidates:
            first = {f"{candidate.noun}.{name}": value for name, value in candidate.starts_with().items()}
            self._study.enqueue_trial({"estimator": candidate.noun, **first})
        self._repeated: set[int] = set()
        self.count = 0

    def next(self, finished: list[Trial]) -> _Proposal:
        """The next one, as the trials that have finished so far suggest."""
        self.count += 1
        beyond = self.count - len(self._plan.candidates)
        if self._plan.sample is not None and beyond > 0 and beyond % _EVERY == 1:
            fresh = [
                trial
                for trial in finished
                if trial.error is None and trial.sample is not None and trial.number not in self._repeated
            ]
            best = by_score(fresh)[0] if fresh else None
            if best is not None and self._is_worth_it(best, finished):
                self._repeated.add(best.number)
                candidate = self._by_noun[best.estimator.split(".")[-1]]
                return _Proposal(candidate, best.params, None, None)
        asked = self._study.ask()
        candidate = self._by_noun[asked.suggest_categorical("estimator", list(self._by_noun))]
        params = {
            name: search.suggest(asked, f"{candidate.noun}.{name}") for name, (search, _) in candidate.space.items()
        }
        return _Proposal(candidate, {**candidate.fixed, **params}, self._plan.sample, asked)

    def _is_worth_it(self, trial: Trial, finished: list[Trial]) -> bool:
        """Whether to repeat it on all rows: the two best of the beginning, and after that what is better than they."""
        before = [other for other in finished if other.number in self._repeated]
        return len(before) < _FIRST_REPEATED or by_score([*before, trial])[0] is trial

    def tell(self, proposal: _Proposal, trial: Trial) -> None:
        if proposal.asked is not None:
            tell(self._study, proposal.asked, trial)

    def drop(self, proposal: _Proposal) -> None:
        """It was not run."""
        from optuna.trial import TrialState

        if proposal.asked is not None:
            self._study.tell(proposal.asked, state=TrialState.FAIL)


# -- how it is run -----------------------------------------------------------------------------------------------------


class _Costs:
    """Seconds that trials and the final fit will take, as far as the trials until now tell."""

    def __init__(self, plan: AutoPlan, trials: Iterable[Trial] = ()) -> None:
        self._plan = plan
        self._seconds: dict[tuple[str, int | None], float] = {}
        for trial in trials:
            self.note(trial)

    def note(self, trial: Trial) -> None:
        key = trial.estimator, trial.sample
        self._seconds[key] = max(trial.seconds, self._seconds.get(key, 0.0))

    @property
    def least(self) -> float:
        return min(self._seconds.values(), default=0.0)

    def trial(self, estimator: str, sample: int | None) -> float:
        """Half of what the slowest one of this estimator has taken, since there are cheap settings too."""
        known = self._seconds.get((estimator, sample))
        if known is None and sample is None and self._plan.sample is not None:
            known = self._on_all_rows(self._seconds.get((estimator, self._plan.sample), 0.0))
        return (known or 0.0) / 2

    def final(self, trial: Trial) -> float:
        """To fit, convert, compare and register a trial's model."""
        seconds = trial.seconds / self._plan.folds if trial.sample is None else self._on_all_rows(trial.seconds)
        return seconds * _FINAL_FACTOR + _FINAL_SECONDS

    def _on_all_rows(self, seconds: float) -> float:
        """The fastest trial on a sample has hardly learned: its seconds are those of reading and measuring, which is
        done with all rows; the rest grows with the rows."""
        reading = min(seconds, self.least) * 0.8
        more: float = (self._plan.rows / (self._plan.sample or self._plan.rows)) ** _GROWTH
        return reading + (seconds - reading) * more


class _Clock:
    """Times one trial, but not the start of its process."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def start(self) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


class _Race:
    """Runs proposals against the clock. `over` once no other may begin."""

    def __init__(self, plan: AutoPlan, job: Job, evaluate: Evaluate, cancelled: Callable[[], bool]) -> None:
        self._plan, self._job, self._evaluate, self._cancelled = plan, job, evaluate, cancelled
        self._good: list[Trial] = []
        self._costs = _Costs(plan)
        self.over = False

    def run(self, proposal: _Proposal) -> Trial | None:
        """The trial, without its number; None where there is no time left for it."""
        name, sample, params = proposal.candidate.estimator, proposal.sample, proposal.params
        expected, reserve = self._costs.trial(name, sample), self._reserve()
        if sample is None and self._plan.sample is not None:
            # To know how good it is on all rows is of no use unless there is time to fit it again.
            reserve = max(reserve, expected * _FINAL_FACTOR + _FINAL_SECONDS)
        elif self._plan.left - reserve < max(POLL_SECONDS, self._costs.least):
            self.over = True
        if self.over or self._plan.left - reserve < expected:
            return None
        clock = _Clock()

        def stop() -> bool:
            too_long = bool(self._good) and clock.seconds > self._plan.budget * _MOST_OF_THE_BUDGET
            return self._cancelled() or too_long or self._plan.left < self._reserve()

        job = replace(self._job, estimator=name, params={**self._job.params, **params})
        try:
            metric, scores = self._evaluate(job, sample, stop, clock.start)
        except SqlmlError as error:
            if error.condition == "SQLML_MISSING_PACKAGE" or self._cancelled():
                raise
            seconds = clock.seconds
            stopped = error.condition == "SQLML_CANCELLED"
            if stopped:
                error = SqlmlError("SQLML_CANCELLED", f"Stopped after {seconds:.1f} s, to keep the time budget.")
            trial = Trial(0, params, "", math.nan, seconds, error, name, sample)
            if stopped:
                self._costs.note(trial)
            return trial
        trial = Trial(0, params, metric, fmean(scores), clock.seconds, None, name, sample)
        self._costs.note(trial)
        self._good.append(trial)
        return trial

    def _reserve(self) -> float:
        """Seconds that the final fit will need."""
        best = by_score(list(self._good))
        return self._costs.final(best[0]) if best else _FINAL_SECONDS


class _Lines:
    """What the user sees: a line where something better was found, or some seconds after the last one."""

    def __init__(self, plan: AutoPlan, progress: Callable[[str], None]) -> None:
        self._plan, self._progress = plan, progress
        self._best: int | None = None
        self._told = -math.inf

    def tell(self, finished: list[Trial]) -> None:
        good = by_score([trial for trial in finished if trial.error is None])
        now = time.monotonic()
        news = good and good[0].number != self._best
        if not news and now - self._told < _SECONDS_BETWEEN_LINES:
            return
        self._told = now
        self._best = good[0].number if good else None
        noun = good[0].estimator.split(".")[-1] if good else ""
        best = f", best {good[0].metric} {good[0].score:.4g} by {noun}" if good else ""
        failed = f", {len(finished) - len(good)} failed" if len(good) < len(finished) else ""
        of = f" of {self._plan.trials}" if self._plan.trials else ""
        left = max(self._plan.left, 0.0)
        self._progress(f"trial {finished[-1].number}{of}{best}{failed}, about {left:.0f} s left")
