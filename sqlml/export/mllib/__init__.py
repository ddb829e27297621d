"""A fitted MLlib model → ONNX in float64, with MLlib's own arithmetic and decision rules.

The rules are those of Spark's sources (`org.apache.spark.ml`). `_EMITTERS` is the one table of models that have a
graph.
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

__all__ = ["emit"]

_Parts = Sequence[dict[str, Any]]


def emit(model: Any, parts: _Parts, signature: Signature, preparation: Preparation) -> bytes:
    """The model as the bytes of an ONNX file.

    Args:
        model: a fitted model of pyspark.ml.
        parts: what only the JVM knows of it, as `sqlml.estimators.mllib.parts` reads it; empty for most models.
        signature: with the labels in the order of the model's class indices.
    """
    graph = Graph()
    x = prepared.emit(graph, signature.features, preparation)
    _EMITTERS[type(model).__name__](graph, x, model, parts, signature)
    serialized: bytes = graph.model().SerializeToString(deterministic=True)
    return serialized


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
