"""The graphs to try for a fitted model, each with the rows and predictions that it has to repeat."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sqlml.conversion import boosters, categories, own_emitters, pipelines, predictions, thresholds
from sqlml.conversion.example import Example, example_of
from sqlml.conversion.parting import parting_step
from sqlml.conversion.predictions import Answers
from sqlml.conversion.routes import Route
from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import ANOMALY_DETECTION, CLASSIFICATION, CLUSTERING, ESTIMATORS, REGRESSION
from sqlml.estimators.sklearn import check
from sqlml.export.mllib.stages import NoStageError
from sqlml.export.sklearn import ensemble
from sqlml.export.sklearn.blocks import NoEmitterError
from sqlml.export.trees import LEAF
from sqlml.importing import sample_rows
from sqlml.importing.columns import declared
from sqlml.importing.request import Column, Request
from sqlml.signature import NUMBER, Feature

if TYPE_CHECKING:
    import pyarrow as pa

# Models whose predictions far outside of the training rows are dominated by rounding.
_NOISY = {
    *(path.rpartition(".")[2] for row in ESTIMATORS if row.noisy for path in row.classes.values()),
    *("KNeighborsClassifier", "KNeighborsRegressor", "RadiusNeighborsClassifier", "RadiusNeighborsRegressor"),
}
_MOST_THRESHOLDS = 20
# skl2onnx's messages for a class that it does not know.
_NO_CONVERTER = re.compile(r"Unable to find a (?:shape calculator|converter) for .*?'(?:<class ')?([\w.]+)")
# The number of the example's rows that are compared, and of those in which a missing value is tried.
_COMPARED, _TRIED = 5_000, 8


@dataclass(frozen=True)
class Candidate:
    """A graph that may be the model.

    Attributes:
        answers: what the model says about its predictions.
        converter: the tool that wrote the graph, with its version and precision.
        request: the user's request with the features and labels of the model.
        table: the rows on which the graph is compared with the model.
        native: the model's predictions of these rows, in the order of the graph's outputs.
        parting: names the step of a pipeline at which the graph and the model part; "" where that is not known.
    """

    answers: Answers
    converter: str
    onnx: bytes
    request: Request
    table: pa.Table
    native: list[NDArray[Any]]
    parting: Callable[[], str]


def candidates(
    model: Any, route: Route, request: Request, table: pa.Table | None, missing: Any, progress: Callable[[str], None]
) -> Iterator[Candidate | SqlmlError]:
    """Yields the model's graphs, the best first; an error in the place of one that cannot be made.

    Args:
        route: the model's row of ROUTES.
        table: the example's rows.
        missing: what a missing text is in them, None or NaN.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID without an example; SQLML_MODEL_REFUSED for a model that has no predictions
            to compare with; the errors of `example_of`.
    """
    if table is None:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"To register a {type(model).__name__}, sqlml compares its predictions with those of the graph, and needs"
            " rows for that.",
            hint="Give example=… with some rows as the model was fitted to: a data frame with the features.",
        )
    model = _as_estimator(model, route)
    answers = predictions.answers_of(model)
    _check_without_target(answers, request)
    steps = list(pipelines.steps(model))
    for step in steps:
        if reason := boosters.unsupported(step):
            raise SqlmlError("SQLML_MODEL_REFUSED", f"The {type(step).__name__} {reason}.")
    # skl2onnx alone ignores a threshold, which the compared rows need not show.
    own_only = any(isinstance(step, thresholds.CLASSES) for step in steps)
    attempts = [attempt for attempt in route.attempts() if attempt.own or not own_only]
    columns = declared(table)
    types = {column.name: str(column.type) for column in (*columns, *(request.columns or ())) if column.type}
    if request.columns is not None:
        table = _chosen(table, request.columns)
    example = example_of(model, table.slice(0, _COMPARED), types, request.target, missing)
    categories.check(model, example)
    progress(f"predicting {len(example.table)} rows by {type(model).__name__}")
    needed = {feature.name for feature in example.features if not _takes_missing(model, answers, example, feature)}
    everything = {feature.name for feature in example.features}
    # Converters go wrong with missing values most often. Without these a row gets no prediction, but not a wrong one.
    for required, note in ((needed, ""), (everything, "; NULL for a row with a missing value")):
        if required == needed and note:
            return
        example = example.required(required)
        rows, native = _compared(model, answers, example)
        _check_deterministic(model, answers, example, rows, native)
        _check_target(model, answers, request, native)
        for attempt in attempts:
            converter = f"{attempt.described}{note}"
            progress(f"converting by {converter}")
            try:
                graph, inputs = attempt.convert(model, example)
            except Exception as error:
                # The converters raise exceptions of any type for what they do not support.
                yield SqlmlError("SQLML_MODEL_REFUSED", f"{converter}: {_reason(error)}")
                continue
            # A converter declares other outputs than the model has, say of its outlier scores.
            if len(graph.graph.output) < len(native):
                yield SqlmlError("SQLML_MODEL_REFUSED", f"{converter}: the graph has no scores.")
                continue
            del graph.graph.output[len(native) :]
            completed = _request(request, example, answers, inputs)
            parting = partial(parting_step, model, example, attempt, completed, rows, request.tolerance)
            yield Candidate(answers, converter, graph.SerializeToString(), completed, rows, native, parting)


def _as_estimator(model: Any, route: Route) -> Any:
    """The object with scikit-learn's interface."""
    if route.library == "Spark MLlib":
        from sqlml.estimators.mllib.fitted_pipeline import as_estimator

        return as_estimator(model)
    return boosters.as_estimator(model)


def _chosen(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The columns that the user names as features."""
    for column in columns:
        if column.name not in table.column_names:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The example has no column {column.name}.",
                hint=did_you_mean(column.name, table.column_names),
            )
    return table.select([column.name for column in columns])


def _compared(model: Any, answers: Answers, example: Example) -> tuple[pa.Table, list[NDArray[Any]]]:
    """The example's rows and edge cases that the model predicts, and its predictions."""
    # Far away, all clusters are at the same distance but for rounding.
    far = answers.task == CLUSTERING or any(type(step).__name__ in _NOISY for step in pipelines.steps(model))
    rows = check.rows(example.table, example.features, _thresholds(model, example), inside=far)
    rows = sample_rows.chosen(rows, example.features)
    found = predictions.answered(
        lambda start, end: predictions.predicted(model, answers, example.rows(rows.slice(start, end - start))),
        len(rows),
    )
    if not found:
        _explained(model, answers, example)
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {type(model).__name__} predicts the example's rows, but not with their numbers as doubles.",
            hint="In SQL all numbers become doubles: fit it to a frame of doubles and texts.",
        )
    kept = rows.take(found)
    return kept, predictions.predicted(model, answers, example.rows(kept))


def _thresholds(model: Any, example: Example) -> dict[str, list[float]]:
    """Split thresholds of each number, for a model of trees without a transformation before it."""
    if getattr(model, "n_features_in_", 0) != len(example.features) or not own_emitters.covers(model):
        return {}
    found: dict[str, list[float]] = {}
    for tree in ensemble(model):
        inner = tree.left != LEAF
        for index, threshold in zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True):
            feature = example.features[index]
            if feature.kind == NUMBER and len(known := found.setdefault(feature.name, [])) < _MOST_THRESHOLDS:
                known.append(threshold)
    return found


def _explained(model: Any, answers: Answers, example: Example) -> None:
    """Raises the library's own words for rows that it refuses."""
    try:
        predictions.predicted(model, answers, example.rows(example.table))
    except Exception as error:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {type(model).__name__} predicts none of the example's rows: {_reason(error)}",
            hint="Give the rows as the model was fitted to, before any transformation outside of it.",
        ) from error


def _takes_missing(model: Any, answers: Answers, example: Example, feature: Feature) -> bool:
    """Whether the model predicts a row in which the feature is missing."""
    import pyarrow as pa

    table = check.rows(example.table.slice(0, _TRIED), example.features, {}).slice(0, min(_TRIED, len(example.table)))
    index = table.column_names.index(feature.name)
    table = table.set_column(index, feature.name, pa.nulls(len(table), table.schema.field(index).type))
    with contextlib.suppress(Exception):  # any exception of any library means that it does not
        predictions.predicted(model, answers, example.rows(table))
        return True
    return False


def _check_deterministic(
    model: Any, answers: Answers, example: Example, rows: pa.Table, native: list[NDArray[Any]]
) -> None:
    again = predictions.predicted(model, answers, example.rows(rows))
    for one, other in zip(native, again, strict=True):
        same = np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        if not same:
            raise SqlmlError(
                "SQLML_MODEL_REFUSED",
                f"The {type(model).__name__} predicts the same rows differently each time.",
                hint="A graph can repeat only a deterministic model: fix its random state, or set it to evaluation.",
            )


def _check_without_target(answers: Answers, request: Request) -> None:
    if answers.task in (ANOMALY_DETECTION, CLUSTERING) and (request.labels or request.target or request.task):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"A model for {answers.task.replace('_', ' ')} has neither a target nor labels.",
            hint="Leave out target, labels and task.",
        )


def _check_target(model: Any, answers: Answers, request: Request, native: list[NDArray[Any]]) -> None:
    width = native[0].shape[1] if native[0].ndim > 1 else 1
    if answers.task == REGRESSION and width > 1 and len(request.target) != width:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The {type(model).__name__} predicts {width} numbers per row.",
            hint=f"Give target=['…', …] with {width} names.",
        )


def _request(request: Request, example: Example, answers: Answers, inputs: dict[str, tuple[str, ...]]) -> Request:
    """The request, completed by what the model itself says."""
    return replace(
        request,
        columns=tuple(Column(feature.name, feature.type) for feature in example.features),
        inputs=inputs,
        nullable=tuple(feature.name for feature in example.features if not feature.required),
        labels=request.labels or answers.labels,
        # A graph of clusters or anomalies is imported as that of a classifier, see `predictions.signature_of`.
        task=REGRESSION if answers.task == REGRESSION else CLASSIFICATION,
        activation=request.activation or answers.activation,
    )


def _reason(error: Exception) -> str:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    found = _NO_CONVERTER.search(first)
    if found:
        return f"there is no converter for {found[1]}"
    if isinstance(error, (NoEmitterError, NoStageError)):
        return first
    return f"{type(error).__name__}: {first[:300]}" if first else type(error).__name__
