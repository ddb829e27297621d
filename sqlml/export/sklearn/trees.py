"""Reader of scikit-learn's tree ensembles: converts fitted trees into `export.trees.Tree`, in the order in which the
model adds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import catboost, lightgbm, xgboost
from sqlml.export.trees import LEAF, Tree, constant


def ensemble(model: Any) -> list[Tree]:
    """The model's trees in the order in which it adds them; an empty list for a model without trees."""
    if hasattr(model, "named_estimators_"):
        # The members of voting and stacking. The final estimator is left out: its trees split members' outputs, not
        # features.
        return [tree for one in model.estimators_ for tree in ensemble(one)]
    read = _TREES.get(type(model).__name__)
    return read(model) if read else []


def _tree(fitted: Any, weights: Any, output: int = 0, features: Any = None) -> Tree:
    """Converts one tree; `features` are its columns of x, all by default."""
    structure = fitted.tree_
    return Tree(
        # scikit-learn has feature -2 at a leaf.
        feature=structure.feature if features is None else np.asarray(features)[np.maximum(structure.feature, 0)],
        threshold=structure.threshold,
        left=structure.children_left,
        right=structure.children_right,
        missing_left=structure.missing_go_to_left.astype(bool),
        weights=weights,
        output=output,
    )


def _classifier_trees(fitted: Sequence[Any]) -> list[Tree]:
    """Trees whose leaves hold class probabilities. With two classes only the second is kept."""
    shares = [one.tree_.value[:, 0, :] for one in fitted]
    return [
        _tree(one, share[:, 1:] if share.shape[1] == 2 else share) for one, share in zip(fitted, shares, strict=True)
    ]


def _regressor_trees(fitted: Sequence[Any]) -> list[Tree]:
    return [_tree(one, one.tree_.value[:, 0, :]) for one in fitted]


def _boosting_trees(model: Any) -> list[Tree]:
    """The initial prediction as constants, then the trees times the learning rate, as the model adds them."""
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))[0]
    return _constants(start) + [
        _tree(one, one.tree_.value[:, 0, :] * model.learning_rate, output)
        for stage in model.estimators_
        for output, one in enumerate(stage)
    ]


def _histogram_trees(model: Any) -> list[Tree]:
    """The baseline as constants, then the trees of HistGradientBoosting, whose categorical nodes split by sets."""
    columns = _histogram_columns(model)
    found = _constants(model._baseline_prediction.ravel())
    for stage in model._predictors:
        for output, predictor in enumerate(stage):
            nodes = predictor.nodes
            leaf = nodes["is_leaf"].astype(bool)
            found.append(
                Tree(
                    feature=columns[nodes["feature_idx"]],
                    threshold=nodes["num_threshold"],
                    left=np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
                    right=np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
                    missing_left=nodes["missing_go_to_left"].astype(bool),
                    weights=nodes["value"][:, np.newaxis],
                    output=output,
                    members=_histogram_members(predictor),
                )
            )
    return found


def _histogram_columns(model: Any) -> NDArray[np.int64]:
    """The column of x of each feature of the trees: inside the model, categorical features come first."""
    if model.is_categorical_ is None:
        return np.arange(model.n_features_in_)
    return np.concatenate([np.flatnonzero(model.is_categorical_), np.flatnonzero(~model.is_categorical_)])


def _histogram_members(predictor: Any) -> dict[int, tuple[float, ...]]:
    """Inner node → the category numbers that go left. -1, the unknown category, goes where missing values go."""
    found = {}
    for node in np.flatnonzero(predictor.nodes["is_categorical"] & ~predictor.nodes["is_leaf"].astype(bool)):
        words = predictor.raw_left_cat_bitsets[predictor.nodes["bitset_idx"][node]]
        bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
        unknown = [-1.0] if predictor.nodes["missing_go_to_left"][node] else []
        found[int(node)] = (*unknown, *np.flatnonzero(bits).astype(float).tolist())
    return found


def _constants(values: Sequence[float]) -> list[Tree]:
    """A single-leaf tree for each output."""
    return [constant(value, output) for output, value in enumerate(values)]


def _ada_boost_classifier_trees(model: Any) -> list[Tree]:
    """SAMME: a tree adds its weight w to the class it predicts, and -w / (classes - 1) to the others. With two classes
    only the second is kept."""
    classes = model.n_classes_
    found = []
    # A fit that ends early, for a tree without a mistake or one no better than chance, leaves more weights than trees.
    weights = model.estimator_weights_[: len(model.estimators_)]
    for one, weight in zip(model.estimators_, weights, strict=True):
        votes = np.where(_first_largest(one.tree_.value[:, 0, :]), weight, -1.0 / (classes - 1) * weight)
        found.append(_tree(one, votes[:, 1:] if classes == 2 else votes))
    return found


def _ada_boost_regressor_trees(model: Any) -> list[Tree]:
    """Each tree has its own output, because the model takes their weighted median."""
    return [_tree(one, one.tree_.value[:, 0, :], output) for output, one in enumerate(model.estimators_)]


def _bagged_classifier_trees(model: Any) -> list[Tree]:
    """Trees of class probabilities, on the columns that each tree was given."""
    found = []
    for one, features in zip(model.estimators_, model.estimators_features_, strict=True):
        # A bootstrap sample may lack a class.
        shares = np.zeros((one.tree_.node_count, model.n_classes_))
        shares[:, one.classes_] = one.tree_.value[:, 0, :]
        found.append(_tree(one, shares[:, 1:] if model.n_classes_ == 2 else shares, features=features))
    return found


def _bagged_regressor_trees(model: Any) -> list[Tree]:
    pairs = zip(model.estimators_, model.estimators_features_, strict=True)
    return [_tree(one, one.tree_.value[:, 0, :], features=features) for one, features in pairs]


def _isolation_trees(model: Any) -> list[Tree]:
    """A leaf's weight is the isolation depth: the path's length plus the expected length of the rest, c(n) (Liu et al.
    2008)."""
    found = []
    parts = (model.estimators_, model.estimators_features_, model._decision_path_lengths)
    for one, features, depth, rest in zip(*parts, model._average_path_length_per_tree, strict=True):
        found.append(_tree(one, (depth + rest - 1.0)[:, np.newaxis], features=features))
    return found


def _first_largest(shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[nodes, classes] True at the first largest class."""
    return np.arange(shares.shape[1]) == shares.argmax(axis=1)[:, np.newaxis]


_TREES: dict[str, Callable[[Any], list[Tree]]] = {
    "AdaBoostClassifier": _ada_boost_classifier_trees,
    "AdaBoostRegressor": _ada_boost_regressor_trees,
    "BaggingClassifier": _bagged_classifier_trees,
    "BaggingRegressor": _bagged_regressor_trees,
    "CatBoostClassifier": catboost.ensemble,
    "CatBoostRegressor": catboost.ensemble,
    "DecisionTreeClassifier": lambda model: _classifier_trees([model]),
    "DecisionTreeRegressor": lambda model: _regressor_trees([model]),
    "ExtraTreeClassifier": lambda model: _classifier_trees([model]),
    "ExtraTreeRegressor": lambda model: _regressor_trees([model]),
    "ExtraTreesClassifier": lambda model: _classifier_trees(model.estimators_),
    "ExtraTreesRegressor": lambda model: _regressor_trees(model.estimators_),
    "GradientBoostingClassifier": _boosting_trees,
    "GradientBoostingRegressor": _boosting_trees,
    "HistGradientBoostingClassifier": _histogram_trees,
    "HistGradientBoostingRegressor": _histogram_trees,
    "IsolationForest": _isolation_trees,
    "LGBMClassifier": lightgbm.ensemble,
    "LGBMRegressor": lightgbm.ensemble,
    "RandomForestClassifier": lambda model: _classifier_trees(model.estimators_),
    "RandomForestRegressor": lambda model: _regressor_trees(model.estimators_),
    "XGBClassifier": xgboost.ensemble,
    "XGBRegressor": xgboost.ensemble,
}
