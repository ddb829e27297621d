"""scikit-learn's linear models: their rows of the ESTIMATORS table."""

from __future__ import annotations

from sqlml.estimators.estimator import CLASSIFICATION, REGRESSION, Estimator

_DESCENT = ("alpha", "early_stopping", "eta0", "fit_intercept", "l1_ratio", "max_iter", "n_iter_no_change", "penalty")
_GENERALIZED = ("alpha", "fit_intercept", "max_iter", "solver", "tol")
_BAYESIAN = ("alpha_1", "alpha_2", "fit_intercept", "lambda_1", "lambda_2", "max_iter", "tol")

LINEAR_ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        "sklearn.ard_regression",
        {REGRESSION: "sklearn.linear_model.ARDRegression"},
        (*_BAYESIAN, "threshold_lambda"),
        scale=True,
    ),
    Estimator(
        "sklearn.bayesian_ridge",
        {REGRESSION: "sklearn.linear_model.BayesianRidge"},
        (*_BAYESIAN, "alpha_init", "lambda_init"),
        scale=True,
    ),
    Estimator(
        "sklearn.elastic_net",
        {REGRESSION: "sklearn.linear_model.ElasticNet"},
        ("alpha", "fit_intercept", "l1_ratio", "max_iter", "positive", "selection", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.gamma_regression", {REGRESSION: "sklearn.linear_model.GammaRegressor"}, _GENERALIZED, scale=True
    ),
    Estimator(
        "sklearn.huber_regression",
        {REGRESSION: "sklearn.linear_model.HuberRegressor"},
        ("alpha", "epsilon", "fit_intercept", "max_iter", "tol"),
        scale=True,
        defaults={"max_iter": 1000},
    ),
    Estimator(
        "sklearn.lasso",
        {REGRESSION: "sklearn.linear_model.Lasso"},
        ("alpha", "fit_intercept", "max_iter", "positive", "selection", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.lasso_lars",
        {REGRESSION: "sklearn.linear_model.LassoLars"},
        ("alpha", "eps", "fit_intercept", "jitter", "max_iter", "positive"),
        scale=True,
    ),
    Estimator(
        "sklearn.linear_regression",
        {REGRESSION: "sklearn.linear_model.LinearRegression"},
        ("fit_intercept", "positive", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.linear_svm",
        {CLASSIFICATION: "sklearn.svm.LinearSVC", REGRESSION: "sklearn.svm.LinearSVR"},
        (
            "C",
            "class_weight",
            "dual",
            "epsilon",
            "fit_intercept",
            "intercept_scaling",
            "loss",
            "max_iter",
            "multi_class",
            "penalty",
            "tol",
        ),
        scale=True,
        standard_target=True,
        row_major=True,
    ),
    Estimator(
        "sklearn.logistic_regression",
        {CLASSIFICATION: "sklearn.linear_model.LogisticRegression"},
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
        row_major=True,
        defaults={"max_iter": 1000},
    ),
    Estimator(
        "sklearn.orthogonal_matching_pursuit",
        {REGRESSION: "sklearn.linear_model.OrthogonalMatchingPursuit"},
        ("fit_intercept", "n_nonzero_coefs", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.perceptron",
        {CLASSIFICATION: "sklearn.linear_model.Perceptron"},
        (*_DESCENT, "class_weight", "shuffle", "tol", "validation_fraction"),
        scale=True,
        row_major=True,
    ),
    Estimator(
        "sklearn.poisson_regression", {REGRESSION: "sklearn.linear_model.PoissonRegressor"}, _GENERALIZED, scale=True
    ),
    Estimator(
        "sklearn.quantile_regression",
        {REGRESSION: "sklearn.linear_model.QuantileRegressor"},
        ("alpha", "fit_intercept", "quantile", "solver"),
        scale=True,
    ),
    Estimator(
        "sklearn.ridge",
        {CLASSIFICATION: "sklearn.linear_model.RidgeClassifier", REGRESSION: "sklearn.linear_model.Ridge"},
        ("alpha", "class_weight", "fit_intercept", "max_iter", "positive", "solver", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.sgd",
        {CLASSIFICATION: "sklearn.linear_model.SGDClassifier", REGRESSION: "sklearn.linear_model.SGDRegressor"},
        (
            *_DESCENT,
            "average",
            "class_weight",
            "epsilon",
            "learning_rate",
            "loss",
            "power_t",
            "shuffle",
            "tol",
            "validation_fraction",
        ),
        scale=True,
        standard_target=True,
        row_major=True,
    ),
    Estimator(
        "sklearn.theil_sen_regression",
        {REGRESSION: "sklearn.linear_model.TheilSenRegressor"},
        ("fit_intercept", "max_iter", "max_subpopulation", "n_subsamples", "tol"),
        scale=True,
        quick={"max_subpopulation": 200},
    ),
    Estimator(
        "sklearn.tweedie_regression",
        {REGRESSION: "sklearn.linear_model.TweedieRegressor"},
        (*_GENERALIZED, "link", "power"),
        scale=True,
    ),
)
