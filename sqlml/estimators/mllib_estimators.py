"""MLlib's rows of the ESTIMATORS table."""

from __future__ import annotations

from sqlml.estimators.estimator import CLASSIFICATION, REGRESSION, Estimator

_TREE = (
    "impurity",
    "maxBins",
    "maxDepth",
    "maxMemoryInMB",
    "minInfoGain",
    "minInstancesPerNode",
    "minWeightFractionPerNode",
)
_LINEAR = (
    "aggregationDepth",
    "elasticNetParam",
    "fitIntercept",
    "maxBlockSizeInMB",
    "maxIter",
    "regParam",
    "standardization",
    "tol",
)

MLLIB_ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        "mllib.decision_tree",
        {CLASSIFICATION: "DecisionTreeClassifier", REGRESSION: "DecisionTreeRegressor"},
        _TREE,
    ),
    Estimator(
        "mllib.gradient_boosting",
        {CLASSIFICATION: "GBTClassifier", REGRESSION: "GBTRegressor"},
        (*_TREE, "featureSubsetStrategy", "lossType", "maxIter", "stepSize", "subsamplingRate"),
    ),
    Estimator(
        "mllib.linear_regression",
        {REGRESSION: "LinearRegression"},
        (*_LINEAR, "epsilon", "loss", "solver"),
        scale=True,
    ),
    Estimator(
        "mllib.logistic_regression",
        {CLASSIFICATION: "LogisticRegression"},
        (*_LINEAR, "family", "threshold"),
        scale=True,
    ),
    Estimator(
        "mllib.random_forest",
        {CLASSIFICATION: "RandomForestClassifier", REGRESSION: "RandomForestRegressor"},
        (*_TREE, "bootstrap", "featureSubsetStrategy", "numTrees", "subsamplingRate"),
    ),
)
