"""ONNX exporter of fitted scikit-learn, CatBoost, LightGBM and XGBoost models, with the libraries' own arithmetic
and decision rules.

The rules are from `predict`, `predict_proba` and `decision_function` of each class. `_EMITTERS` maps each class to the
function that writes its nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlml.export import catboost, components, isotonic, lightgbm, xgboost
from sqlml.export import preparation as prepared
from sqlml.export.graph import Graph
from sqlml.export.sklearn import (
    bayes,
    clusters,
    combined,
    constants,
    converted,
    forests,
    kernels,
    linear,
    neighbors,
    network,
)
from sqlml.export.sklearn.trees import ensemble
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Signature

__all__ = ["converted_by", "emit", "emit_model", "ensemble", "has_emitter"]


def emit(model: Any, signature: Signature, preparation: Preparation, *, one_hot: bool) -> bytes:
    """The model as a serialized ONNX graph: inputs, preparation, model, outputs.

    Args:
        model: fitted to the prepared matrix; a classifier to the label indices of the signature.
        one_hot: True if a text is a one-hot block in that matrix, False if it is one number.
    """
    graph = Graph()
    x = prepared.emit(graph, signature.features, preparation, one_hot=one_hot)
    if type(model).__name__ in _OF_MEMBERS:
        x = combined.within_float32(graph, x)
    emit_model(graph, x, model, signature)
    content: bytes = graph.model().SerializeToString(deterministic=True)
    return content


def has_emitter(class_name: str) -> bool:
    """Returns whether there is an emitter of ours for a class."""
    return class_name in _COMBINED or (class_name in _EMITTERS and not _is_converted(class_name))


def converted_by(model: Any) -> str:
    """Returns what follows the library's name where another converter writes the model; "" for emitters of ours."""
    return f", converted by {converted.described()}" if _is_converted(type(model).__name__) else ""


def emit_model(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Writes a model's nodes; models of models get this function to write their members."""
    name = type(model).__name__
    if name in _COMBINED:
        _COMBINED[name](graph, x, model, signature, emit_model)
    else:
        _EMITTERS[name](graph, x, model, signature)


def _is_converted(class_name: str) -> bool:
    return _EMITTERS.get(class_name) is converted.classifier


# Members all get numbers clipped to float32, whether or not they compute in it themselves.
_OF_MEMBERS = ("StackingClassifier", "StackingRegressor", "VotingClassifier", "VotingRegressor")
# Models that contain other models.
_COMBINED: dict[str, Callable[[Graph, str, Any, Signature, combined.Emit], None]] = {
    "RANSACRegressor": combined.consensus,
    "StackingClassifier": combined.stacking_classifier,
    "StackingRegressor": combined.stacking_regressor,
    "StandardizedTarget": combined.standardized_target,
    "VotingClassifier": combined.voting_classifier,
    "VotingRegressor": combined.voting_regressor,
    "WithinFloat32": combined.last_step,
}

_EMITTERS: dict[str, Callable[[Graph, str, Any, Signature], None]] = {
    "ARDRegression": linear.regression,
    "AffinityPropagation": clusters.k_means,
    "AdaBoostClassifier": forests.ada_boost_classifier,
    "AdaBoostRegressor": forests.ada_boost_regressor,
    "BaggingClassifier": forests.forest_classifier,
    "BaggingRegressor": forests.forest_regressor,
    "BayesianGaussianMixture": bayes.bayesian_mixture,
    "BayesianRidge": linear.regression,
    "BernoulliNB": bayes.bernoulli,
    "Birch": clusters.birch,
    "BisectingKMeans": clusters.bisecting_k_means,
    "CCA": linear.partial_least_squares,
    "CatBoostClassifier": catboost.classifier,
    "CatBoostRegressor": catboost.regressor,
    "CalibratedClassifierCV": converted.classifier,
    "ComplementNB": bayes.complement,
    "DecisionTreeClassifier": forests.forest_classifier,
    "DecisionTreeRegressor": forests.forest_regressor,
    "DummyClassifier": constants.classifier,
    "DummyRegressor": constants.regressor,
    "ElasticNet": linear.regression,
    "ElasticNetCV": linear.regression,
    "EllipticEnvelope": clusters.elliptic_envelope,
    "ExtraTreeClassifier": forests.forest_classifier,
    "ExtraTreeRegressor": forests.forest_regressor,
    "ExtraTreesClassifier": forests.forest_classifier,
    "ExtraTreesRegressor": forests.forest_regressor,
    "GammaRegressor": linear.generalized,
    "GaussianMixture": bayes.mixture,
    "GaussianNB": bayes.gaussian,
    "GaussianProcessClassifier": kernels.gaussian_process_classifier,
    "GaussianProcessRegressor": kernels.gaussian_process,
    "GradientBoostingClassifier": forests.gradient_boosting_classifier,
    "GradientBoostingRegressor": forests.gradient_boosting_regressor,
    "HistGradientBoostingClassifier": forests.hist_classifier,
    "HistGradientBoostingRegressor": forests.hist_regressor,
    "HuberRegressor": linear.regression,
    "IsolationForest": forests.isolation_forest,
    "IsotonicRegression": isotonic.of_sklearn,
    "KMeans": clusters.k_means,
    "KNeighborsClassifier": neighbors.classifier,
    "KNeighborsRegressor": neighbors.regressor,
    "KernelRidge": kernels.kernel_ridge,
    "LGBMClassifier": lightgbm.classifier,
    "LGBMRegressor": lightgbm.regressor,
    "Lars": linear.regression,
    "LarsCV": linear.regression,
    "Lasso": linear.regression,
    "LassoCV": linear.regression,
    "LassoLars": linear.regression,
    "LassoLarsCV": linear.regression,
    "LassoLarsIC": linear.regression,
    "LinearDiscriminantAnalysis": linear.logistic,
    "LinearRegression": linear.regression,
    "LinearSVC": linear.scored,
    "LinearSVR": linear.regression,
    "LocalOutlierFactor": neighbors.local_outlier_factor,
    "LogisticRegression": linear.logistic,
    "LogisticRegressionCV": linear.logistic,
    "MLPClassifier": network.classifier,
    "MLPRegressor": network.regressor,
    "MeanShift": clusters.k_means,
    "MiniBatchKMeans": clusters.k_means,
    "MultinomialNB": bayes.multinomial,
    "NearestCentroid": clusters.nearest_centroid,
    "NuSVC": kernels.support_vector_classifier,
    "NuSVR": kernels.support_vector_regressor,
    "OneClassSVM": kernels.one_class,
    "OrthogonalMatchingPursuit": linear.regression,
    "OrthogonalMatchingPursuitCV": linear.regression,
    "PCA": components.principal,
    "PLSCanonical": linear.partial_least_squares,
    "PLSRegression": linear.partial_least_squares,
    "PassiveAggressiveClassifier": linear.scored,
    "PassiveAggressiveRegressor": linear.regression,
    "Perceptron": linear.scored,
    "PoissonRegressor": linear.generalized,
    "QuadraticDiscriminantAnalysis": bayes.quadratic,
    "QuantileRegressor": linear.regression,
    "RadiusNeighborsClassifier": neighbors.radius_classifier,
    "RadiusNeighborsRegressor": neighbors.radius_regressor,
    "RandomForestClassifier": forests.forest_classifier,
    "RandomForestRegressor": forests.forest_regressor,
    "Ridge": linear.regression,
    "RidgeCV": linear.regression,  # stacking's default final estimator
    "RidgeClassifier": linear.scored,
    "RidgeClassifierCV": linear.scored,
    "SGDClassifier": linear.stochastic,
    "SGDOneClassSVM": clusters.one_class,
    "SGDRegressor": linear.regression,
    "SVC": kernels.support_vector_classifier,
    "SVR": kernels.support_vector_regressor,
    "TheilSenRegressor": linear.regression,
    "TruncatedSVD": components.singular,
    "TweedieRegressor": linear.generalized,
    "XGBClassifier": xgboost.classifier,
    "XGBRegressor": xgboost.regressor,
}
