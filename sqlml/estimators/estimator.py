"""The record type of the ESTIMATORS table, and the names of the tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CLASSIFICATION, REGRESSION = "classification", "regression"
CLUSTERING, ANOMALY_DETECTION = "clustering", "anomaly_detection"
# Predictions are coordinates: component_1, component_2, …
DIMENSIONALITY_REDUCTION = "dimensionality_reduction"
# Unsupervised tasks.
WITHOUT_TARGET = (CLUSTERING, ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION)


class Library(NamedTuple):
    """A library's name for messages, its Python package, and the extra of sqlml that installs it."""

    name: str
    package: str
    extra: str


# By the engine in an estimator's name.
LIBRARIES = {
    "catboost": Library("CatBoost", "catboost", "catboost"),
    "lightgbm": Library("LightGBM", "lightgbm", "lightgbm"),
    "mllib": Library("Spark MLlib", "pyspark", "driver"),
    "sklearn": Library("scikit-learn", "sklearn", "driver"),
    "xgboost": Library("XGBoost", "xgboost", "xgboost"),
}


@dataclass(frozen=True)
class Estimator:
    """One row of `ESTIMATORS`.

    Attributes:
        name: engine and noun, such as `sklearn.random_forest`; the engine alone if it has one estimator.
        classes: the library's class for each supported task, with its module.
        params: the hyperparameters of all its classes; a class that lacks one reports it itself.
        scale: True if numbers are standardized to mean 0 and deviation 1.
        standard_target: True if a regression's target is standardized.
        sets: True if its trees split categories into two sets, so that a text is one column and not one-hot.
        single: True if it computes in float32, so that x is rounded to it.
        row_major: True if its library needs a row-major matrix, and would copy any other.
        missing: True if it handles missing numbers itself, so that nothing is imputed.
        missing_by_release: True if `missing` depends on scikit-learn's release and the hyperparameters; see
            `sqlml.estimators.missing_values`.
        noisy: True if its predictions far outside of the training range are dominated by rounding, the library's own
            too, or undefined.
        abstains: True if it may have no prediction for a row, which is NaN then.
        one_number: True if it takes a single numeric feature.
        censored: True if it supports censored times.
        counts: True if it learns from counts by default, so that no feature may be negative.
        two_classes: True if it tells two classes apart only.
        seldom: True if it is seldom the right choice, so that hints offer usual ones.
        most_rows: the row limit, above which the model would be too slow or too large; None for no limit.
        defaults: hyperparameters whose defaults differ from the library's.
        quick: hyperparameters under which some hundred rows are fitted in about a second, however uneven their labels;
            the tests that go through all rows use them.
    """

    name: str
    classes: dict[str, str]
    params: tuple[str, ...]
    scale: bool = False
    standard_target: bool = False
    sets: bool = False
    single: bool = False
    row_major: bool = False
    missing: bool = False
    missing_by_release: bool = False
    noisy: bool = False
    abstains: bool = False
    one_number: bool = False
    censored: bool = False
    counts: bool = False
    two_classes: bool = False
    seldom: bool = False
    most_rows: int | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    quick: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        return self.name.split(".")[0]

    @property
    def noun(self) -> str:
        return self.name.split(".")[-1]

    @property
    def distributed(self) -> bool:
        """True if it is fitted on the cluster."""
        return self.engine == "mllib" or self.noun == "spark"

    @property
    def library(self) -> str:
        """The library's name for messages."""
        return LIBRARIES[self.engine].name

    def class_name(self, task: str) -> str:
        """The library's class for a task, without its module."""
        return self.classes[task].rpartition(".")[2]

    def means(self, name: str, task: str) -> bool:
        """True if a name in lower case and without an engine refers to this row for a task: its noun, or the class's
        name, also in snake case."""
        own = self.class_name(task)
        return name in (self.noun, own.lower(), snake_case(own))


def snake_case(class_name: str) -> str:
    """A class's name in snake case: `KNeighborsClassifier` → `k_neighbors_classifier`, `SGDOneClassSVM` →
    `sgd_one_class_svm`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()
