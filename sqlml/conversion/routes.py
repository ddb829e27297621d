"""Which fitted objects are converted, and by what: the table ROUTES."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from onnx import ModelProto

    from sqlml.conversion.example import Example


class Attempt(Protocol):
    """One way to convert a model."""

    @property
    def own(self) -> bool:
        """Whether sqlml's emitters and parsers take part."""

    @property
    def described(self) -> str:
        """The converter with its version and precision."""

    def convert(self, model: Any, example: Example) -> tuple[ModelProto, dict[str, tuple[str, ...]]]:
        """Returns the graph, and the features that feed each of its inputs. May raise any exception."""


@dataclass(frozen=True)
class Route:
    """One row of ROUTES.

    Attributes:
        library: the library's name, for messages.
        modules: the packages of its classes.
        converters: what writes the graph, the first that is faithful.
        extra: the extra of sqlml that installs the converters.
        notes: what the manual says about it.
    """

    library: str
    modules: tuple[str, ...]
    converters: tuple[str, ...]
    extra: str
    notes: str = ""

    def attempts(self) -> Sequence[Attempt]:
        """Returns the ways to convert a model, the most exact first."""
        if self.library == "Spark MLlib":
            from sqlml.conversion.mllib_models import MLlibAttempt

            return (MLlibAttempt(),)
        if self.converters == ("onnxmltools",):
            from sqlml.conversion.catboost_models import CatBoostAttempt

            return (CatBoostAttempt(),)
        from sqlml.conversion.pipelines import ATTEMPTS

        return ATTEMPTS


ROUTES = (
    Route(
        "scikit-learn",
        ("sklearn",),
        ("sqlml", "skl2onnx"),
        "driver",
        "Estimators, Pipeline, ColumnTransformer, FeatureUnion, calibrated, voting, stacking and search objects.",
    ),
    Route(
        "LightGBM",
        ("lightgbm",),
        ("sqlml",),
        "lightgbm",
        "Its scikit-learn classes, alone or in a Pipeline, and Booster.",
    ),
    Route(
        "XGBoost",
        ("xgboost",),
        ("sqlml",),
        "xgboost",
        "Its scikit-learn classes, alone or in a Pipeline, and Booster.",
    ),
    Route(
        "Spark MLlib",
        ("pyspark",),
        ("sqlml",),
        "driver",
        "PipelineModel, models of searches, and every model of the table of estimators.",
    ),
    Route("CatBoost", ("catboost",), ("onnxmltools",), "catboost", "Models of numbers; not in a Pipeline."),
)
"""The objects that `sqlml.register_model` converts, besides ONNX and PyTorch."""


def route_of(model: Any) -> Route | None:
    """Returns the row of an object's class, or of a class that it inherits from; None for other objects."""
    if not hasattr(model, "fit") and not hasattr(model, "predict") and not hasattr(model, "transform"):
        return None  # a frame, say, of one of these libraries
    # The nearest base first: the classes of boosters inherit from scikit-learn's.
    packages = [base.__module__.split(".")[0] for base in type(model).__mro__]
    return next((route for package in packages for route in ROUTES if package in route.modules), None)
