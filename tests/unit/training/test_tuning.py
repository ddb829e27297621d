"""The search for hyperparameters: what is proposed, what is chosen, and that the same seed does the same again."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import metrics, trainer
from sqlml.estimators.sklearn import rows as sklearn_rows
from sqlml.estimators.sklearn import split
from sqlml.estimators.sklearn import training as sklearn
from sqlml.jobs.job import Job
from sqlml.parser.cursor import Option
from sqlml.parser.literals import Call
from sqlml.signature import Feature, Signature
from sqlml.training.searches import Candidates, Range, search
from sqlml.training.tuning import Plan, Trial, tune

_SIGNATURE = Signature("classification", (Feature("a", "double"), Feature("b", "string")), "y", "string")
_DEPTHS = {"max_depth": Range(1, 12)}


def _table(rows: int = 300) -> pa.Table:
    dice = np.random.default_rng(0)
    a, b = dice.normal(size=rows), dice.choice(["x", "y"], rows)
    return pa.table({"a": a, "b": b, "y": np.where((a > 0) ^ (b == "x") ^ (dice.random(rows) < 0.2), "yes", "no")})


def _job(estimator: str = "sklearn.decision_tree", **changes: Any) -> Job:
    return Job(estimator, _SIGNATURE, changes.pop("params", {}), seed=42, test_fraction=0.2, tolerance=1e-6, **changes)


def _plan(searches: dict[str, Any], **changes: Any) -> Plan:
    return Plan(
        **{"trials": 8, "budget": None, "metric": None, "folds": 1, "seed": 42, "searches": searches, **changes}
    )


def _here(metric: str | None = None, folds: int = 1) -> Callable[[Job, str], tuple[str, list[float]]]:
    return lambda job, name: sklearn.evaluate(job, _table(), metric=metric, folds=folds)


def _tune(plan: Plan, evaluate: Any = None, **changes: Any) -> tuple[Trial, list[Trial], list[str]]:
    trials: list[Trial] = []
    lines: list[str] = []
    given = {"workers": 2, "progress": lines.append, "cancelled": lambda: False, "on_trial": trials.append, **changes}
    best = tune(plan, given.pop("job", _job()), evaluate or _here(plan.metric, plan.folds), **given)
    return best, trials, lines


def test_the_best_trial_is_chosen() -> None:
    best, trials, lines = _tune(_plan(_DEPTHS))
    assert [trial.number for trial in trials] == list(range(1, 9))
    assert {trial.metric for trial in trials} == {"roc_auc"}
    assert best.score == max(trial.score for trial in trials)
    assert all(1 <= trial.params["max_depth"] <= 12 for trial in trials)
    assert len(lines) == 2
    assert lines[-1].startswith(f"trial 8 of 8, best roc_auc {best.score:.4g}, about 0 s left")
    best, trials, _ = _tune(_plan(_DEPTHS, metric="log_loss"))
    assert best.score == min(trial.score for trial in trials), "less is better"


def test_the_same_seed_proposes_the_same() -> None:
    searches = {
        "max_depth": Range(1, 30),
        "min_samples_leaf": Range(0.001, 0.4),
        "criterion": Candidates(("gini", "entropy")),
    }
    first, second, other = (
        [trial.params for trial in _tune(_plan(searches, seed=seed, trials=10))[1]] for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_few_candidates_are_all_tried_once() -> None:
    searches = {"max_depth": Candidates((1, 2, 3)), "criterion": Candidates(("gini", "entropy"))}
    _, trials, lines = _tune(_plan(searches, trials=50))
    assert len({tuple(trial.params.values()) for trial in trials}) == len(trials) == 6
    assert lines[-1].startswith("trial 6 of 6")


def test_lists_are_candidates_too() -> None:
    searches = {"hidden_layer_sizes": Candidates(((4,), (8, 4)))}
    job = _job("sklearn.neural_network", params={"max_iter": 5})
    best, _, _ = _tune(_plan(searches), job=job)
    assert best.params["hidden_layer_sizes"] in ((4,), (8, 4))


def test_trials_that_fail_are_left_out_and_all_that_fail_are_an_error() -> None:
    best, trials, lines = _tune(_plan({"max_depth": Candidates((-1, 3))}))
    assert [trial.error is None for trial in sorted(trials, key=lambda t: t.params["max_depth"])] == [False, True]
    assert best.params == {"max_depth": 3}
    assert "1 failed" in lines[-1]
    with pytest.raises(SqlmlError, match=r"All 2 trials failed. The first error: .*The 'max_depth' parameter") as found:
        _tune(_plan({"max_depth": Candidates((-1, -2))}))
    assert found.value.condition == "SQLML_OPTION_INVALID"


def test_a_budget_ends_the_search() -> None:
    def slow(job: Job, name: str) -> tuple[str, list[float]]:
        time.sleep(0.3)
        return "accuracy", [0.5]

    started = time.monotonic()
    _, trials, _ = _tune(_plan(_DEPTHS, trials=1000, budget=1.5), slow)
    assert 1.0 < time.monotonic() - started < 1.8
    assert 8 <= len(trials) < 30


def _left_out(table: pa.Table, count: int) -> tuple[sklearn_rows.Rows, list[list[int]]]:
    """The rows, and the places in the table of those that each fold leaves out."""
    rows = sklearn_rows.read(table, _job())
    return rows, [sorted(fold.held_out.source.tolist()) for fold in split.folds(rows, count)]


def test_every_row_that_is_not_held_out_is_left_out_once() -> None:
    table = _table()
    rows, folds = _left_out(table, 5)
    assert [len(fold) for fold in folds] == [48] * 5
    assert sorted(chain(*folds)) == sorted(rows.learned.source.tolist())
    shares = [np.mean([table["y"][place].as_py() == "yes" for place in fold]) for fold in folds]
    assert max(shares) - min(shares) < 0.05, "each has the same share of each class"


def test_cross_validation_in_children() -> None:
    client = trainer.Client(lambda line: None, lambda: False)
    with trainer.collected(_table, client) as folder:
        metric, scores = trainer.evaluate(trainer.here(folder), _job(), client, metric="accuracy", folds=5)
    assert (metric, len(scores)) == ("accuracy", 5)
    assert (metric, scores) == sklearn.evaluate(_job(), _table(), metric="accuracy", folds=5)


def test_a_class_of_one_row_is_never_left_out() -> None:
    table = pa.table({"a": range(60), "b": ["x"] * 60, "y": ["rare"] + ["yes", "no", "no"] * 19 + ["yes", "no"]})
    rows, folds = _left_out(table, 4)
    assert sorted(chain(*folds)) == sorted(set(rows.learned.source.tolist()) - {0})
    metric, scores = sklearn.evaluate(_job(), table, metric="log_loss", folds=4)
    assert (metric, len(scores)) == ("log_loss", 4)


def test_a_metric_of_some_folds_only() -> None:
    """A fold of one class has no area."""
    table = pa.table({"a": range(40), "b": ["x"] * 40, "y": ["yes"] * 3 + ["no"] * 37})
    metric, scores = sklearn.evaluate(_job(), table, metric=None, folds=5)
    _, folds = _left_out(table, 5)
    assert metric == "roc_auc"
    assert len(scores) == sum(min(fold) < 3 for fold in folds) in (1, 2, 3)


def test_every_metric_that_may_be_asked_for_is_measured() -> None:
    """So that a misspelt one is found before anything is fitted."""
    dice = np.random.default_rng(0)
    two, x = np.arange(60) % 2, dice.normal(size=(60, 2))
    found = {
        "classification": metrics.classification(two, two, np.c_[1 - two, two] * 0.8 + 0.1),
        # The concordance index is of survival times.
        "regression": {**metrics.regression(x[:, 0], x[:, 1]), "concordance_index": 0.5},
        "clustering": metrics.clustering(x, two),
        "anomaly_detection": metrics.anomaly_detection(two),
        "dimensionality_reduction": metrics.dimensionality_reduction(x, x),
    }
    assert {task: sorted(names) for task, names in found.items()} == {
        task: sorted(names) for task, names in metrics.MEASURED.items()
    }
    with pytest.raises(
        SqlmlError, match=r"The metric silhouette is not available for clustering\. Did you mean silhouette_sq"
    ):
        metrics.check("silhouette", "clustering", distributed=True)


def test_a_cancelled_search_ends_at_once() -> None:
    client = trainer.Client(lambda line: None, lambda: True)
    endless = _job("sklearn.gradient_boosting", params={"n_estimators": 1_000_000})
    started = time.monotonic()
    with trainer.collected(lambda: _table(3_000), trainer.Client(print, lambda: False)) as folder:

        def evaluate(job: Job, name: str) -> tuple[str, list[float]]:
            return trainer.evaluate(trainer.here(folder), job, client, metric=None, folds=1)

        with pytest.raises(SqlmlError, match="SQLML_CANCELLED"):
            _tune(_plan({"max_depth": Range(1, 3)}), evaluate, job=endless)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (Call("hparam_range", (1, 10)), Range(1, 10)),
        (Call("hparam_range", (0.1, 1)), Range(0.1, 1)),
        (Call("hparam_candidates", ((1, "a"),)), Candidates((1, "a"))),
    ],
)
def test_what_options_say(call: Call, found: Any) -> None:
    assert search(Option("depth", call, 7)) == found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("hparam_range", (10, 1)), "the smaller one first"),
        (Call("hparam_range", (1,)), "must have two numbers"),
        (Call("hparam_range", ("a", "b")), "must have two numbers"),
        (Call("hparam_candidates", (1, 2)), "must have a list"),
        (Call("hparam_candidates", ((),)), "must have a list"),
        (Call("hparam_rang", (1, 2)), "Did you mean hparam_range"),
    ],
)
def test_what_options_cannot_say(call: Call, message: str) -> None:
    with pytest.raises(SqlmlError, match=message) as found:
        search(Option("depth", call, 7))
    assert (found.value.condition, found.value.offset) == ("SQLML_OPTION_INVALID", 7)
