"""Short names of estimators: SHORT_NAMES maps `rf`, `xgb` and others to nouns of the ESTIMATORS table.

The libraries' class names, such as `SVC`, need no row here: `resolve` knows them.
"""

from __future__ import annotations

# Nouns in order of preference: the first that supports the task, and among its rows the preferred engine's.
SHORT_NAMES: dict[str, tuple[str, ...]] = {
    "ada": ("ada_boost",),
    "boosting": ("gradient_boosting",),
    "dt": ("decision_tree",),
    "enet": ("elastic_net",),
    "et": ("extra_trees",),
    "forest": ("random_forest",),
    "gamma": ("gamma_regression",),
    "gb": ("gradient_boosting",),
    "gbdt": ("gradient_boosting",),
    "gbm": ("gradient_boosting",),
    "gbrt": ("gradient_boosting",),
    "gbt": ("gradient_boosting",),
    "glm": ("generalized_linear_regression",),
    "gmm": ("gaussian_mixture",),
    "gp": ("gaussian_process",),
    "hgb": ("hist_gradient_boosting",),
    "iforest": ("isolation_forest",),
    "knn": ("k_neighbors",),
    "lda": ("linear_discriminant_analysis",),
    "lgb": ("lightgbm",),
    "lgbm": ("lightgbm",),
    "linear": ("linear_regression",),
    "linreg": ("linear_regression",),
    "lof": ("local_outlier_factor",),
    "logistic": ("logistic_regression",),
    "logit": ("logistic_regression",),
    "logreg": ("logistic_regression",),
    "lr": ("logistic_regression", "linear_regression"),
    "mlp": ("neural_network",),
    # MLlib's naive Bayes is for counts. On one machine the Gaussian one is meant, which takes any number.
    "naive_bayes": ("gaussian_naive_bayes", "naive_bayes"),
    "nb": ("gaussian_naive_bayes", "naive_bayes"),
    "nn": ("neural_network",),
    "ols": ("linear_regression",),
    "omp": ("orthogonal_matching_pursuit",),
    "poisson": ("poisson_regression",),
    "qda": ("quadratic_discriminant_analysis",),
    "rf": ("random_forest",),
    "svd": ("truncated_svd",),
    "tree": ("decision_tree",),
    "tweedie": ("tweedie_regression",),
    "xgb": ("xgboost",),
}


def nouns(name: str) -> tuple[str, ...]:
    """The nouns that a name without an engine may stand for; the name itself if it is no short name."""
    return SHORT_NAMES.get(name.lower(), (name.lower(),))
