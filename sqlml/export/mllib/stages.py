"""Emitters of MLlib's feature transformers in float64: indexers, encoders, assemblers, scalers, buckets.

The rules are from Spark's sources (`org.apache.spark.ml.feature`). A stage reads columns by name and adds others. A
missing number is NaN, and a missing text NULL_TEXT, as `sqlml.scoring.scorer` feeds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper

from sqlml.export.graph import Graph
from sqlml.export.products import products


@dataclass(frozen=True)
class Column:
    """A column of the pipeline: a tensor [rows, width] of doubles, or of strings."""

    value: str
    width: int
    text: bool = False


class NoStageError(Exception):
    """A use of a stage that its emitter does not cover; the text completes "X …"."""


Columns = dict[str, Column]
Emit = Callable[[Graph, Sequence[Column], Any], list[Column]]


def add(graph: Graph, columns: Columns, stage: Any) -> None:
    """Writes a stage's nodes, and adds its output columns.

    Raises:
        NoStageError: for a stage without an emitter, or a use of it that the emitter does not cover.
    """
    name = type(stage).__name__
    if name not in STAGES:
        raise NoStageError(f"{name} has no emitter; these stages have: {', '.join(sorted(STAGES))}")
    try:
        found = STAGES[name](graph, [columns[one] for one in inputs_of(stage)], stage)
    except NoStageError as error:
        raise NoStageError(f"{name} {error}") from error
    columns.update(zip(outputs_of(stage), found, strict=True))


def inputs_of(stage: Any) -> list[str]:
    """Returns the names of the columns that a stage reads."""
    return _names(stage, "inputCols", "inputCol", "featuresCol")


def outputs_of(stage: Any) -> list[str]:
    """Returns the names of the columns that a stage adds."""
    return _names(stage, "outputCols", "outputCol")


def _names(stage: Any, many: str, *single: str) -> list[str]:
    if stage.hasParam(many) and stage.isSet(many):
        return list(stage.getOrDefault(many))
    return next(([stage.getOrDefault(one)] for one in single if stage.hasParam(one) and stage.isDefined(one)), [])


# -- texts and categories ----------------------------------------------------------------------------------------------


def string_indexer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """LabelEncoder: the index of the label; with `keep` the number of labels for any other text."""
    found = []
    for column, labels in zip(columns, stage.labelsArray, strict=True):
        if not column.text:
            raise NoStageError("indexes numbers, which Spark converts to texts first")
        other = float(len(labels)) if stage.getHandleInvalid() == "keep" else np.nan
        value = graph.ml(
            "LabelEncoder",
            column.value,
            keys_strings=list(labels),
            values_tensor=numpy_helper.from_array(np.arange(len(labels), dtype=np.float64)),
            default_tensor=numpy_helper.from_array(np.array([other])),
        )
        found.append(Column(value, 1))
    return found


def one_hot_encoder(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """Equal(index, 0 …); with `keep` there is one more category for invalid indices, and `dropLast` drops the last."""
    found = []
    for column, size in zip(columns, stage.categorySizes, strict=True):
        value, width = column.value, size
        if stage.getHandleInvalid() == "keep":
            valid = graph.op("Less", value, graph.constant([[float(size)]]))
            value, width = graph.op("Where", valid, value, graph.constant([[float(size)]])), size + 1
        width -= int(stage.getDropLast())
        if width == 0:
            raise NoStageError("makes a vector without elements")
        found.append(Column(graph.cast(graph.op("Equal", value, graph.constant([np.arange(width)]))), width))
    return found


def vector_indexer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """Categorical elements are replaced by their index; with `keep` an unknown one by the number of categories."""
    (x,) = columns
    values = []
    for index in range(x.width):
        value = graph.op("Gather", x.value, graph.constant([index], np.int64), axis=1)
        known = stage.categoryMaps.get(index)
        if known is not None:
            other = float(len(known)) if stage.getHandleInvalid() == "keep" else np.nan
            code = graph.constant([[other]])
            for key, place in known.items():
                same = graph.op("Equal", value, graph.constant([[float(key)]]))
                code = graph.op("Where", same, graph.constant([[float(place)]]), code)
            value = code
        values.append(value)
    return [Column(graph.concat(values), x.width)]


# -- numbers -----------------------------------------------------------------------------------------------------------


def vector_assembler(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """Concat."""
    if any(column.text for column in columns):
        raise NoStageError("assembles a text")
    return [Column(graph.concat([column.value for column in columns]), sum(column.width for column in columns))]


def imputer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """Where(missing, surrogate, x); NaN and NULL are missing, and so is `missingValue`."""
    surrogates = stage.surrogateDF.first().asDict()
    found = []
    for column, name in zip(columns, inputs_of(stage), strict=True):
        missing = graph.op("IsNaN", column.value)
        value = stage.getMissingValue()
        if not math.isnan(value):
            # NaN itself is then an ordinary number, which Spark cannot tell from NULL here.
            missing = graph.op("Or", missing, graph.op("Equal", column.value, graph.constant([[value]])))
        surrogate = graph.constant([[float(surrogates[name])]])
        found.append(Column(graph.op("Where", missing, surrogate, column.value), 1))
    return found


def standard_scaler(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """(x - mean) · (1 / deviation), and 0 for a column without deviation."""
    (x,) = columns
    value = x.value
    if stage.getWithMean():
        value = graph.op("Sub", value, graph.constant([stage.mean.toArray()]))
    if stage.getWithStd():
        value = graph.op("Mul", value, graph.constant([_inverses(stage.std.toArray())]))
    return [Column(value, x.width)]


def robust_scaler(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """(x - median) · (1 / range of quantiles), and 0 for a column without a range."""
    (x,) = columns
    value = x.value
    if stage.getWithCentering():
        value = graph.op("Sub", value, graph.constant([stage.median.toArray()]))
    if stage.getWithScaling():
        value = graph.op("Mul", value, graph.constant([_inverses(stage.range.toArray())]))
    return [Column(value, x.width)]


def min_max_scaler(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """(x - least) · ((max - min) / range) + min; the middle of both for a constant column."""
    (x,) = columns
    least, largest = stage.originalMin.toArray(), stage.originalMax.toArray()
    low, high, width = stage.getMin(), stage.getMax(), largest - least
    scale = np.where(width == 0.0, 0.0, (high - low) / np.where(width == 0.0, 1.0, width))
    value = graph.op("Mul", graph.op("Sub", x.value, graph.constant([least])), graph.constant([scale]))
    value = graph.op("Add", value, graph.constant([np.full(x.width, low)]))
    if (width == 0.0).any():
        middle = graph.constant([np.full(x.width, 0.5 * (high + low))])
        constant = graph.op("Where", graph.op("IsNaN", x.value), x.value, middle)
        value = graph.op("Where", graph.constant([width == 0.0], np.bool_), constant, value)
    return [Column(value, x.width)]


def max_abs_scaler(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """x · (1 / largest absolute value); x itself for a column of zeros."""
    (x,) = columns
    largest = stage.maxAbs.toArray()
    factors = 1.0 / np.where(largest == 0.0, 1.0, largest)
    return [Column(graph.op("Mul", x.value, graph.constant([factors])), x.width)]


def normalizer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """x / ‖x‖ₚ by row; a row of zeros stays."""
    (x,) = columns
    p, axis = stage.getP(), graph.constant([1], np.int64)
    size = graph.op("Abs", x.value)
    if math.isinf(p):
        norm = graph.op("ReduceMax", size, axis, keepdims=1)
    elif p == 1.0:
        norm = graph.op("ReduceSum", size, axis, keepdims=1)
    elif p == 2.0:
        norm = graph.op("Sqrt", graph.op("ReduceSum", graph.op("Mul", x.value, x.value), axis, keepdims=1))
    else:
        total = graph.op("ReduceSum", graph.op("Pow", size, graph.constant(p)), axis, keepdims=1)
        norm = graph.op("Pow", total, graph.constant(1.0 / p))
    nothing = graph.op("Equal", norm, graph.constant([[0.0]]))
    factor = graph.op("Div", graph.constant([[1.0]]), graph.op("Where", nothing, graph.constant([[1.0]]), norm))
    return [Column(graph.op("Mul", x.value, factor), x.width)]


def binarizer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """1 above the threshold, else 0."""
    many = stage.hasParam("thresholds") and stage.isSet("thresholds")
    thresholds = stage.getThresholds() if many else [stage.getThreshold()] * len(columns)
    return [
        Column(graph.cast(graph.op("Greater", column.value, graph.constant([[float(limit)]]))), column.width)
        for column, limit in zip(columns, thresholds, strict=True)
    ]


def bucketizer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """The number of inner splits up to x. Spark's order puts -0.0 below a split at 0.0, which no operator can tell."""
    splits = stage.getSplitsArray() if stage.isSet("splitsArray") else [stage.getSplits()]
    found = []
    for column, edges in zip(columns, splits, strict=True):
        if 0.0 in edges[1:-1]:
            raise NoStageError("has a split at 0.0, where Spark puts -0.0 below 0.0")
        reached = graph.cast(graph.op("GreaterOrEqual", column.value, graph.constant([edges[1:-1]])))
        bucket = graph.op("ReduceSum", reached, graph.constant([1], np.int64), keepdims=1)
        other = float(len(edges) - 1) if stage.getHandleInvalid() == "keep" else np.nan
        inside = graph.op("GreaterOrEqual", column.value, graph.constant([[edges[0]]]))
        inside = graph.op("And", inside, graph.op("LessOrEqual", column.value, graph.constant([[edges[-1]]])))
        found.append(Column(graph.op("Where", inside, bucket, graph.constant([[other]])), 1))
    return found


def elementwise_product(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """x · weights."""
    (x,) = columns
    return [Column(graph.op("Mul", x.value, graph.constant([stage.getScalingVec().toArray()])), x.width)]


def principal(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """PCA without centring: x · components."""
    (x,) = columns
    components = stage.pc.toArray()
    return [Column(graph.op("MatMul", x.value, graph.constant(components)), components.shape[1])]


def polynomial_expansion(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """All products up to the degree, in Spark's order: those of the first columns, then those with the next one."""
    (x,) = columns
    factors = _expanded(x.width - 1, stage.getDegree())[1:]
    return [Column(products(graph, x.value, factors), len(factors))]


def _expanded(last: int, degree: int) -> list[list[int]]:
    """The factors of each product, the constant first: `PolynomialExpansion.expandDense`."""
    if degree == 0 or last < 0:
        return [[]]
    found = []
    for power in range(degree + 1):
        found += [[*each, *[last] * power] for each in _expanded(last - 1, degree - power)]
    return found


def vector_slicer(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """Gather of the elements by index."""
    if stage.getNames():
        raise NoStageError("chooses elements by name")
    return _gathered(graph, columns[0], stage.getIndices())


def selector(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """Gather of the selected elements, in the vector's own order."""
    return _gathered(graph, columns[0], sorted(stage.selectedFeatures))


def size_hint(graph: Graph, columns: Sequence[Column], stage: Any) -> list[Column]:
    """VectorSizeHint adds nothing."""
    return list(columns)


def _gathered(graph: Graph, x: Column, indices: Sequence[int]) -> list[Column]:
    value = graph.op("Gather", x.value, graph.constant(list(indices), np.int64), axis=1)
    return [Column(value, len(indices))]


def _inverses(deviations: Any) -> Any:
    return np.where(deviations == 0.0, 0.0, 1.0 / np.where(deviations == 0.0, 1.0, deviations))


STAGES: dict[str, Emit] = {
    "Binarizer": binarizer,
    "Bucketizer": bucketizer,
    "ChiSqSelectorModel": selector,
    "ElementwiseProduct": elementwise_product,
    "ImputerModel": imputer,
    "MaxAbsScalerModel": max_abs_scaler,
    "MinMaxScalerModel": min_max_scaler,
    "Normalizer": normalizer,
    "OneHotEncoderModel": one_hot_encoder,
    "PCAModel": principal,
    "PolynomialExpansion": polynomial_expansion,
    "RobustScalerModel": robust_scaler,
    "StandardScalerModel": standard_scaler,
    "StringIndexerModel": string_indexer,
    "UnivariateFeatureSelectorModel": selector,
    "VarianceThresholdSelectorModel": selector,
    "VectorAssembler": vector_assembler,
    "VectorIndexerModel": vector_indexer,
    "VectorSizeHint": size_hint,
    "VectorSlicer": vector_slicer,
}
"""The stages that have an emitter, by the name of their class."""
