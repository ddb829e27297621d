"""The table of `sql/reference/brought_estimators.md`: every classifier and regressor of scikit-learn with its defaults,
alone and in two usual pipelines.

`python -m helpers.brought_estimators` in tests/ writes the page's table.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

from helpers.fitted_models import NUMBERS, Fitted, amounts, frame, labels
from helpers.folders import ROOT
from sqlml import conversion
from sqlml.conversion import own_emitters
from sqlml.conversion.routes import route_of
from sqlml.errors import SqlmlError
from sqlml.importing import requested, sandbox
from sqlml.importing.loading import opened
from sqlml.importing.request import Imported

PAGE = ROOT / "sql" / "reference" / "brought_estimators.md"
BEGIN, END = "<!-- estimators -->\n", "<!-- end -->"

CLASSIFIER, REGRESSOR = "classifier", "regressor"
_KINDS = {name: kind for kind in (CLASSIFIER, REGRESSOR) for name, _ in all_estimators(type_filter=kind)}
_CLASSES = dict(all_estimators())
ESTIMATORS = tuple(sorted(_KINDS))
"""The names of the classes."""

_CLASSIFIERS = [("line", LogisticRegression(max_iter=1_000)), ("tree", DecisionTreeClassifier(max_depth=4))]
_REGRESSORS = [("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=4))]
# What the estimators need that have no default for an argument, or none that fits these rows.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: {"estimators": _CLASSIFIERS} for name in ("StackingClassifier", "VotingClassifier")},
    **{name: {"estimators": _REGRESSORS} for name in ("StackingRegressor", "VotingRegressor")},
    **{
        name: {"estimator": LogisticRegression(max_iter=1_000)}
        for name in (
            *("ClassifierChain", "FixedThresholdClassifier", "MultiOutputClassifier", "OneVsOneClassifier"),
            *("OneVsRestClassifier", "OutputCodeClassifier", "SelfTrainingClassifier", "TunedThresholdClassifierCV"),
        )
    },
    **{name: {"estimator": Ridge()} for name in ("MultiOutputRegressor", "RegressorChain")},
    "RadiusNeighborsClassifier": {"radius": 50.0, "outlier_label": "no"},
    "RadiusNeighborsRegressor": {"radius": 50.0},
    # One-hot columns have no covariance of full rank.
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
}
# They learn two columns at once.
_OF_SEVERAL_TARGETS = (
    *("CCA", "ClassifierChain", "MultiOutputClassifier", "MultiOutputRegressor", "MultiTaskElasticNet"),
    *("MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV", "PLSCanonical", "RegressorChain"),
)
# They learn from one feature alone.
_OF_ONE_FEATURE = ("IsotonicRegression",)


def _alone(model: Any, numbers: list[str]) -> Any:
    return model


def _scaled(model: Any, numbers: list[str]) -> Any:
    return make_pipeline(MinMaxScaler(), model)


def _columns(model: Any, numbers: list[str]) -> Any:
    filled = make_pipeline(SimpleImputer(), MinMaxScaler())
    texts = [] if len(numbers) == 1 else [(OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["plan"])]
    return make_pipeline(make_column_transformer((filled, numbers), *texts), model)


SHAPES: dict[str, Callable[[Any, list[str]], Any]] = {"alone": _alone, "scaled": _scaled, "columns": _columns}
"""What is fitted of an estimator and the names of its numeric features; `columns` has texts and missing values too."""


def target_of(name: str) -> Any:
    """What an estimator learns, [rows] or [rows, 2]."""
    several = name in _OF_SEVERAL_TARGETS
    if _KINDS[name] == CLASSIFIER:
        # Of pandas, whose own type of texts not every estimator takes.
        one = labels().astype(object)
        # A chain computes with the labels before each.
        flags = (one == "yes").astype(int)
        return np.column_stack([flags, np.roll(flags, 1)]) if several else one
    one = amounts().to_numpy() - amounts().min() + 1.0
    return np.column_stack([one, one[::-1]]) if several else one


def fitted(name: str, shape: str) -> Fitted:
    """An estimator of a shape, fitted to the customers."""
    made = _CLASSES[name](**_ARGUMENTS.get(name, {}))
    if "random_state" in made.get_params(deep=False):
        made.set_params(random_state=0)
    numbers = NUMBERS[1:] if name in _OF_ONE_FEATURE else NUMBERS
    texts = ["plan"] if shape == "columns" and name not in _OF_ONE_FEATURE else []
    rows = frame(*numbers, *texts)
    if shape != "columns":
        rows = rows.fillna({"age": 40.0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Fitted(SHAPES[shape](made, numbers).fit(rows, target_of(name)), rows)


def converted(name: str, shape: str) -> Imported:
    """The model after `sqlml.register_model`'s conversion and comparison, in this process.

    Raises:
        SqlmlError: if it is refused.
    """
    model, rows = fitted(name, shape)
    route = route_of(model)
    assert route is not None
    target = ["first", "second"] if target_of(name).ndim > 1 else "y"
    return conversion.converted(model, route, requested(target=target), example=rows, progress=lambda line: None)


def cells(name: str) -> tuple[str, str]:
    """What the table says of an estimator: who writes it, or `refused` with the reason."""
    reasons, differences = [], []
    for shape in SHAPES:
        try:
            differences.append(converted(name, shape).fidelity.max_abs_diff)
        except SqlmlError as error:
            reasons.append(reason(error))
    if not reasons:
        own = own_emitters.covers(_unwrapped(fitted(name, "alone").model))
        return "sqlml" if own else "skl2onnx", "≤ 1e-9" if max(differences) <= 1e-9 else "≤ 1e-5"
    assert len(reasons) == len(SHAPES), f"{name} is refused in some shapes only: {reasons}"
    return "refused", reasons[0]


def reason(error: SqlmlError) -> str:
    """The first reason of a refusal, without the converters that were tried."""
    _, found, after = error.message.partition("float64: ")
    first = after if found else error.message
    return first.partition(" Also tried: ")[0].partition(" The model was not registered")[0].rstrip(".")


def _unwrapped(model: Any) -> Any:
    """The classifier inside of one that only compares its probability, or chooses its rows."""
    inside = ("FixedThresholdClassifier", "SelfTrainingClassifier", "TunedThresholdClassifierCV")
    return model.estimator_ if type(model).__name__ in inside else model


def table() -> str:
    """The page's table."""
    rows = [f"| {name} | {' | '.join(cells(name))} |" for name in ESTIMATORS]
    return "\n".join(["| scikit-learn | written by | largest difference, or why not |", "|---|---|---|", *rows, ""])


def main() -> None:
    """Writes the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    sandbox.tried = lambda content, request, rows, native, **_: opened(content, request, rows, native)  # type: ignore[assignment]
    main()
