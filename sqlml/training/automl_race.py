"""The trials of USING auto: what is proposed, in the order of the trials' numbers, and run against the clock."""

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

# After the first trials one in so many learns from all rows.
_EVERY, _FIRST_REPEATED = 4, 2
# No trial may take more of the budget, once there is something to fit.
_MOST_OF_THE_BUDGET = 0.25

Evaluate = Callable[[Job, int | None, Callable[[], bool], Callable[[], None]], tuple[str, list[float]]]
"""Scores a job on other rows than it learns from. Takes the job, how many rows to learn from, what is asked whether to
stop, and what to call when it has begun."""


@dataclass(frozen=True)
class Proposal:
    """A trial that is to be run; `asked` is Optuna's, None for one that repeats another on all rows."""

    candidate: Candidate
    params: dict[str, Any]
    sample: int | None
    asked: Any


class Proposals:
    """The trials in the order of their numbers."""

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
                return Proposal(candidate, best.params, None, None)
        asked = self._study.ask()
        candidate = self._by_noun[asked.suggest_categorical("estimator", list(self._by_noun))]
        params = {
            name: search.suggest(asked, f"{candidate.noun}.{name}") for name, (search, _) in candidate.space.items()
        }
        return Proposal(candidate, {**candidate.fixed, **params}, self._plan.sample, asked)

    def _is_worth_it(self, trial: Trial, finished: list[Trial]) -> bool:
        """Whether to repeat it on all rows: the two best of the beginning, and after that what is better than they."""
        before = [other for other in finished if other.number in self._repeated]
        return len(before) < _FIRST_REPEATED or by_score([*before, trial])[0] is trial

    def tell(self, proposal: Proposal, trial: Trial) -> None:
        if proposal.asked is not None:
            tell(self._study, proposal.asked, trial)

    def drop(self, proposal: Proposal) -> None:
        """It was not run."""
        from optuna.trial import TrialState

        if proposal.asked is not None:
            self._study.tell(proposal.asked, state=TrialState.FAIL)


class _Clock:
    """Times one trial, but not the start of its process."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def start(self) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


class Race:
    """Runs proposals against the clock. `over` once no other may begin."""

    def __init__(self, plan: AutoPlan, job: Job, evaluate: Evaluate, cancelled: Callable[[], bool]) -> None:
        self._plan, self._job, self._evaluate, self._cancelled = plan, job, evaluate, cancelled
        self._good: list[Trial] = []
        self._costs = Costs(plan)
        self.over = False

    def run(self, proposal: Proposal) -> Trial | None:
        """The trial, without its number; None where there is no time left for it."""
        name, sample, params = proposal.candidate.estimator, proposal.sample, proposal.params
        expected, reserve = self._costs.trial(name, sample), self._reserve()
        if sample is None and self._plan.sample is not None:
            # To know how good it is on all rows is of no use unless there is time to fit it again.
            reserve = max(reserve, expected * FINAL_FACTOR + FINAL_SECONDS)
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
        return self._costs.final(best[0]) if best else FINAL_SECONDS
