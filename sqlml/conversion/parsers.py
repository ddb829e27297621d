"""Parsers for skl2onnx: how models that contain a model are taken apart where its own parsers cannot.

skl2onnx takes them as an argument (`custom_parsers`): https://onnx.ai/sklearn-onnx/parsing.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, RandomizedSearchCV, TunedThresholdClassifierCV
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import SelfTrainingClassifier

from sqlml.conversion import thresholds

Parser = Callable[..., list[Any]]


def parsers() -> dict[type, Parser]:
    """Returns the parser of each class, for `convert_sklearn`."""
    found: dict[type, Parser] = {
        FixedThresholdClassifier: _threshold,
        FrozenEstimator: _frozen,
        RandomizedSearchCV: _search,
        SelfTrainingClassifier: _self_training,
        TransformedTargetRegressor: _transformed_target,
        TunedThresholdClassifierCV: _threshold,
    }
    # Experimental classes exist once the user's own import has enabled them.
    from sklearn import model_selection

    for name in ("HalvingGridSearchCV", "HalvingRandomSearchCV"):
        if name in vars(model_selection):
            found[vars(model_selection)[name]] = _search
    return found


def _search(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """The best estimator that a search has refitted."""
    return _parsed(scope, model.best_estimator_, inputs, custom_parsers)


def _frozen(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """The estimator that is not fitted again."""
    if is_classifier(model.estimator):
        scope.add_options(id(model.estimator), {"zipmap": False})
    return _parsed(scope, model.estimator, inputs, custom_parsers)


def _self_training(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """The classifier that was fitted to the rows with labels and to those that it labelled itself."""
    return _parsed(scope, model.estimator_, inputs, custom_parsers)


def _threshold(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """The classifier inside, and the comparison of its probability with the threshold."""
    from skl2onnx.common.data_types import DoubleTensorType

    rule = thresholds.of(model)
    scope.add_options(id(model.estimator_), {"zipmap": False})
    label, probabilities = _parsed(scope, model.estimator_, inputs, custom_parsers)
    operator = scope.declare_local_operator("SqlmlThreshold", rule)
    operator.inputs = [probabilities]
    operator.outputs.append(scope.declare_local_variable("label", label.type))
    operator.outputs.append(scope.declare_local_variable("probabilities", DoubleTensorType()))
    return list(operator.outputs)


def _transformed_target(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """The regressor, and the inverse function of the target behind it."""
    from skl2onnx.common.data_types import DoubleTensorType

    if model.func is None and model.transformer is not None:
        raise NotImplementedError(
            "TransformedTargetRegressor with a transformer; with func and inverse_func it is converted"
        )
    predicted = _parsed(scope, model.regressor_, inputs, custom_parsers)
    inverse = FunctionTransformer(func=model.inverse_func, validate=False)
    operator = scope.declare_local_operator("SklearnFunctionTransformer", inverse)
    operator.inputs = predicted
    output = scope.declare_local_variable("variable", DoubleTensorType())
    operator.outputs.append(output)
    return [output]


def _parsed(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any) -> list[Any]:
    from skl2onnx._parse import _parse_sklearn

    found: list[Any] = _parse_sklearn(scope, model, inputs, custom_parsers=custom_parsers)
    return found
