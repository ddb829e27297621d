"""scikit-learn's rows of the ESTIMATORS table; those of linear models are in `linear_estimators`,
further ones in `more_estimators` and `named_estimators`.

Hyperparameters that name columns, change no model (verbosity, threads, caches) or need Python objects are left out.
"""

from __future__ import annotations

from sqlml.estimators.estimator import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    Estimator,
)
from sqlml.estimators.sklearn.linear_estimators import LINEAR_ESTIMATORS
from sqlml.estimators.sklearn.more_estimators import MORE_ESTIMATORS
from sqlml.estimators.sklearn.named_estimators import NAMED_ESTIMATORS
from sqlml.estimators.sklearn.tree_hyperparameters import FOREST, TREE

_KERNEL = ("coef0", "degree", "gamma", "kernel", "max_iter", "shrinking", "tol")
_COMPONENTS = ("n_components", "n_oversamples", "power_iteration_normalizer", "tol")
# Kernel models store their support vectors, neighbour models all training rows; scoring compares a row with each.
_MOST_ROWS_IN_A_MODEL = 20_000
_MOST_ROWS_OF_A_GAUSSIAN_PROCESS = 2_000

_OTHERS: tuple[Estimator, ...] = (
    Estimator(
        "sklearn.ada_boost",
        {CLASSIFICATION: "sklearn.ensemble.AdaBoostClassifier", REGRESSION: "sklearn.ensemble.AdaBoostRegressor"},
        ("learning_rate", "loss", "n_estimators"),
        single=True,
        quick={"n_estimators": 20},
    ),
    Estimator(
        "sklearn.bagging",
        {CLASSIFICATION: "sklearn.ensemble.BaggingClassifier", REGRESSION: "sklearn.ensemble.BaggingRegressor"},
        ("bootstrap", "bootstrap_features", "max_features", "max_samples", "n_estimators"),
        single=True,
        missing_by_release=True,
        quick={"n_estimators": 5},
    ),
    Estimator(
        "sklearn.bernoulli_naive_bayes",
        {CLASSIFICATION: "sklearn.naive_bayes.BernoulliNB"},
        ("alpha", "binarize", "class_prior", "fit_prior", "force_alpha"),
    ),
    Estimator(
        "sklearn.complement_naive_bayes",
        {CLASSIFICATION: "sklearn.naive_bayes.ComplementNB"},
        ("alpha", "class_prior", "fit_prior", "force_alpha", "norm"),
        counts=True,
    ),
    Estimator(
        "sklearn.decision_tree",
        {CLASSIFICATION: "sklearn.tree.DecisionTreeClassifier", REGRESSION: "sklearn.tree.DecisionTreeRegressor"},
        (*TREE, "splitter"),
        single=True,
        missing_by_release=True,
    ),
    Estimator(
        "sklearn.extra_trees",
        {CLASSIFICATION: "sklearn.ensemble.ExtraTreesClassifier", REGRESSION: "sklearn.ensemble.ExtraTreesRegressor"},
        FOREST,
        single=True,
        missing_by_release=True,
        quick={"n_estimators": 20},
    ),
    Estimator(
        "sklearn.gaussian_mixture",
        {CLUSTERING: "sklearn.mixture.GaussianMixture"},
        ("covariance_type", "init_params", "max_iter", "n_components", "n_init", "reg_covar", "tol"),
        scale=True,
        defaults={"n_components": 8},
        noisy=True,
    ),
    Estimator(
        "sklearn.gaussian_naive_bayes",
        {CLASSIFICATION: "sklearn.naive_bayes.GaussianNB"},
        ("priors", "var_smoothing"),
        noisy=True,
    ),
    Estimator(
        "sklearn.gaussian_process",
        {
            CLASSIFICATION: "sklearn.gaussian_process.GaussianProcessClassifier",
            REGRESSION: "sklearn.gaussian_process.GaussianProcessRegressor",
        },
        ("alpha", "max_iter_predict", "n_restarts_optimizer", "normalize_y"),
        scale=True,
        defaults={"normalize_y": True},
        most_rows=_MOST_ROWS_OF_A_GAUSSIAN_PROCESS,
    ),
    Estimator(
        "sklearn.gradient_boosting",
        {
            CLASSIFICATION: "sklearn.ensemble.GradientBoostingClassifier",
            REGRESSION: "sklearn.ensemble.GradientBoostingRegressor",
        },
        (
            *(name for name in TREE if name != "class_weight"),
            "alpha",
            "learning_rate",
            "loss",
            "n_estimators",
            "n_iter_no_change",
            "subsample",
            "tol",
            "validation_fraction",
        ),
        single=True,
        quick={"n_estimators": 20},
    ),
    Estimator(
        "sklearn.hist_gradient_boosting",
        {
            CLASSIFICATION: "sklearn.ensemble.HistGradientBoostingClassifier",
            REGRESSION: "sklearn.ensemble.HistGradientBoostingRegressor",
        },
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
        missing=True,
        quick={"max_iter": 20},
    ),
    Estimator(
        "sklearn.isolation_forest",
        {ANOMALY_DETECTION: "sklearn.ensemble.IsolationForest"},
        ("bootstrap", "contamination", "max_features", "max_samples", "n_estimators"),
        single=True,
        missing_by_release=True,
        quick={"n_estimators": 20},
    ),
    Estimator(
        "sklearn.isotonic_regression",
        {REGRESSION: "sklearn.isotonic.IsotonicRegression"},
        ("increasing", "out_of_bounds", "y_max", "y_min"),
        one_number=True,
        abstains=True,
        # MLlib's rule; scikit-learn's default is NaN.
        defaults={"out_of_bounds": "clip"},
    ),
    Estimator(
        "sklearn.k_means",
        {CLUSTERING: "sklearn.cluster.KMeans"},
        ("algorithm", "init", "max_iter", "n_clusters", "n_init", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.k_neighbors",
        {
            CLASSIFICATION: "sqlml.estimators.sklearn.neighbors.KNeighborsClassifier",
            REGRESSION: "sqlml.estimators.sklearn.neighbors.KNeighborsRegressor",
        },
        ("n_neighbors", "weights"),
        scale=True,
        most_rows=_MOST_ROWS_IN_A_MODEL,
    ),
    Estimator(
        "sklearn.linear_discriminant_analysis",
        {CLASSIFICATION: "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"},
        ("n_components", "priors", "shrinkage", "solver", "tol"),
        scale=True,
    ),
    Estimator(
        "sklearn.local_outlier_factor",
        {ANOMALY_DETECTION: "sqlml.estimators.sklearn.neighbors.LocalOutlierFactor"},
        ("contamination", "n_neighbors"),
        scale=True,
        most_rows=_MOST_ROWS_IN_A_MODEL,
    ),
    Estimator(
        "sklearn.mini_batch_k_means",
        {CLUSTERING: "sklearn.cluster.MiniBatchKMeans"},
        ("batch_size", "init", "init_size", "max_iter", "max_no_improvement", "n_clusters", "n_init", "tol"),
        scale=True,
        row_major=True,
    ),
    Estimator(
        "sklearn.multinomial_naive_bayes",
        {CLASSIFICATION: "sklearn.naive_bayes.MultinomialNB"},
        ("alpha", "class_prior", "fit_prior", "force_alpha"),
        counts=True,
    ),
    Estimator(
        "sklearn.neural_network",
        {CLASSIFICATION: "sklearn.neural_network.MLPClassifier", REGRESSION: "sklearn.neural_network.MLPRegressor"},
        (
            "activation",
            "alpha",
            "batch_size",
            "beta_1",
            "beta_2",
            "early_stopping",
            "epsilon",
            "hidden_layer_sizes",
            "learning_rate",
            "learning_rate_init",
            "loss",
            "max_fun",
            "max_iter",
            "momentum",
            "n_iter_no_change",
            "nesterovs_momentum",
            "power_t",
            "solver",
            "tol",
            "validation_fraction",
        ),
        scale=True,
        standard_target=True,
        quick={"hidden_layer_sizes": [5], "max_iter": 20},
    ),
    Estimator(
        "sklearn.nu_svm",
        {CLASSIFICATION: "sklearn.svm.NuSVC", REGRESSION: "sklearn.svm.NuSVR"},
        (*_KERNEL, "C", "class_weight", "nu"),
        scale=True,
        standard_target=True,
        most_rows=_MOST_ROWS_IN_A_MODEL,
        quick={"nu": 0.2},
    ),
    Estimator(
        "sklearn.one_class_svm",
        {ANOMALY_DETECTION: "sklearn.svm.OneClassSVM"},
        (*_KERNEL, "nu"),
        scale=True,
        most_rows=_MOST_ROWS_IN_A_MODEL,
    ),
    Estimator(
        "sklearn.pca",
        {DIMENSIONALITY_REDUCTION: "sklearn.decomposition.PCA"},
        (*_COMPONENTS, "iterated_power", "svd_solver", "whiten"),
        scale=True,
        quick={"n_components": 3},
    ),
    Estimator(
        "sklearn.quadratic_discriminant_analysis",
        {CLASSIFICATION: "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis"},
        ("priors", "reg_param", "shrinkage", "solver", "tol"),
        scale=True,
        # The one-hot columns of a text feature sum to 1, and a class may lack a category, so every class's covariance
        # matrix is singular.
        defaults={"reg_param": 1e-3},
        noisy=True,
        quick={"reg_param": 0.5},
    ),
    Estimator(
        "sklearn.radius_neighbors",
        {
            CLASSIFICATION: "sqlml.estimators.sklearn.neighbors.RadiusNeighborsClassifier",
            REGRESSION: "sqlml.estimators.sklearn.neighbors.RadiusNeighborsRegressor",
        },
        ("radius", "weights"),
        scale=True,
        abstains=True,
        most_rows=_MOST_ROWS_IN_A_MODEL,
    ),
    Estimator(
        "sklearn.random_forest",
        {
            CLASSIFICATION: "sklearn.ensemble.RandomForestClassifier",
            REGRESSION: "sklearn.ensemble.RandomForestRegressor",
        },
        FOREST,
        single=True,
        missing_by_release=True,
        quick={"n_estimators": 20},
    ),
    Estimator(
        "sklearn.stacking",
        {CLASSIFICATION: "sklearn.ensemble.StackingClassifier", REGRESSION: "sklearn.ensemble.StackingRegressor"},
        ("cv", "estimators", "final_estimator", "passthrough", "stack_method"),
        scale=True,
        single=True,
        quick={"estimators": ["decision_tree", "ridge"]},
    ),
    Estimator(
        "sklearn.svm",
        {CLASSIFICATION: "sklearn.svm.SVC", REGRESSION: "sklearn.svm.SVR"},
        (*_KERNEL, "C", "break_ties", "class_weight", "epsilon"),
        scale=True,
        standard_target=True,
        most_rows=_MOST_ROWS_IN_A_MODEL,
    ),
    Estimator(
        "sklearn.truncated_svd",
        {DIMENSIONALITY_REDUCTION: "sklearn.decomposition.TruncatedSVD"},
        (*_COMPONENTS, "algorithm", "n_iter"),
        scale=True,
    ),
    Estimator(
        "sklearn.voting",
        {CLASSIFICATION: "sklearn.ensemble.VotingClassifier", REGRESSION: "sklearn.ensemble.VotingRegressor"},
        ("estimators", "weights"),
        scale=True,
        single=True,
        quick={"estimators": ["decision_tree", "random_forest"]},
    ),
)

SKLEARN_ESTIMATORS: tuple[Estimator, ...] = tuple(
    sorted((*_OTHERS, *LINEAR_ESTIMATORS, *MORE_ESTIMATORS, *NAMED_ESTIMATORS), key=lambda row: row.name)
)
