"""What a row of the ESTIMATORS table says, and the tasks there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CLASSIFICATION, REGRESSION = "classification", "regression"
CLUSTERING, ANOMALY_DETECTION = "clustering", "anomaly_detection"
# The answers are coordinates: component_1, component_2, …
DIMENSIONALITY_REDUCTION = "dimensionality_reduction"
# Tasks that learn from the features alone.
WITHOUT_TARGET = (CLUSTERING, ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION)
_LIBRARIES = {"lightgbm": "LightGBM", "mllib": "Spark MLlib", "sklearn": "scikit-learn", "xgboost": "XGBoost"}


@dataclass(frozen=True)
class Estimator:
    """One row of `ESTIMATORS`.

    Attributes:
        name: engine and noun, such as `sklearn.random_forest`; of an engine with one estimator the engine alone.
        classes: the library's class for each task it can do.
        params: the hyperparameters of all its classes; a class may have fewer and says so itself.
        scale: whether its numbers are brought to mean 0 and deviation 1.
        standard_target: whether a regression learns the target with mean 0 and deviation 1.
        sets: whether its trees split categories into two sets, so that a text is one column and not one-hot.
        single: whether it computes in float32, so that x is rounded to it.
        by_row: whether its library wants the numbers of a row to stand together, and would else copy them all.
        missing: whether it takes missing numbers itself, so that nothing is imputed.
        missing_by_release: whether scikit-learn's release and the hyperparameters decide that instead; see
            `sqlml.estimators.missing_values`.
        noisy: whether far outside of what it has learned its answers are lost in rounding, the library's own too, or it
            has none.
        one_number: whether it learns from a single number.
        censored: whether it learns from times of which some are known to have been at least that long.
        most_rows: more rows than this make a model that is too slow or too large; None for no such limit.
        defaults: hyperparameters whose default here is not the library's.
    """

    name: str
    classes: dict[str, str]
    params: tuple[str, ...]
    scale: bool = False
    standard_target: bool = False
    sets: bool = False
    single: bool = False
    by_row: bool = False
    missing: bool = False
    missing_by_release: bool = False
    noisy: bool = False
    one_number: bool = False
    censored: bool = False
    most_rows: int | None = None
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        return self.name.split(".")[0]

    @property
    def noun(self) -> str:
        return self.name.split(".")[-1]

    @property
    def distributed(self) -> bool:
        """Whether it is fitted on the cluster."""
        return self.engine == "mllib" or self.noun == "spark"

    @property
    def library(self) -> str:
        """The engine's own name."""
        return _LIBRARIES[self.engine]
