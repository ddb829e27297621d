"""A fitted pipeline of pyspark.ml as an object with scikit-learn's interface: its features, labels and predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from sqlml.errors import SqlmlError
from sqlml.estimators.mllib import parts
from sqlml.export.mllib.stages import inputs_of, outputs_of
from sqlml.parser.generator import quote_identifier

_ROW = "sqlml_row"


class _Pipeline(BaseEstimator):
    """
    Attributes:
        stages: the transformers that the prediction depends on, in order.
        predictor: the model behind them.
        columns: the names of the columns that the first stages read.
    """

    def __init__(self, stages: Any = (), predictor: Any = None, columns: Any = (), labels: Any = ()) -> None:
        self.stages, self.predictor, self.columns, self.labels = stages, predictor, columns, labels
        self._answered: tuple[Any, Any] = (None, None)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        return np.array(self.columns)

    @property
    def n_features_in_(self) -> int:
        return len(self.columns)

    def parts(self) -> list[dict[str, Any]]:
        """Internals of the predictor, see `sqlml.estimators.mllib.parts`."""
        return parts.parts(self.predictor, _session().sparkContext)

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        found = np.array([row["prediction"] for row in self._rows(frame)], np.float64)
        if not len(self.labels):
            return found
        if not np.isfinite(found).all():
            raise ValueError("a prediction is NaN")
        return np.asarray(self.labels, dtype=object if isinstance(self.labels[0], str) else None)[found.astype(int)]

    def _scores(self, frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
        return np.array([row[column].toArray() for row in self._rows(frame)])

    def _rows(self, frame: pd.DataFrame) -> list[Any]:
        """The rows of the last stage; kept for the next question about the same frame."""
        if self._answered[0] is not frame:
            self._answered = frame, _transformed(self, frame)
        rows: list[Any] = self._answered[1]
        return rows


class MLlibRegressor(RegressorMixin, _Pipeline):
    """A pipeline that ends in a regression."""


class MLlibClassifier(ClassifierMixin, _Pipeline):
    """A pipeline that ends in a classifier with probabilities."""

    @property
    def classes_(self) -> NDArray[Any]:
        return np.asarray(self.labels)

    def predict_proba(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        return self._scores(frame, self.predictor.getProbabilityCol())


class MLlibScorer(ClassifierMixin, _Pipeline):
    """A pipeline that ends in a classifier without probabilities."""

    @property
    def classes_(self) -> NDArray[Any]:
        return np.asarray(self.labels)

    def decision_function(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        return self._scores(frame, self.predictor.getRawPredictionCol())


def as_estimator(model: Any) -> Any:
    """Returns a fitted model of pyspark.ml with scikit-learn's interface.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for an unfitted pipeline, or one without a classifier or regression.
    """
    name = type(model).__name__
    if not hasattr(model, "transform"):
        raise SqlmlError(
            "SQLML_MODEL_REFUSED", f"This {name} is not fitted.", hint="Fit it first: model = pipeline.fit(frame)."
        )
    stages = list(flat(model))
    if any(type(stage).__name__ == "SQLTransformer" for stage in stages):
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {name} has a SQLTransformer, which becomes a TRANSFORM clause in the session's own registry.",
            hint="Leave out registry=…, or compute its columns before the pipeline.",
        )
    predictors = [stage for stage in stages if stage.hasParam("predictionCol") and stage.hasParam("featuresCol")]
    if len(predictors) != 1:
        what = "no model" if not predictors else f"{len(predictors)} models"
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {name} has {what} that predicts, and PREDICT needs one.",
            hint="Register a PipelineModel that ends in a classifier or a regression.",
        )
    (predictor,) = predictors
    needed, used = set(inputs_of(predictor)), list[Any]()
    for stage in reversed(stages[: stages.index(predictor)]):
        if needed & set(outputs_of(stage)):
            needed = (needed - set(outputs_of(stage))) | set(inputs_of(stage))
            used.insert(0, stage)
    columns = tuple(name for stage in [*used, predictor] for name in inputs_of(stage) if name in needed)
    columns = tuple(dict.fromkeys(columns))
    if not used:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {name} reads the vector column {columns[0]}, and PREDICT takes single columns.",
            hint="Register the PipelineModel that assembles the vector: Pipeline(stages=[VectorAssembler(…), …]).",
        )
    if not hasattr(predictor, "numClasses"):
        return MLlibRegressor(tuple(used), predictor, columns)
    labels = _labels(stages, predictor)
    kind = MLlibClassifier if predictor.hasParam("probabilityCol") else MLlibScorer
    return kind(tuple(used), predictor, columns, labels)


def flat(model: Any) -> Iterator[Any]:
    """Yields the stages of a pipeline, of pipelines inside of it, and of the best model of a search."""
    if hasattr(model, "bestModel"):
        yield from flat(model.bestModel)
    elif type(model).__name__ == "PipelineModel":
        for stage in model.stages:
            yield from flat(stage)
    else:
        yield model


def _labels(stages: list[Any], predictor: Any) -> tuple[Any, ...]:
    """The labels by index: those of an IndexToString behind the model, or of the StringIndexer of its label column."""
    prediction, label = predictor.getPredictionCol(), predictor.getLabelCol()
    for stage in stages:
        name = type(stage).__name__
        if name == "IndexToString" and stage.getInputCol() == prediction and stage.getLabels():
            return tuple(stage.getLabels())
    for stage in stages:
        if type(stage).__name__ == "StringIndexerModel" and label in outputs_of(stage):
            return tuple(stage.labelsArray[outputs_of(stage).index(label)])
    return tuple(range(predictor.numClasses))


def _transformed(pipeline: _Pipeline, frame: pd.DataFrame) -> list[Any]:
    """The rows after the last stage, in the frame's order.

    Raises:
        ValueError: if a stage has dropped rows.
    """
    kinds = ["string" if frame[name].dtype == object else "double" for name in frame]
    schema = ", ".join(f"{quote_identifier(str(name))} {kind}" for name, kind in zip(frame.columns, kinds, strict=True))
    plain = frame.astype(object).where(frame.notna(), None)
    rows = [(*row, place) for place, row in enumerate(plain.itertuples(index=False, name=None))]
    found: Any = _session().createDataFrame(rows, f"{schema}, {_ROW} bigint")
    for stage in (*pipeline.stages, pipeline.predictor):
        found = stage.transform(found)
    wanted = [_ROW, pipeline.predictor.getPredictionCol()]
    for parameter in ("probabilityCol", "rawPredictionCol"):
        if pipeline.predictor.hasParam(parameter):
            wanted.append(pipeline.predictor.getOrDefault(parameter))
    answered = sorted(found.select(*wanted).collect(), key=lambda row: row[_ROW])
    if len(answered) < len(rows):
        raise ValueError(f"{len(rows) - len(answered)} rows have no prediction")
    return answered


def _session() -> SparkSession:
    session = SparkSession.getActiveSession() or SparkSession._instantiatedSession
    if session is None:
        raise SqlmlError(
            "SQLML_OPTION_INVALID", "No Spark session is running here.", hint="Start the session that fitted the model."
        )
    return session
