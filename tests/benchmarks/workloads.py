"""What is asked: one row of WORKLOADS each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.data import FLIGHTS, NUMBERS, WIDE, Data


@dataclass(frozen=True)
class Model:
    """What TRAIN MODEL is asked for.

    Attributes:
        estimator: what stands behind USING.
        options: the library's own hyperparameters.
        rows: how many rows it learns from.
    """

    estimator: str
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data = NUMBERS
    rows: int = 20_000

    @property
    def name(self) -> str:
        """The same for the same model, so that a registry of an earlier run serves."""
        text = json.dumps([self.estimator, dict(self.options), self.data.name, self.rows])
        return f"{self.estimator.replace('.', '_')}_{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Workload:
    """One question: the sum over all rows of the probability of 1, of each model.

    Attributes:
        title: the issue's own words for it, where it is one of its goals.
        floor: the source that the floor reads, where that is another one than the models': see `Data.sources`.
        group: `main` ones are run with every rival, `choice` ones by sqlml's engines alone; `cold`, `thrift` and
            `analysis` are one workload each, measured by the files of these names.
        unused: columns that no model may use, or the workload would not be what its title says.
    """

    name: str
    title: str
    models: tuple[Model, ...]
    floor: str = ""
    group: str = "main"
    unused: tuple[str, ...] = ()

    @property
    def data(self) -> Data:
        return self.models[0].data


_LOGISTIC = Model("sklearn.logistic_regression")
_TREE = Model("sklearn.decision_tree", {"max_depth": 8})
_TWENTY = Model("sklearn.gradient_boosting", {"n_estimators": 20, "max_depth": 3})
_LASSO = {"solver": "liblinear", "l1_ratio": 1.0}
_FLIGHTS_TWENTY = Model("sklearn.gradient_boosting", {"n_estimators": 20, "max_depth": 3}, FLIGHTS)
# Without the splits that gain little, among which are those by an airport's place.
_FLIGHTS_FEW = Model(
    "sklearn.gradient_boosting", {"n_estimators": 20, "max_depth": 3, "min_impurity_decrease": 0.0005}, FLIGHTS
)

_MAIN = (
    Workload("logistic", "logistic regression", (_LOGISTIC,)),
    Workload(
        "l1_logistic",
        "L1 logistic, 10 of 28 used",
        (Model("sklearn.logistic_regression", {**_LASSO, "C": 0.003}),),
        unused=NUMBERS.numbers[10:],
    ),
    Workload("tree", "tree, depth 8", (_TREE,)),
    Workload("20_trees", "20 trees, depth 3", (_TWENTY,)),
    Workload(
        "lightgbm",
        "LightGBM 100 × 31 leaves",
        (Model("lightgbm", {"n_estimators": 100, "num_leaves": 31}),),
    ),
    Workload("xgboost", "XGBoost 100 × depth 6", (Model("xgboost", {"n_estimators": 100, "max_depth": 6}),)),
    Workload("500_trees", "500 trees, depth 8", (Model("xgboost", {"n_estimators": 500, "max_depth": 8}),)),
    Workload(
        "flights_linear",
        "flights join: linear",
        (Model("sklearn.logistic_regression", {"max_iter": 200}, FLIGHTS),),
    ),
    Workload("flights_tree", "flights join: tree", (Model("sklearn.decision_tree", {"max_depth": 8}, FLIGHTS),)),
    Workload("flights_20_trees", "flights join: 20 trees", (_FLIGHTS_TWENTY,)),
    Workload(
        "flights_no_airports",
        "the same, trees that use no airport column",
        (_FLIGHTS_FEW,),
        floor="without airports",
        unused=("latitude", "longitude", "altitude"),
    ),
    Workload(
        "5_of_50",
        "model using 5 of 50 columns",
        (Model("sklearn.logistic_regression", {**_LASSO, "C": 0.003}, WIDE),),
        unused=WIDE.numbers[5:],
    ),
    Workload("three_models", "three models in one SELECT", (_LOGISTIC, _TREE, _TWENTY)),
)

_FEW = 5_000
# What `auto` has to choose an engine for: thirty models of all kinds.
_KINDS: tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...] = (
    ("sklearn.logistic_regression", ({}, {**_LASSO, "C": 0.003})),
    ("sklearn.linear_discriminant_analysis", ({},)),
    ("sklearn.quadratic_discriminant_analysis", ({},)),
    ("sklearn.gaussian_naive_bayes", ({},)),
    ("sklearn.bernoulli_naive_bayes", ({},)),
    ("sklearn.neural_network", ({"hidden_layer_sizes": [8]}, {"hidden_layer_sizes": [64, 32]})),
    ("sklearn.decision_tree", ({"max_depth": 3}, {"max_depth": 12}, {})),
    ("sklearn.gradient_boosting", tuple({"n_estimators": n, "max_depth": 3} for n in (5, 50, 200))),
    ("sklearn.random_forest", tuple({"n_estimators": n, "max_depth": d} for n, d in ((10, 8), (50, 8), (100, 14)))),
    ("sklearn.extra_trees", ({"n_estimators": 50, "max_depth": 8},)),
    ("sklearn.hist_gradient_boosting", ({"max_iter": 20}, {"max_iter": 100})),
    ("sklearn.ada_boost", ({"n_estimators": 20}, {"n_estimators": 100})),
    ("sklearn.bagging", ({"n_estimators": 10},)),
    ("lightgbm", tuple({"n_estimators": n, "num_leaves": leaves} for n, leaves in ((10, 7), (50, 31), (200, 63)))),
    ("xgboost", tuple({"n_estimators": n, "max_depth": d} for n, d in ((10, 3), (50, 6), (200, 8), (20, 10)))),
)


def _label(estimator: str, options: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"{estimator} ({said})" if said else estimator


_CHOICE = tuple(
    Workload(f"auto_{place:02}", f"auto: {_label(estimator, options)}", (model,), group="choice")
    for place, (estimator, options, model) in enumerate(
        [
            (estimator, options, Model(estimator, options, rows=_FEW))
            for estimator, variants in _KINDS
            for options in variants
        ],
        start=1,
    )
)

WORKLOADS: tuple[Workload, ...] = (
    *_MAIN,
    *_CHOICE,
    Workload("cold", "cold first PREDICT over 1,000 rows", (_TWENTY,), group="cold"),
    Workload("thrift", "first PREDICT over 1,000 rows in a running Thrift server", (_TWENTY,), group="thrift"),
    Workload("analysis", "what a warm PREDICT adds to analysis", (_TWENTY,), group="analysis"),
)
