"""The time budget of USING auto: the limits of a search, and cost estimates of trials and of the final fit."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlml.training.automl_spaces import Candidate
from sqlml.training.tuning import Trial

DEFAULT_BUDGET = 60.0
# With at most this many rows, trials are cross-validated in this many folds: a single held-out
# fifth would be too small for reliable metrics.
_MOST_ROWS_TO_FOLD, _FOLDS = 10_000, 5
# With more rows than this, trials are fitted to a sample: one row of this many.
_MOST_ROWS_OF_A_TRIAL, _ROWS_PER_SAMPLED_ROW = 30_000, 12
# Seconds of the final fit = factor · seconds of a fold on all rows + constant. The factor covers a quarter more rows,
# the export, the measuring and the comparison; the constant covers the rest, with the registry's part.
FINAL_FACTOR, FINAL_SECONDS = 1.4, 1.5


@dataclass(frozen=True)
class AutoPlan:
    """The candidates and limits of a search.

    Attributes:
        trials: the most trials; None for as many as the budget allows.
        started: the start of the statement's work, on the monotonic clock.
        budget: seconds from `started` to the statement's end.
        folds: the folds of each trial; with 1, a fifth of the rows is left out once.
        rows: the number of training rows.
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
        """The number of rows a trial is fitted to; None for all."""
        if self.rows <= _MOST_ROWS_OF_A_TRIAL:
            return None
        return max(_MOST_ROWS_OF_A_TRIAL // 3, self.rows // _ROWS_PER_SAMPLED_ROW)

    @property
    def left(self) -> float:
        """The remaining seconds of the budget."""
        return self.started + self.budget - time.monotonic()


def folds_of(rows: int) -> int:
    """The default number of folds of a trial."""
    return _FOLDS if rows <= _MOST_ROWS_TO_FOLD else 1


class Costs:
    """Cost estimates in seconds for trials and the final fit, from the trials so far."""

    def __init__(self, plan: AutoPlan, trials: Iterable[Trial] = ()) -> None:
        self._plan = plan
        self._growth = {candidate.estimator: candidate.growth for candidate in plan.candidates}
        self._seconds: dict[tuple[str, int | None], float] = {}
        for trial in trials:
            self.note(trial)

    def note(self, trial: Trial) -> None:
        """Records a trial's seconds; the slowest trial of an estimator counts."""
        key = trial.estimator, trial.sample
        self._seconds[key] = max(trial.seconds, self._seconds.get(key, 0.0))

    @property
    def least(self) -> float:
        """The seconds of the fastest trial so far."""
        return min(self._seconds.values(), default=0.0)

    def trial(self, estimator: str, sample: int | None) -> float:
        """The expected seconds of a trial: half of the estimator's slowest one, because there are cheaper settings
        too."""
        known = self._seconds.get((estimator, sample))
        if known is None and sample is None and self._plan.sample is not None:
            known = self._on_all_rows(estimator, self._seconds.get((estimator, self._plan.sample), 0.0))
        return (known or 0.0) / 2

    def final(self, trial: Trial) -> float:
        """The expected seconds to fit, export, compare and register a trial's model."""
        seconds = (
            trial.seconds / self._plan.folds
            if trial.sample is None
            else self._on_all_rows(trial.estimator, trial.seconds)
        )
        return seconds * FINAL_FACTOR + FINAL_SECONDS

    def _on_all_rows(self, estimator: str, seconds: float) -> float:
        """Extrapolates seconds from the sample to all rows. The fastest trial on a sample is mostly reading and
        measuring, which already covers all rows; the rest grows with the rows."""
        reading = min(seconds, self.least) * 0.8
        more: float = (self._plan.rows / (self._plan.sample or self._plan.rows)) ** self._growth.get(estimator, 1.0)
        return reading + (seconds - reading) * more
