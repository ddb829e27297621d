"""USING auto: what is tried, what wins, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import ESTIMATORS
from sqlml.estimators.sklearn import rows as sklearn_rows
from sqlml.estimators.sklearn import split
from sqlml.estimators.sklearn import training as sklearn
from sqlml.jobs.job import Fitted, Job
from sqlml.parser.cursor import Option
from sqlml.signature import Feature, Signature
from sqlml.training.automl import fit_best, search
from sqlml.training.automl_plan import AutoPlan
from sqlml.training.automl_spaces import CANDIDATES, chosen
from sqlml.training.searches import Candidates, Range
from sqlml.training.tuning import Trial, leader_board

_SIGNATURE = Signature("classification", (Feature("a", "double"), Feature("b", "string")), "y", "string")
_JOB = Job("lightgbm", _SIGNATURE, {}, seed=42, test_fraction=0.2, tolerance=1e-6)


def _table(rows: int = 200) -> pa.Table:
    dice = np.random.default_rng(0)
    a, b = dice.normal(size=rows), dice.choice(["x", "y"], rows)
    return pa.table({"a": a, "b": b, "y": np.where((a > 0) ^ (b == "x") ^ (dice.random(rows) < 0.2), "yes", "no")})


def _plan(names: tuple[str, ...] = ("gaussian_naive_bayes", "logistic_regression"), **changes: Any) -> AutoPlan:
    candidates = tuple(one for one in CANDIDATES if "classification" in one.tasks and one.noun in names)
    return AutoPlan(
        **{
            "candidates": candidates,
            "trials": 10,
            "started": time.monotonic(),
            "budget": 1000.0,
            "metric": None,
            "folds": 1,
            "seed": 42,
            "rows": 200,
            **changes,
        }
    )


def _here(job: Job, sample: int | None, stop: Callable[[], bool], started: Callable[[], None]) -> Any:
    started()
    return sklearn.evaluate(job, _table(), metric=None, folds=1, sample=sample)


def _search(plan: AutoPlan, evaluate: Any = _here, **changes: Any) -> tuple[list[Trial], list[Trial], list[str]]:
    trials: list[Trial] = []
    lines: list[str] = []
    spares: list[None] = []
    given = {"workers": 2, "progress": lines.append, "cancelled": lambda: False, "on_trial": trials.append, **changes}
    given["spare"] = lambda: spares.append(None)
    good = search(plan, _JOB, evaluate, **given)
    assert len(spares) == sum("was stopped" in str(trial.error) for trial in trials)
    return good, trials, lines


@pytest.mark.parametrize("one", CANDIDATES, ids=lambda one: f"{one.noun}-{one.tasks[0]}")
def test_every_candidate_is_in_the_table_of_estimators(one: Any) -> None:
    """Under the same names, and each first trial inside its own space."""
    row = next(row for row in ESTIMATORS if row.name == one.estimator)
    assert set(one.tasks) <= set(row.classes)
    assert {*one.space, *one.fixed} <= set(row.params)
    for found, value in one.space.values():
        if isinstance(found, Range):
            assert found.low <= value <= found.high
        else:
            assert isinstance(found, Candidates)
            assert value in found.values


def test_the_first_trials_are_the_candidates_own() -> None:
    good, trials, lines = _search(_plan())
    assert [trial.number for trial in trials] == list(range(1, 11))
    first = [one.noun for one in _plan().candidates]
    assert [trial.estimator.split(".")[-1] for trial in trials[:2]] == first
    assert trials[0].params == {"C": 1.0}
    assert good == list(leader_board(trials))
    assert good[0].score == max(trial.score for trial in trials)
    assert lines[0].startswith("trial 1 of 10, best roc_auc 0.") and "by logistic_regression, about" in lines[0]


def test_with_a_number_of_trials_the_same_seed_gives_the_same() -> None:
    def slow(job: Job, *rest: Any) -> Any:
        # The order in which they end makes no difference.
        time.sleep(np.random.default_rng().random() / 20)
        return _here(job, *rest)

    runs = [_search(_plan(seed=seed, trials=14), slow, workers=4)[1] for seed in (1, 1, 2)]
    first, second, other = ([(trial.estimator, trial.params, trial.score) for trial in run] for run in runs)
    assert first == second
    assert first != other


def test_many_rows_are_sampled_and_the_best_tried_on_all() -> None:
    seen: list[int | None] = []

    def evaluate(job: Job, sample: int | None, *rest: Any) -> Any:
        seen.append(sample)
        return "roc_auc", [job.params.get("C", 0.0) % 1.0 + (0.001 if sample is None else 0.0)]

    good, trials, _ = _search(_plan(rows=240_000, trials=12), evaluate)
    assert set(seen) == {20_000, None}
    again = [trial for trial in trials if trial.sample is None]
    assert 2 <= len(again) <= 3
    for trial in again:
        before = [other for other in trials if other.number < trial.number and other.sample is not None]
        assert (trial.estimator, trial.params) in [(other.estimator, other.params) for other in before]
    assert good[0].score == max(trial.score for trial in trials)


def test_a_trial_that_takes_too_long_is_stopped_and_the_budget_kept() -> None:
    def evaluate(job: Job, sample: int | None, stop: Callable[[], bool], started: Callable[[], None]) -> Any:
        if job.estimator == "sklearn.random_forest":
            while not stop():
                time.sleep(0.01)
            raise SqlmlError("SQLML_CANCELLED", "Training was cancelled.")
        time.sleep(0.05)
        return "accuracy", [0.5]

    plan = _plan(("logistic_regression", "random_forest"), trials=None, budget=4.0)
    good, trials, _ = _search(plan, evaluate)
    took = time.monotonic() - plan.started
    assert 1.5 < took < 4.0, "what is left is for the final fit"
    stopped = [trial for trial in trials if trial.error]
    assert stopped and all(trial.seconds < 1.5 and "stopped after" in str(trial.error) for trial in stopped)
    assert good and {trial.estimator for trial in good} == {"sklearn.logistic_regression"}
    with pytest.raises(SqlmlError, match=r"time_budget of 2 s ended before any trial") as found:
        _search(_plan(("random_forest",), budget=2.0), evaluate)
    assert found.value.condition == "SQLML_OPTION_INVALID"


def test_all_that_fail_are_the_first_ones_error() -> None:
    started = time.monotonic()

    def evaluate(job: Job, *rest: Any) -> Any:
        raise SqlmlError("SQLML_FEATURE_UNUSABLE", f"No good for {job.estimator}.")

    with pytest.raises(SqlmlError, match=r"trials failed. The first error: No good for sklearn\.log") as found:
        _search(_plan(trials=None, budget=60.0), evaluate)
    assert found.value.condition == "SQLML_FEATURE_UNUSABLE"
    assert time.monotonic() - started < 10


def test_cancelling_ends_it() -> None:
    def evaluate(*rest: Any) -> Any:
        raise SqlmlError("SQLML_CANCELLED", "Training was cancelled.")

    with pytest.raises(SqlmlError, match="cancelled"):
        _search(_plan(), evaluate, cancelled=lambda: True)


def test_a_model_without_a_faithful_graph_is_passed_over() -> None:
    good = [Trial(n, {}, "roc_auc", 1.0 - n / 10, 0.1, None, name) for n, name in enumerate(("one", "two"), 1)]
    lines: list[str] = []

    def fit(job: Job) -> Fitted:
        if job.estimator == "one":
            raise SqlmlError("SQLML_FIDELITY", "It does not answer the same.")
        return sklearn.fit(replace(job, estimator="sklearn.decision_tree"), _table(), lambda line: None)

    best, _ = fit_best(_plan(), good, _JOB, fit, lines.append)
    assert best.number == 2
    assert lines == ["trial 1 is skipped: It does not answer the same."]
    with pytest.raises(SqlmlError, match="does not answer"):
        fit_best(_plan(), good[:1], _JOB, fit, lines.append)


def test_what_cannot_be_fitted_in_time_does_not_win() -> None:
    good = [Trial(1, {}, "roc_auc", 0.9, 30.0, None, "slow"), Trial(2, {}, "roc_auc", 0.8, 1.0, None, "quick")]
    fitted: list[str] = []
    best, _ = fit_best(_plan(budget=20.0), good, _JOB, lambda job: fitted.append(job.estimator), [].append)  # type: ignore
    assert (best.number, fitted) == (2, ["quick"])


def test_a_sample_keeps_every_class() -> None:
    labels = ["rare"] * 3 + ["yes", "no", "no"] * 99
    table = pa.table({"a": np.arange(300.0), "b": ["x"] * 300, "y": labels})
    rows = sklearn_rows.read(table, _JOB)
    fold = next(split.folds(rows, 1))
    few = split.sampled(fold.learned, 20, fold.labels)
    assert 20 <= len(few) <= 23
    assert set(few.target) == {0, 1, 2}
    assert split.sampled(fold.learned, 10_000, fold.labels) is fold.learned


def test_of_an_order_trials_are_measured_on_the_last_rows_they_may_see() -> None:
    """Of 100 rows in order the last 20 are held out for the metrics; of the others the last 16 for trials."""
    table = pa.table({"a": np.arange(100.0), "b": ["x"] * 100, "y": ["yes", "no"] * 50, "day": np.arange(100)})
    job = replace(_JOB, split_method="sequential", split_column="day")
    fold = split.latest(
        sklearn_rows.read(table, job), job, lambda other: sklearn_rows.read(table, replace(other, params={}))
    )
    assert sorted(fold.held_out.source) == list(range(64, 80))
    assert sorted(fold.learned.source) == list(range(64))
    metric, scores = sklearn.evaluate(job, table, metric="accuracy", folds=1)
    assert (metric, len(scores)) == ("accuracy", 1)


def test_which_candidates() -> None:
    def nouns(*arguments: Any, **named: Any) -> list[str]:
        return [one.noun for one in chosen(*arguments, **named)[0]]

    assert "k_neighbors" in nouns("regression", 100, None, weighted=False)
    found, left_out = chosen("classification", 100, None, weighted=True)
    assert "k_neighbors" not in [one.noun for one in found]
    assert left_out == ["left out: k_neighbors, which does not support weights"]
    some = Option("estimators", ("XGBoost", "sklearn.random_forest"), 7)
    assert nouns("classification", 100, some, weighted=False) == ["xgboost", "random_forest"]
    for value, message in [
        (("lightbgm",), "USING auto does not include lightbgm for classification. Did you mean lightgbm?"),
        ((), "must be a list of names"),
        ((1,), "must be a list of names"),
        (("k_neighbors",), "No estimator is left to try: left out: k_neighbors, which supports at most 5000 rows"),
    ]:
        with pytest.raises(SqlmlError) as caught:
            chosen("classification", 10_000, Option("estimators", value, 7), weighted=False)
        assert message in str(caught.value)
        assert (caught.value.condition, caught.value.offset) == ("SQLML_OPTION_INVALID", 7)
