"""Values of hyperparameters that scikit-learn takes and that no model in SQL can have: `_REFUSED`, with the reasons.

All other values are checked by scikit-learn's own constraints when it fits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlml.errors import SqlmlError


class _Refused(NamedTuple):
    """A value of an option of a class, why it is refused, and what to use instead."""

    class_name: str
    option: str
    value: Any
    why: str
    instead: str


_AT_RANDOM = "it predicts at random, and a model in SQL predicts the same for the same row"
_PRIOR = "Use 'prior', which predicts the shares of the labels, or 'most_frequent'."
_SIGMOID = "Use 'sigmoid'."
_REFUSED = (
    _Refused(
        "CalibratedClassifierCV",
        "method",
        "isotonic",
        "skl2onnx takes the nearest learned point instead of the line between two",
        _SIGMOID,
    ),
    _Refused("CalibratedClassifierCV", "method", "temperature", "skl2onnx has no converter of it", _SIGMOID),
    _Refused("DummyClassifier", "strategy", "constant", "it ignores the rows and their labels", _PRIOR),
    _Refused("DummyClassifier", "strategy", "stratified", _AT_RANDOM, _PRIOR),
    _Refused("DummyClassifier", "strategy", "uniform", _AT_RANDOM, _PRIOR),
    _Refused(
        "IsotonicRegression",
        "out_of_bounds",
        "raise",
        "a single row would end a query",
        "Use 'clip', which takes the value of the nearest training point, or 'nan'.",
    ),
)


def check(class_name: str, params: dict[str, Any]) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID for a refused value."""
    for row in _REFUSED:
        if row.class_name == class_name and params.get(row.option) == row.value:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{row.option} = {row.value!r} is not supported, because {row.why}.",
                hint=row.instead,
            )
