"""ONNX exporter of fitted MLlib models, in float64, with MLlib's own arithmetic and decision rules.

The rules are from Spark's sources (`org.apache.spark.ml`). `_EMITTERS` maps each model class to the function that
writes its nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlml.export import components, isotonic, xgboost
from sqlml.export import preparation as prepared
from sqlml.export.graph import Graph
from sqlml.export.mllib import bayes, clusters, factorization, generalized, linear, network, trees
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Signature

__all__ = ["emit", "emit_model", "has_emitter"]

_Parts = Sequence[dict[str, Any]]


def emit(model: Any, parts: _Parts, signature: Signature, preparation: Preparation) -> bytes:
    """The model as a serialized ONNX graph: inputs, preparation, model, outputs.

    Args:
        model: a fitted model of pyspark.ml.
        parts: internals of the model from `sqlml.estimators.mllib.parts`; empty for most models.
        signature: its labels are in the order of the model's class indices.
    """
    graph = Graph()
    x = prepared.emit(graph, signature.features, preparation)
    emit_model(graph, x, model, parts, signature)
    serialized: bytes = graph.model().SerializeToString(deterministic=True)
    return serialized


def has_emitter(model: Any) -> bool:
    """Returns whether there is an emitter for a fitted model."""
    return type(model).__name__ in _EMITTERS


def emit_model(graph: Graph, x: str, model: Any, parts: _Parts, signature: Signature) -> None:
    """Writes a model's nodes."""
    _EMITTERS[type(model).__name__](graph, x, model, parts, signature)


_EMITTERS: dict[str, Callable[[Graph, str, Any, _Parts, Signature], None]] = {
    "AFTSurvivalRegressionModel": linear.survival,
    "BisectingKMeansModel": clusters.bisecting_k_means,
    "DecisionTreeClassificationModel": trees.forest_classifier,
    "DecisionTreeRegressionModel": trees.forest_regressor,
    "FMClassificationModel": factorization.classifier,
    "FMRegressionModel": factorization.regressor,
    "GBTClassificationModel": trees.boosted_classifier,
    "GBTRegressionModel": trees.boosted_regressor,
    "GaussianMixtureModel": clusters.gaussian_mixture,
    "GeneralizedLinearRegressionModel": generalized.regression,
    "IsotonicRegressionModel": isotonic.of_mllib,
    "KMeansModel": clusters.k_means,
    "LinearRegressionModel": linear.regression,
    "LinearSVCModel": linear.support_vector_classifier,
    "LogisticRegressionModel": linear.logistic_regression,
    "MultilayerPerceptronClassificationModel": network.classifier,
    "NaiveBayesModel": bayes.classifier,
    "OneVsRestModel": linear.one_against_the_rest,
    "PCAModel": lambda graph, x, model, _, signature: components.of_mllib(graph, x, model, signature),
    "RandomForestClassificationModel": trees.forest_classifier,
    "RandomForestRegressionModel": trees.forest_regressor,
    "SparkXGBClassifierModel": lambda graph, x, model, _, signature: xgboost.classifier(
        graph, x, model._xgb_sklearn_model, signature
    ),
    "SparkXGBRegressorModel": lambda graph, x, model, _, signature: xgboost.regressor(
        graph, x, model._xgb_sklearn_model, signature
    ),
}
