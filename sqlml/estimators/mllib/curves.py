"""Model plots of MLlib models, computed by Spark; the same plain numbers as in `estimators.curves`.

At most a few thousand numbers per plot come to the driver. Areas of two classes are exact, as the metrics are. With
many rows a curve has the points at 500 quantiles of the scores, all of which lie on the exact curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.ml.feature import Bucketizer
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sqlml.estimators import REGRESSION, curves, metrics
from sqlml.estimators.curves import BINS, MOST_CLASSES, MOST_CURVES, MOST_POINTS, MOST_ROWS_PERMUTED
from sqlml.estimators.mllib import columns as mllib_columns
from sqlml.estimators.mllib import metrics as mllib_metrics
from sqlml.estimators.mllib import xgboost
from sqlml.estimators.mllib.split import Rows
from sqlml.jobs.preparation import Preparation
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Signature

# With more rows than this, scores are binned by quantiles, whose relative error is the second number.
_FEW_ROWS, _ERROR = 10_000, 0.0005


def shown(
    model: Any,
    scored: DataFrame,
    rows: Rows,
    onnx: bytes,
    signature: Signature,
    preparation: Preparation,
    measured: dict[str, float],
    seed: int,
) -> dict[str, Any]:
    """All plots of a model; {"error": text} if they cannot be computed, which is no reason to refuse the model.

    Args:
        scored: the measured rows with predictions, as `mllib_metrics` expects them; cached.
        onnx: the model's ONNX graph, which scores the rows for permutation importance.
        measured: the metrics, which have the exact areas.
    """
    try:
        if signature.task == REGRESSION:
            found = _points(scored)
        else:
            found = _of_classes(scored, signature, rows.held_out or rows.training, measured)
        important = _importance(model, rows, onnx, signature, preparation, seed)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return found if important is None else {**found, "importance": important}


def _points(scored: DataFrame) -> dict[str, Any]:
    known = scored.where("censor = 1") if "censor" in scored.columns else scored
    # Rows are ordered by a hash of their content, so the first ones are a fair sample.
    some = known.select("label", "prediction").where(~F.isnan("prediction")).limit(MOST_POINTS).toArrow()
    return {"points": {"actual": some["label"].to_pylist(), "predicted": some["prediction"].to_pylist()}}


# -- classes -----------------------------------------------------------------------------------------------------------


def _of_classes(scored: DataFrame, signature: Signature, rows: int, measured: dict[str, float]) -> dict[str, Any]:
    """The plots of a classifier: confusion matrix, ROC, precision-recall and calibration."""
    labels = curves.label_names(signature)
    found: dict[str, Any] = {}
    if len(labels) <= MOST_CLASSES:
        counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
        for (label, prediction), count in mllib_metrics.pairs(scored).items():
            counts[int(label), int(prediction)] = count
        found["confusion"] = {"labels": labels, "counts": counts.tolist()}
    scores = vector_to_array("probability" if signature.probabilities else "rawPrediction")
    indices = [1] if len(labels) == 2 else list(range(min(len(labels), MOST_CURVES)))
    counted = _counted(scored, scores, indices, rows)
    usable = [index for index in indices if all(ends[-1] for ends in counted[index])]
    found["roc"] = [_roc(labels[index], *counted[index], measured if len(labels) == 2 else {}) for index in usable]
    if len(labels) == 2 and usable:
        found["precision_recall"] = _precision_recall(labels[1], *counted[1], measured)
        if signature.probabilities:
            found["calibration"] = {"label": labels[1], **_calibration(scored, scores[1])}
    return found


_Ends = tuple[NDArray[np.float64], NDArray[np.float64]]
"""How many rows of the class, and of the others, score as much as a threshold or more; for falling thresholds."""


def _counted(scored: DataFrame, scores: Column, indices: Sequence[int], rows: int) -> dict[int, _Ends]:
    """The cumulated counts of each class by falling score: (rows of the class, rows of others)."""
    names = {index: f"s{index}" for index in indices}
    wide = scored.select("label", *[scores[index].alias(name) for index, name in names.items()])
    if rows > _FEW_ROWS:
        wide = _binned(wide, list(names.values()))
    one_a_class = [
        F.struct(F.lit(index).alias("index"), F.col(name).alias("score"), (F.col("label") == index).alias("right"))
        for index, name in names.items()
    ]
    long = wide.select(F.explode(F.array(*one_a_class)).alias("one")).groupBy("one.index", "one.score")
    counts = long.agg(F.count_if("one.right").alias("right"), F.count_if(~F.col("one.right")).alias("wrong"))
    table = counts.orderBy("index", F.desc("score")).toArrow()
    of_index = [table.filter(pc.equal(table["index"], index)) for index in indices]
    right, wrong = (
        [one[side].to_numpy().cumsum().astype(np.float64) for one in of_index] for side in ("right", "wrong")
    )
    return dict(zip(indices, zip(right, wrong, strict=True), strict=True))


def _binned(wide: DataFrame, names: list[str]) -> DataFrame:
    """The frame with scores replaced by the indices of their quantile bins."""
    steps = [step / MOST_POINTS for step in range(1, MOST_POINTS)]
    quantiles = wide.approxQuantile(names, steps, _ERROR)
    splits = [[-math.inf, *sorted(set(edges)), math.inf] for edges in quantiles]
    bins = [f"{name}_bin" for name in names]
    bucketed = Bucketizer(splitsArray=splits, inputCols=names, outputCols=bins, handleInvalid="keep").transform(wide)
    return bucketed.select("label", *[F.col(bin_).alias(name) for bin_, name in zip(bins, names, strict=True)])


def _roc(label: str, right: Any, wrong: Any, measured: dict[str, float]) -> dict[str, Any]:
    """The ROC curve: cumulated counts divided by their totals."""
    x, y = (np.concatenate([[0.0], side / side[-1]]) for side in (wrong, right))
    area = measured.get("roc_auc", float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2.0)))
    return {"label": label, **curves.thinned(x, y), "area": area}


def _precision_recall(label: str, right: Any, wrong: Any, measured: dict[str, float]) -> dict[str, Any]:
    """The precision-recall curve of the second class."""
    recall, precision = np.concatenate([[0.0], right / right[-1]]), np.concatenate([[1.0], right / (right + wrong)])
    return {"label": label, **curves.thinned(recall, precision), "area": measured["pr_auc"]}


def _calibration(scored: DataFrame, score: Column) -> dict[str, Any]:
    """The calibration curve, in the bins of scikit-learn's calibration_curve: an edge belongs to the bin below."""
    edges = np.linspace(0.0, 1.0, BINS + 1)[1:-1]
    named = scored.select(score.alias("score"), (F.col("label") == 1).cast("double").alias("right"))
    bin_index = sum(((F.col("score") > F.lit(float(edge))).cast("int") for edge in edges), F.lit(0))
    means = named.groupBy(bin_index.alias("bin")).agg(F.avg("score").alias("mean"), F.avg("right").alias("share"))
    table = means.orderBy("bin").toArrow()
    return {"x": table["mean"].to_pylist(), "y": table["share"].to_pylist()}


# -- features ----------------------------------------------------------------------------------------------------------


def _importance(
    model: Any, rows: Rows, onnx: bytes, signature: Signature, preparation: Preparation, seed: int
) -> dict[str, Any] | None:
    """Feature importance: the model's own, or else by permutation, scored with the ONNX graph on some rows."""
    owners = curves.owners(preparation, one_hot=True)
    kind, of_columns = _of_columns(model, len(owners))
    if of_columns is not None:
        return curves.important(kind, curves.summed(owners, of_columns))
    names = mllib_columns.feature_names(signature)
    some = rows.measured.select(*names, "label").limit(MOST_ROWS_PERMUTED).toArrow().combine_chunks()
    if not some.num_rows:
        return None
    scorer, actual = Scorer(onnx, signature), some["label"].to_numpy()
    positions = {label: index for index, label in enumerate(signature.labels)}
    columns = dict(zip(signature.names, (some[name].combine_chunks() for name in names), strict=True))

    def score(feature: str | None, permutation: NDArray[np.int64]) -> float:
        moved = {feature: columns[feature].take(pa.array(permutation))} if feature else {}
        labels = scorer.label(list({**columns, **moved}.values()))
        if signature.task == REGRESSION:
            return metrics.regression(actual, labels.to_numpy(zero_copy_only=False))["r2"]
        return float(np.mean([positions[one] for one in labels.to_pylist()] == actual))

    return curves.important("permutation", curves.permuted(list(dict.fromkeys(owners)), score, seed, some.num_rows))


def _of_columns(model: Any, width: int) -> tuple[str, NDArray[np.float64] | None]:
    """The kind and value of the model's importance of each prepared column; columns are scaled if there are
    coefficients."""
    if hasattr(model, "_xgb_sklearn_model"):
        return curves.of_columns(xgboost.fitted_model(model), width)
    if hasattr(model, "featureImportances"):
        return "impurity", curves.shares(model.featureImportances.toArray())
    if hasattr(model, "models"):
        # One-vs-rest models have a row of coefficients for each class.
        return "|coefficient|", curves.sizes([one.coefficientMatrix.toArray()[-1] for one in model.models])
    if hasattr(model, "coefficientMatrix"):
        return "|coefficient|", curves.sizes(model.coefficientMatrix.toArray())
    if hasattr(model, "coefficients"):
        return "|coefficient|", curves.sizes(model.coefficients.toArray())
    return "", None
