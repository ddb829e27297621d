"""The conversion of CatBoost models by onnxmltools. CatBoost compares numbers in float32, and so does the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.conversion.example import Example
from sqlml.signature import TEXT

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class CatBoostAttempt:
    """The one way there is."""

    own: bool = False

    @property
    def described(self) -> str:
        """The converter's name, version and precision."""
        import catboost
        import onnxmltools

        return f"onnxmltools {onnxmltools.__version__} and catboost {catboost.__version__}, float32"

    def convert(self, model: Any, example: Example) -> tuple[ModelProto, dict[str, tuple[str, ...]]]:
        """Returns the graph, and the features that feed its one input.

        Raises:
            Exception: whatever CatBoost raises, such as for a model of categories or texts.
        """
        import onnxmltools

        if any(feature.kind == TEXT for feature in example.features):
            raise NotImplementedError("CatBoost writes no ONNX for models of categories and texts")
        found = onnxmltools.convert_catboost(model, name="catboost", initial_types=None)
        (value,) = found.graph.input
        return found, {value.name: tuple(feature.name for feature in example.features)}
