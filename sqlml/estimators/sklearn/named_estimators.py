"""Rows of scikit-learn's in the ESTIMATORS table for what is seldom asked for, found by scikit-learn's own names.

With them every estimator of `by_name.BY_NAME` has a row or a reason in `refused.REFUSED`.
"""

from __future__ import annotations

from sqlml.estimators.estimator import ANOMALY_DETECTION, CLASSIFICATION, CLUSTERING, REGRESSION, Estimator

# Messages are sent between all pairs of rows, in memory.
_MOST_ROWS_OF_AFFINITIES = 2_000
# Each row is a seed that moves by the mean of its neighbours.
_MOST_ROWS_OF_SHIFTS = 5_000
# In the worst case each row is a subcluster, and their clustering needs the distances of all pairs.
_MOST_ROWS_OF_SUBCLUSTERS = 5_000
_PASSIVE = (
    "C",
    "average",
    "class_weight",
    "early_stopping",
    "epsilon",
    "fit_intercept",
    "loss",
    "max_iter",
    "n_iter_no_change",
    "shuffle",
    "tol",
    "validation_fraction",
)

NAMED_ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        "sklearn.affinity_propagation",
        {CLUSTERING: "sklearn.cluster.AffinityPropagation"},
        ("convergence_iter", "damping", "max_iter", "preference"),
        scale=True,
        most_rows=_MOST_ROWS_OF_AFFINITIES,
        seldom=True,
    ),
    Estimator(
        "sklearn.bayesian_gaussian_mixture",
        {CLUSTERING: "sklearn.mixture.BayesianGaussianMixture"},
        (
            "covariance_type",
            "degrees_of_freedom_prior",
            "init_params",
            "max_iter",
            "mean_precision_prior",
            "n_components",
            "n_init",
            "reg_covar",
            "tol",
            "weight_concentration_prior",
            "weight_concentration_prior_type",
        ),
        scale=True,
        noisy=True,
        quick={"n_components": 3},
        seldom=True,
    ),
    Estimator(
        "sklearn.birch",
        {CLUSTERING: "sklearn.cluster.Birch"},
        ("branching_factor", "n_clusters", "threshold"),
        scale=True,
        most_rows=_MOST_ROWS_OF_SUBCLUSTERS,
        seldom=True,
    ),
    Estimator(
        "sklearn.bisecting_k_means",
        {CLUSTERING: "sklearn.cluster.BisectingKMeans"},
        ("algorithm", "bisecting_strategy", "init", "max_iter", "n_clusters", "n_init", "tol"),
        scale=True,
        seldom=True,
    ),
    Estimator(
        "sklearn.calibrated_classifier_cv",
        {CLASSIFICATION: "sklearn.calibration.CalibratedClassifierCV"},
        ("cv", "ensemble", "method"),
        scale=True,
        seldom=True,
    ),
    Estimator(
        "sklearn.cca",
        {REGRESSION: "sklearn.cross_decomposition.CCA"},
        ("max_iter", "n_components", "scale", "tol"),
        scale=True,
        # As many components as there are targets.
        defaults={"n_components": 1},
        seldom=True,
    ),
    Estimator(
        "sklearn.dummy",
        {CLASSIFICATION: "sklearn.dummy.DummyClassifier", REGRESSION: "sklearn.dummy.DummyRegressor"},
        ("constant", "quantile", "strategy"),
        seldom=True,
    ),
    Estimator(
        "sklearn.elliptic_envelope",
        {ANOMALY_DETECTION: "sklearn.covariance.EllipticEnvelope"},
        ("assume_centered", "contamination", "support_fraction"),
        scale=True,
        seldom=True,
    ),
    Estimator(
        "sklearn.lars",
        {REGRESSION: "sklearn.linear_model.Lars"},
        ("eps", "fit_intercept", "jitter", "n_nonzero_coefs"),
        scale=True,
        # By default 500 columns. One-hot columns are collinear, and the last steps of a path that takes all of them
        # are divisions by nearly 0.
        defaults={"n_nonzero_coefs": 20},
        seldom=True,
    ),
    Estimator(
        "sklearn.lars_cv",
        {REGRESSION: "sklearn.linear_model.LarsCV"},
        ("cv", "eps", "fit_intercept", "max_iter", "max_n_alphas"),
        scale=True,
        seldom=True,
    ),
    Estimator(
        "sklearn.mean_shift",
        {CLUSTERING: "sklearn.cluster.MeanShift"},
        ("bandwidth", "bin_seeding", "cluster_all", "max_iter", "min_bin_freq"),
        scale=True,
        most_rows=_MOST_ROWS_OF_SHIFTS,
        quick={"bandwidth": 1.5, "bin_seeding": True},
        seldom=True,
    ),
    Estimator(
        "sklearn.passive_aggressive",
        {
            CLASSIFICATION: "sklearn.linear_model.PassiveAggressiveClassifier",
            REGRESSION: "sklearn.linear_model.PassiveAggressiveRegressor",
        },
        _PASSIVE,
        scale=True,
        standard_target=True,
        seldom=True,
    ),
    Estimator(
        "sklearn.pls_canonical",
        {REGRESSION: "sklearn.cross_decomposition.PLSCanonical"},
        ("algorithm", "max_iter", "n_components", "scale", "tol"),
        scale=True,
        defaults={"n_components": 1},
        seldom=True,
    ),
)
"""Rows under scikit-learn's own names in snake case, without `_classifier` and `_regressor` where there are both."""
