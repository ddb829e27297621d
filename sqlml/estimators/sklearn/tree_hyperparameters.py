"""The hyperparameters of scikit-learn's trees and forests, shared by rows of the ESTIMATORS table."""

from __future__ import annotations

TREE = (
    "ccp_alpha",
    "class_weight",
    "criterion",
    "max_depth",
    "max_features",
    "max_leaf_nodes",
    "min_impurity_decrease",
    "min_samples_leaf",
    "min_samples_split",
    "min_weight_fraction_leaf",
)
FOREST = (*TREE, "bootstrap", "max_samples", "n_estimators")
