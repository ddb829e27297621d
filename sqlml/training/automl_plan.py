"""What a search of USING auto is bounded by, and what its parts will take."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlml.training.automl_spaces import Candidate
from sqlml.training.tuning import Trial

DEFAULT_BUDGET = 60.0
# With fewer rows than this a fifth of them measures too little: each is left out once, in so many folds.
_MOST_ROWS_TO_FOLD, _FOLDS = 10_000, 5
# With more rows than this trials learn from a sample of them.
_MOST_ROWS_OF_A_TRIAL, _SHARE_OF_A_SAMPLE = 30_000, 12
# The final fit's share of the seconds of a trial on all rows: it has a quarter more rows, and its graph is made,
# measured and compared; and what it takes beyond that, with the registry's part.
FINAL_FACTOR, FINAL_SECONDS = 1.4, 1.5


@dataclass(frozen=True)
class AutoPlan:
    """What is tried, and how long.

    Attributes:
        trials: the most there may be; None for as many as the budget allows.
        started: when the work began, on the monotonic clock.
        budget: seconds from there to the statement's end.
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


class Costs:
    """Seconds that trials and the final fit will take, as far as the trials until now tell."""

    def __init__(self, plan: AutoPlan, trials: Iterable[Trial] = ()) -> None:
        self._plan = plan
        self._growth = {candidate.estimator: candidate.growth for candidate in plan.candidates}
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
            known = self._on_all_rows(estimator, self._seconds.get((estimator, self._plan.sample), 0.0))
        return (known or 0.0) / 2

    def final(self, trial: Trial) -> float:
        """To fit, convert, compare and register a trial's model."""
        seconds = (
            trial.seconds / self._plan.folds
            if trial.sample is None
            else self._on_all_rows(trial.estimator, trial.seconds)
        )
        return seconds * FINAL_FACTOR + FINAL_SECONDS

    def _on_all_rows(self, estimator: str, seconds: float) -> float:
        """The fastest trial on a sample has hardly learned: its seconds are those of reading and measuring, which is
        done with all rows; the rest grows with the rows."""
        reading = min(seconds, self.least) * 0.8
        more: float = (self._plan.rows / (self._plan.sample or self._plan.rows)) ** self._growth.get(estimator, 1.0)
        return reading + (seconds - reading) * more
