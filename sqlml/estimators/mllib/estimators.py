"""MLlib's rows of the ESTIMATORS table, with the defaults that differ from MLlib's."""

from __future__ import annotations

from sqlml.estimators.estimator import CLASSIFICATION, CLUSTERING, DIMENSIONALITY_REDUCTION, REGRESSION, Estimator

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

# scikit-learn's default for k_means, so that the engine does not change a statement's meaning.
_CLUSTERS = 8

MLLIB_ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        "mllib.aft_survival_regression",
        {REGRESSION: "pyspark.ml.regression.AFTSurvivalRegression"},
        ("aggregationDepth", "fitIntercept", "maxBlockSizeInMB", "maxIter", "tol"),
        scale=True,
        censored=True,
    ),
    Estimator(
        "mllib.bisecting_k_means",
        {CLUSTERING: "pyspark.ml.clustering.BisectingKMeans"},
        ("k", "maxIter", "minDivisibleClusterSize"),
        scale=True,
        noisy=True,
        defaults={"k": _CLUSTERS},
    ),
    Estimator(
        "mllib.decision_tree",
        {
            CLASSIFICATION: "pyspark.ml.classification.DecisionTreeClassifier",
            REGRESSION: "pyspark.ml.regression.DecisionTreeRegressor",
        },
        (*_TREE, "thresholds"),
    ),
    Estimator(
        "mllib.factorization_machines",
        {CLASSIFICATION: "pyspark.ml.classification.FMClassifier", REGRESSION: "pyspark.ml.regression.FMRegressor"},
        (
            "factorSize",
            "fitIntercept",
            "fitLinear",
            "initStd",
            "maxIter",
            "miniBatchFraction",
            "regParam",
            "solver",
            "stepSize",
            "thresholds",
            "tol",
        ),
        scale=True,
        noisy=True,
        two_classes=True,
        quick={"maxIter": 10},
    ),
    Estimator(
        "mllib.gaussian_mixture",
        {CLUSTERING: "pyspark.ml.clustering.GaussianMixture"},
        ("aggregationDepth", "k", "maxIter", "tol"),
        scale=True,
        noisy=True,
        defaults={"k": _CLUSTERS},
    ),
    Estimator(
        "mllib.generalized_linear_regression",
        {REGRESSION: "pyspark.ml.regression.GeneralizedLinearRegression"},
        (
            "aggregationDepth",
            "family",
            "fitIntercept",
            "link",
            "linkPower",
            "maxIter",
            "regParam",
            "solver",
            "tol",
            "variancePower",
        ),
        scale=True,
    ),
    Estimator(
        "mllib.gradient_boosting",
        {CLASSIFICATION: "pyspark.ml.classification.GBTClassifier", REGRESSION: "pyspark.ml.regression.GBTRegressor"},
        (*_TREE, "featureSubsetStrategy", "lossType", "maxIter", "stepSize", "subsamplingRate", "thresholds"),
        two_classes=True,
        quick={"maxIter": 10},
    ),
    Estimator(
        "mllib.isotonic_regression",
        {REGRESSION: "pyspark.ml.regression.IsotonicRegression"},
        ("isotonic",),
        one_number=True,
    ),
    Estimator(
        "mllib.k_means",
        {CLUSTERING: "pyspark.ml.clustering.KMeans"},
        ("initMode", "initSteps", "k", "maxBlockSizeInMB", "maxIter", "solver", "tol"),
        scale=True,
        noisy=True,
        defaults={"k": _CLUSTERS},
    ),
    Estimator(
        "mllib.linear_regression",
        {REGRESSION: "pyspark.ml.regression.LinearRegression"},
        (*_LINEAR, "epsilon", "loss", "solver"),
        scale=True,
    ),
    Estimator(
        "mllib.linear_svm",
        {CLASSIFICATION: "pyspark.ml.classification.LinearSVC"},
        (*(name for name in _LINEAR if name != "elasticNetParam"), "threshold"),
        scale=True,
        two_classes=True,
    ),
    Estimator(
        "mllib.logistic_regression",
        {CLASSIFICATION: "pyspark.ml.classification.LogisticRegression"},
        (*_LINEAR, "family", "threshold", "thresholds"),
        scale=True,
    ),
    Estimator(
        "mllib.naive_bayes",
        {CLASSIFICATION: "pyspark.ml.classification.NaiveBayes"},
        ("modelType", "smoothing", "thresholds"),
        noisy=True,
        counts=True,
    ),
    Estimator(
        "mllib.neural_network",
        {CLASSIFICATION: "pyspark.ml.classification.MultilayerPerceptronClassifier"},
        ("blockSize", "layers", "maxIter", "solver", "stepSize", "thresholds", "tol"),
        scale=True,
        # The hidden layers; scikit-learn's default.
        defaults={"layers": [100]},
        quick={"layers": [5], "maxIter": 20},
    ),
    Estimator("mllib.one_vs_rest", {CLASSIFICATION: "pyspark.ml.classification.OneVsRest"}, _LINEAR, scale=True),
    Estimator("mllib.pca", {DIMENSIONALITY_REDUCTION: "pyspark.ml.feature.PCA"}, ("k",), scale=True, defaults={"k": 2}),
    Estimator(
        "mllib.random_forest",
        {
            CLASSIFICATION: "pyspark.ml.classification.RandomForestClassifier",
            REGRESSION: "pyspark.ml.regression.RandomForestRegressor",
        },
        (*_TREE, "bootstrap", "featureSubsetStrategy", "numTrees", "subsamplingRate", "thresholds"),
        quick={"numTrees": 20},
    ),
)
