"""Further rows of scikit-learn's in the ESTIMATORS table, under scikit-learn's own names in snake case."""

from __future__ import annotations

from sqlml.estimators.estimator import ANOMALY_DETECTION, CLASSIFICATION, REGRESSION, Estimator
from sqlml.estimators.sklearn.tree_hyperparameters import TREE

_LARS = ("eps", "fit_intercept", "max_iter")
_LARS_CV = (*_LARS, "cv", "max_n_alphas")
_LASSO_CV = ("alphas", "cv", "eps", "fit_intercept", "max_iter", "positive", "selection", "tol")
# Kernel ridge solves a system of all training rows.
_MOST_ROWS_OF_A_MATRIX = 5_000

MORE_ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        "sklearn.elastic_net_cv",
        {REGRESSION: "sklearn.linear_model.ElasticNetCV"},
        (*_LASSO_CV, "l1_ratio"),
        scale=True,
    ),
    Estimator(
        "sklearn.extra_tree",
        {CLASSIFICATION: "sklearn.tree.ExtraTreeClassifier", REGRESSION: "sklearn.tree.ExtraTreeRegressor"},
        (*TREE, "splitter"),
        single=True,
        missing_by_release=True,
    ),
    Estimator(
        "sklearn.kernel_ridge",
        {REGRESSION: "sklearn.kernel_ridge.KernelRidge"},
        ("alpha", "coef0", "degree", "gamma", "kernel"),
        scale=True,
        standard_target=True,
        most_rows=_MOST_ROWS_OF_A_MATRIX,
        # scikit-learn's default is the linear kernel, which `ridge` has too.
        defaults={"kernel": "rbf"},
    ),
    Estimator("sklearn.lasso_cv", {REGRESSION: "sklearn.linear_model.LassoCV"}, _LASSO_CV, scale=True),
    Estimator(
        "sklearn.lasso_lars_cv", {REGRESSION: "sklearn.linear_model.LassoLarsCV"}, (*_LARS_CV, "positive"), scale=True
    ),
    Estimator(
        "sklearn.lasso_lars_ic",
        {REGRESSION: "sklearn.linear_model.LassoLarsIC"},
        (*_LARS, "criterion", "noise_variance", "positive"),
        scale=True,
    ),
    Estimator(
        "sklearn.logistic_regression_cv",
        {CLASSIFICATION: "sklearn.linear_model.LogisticRegressionCV"},
        ("Cs", "class_weight", "cv", "fit_intercept", "max_iter", "scoring", "solver", "tol"),
        scale=True,
        defaults={"max_iter": 1000},
        quick={"Cs": 3},
    ),
    Estimator(
        "sklearn.nearest_centroid",
        {CLASSIFICATION: "sklearn.neighbors.NearestCentroid"},
        ("priors", "shrink_threshold"),
        scale=True,
        noisy=True,
    ),
    Estimator(
        "sklearn.orthogonal_matching_pursuit_cv",
        {REGRESSION: "sklearn.linear_model.OrthogonalMatchingPursuitCV"},
        ("cv", "fit_intercept", "max_iter"),
        scale=True,
    ),
    Estimator(
        "sklearn.pls_regression",
        {REGRESSION: "sklearn.cross_decomposition.PLSRegression"},
        ("max_iter", "n_components", "scale", "tol"),
        scale=True,
        quick={"n_components": 1},
    ),
    Estimator(
        "sklearn.ransac",
        {REGRESSION: "sklearn.linear_model.RANSACRegressor"},
        ("loss", "max_skips", "max_trials", "min_samples", "residual_threshold", "stop_n_inliers", "stop_probability"),
        scale=True,
        # By default as many rows as there are columns, which one-hot columns make singular.
        defaults={"min_samples": 0.5},
    ),
    Estimator(
        "sklearn.ridge_cv",
        {CLASSIFICATION: "sklearn.linear_model.RidgeClassifierCV", REGRESSION: "sklearn.linear_model.RidgeCV"},
        ("alphas", "class_weight", "cv", "fit_intercept", "gcv_mode"),
        scale=True,
    ),
    Estimator(
        "sklearn.sgd_one_class_svm",
        {ANOMALY_DETECTION: "sklearn.linear_model.SGDOneClassSVM"},
        ("average", "eta0", "fit_intercept", "learning_rate", "max_iter", "nu", "power_t", "shuffle", "tol"),
        scale=True,
    ),
)
"""Rows whose emitters are those of other estimators, or a few lines."""
