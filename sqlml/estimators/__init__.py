"""What can be fitted: the ESTIMATORS table, and how a name in SQL finds its row.

A row has a name in SQL (`engine.noun`), the library's class for each task, and the hyperparameters that OPTIONS takes,
under the library's own names. Hyperparameters that name columns, change no model (verbosity, threads) or need Python
objects are left out. To add an estimator, add a row here and, where its graph is new, a function to `sqlml/export`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean

CLASSIFICATION, REGRESSION = "classification", "regression"
SKLEARN, MLLIB = "sklearn", "mllib"


@dataclass(frozen=True)
class Estimator:
    """One row of `ESTIMATORS`.

    Attributes:
        name: engine and noun, such as `sklearn.random_forest`.
        classes: the library's class for each task it can do.
        scale: whether its numbers are brought to mean 0 and deviation 1.
        sets: whether its trees split categories into two sets, so that a text is one column and not one-hot.
        params: the hyperparameters of all its classes; a class may have fewer and says so itself.
        defaults: hyperparameters whose default here is not the library's.
    """

    name: str
    classes: dict[str, str]
    params: tuple[str, ...]
    scale: bool = False
    sets: bool = False
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        return self.name.split(".")[0]

    @property
    def noun(self) -> str:
        return self.name.split(".")[1]


_SKLEARN_TREE = (
    "ccp_alpha",
    "class_weight",
    "criterion",
    "max_depth",
    "max_features",
    "max_leaf_nodes",
    "min_impurity_decrease",
    "min_samples_leaf",
    "min_samples_split",
    "min_weight_fraction_leaf",
)
_MLLIB_TREE = (
    "impurity",
    "maxBins",
    "maxDepth",
    "maxMemoryInMB",
    "minInfoGain",
    "minInstancesPerNode",
    "minWeightFractionPerNode",
)
_MLLIB_LINEAR = (
    "aggregationDepth",
    "elasticNetParam",
    "fitIntercept",
    "maxBlockSizeInMB",
    "maxIter",
    "regParam",
    "standardization",
    "tol",
)

ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        "sklearn.decision_tree",
        {CLASSIFICATION: "DecisionTreeClassifier", REGRESSION: "DecisionTreeRegressor"},
        (*_SKLEARN_TREE, "splitter"),
    ),
    Estimator(
        "sklearn.gradient_boosting",
        {CLASSIFICATION: "GradientBoostingClassifier", REGRESSION: "GradientBoostingRegressor"},
        (
            *(name for name in _SKLEARN_TREE if name != "class_weight"),
            "alpha",
            "learning_rate",
            "loss",
            "n_estimators",
            "n_iter_no_change",
            "subsample",
            "tol",
            "validation_fraction",
        ),
    ),
    Estimator(
        "sklearn.hist_gradient_boosting",
        {CLASSIFICATION: "HistGradientBoostingClassifier", REGRESSION: "HistGradientBoostingRegressor"},
        (
            "class_weight",
            "early_stopping",
            "l2_regularization",
            "learning_rate",
            "loss",
            "max_bins",
            "max_depth",
            "max_features",
            "max_iter",
            "max_leaf_nodes",
            "min_samples_leaf",
            "n_iter_no_change",
            "quantile",
            "tol",
            "validation_fraction",
        ),
        sets=True,
    ),
    Estimator(
        "sklearn.linear_regression",
        {REGRESSION: "LinearRegression"},
        ("fit_intercept", "positive", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.logistic_regression",
        {CLASSIFICATION: "LogisticRegression"},
        (
            "C",
            "class_weight",
            "dual",
            "fit_intercept",
            "intercept_scaling",
            "l1_ratio",
            "max_iter",
            "penalty",
            "solver",
            "tol",
        ),
        scale=True,
        defaults={"max_iter": 1000},
    ),
    Estimator(
        "sklearn.random_forest",
        {CLASSIFICATION: "RandomForestClassifier", REGRESSION: "RandomForestRegressor"},
        (*_SKLEARN_TREE, "bootstrap", "max_samples", "n_estimators"),
    ),
    Estimator(
        "mllib.decision_tree",
        {CLASSIFICATION: "DecisionTreeClassifier", REGRESSION: "DecisionTreeRegressor"},
        _MLLIB_TREE,
    ),
    Estimator(
        "mllib.gradient_boosting",
        {CLASSIFICATION: "GBTClassifier", REGRESSION: "GBTRegressor"},
        (*_MLLIB_TREE, "featureSubsetStrategy", "lossType", "maxIter", "stepSize", "subsamplingRate"),
    ),
    Estimator(
        "mllib.linear_regression",
        {REGRESSION: "LinearRegression"},
        (*_MLLIB_LINEAR, "epsilon", "loss", "solver"),
        scale=True,
    ),
    Estimator(
        "mllib.logistic_regression",
        {CLASSIFICATION: "LogisticRegression"},
        (*_MLLIB_LINEAR, "family", "threshold"),
        scale=True,
    ),
    Estimator(
        "mllib.random_forest",
        {CLASSIFICATION: "RandomForestClassifier", REGRESSION: "RandomForestRegressor"},
        (*_MLLIB_TREE, "bootstrap", "featureSubsetStrategy", "numTrees", "subsamplingRate"),
    ),
)

_DEFAULT = "gradient_boosting"
# A noun without an engine may mean another row than the one with its name: scikit-learn's histogram boosting is the
# same idea as its plain boosting, and faster by orders of magnitude.
_PREFERRED = {(SKLEARN, "gradient_boosting"): "sklearn.hist_gradient_boosting"}


def resolve(name: str | None, task: str, engine_hint: str) -> Estimator:
    """The row that a name in USING means.

    Args:
        name: `random_forest`, `sklearn.random_forest`, a library's class name, or None for the default; any case.
        task: what the target asks for.
        engine_hint: the engine for a name without one, where it has such an estimator.

    Raises:
        SqlmlError: SQLML_ESTIMATOR_NOT_FOUND for an unknown name, or for one that cannot do the task.
    """
    wanted = (name or _DEFAULT).lower()
    engine, _, noun = wanted.rpartition(".")
    found = [row for row in ESTIMATORS if _means(row, noun) and engine in ("", row.engine)]
    if not found:
        known = {row.name for row in ESTIMATORS} | {row.noun for row in ESTIMATORS if not engine}
        raise SqlmlError(
            "SQLML_ESTIMATOR_NOT_FOUND",
            f"There is no estimator {name}.",
            hint=did_you_mean(wanted, known, limit=20),
        )
    able = [row for row in found if task in row.classes and noun in (row.noun, row.classes[task].lower())]
    if not able:
        others = sorted({row.noun for row in ESTIMATORS if task in row.classes})
        can = CLASSIFICATION if task == REGRESSION else REGRESSION
        raise SqlmlError(
            "SQLML_ESTIMATOR_NOT_FOUND",
            f"{name} does {can} only, and the target asks for {task}.",
            hint=f"For {task}: {', '.join(others)}. Or set OPTIONS (task = '{can}').",
        )
    if not engine:
        able.sort(key=lambda row: row.engine != engine_hint)
        preferred = _PREFERRED.get((able[0].engine, noun))
        return next((row for row in ESTIMATORS if row.name == preferred), able[0])
    return able[0]


def _means(row: Estimator, noun: str) -> bool:
    return noun == row.noun or noun in (name.lower() for name in row.classes.values())
