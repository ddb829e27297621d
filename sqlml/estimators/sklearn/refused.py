"""Why an estimator of scikit-learn has no row in the ESTIMATORS table: REFUSED, by its name in snake case.

The names are those of `by_name.BY_NAME`; each of them has a row or a reason.
"""

from __future__ import annotations

_NO_PREDICT = "has no predict: it labels the rows that it learned from, and no others"
_NEEDS_AN_ESTIMATOR = "is made of another estimator, which OPTIONS cannot write"
_SEVERAL_TARGETS = "learns several targets at once, and a model in SQL has one"
_WITHOUT_LABELS = "learns from rows without a label, which TRAIN MODEL leaves out"

REFUSED: dict[str, str] = {
    "agglomerative_clustering": _NO_PREDICT,
    "categorical_nb": "raises an error for a number that the training rows lack, which would end a query",
    "classifier_chain": _SEVERAL_TARGETS,
    "dbscan": _NO_PREDICT,
    "feature_agglomeration": "merges columns and has no predict",
    "fixed_threshold_classifier": _NEEDS_AN_ESTIMATOR,
    "hdbscan": _NO_PREDICT,
    "label_propagation": _WITHOUT_LABELS,
    "label_spreading": _WITHOUT_LABELS,
    "multi_output_classifier": _SEVERAL_TARGETS,
    "multi_output_regressor": _SEVERAL_TARGETS,
    "multi_task_elastic_net": _SEVERAL_TARGETS,
    "multi_task_elastic_net_cv": _SEVERAL_TARGETS,
    "multi_task_lasso": _SEVERAL_TARGETS,
    "multi_task_lasso_cv": _SEVERAL_TARGETS,
    "one_vs_one_classifier": _NEEDS_AN_ESTIMATOR,
    "one_vs_rest_classifier": _NEEDS_AN_ESTIMATOR,
    "optics": _NO_PREDICT,
    "output_code_classifier": _NEEDS_AN_ESTIMATOR,
    "regressor_chain": _SEVERAL_TARGETS,
    "self_training_classifier": _WITHOUT_LABELS,
    "spectral_biclustering": "clusters rows and columns of one matrix and has no predict",
    "spectral_clustering": _NO_PREDICT,
    "spectral_coclustering": "clusters rows and columns of one matrix and has no predict",
    "transformed_target_regressor": "is linear_regression unless it gets an estimator and functions, which OPTIONS"
    " cannot write",
    "tuned_threshold_classifier_cv": _NEEDS_AN_ESTIMATOR,
}
"""Name → reason, a clause whose subject is the class."""
