"""The conversion of fitted models and pipelines of pyspark.ml by sqlml's emitters, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.conversion.example import Example
from sqlml.estimators import CLASSIFICATION, REGRESSION
from sqlml.export.graph import DOUBLE, INT64, STRING, Graph
from sqlml.export.mllib import emit_model, has_emitter
from sqlml.export.mllib.stages import Column, NoStageError, add, inputs_of
from sqlml.signature import TEXT, Signature

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class MLlibAttempt:
    """The one way there is: onnxmltools converts many of these stages to graphs that predict otherwise."""

    described: str = "sqlml, float64"
    own: bool = True

    def convert(self, model: Any, example: Example) -> tuple[ModelProto, dict[str, tuple[str, ...]]]:
        """Returns the graph, and the feature that feeds each of its inputs.

        Args:
            model: made by `sqlml.estimators.mllib.fitted_pipeline.as_estimator`.

        Raises:
            NoStageError: for a stage that has no emitter.
        """
        if not has_emitter(model.predictor):
            raise NoStageError(f"{type(model.predictor).__name__} has no emitter")
        graph, columns = Graph(), dict[str, Column]()
        inputs: dict[str, tuple[str, ...]] = {}
        for feature in example.features:
            name = graph.input(feature.name, STRING if feature.kind == TEXT else DOUBLE)
            inputs[name] = (feature.name,)
            columns[feature.name] = Column(name, 1, feature.kind == TEXT)
        for stage in model.stages:
            add(graph, columns, stage)
        (features,) = inputs_of(model.predictor)
        count = len(model.labels)
        task = CLASSIFICATION if count else REGRESSION
        signature = Signature(
            task, (), "y", "bigint" if count else "double", tuple(range(count)), hasattr(model, "predict_proba")
        )
        written = graph.captured(
            lambda: emit_model(graph, columns[features].value, model.predictor, model.parts(), signature)
        )
        if count:
            labels = [str(label) for label in model.labels] if isinstance(model.labels[0], str) else None
            label = written["label"]
            if labels is not None:
                label = graph.op("Gather", graph.constant(labels, object), label)
            graph.output("label", label, STRING if labels is not None else INT64)
            name = "probabilities" if signature.probabilities else "scores"
            graph.output(name, written[name], DOUBLE, count)
        else:
            graph.output("prediction", written["prediction"], DOUBLE)
        return graph.model(), inputs
