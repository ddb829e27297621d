"""The conversion of scikit-learn models and pipelines by skl2onnx, in float64 where its converters can."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.pipeline import Pipeline

from sqlml.conversion import categories, own_emitters
from sqlml.conversion.example import Example
from sqlml.conversion.parsers import parsers
from sqlml.export.graph import ML, OPSETS
from sqlml.export.sklearn.converted import VERSIONS
from sqlml.signature import TEXT, Feature

if TYPE_CHECKING:
    from onnx import ModelProto

# Operators that ai.onnx.ml 5 no longer has; skl2onnx writes them for trees that have no emitter.
_UNTIL_4 = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_MATRIX = "x"


@dataclass(frozen=True)
class Attempt:
    """One way to convert a model.

    Attributes:
        own: True to write steps by sqlml's own emitters where there are some.
        double: True for inputs of type double, False for float.
    """

    own: bool
    double: bool

    @property
    def described(self) -> str:
        """The converter's name, version and precision."""
        import skl2onnx

        precision = "float64" if self.double else "float32"
        return f"skl2onnx {skl2onnx.__version__}{' and sqlml' if self.own else ''}, {precision}"

    def convert(self, model: Any, example: Example) -> tuple[ModelProto, dict[str, tuple[str, ...]]]:
        """Returns the graph, and the features that feed each of its inputs.

        Raises:
            Exception: whatever the converters raise for a step that they do not support.
        """
        import skl2onnx
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

        number = DoubleTensorType if self.double else FloatTensorType
        inputs, types = {}, []
        for name, features in _inputs(model, example.features):
            kind = StringTensorType if features[0].kind == TEXT else number
            types.append((name, kind([None, len(features)])))
            inputs[name] = tuple(feature.name for feature in features)
        codes = categories.before(model, example)
        if codes is not None:
            model = Pipeline([("codes", codes), ("model", model)])
        convert, shape = own_emitters.converters(example.missing) if self.own else (None, None)
        for options in _options(model):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    found = skl2onnx.convert_sklearn(
                        model,
                        initial_types=types,
                        target_opset=VERSIONS,
                        options=options,
                        custom_conversion_functions=convert,
                        custom_shape_calculators=shape,
                        custom_parsers=parsers() if self.own else None,
                    )
                except NameError:  # one of the options is not for this class
                    continue
            if self.own:
                _set_versions(found)
            # skl2onnx replaces characters that it does not like in a name.
            named = [value.name for value in found.graph.input]
            return found, dict(zip(named, inputs.values(), strict=True))
        raise AssertionError("the last options are none")


ATTEMPTS = (Attempt(True, True), Attempt(False, True), Attempt(True, False), Attempt(False, False))
"""The ways to convert a model, the most exact first."""


def _set_versions(model: ModelProto) -> None:
    """Sets the versions of the operators that are in the graph; see `sqlml.export.sklearn.converted.VERSIONS`."""
    older = any(node.op_type in _UNTIL_4 for node in model.graph.node)
    for opset in model.opset_import:
        if opset.domain == ML and not older:
            opset.version = dict(OPSETS)[ML]


def _inputs(model: Any, features: tuple[Feature, ...]) -> Iterator[tuple[str, list[Feature]]]:
    """The graph's inputs: one matrix of numbers, or of texts; one per column where a step chooses columns."""
    kinds = {feature.kind == TEXT for feature in features}
    if len(kinds) == 1 and not any(type(step).__name__ == "ColumnTransformer" for step in steps(model)):
        yield _MATRIX, list(features)
        return
    for feature in features:
        yield feature.name, [feature]


def steps(model: Any) -> Iterator[Any]:
    """Yields a model and all models and transformers inside of it, fitted or not."""
    yield model
    if not hasattr(model, "get_params"):
        return
    for value in model.get_params(deep=True).values():
        if hasattr(value, "get_params"):
            yield value


def _options(model: Any) -> Iterator[dict[str, Any] | None]:
    """Options to try in turn: probabilities as a matrix; the decision function where there are no probabilities."""
    from sklearn.base import is_classifier

    if not is_classifier(model):
        yield None
        return
    last = model
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    # By name, for whatever classes have the option.
    scores = not hasattr(last, "predict_proba") and hasattr(last, "decision_function")
    raw = {"raw_scores": True} if scores else {}
    yield {"zipmap": False, **raw}
    yield raw or None
    yield None
