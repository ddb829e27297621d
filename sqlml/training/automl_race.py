"""The trials of USING auto: `Proposals` decides what to try next, in the order of the trials' numbers, and `Race` runs
trials within the time budget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Job
from sqlml.training.automl_plan import FINAL_FACTOR, FINAL_SECONDS, AutoPlan, Costs
from sqlml.training.automl_spaces import Candidate
from sqlml.training.tuning import POLL_SECONDS, Trial, by_score, optuna_package, sampler, tell

# After the first trials, every fourth trial repeats the best one so far on all rows.
_EVERY, _FIRST_REPEATED = 4, 2
# The largest share of the budget that one trial may take, once another has succeeded.
_MOST_OF_THE_BUDGET = 0.25

Evaluate = Callable[[Job, int | None, Callable[[], bool], Callable[[], None]], tuple[str, list[float]]]
"""Scores a job on other rows than it learns from. Takes the job, how many rows to learn from, what is asked whether to
stop, and what to call when it has begun."""


@dataclass(frozen=True)
class Proposal:
    """A trial to run; `asked` is Optuna's trial, None for one that repeats another on all rows."""

    candidate: Candidate
    params: dict[str, Any]
    sample: int | None
    asked: Any


class Proposals:
    """The proposed trials, in the order of their numbers: first each candidate's defaults, then what Optuna
    suggests."""

    def __init__(self, plan: AutoPlan) -> None:
        optuna = optuna_package()
        self._plan = plan
        self._by_noun = {candidate.noun: candidate for candidate in plan.candidates}
        self._study = optuna.create_study(sampler=sampler(plan.seed))
        for candidate in plan.candidates:
            first = {f"{candidate.noun}.{name}": value for name, value in candidate.starts_with().items()}
            self._study.enqueue_trial({"estimator": candidate.noun, **first})
        self._repeated: set[int] = set()
        self.count = 0

    def next(self, finished: list[Trial]) -> Proposal:
        """The next proposal, given the trials that have finished so far."""
        self.count += 1
        beyond = self.count - len(self._plan.candidates)
        if self._plan.sample is not None and beyond > 0 and beyond % _EVERY == 1:
            # Every few trials, the best trial on a sample that has not been repeated yet is repeated on all rows.
            fresh = [
                trial
                for trial in finished
                if trial.error is None and trial.sample is not None and trial.number not in self._repeated
            ]
            best = by_score(fresh)[0] if fresh else None
            if best is not None and self._is_worth_it(best, finished):
                self._repeated.add(best.number)
                candidate = self._by_noun[best.estimator.split(".")[-1]]
                return Proposal(candidate, best.params, None, None)
        optuna_trial = self._study.ask()
        candidate = self._by_noun[optuna_trial.suggest_categorical("estimator", list(self._by_noun))]
        params = {
            name: search.suggest(optuna_trial, f"{candidate.noun}.{name}")
            for name, (search, _) in candidate.space.items()
        }
        return Proposal(candidate, {**candidate.fixed, **params}, self._plan.sample, optuna_trial)

    def _is_worth_it(self, trial: Trial, finished: list[Trial]) -> bool:
        """True if a trial should be repeated on all rows: for the first two, and then for any better than all repeated
        ones."""
        before = [other for other in finished if other.number in self._repeated]
        return len(before) < _FIRST_REPEATED or by_score([*before, trial])[0] is trial

    def tell(self, proposal: Proposal, trial: Trial) -> None:
        """Tells Optuna a trial's score; a repeated trial is not Optuna's, so it is left out."""
        if proposal.asked is not None:
            tell(self._study, proposal.asked, trial)

    def drop(self, proposal: Proposal) -> None:
        """Tells Optuna that a proposal was not run."""
        from optuna.trial import TrialState

        if proposal.asked is not None:
            self._study.tell(proposal.asked, state=TrialState.FAIL)


class _Clock:
    """Measures the time of one trial, without the start of its process."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def start(self) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


class Race:
    """Runs proposals within the time budget. `over` is set once no other trial may begin."""

    def __init__(self, plan: AutoPlan, job: Job, evaluate: Evaluate, cancelled: Callable[[], bool]) -> None:
        self._plan, self._job, self._evaluate, self._cancelled = plan, job, evaluate, cancelled
        self._good: list[Trial] = []
        self._costs = Costs(plan)
        self.over = False

    def run(self, proposal: Proposal) -> Trial | None:
        """Runs a proposal; returns its trial, not numbered yet, or None if no time is left for it."""
        name, sample, params = proposal.candidate.estimator, proposal.sample, proposal.params
        expected, reserve = self._costs.trial(name, sample), self._reserve()
        if sample is None and self._plan.sample is not None:
            # A score on all rows is only useful if there is time to fit the model again.
            reserve = max(reserve, expected * FINAL_FACTOR + FINAL_SECONDS)
        elif self._plan.left - reserve < max(POLL_SECONDS, self._costs.least):
            self.over = True
        if self.over or self._plan.left - reserve < expected:
            return None
        clock = _Clock()

        # A running trial is stopped if it takes too long, or if its time is needed for the final fit.
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
                error = SqlmlError(
                    "SQLML_CANCELLED", f"The trial was stopped after {seconds:.1f} s to keep the time budget."
                )
            trial = Trial(0, params, "", math.nan, seconds, error, name, sample)
            if stopped:
                self._costs.note(trial)
            return trial
        trial = Trial(0, params, metric, fmean(scores), clock.seconds, None, name, sample)
        self._costs.note(trial)
        self._good.append(trial)
        return trial

    def _reserve(self) -> float:
        """The seconds to reserve for the final fit."""
        best = by_score(list(self._good))
        return self._costs.final(best[0]) if best else FINAL_SECONDS
