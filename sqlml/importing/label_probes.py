"""Label probes: runs the end of a graph, behind the last value that both label and scores depend on, on chosen scores.

Trial rows rarely reach every class of a classifier. Scores that are fed in behind it do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from onnx import ModelProto, TensorProto, helper

from sqlml.errors import SqlmlError
from sqlml.estimators import REGRESSION
from sqlml.importing.adapter import adapted
from sqlml.importing.classes import attribute_classes, makers, value_types
from sqlml.importing.inputs import Slot
from sqlml.importing.label_order import Probed
from sqlml.importing.outputs import Answer
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

# Operators that return a label and its scores at once, the scores in the order of their class attribute.
_CLASSIFIERS = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")
_NUMBERS = (TensorProto.FLOAT, TensorProto.DOUBLE)
# How many nodes back from the outputs the search for a cut goes, and how wide the cut value may be.
_MOST_NODES, _MOST_COLUMNS = 200, 2_000
# A single score per row may be a probability or a logit: the grid covers both.
_GRID = np.concatenate([np.linspace(0.0, 1.0, 21), np.linspace(-6.0, 6.0, 25)]).reshape(-1, 1)


def probed(model: ModelProto, label: Answer, score: Answer, classes: int) -> Probed | None:
    """Runs the end of the graph on scores that reach every class.

    It tries each cut from the outputs backwards: makes inputs of the cut node's outputs, feeds them, and scores.

    Args:
        classes: the number of classes.

    Returns:
        None where label and scores have no such value in common, or the end of the graph fails on every one.
    """
    typed = value_types(model)
    for node, names in _cuts(model.graph, [label.value, score.value]):
        fed = _classifier(node, names, typed, classes) if node.op_type in _CLASSIFIERS else None
        assumed = fed is not None
        if fed is None and len(names) == 1:
            fed = _value(names[0], typed, classes)
        if fed is None:
            continue
        slots, columns = fed
        features = tuple(feature for slot in slots for feature in slot.features)
        try:
            content = adapted(_end(model, node, typed, names), slots, [label, score], None)
            values = Scorer(content, Signature(REGRESSION, features, None, "double")).raw(columns)
        except SqlmlError:
            continue
        found = list(values.values())
        if all(len(array) == len(columns[0]) for array in found):
            return Probed(found[0], found[1], assumed)
    return None


def _cuts(graph: GraphProto, outputs: Sequence[str]) -> Iterator[tuple[NodeProto, list[str]]]:
    """Yields the nodes whose outputs cut the graph's inputs off from the given outputs (dominators), the last first."""
    made, constants = makers(graph), {tensor.name for tensor in graph.initializer}
    for node in list(reversed(graph.node))[:_MOST_NODES]:
        needed, reached = _behind(made, constants, outputs, set(node.output))
        if needed and not reached:
            yield node, sorted(needed, key=list(node.output).index)


def _behind(
    made: Mapping[str, NodeProto], constants: set[str], outputs: Sequence[str], stops: set[str]
) -> tuple[set[str], bool]:
    """Walks back from the outputs: returns the stops it meets, and whether it reaches an input of the graph."""
    visited: set[str] = set()
    seen: set[str] = set()
    left = list(outputs)
    while left:
        name = left.pop()
        if not name or name in seen or name in constants:
            continue
        seen.add(name)
        if name in stops:
            visited.add(name)
        elif name in made:
            left += made[name].input
        else:
            return visited, True
    return visited, False


def _end(model: ModelProto, node: NodeProto, typed: Mapping[str, Any], names: Sequence[str]) -> ModelProto:
    """A copy of the model without `node`, in which the outputs of `node` are the inputs."""
    end = ModelProto()
    end.CopyFrom(model)
    del end.graph.node[:]
    end.graph.node.extend(one for one in model.graph.node if one.output != node.output)
    del end.graph.input[:]
    for name in names:
        end.graph.input.append(helper.make_tensor_value_info(name, typed[name].elem_type, None))
    return end


def _value(name: str, typed: Mapping[str, Any], classes: int) -> tuple[list[Slot], list[pa.Array]] | None:
    """A slot for a float value [rows] or [rows, k], and rows for it in which each column is the largest in turn."""
    found = typed.get(name)
    if found is None or found.elem_type not in _NUMBERS:
        return None
    dims = [dim.dim_value for dim in found.shape.dim] if found.HasField("shape") else [0, 0]
    rank = len(dims)
    if rank not in (1, 2):
        return None
    width = 1 if rank == 1 else dims[1] or classes
    if width > _MOST_COLUMNS:
        return None
    rows = _GRID if width == 1 else np.vstack([np.eye(width), 0.4 / width + 0.6 * np.eye(width), 4.0 * np.eye(width)])
    return [_numbers(name, found.elem_type, width, rank == 1)], [pa.array(column) for column in rows.T]


def _classifier(
    node: NodeProto, names: Sequence[str], typed: Mapping[str, Any], classes: int
) -> tuple[list[Slot], list[pa.Array]] | None:
    """Slots for both outputs of a classifier, and a row for each class with the largest score in its column."""
    labels = attribute_classes(node)
    if len(labels) != classes or list(names) != list(node.output) or not all(name in typed for name in names):
        return None
    text = isinstance(labels[0], str)
    feature = Feature("label", "string" if text else "bigint", required=True)
    label = Slot(names[0], TensorProto.STRING if text else TensorProto.INT64, 1, True, None, (feature,))
    columns = [pa.array(labels), *(pa.array(column) for column in np.eye(classes))]
    return [label, _numbers(names[1], TensorProto.FLOAT, classes, False)], columns


def _numbers(name: str, dtype: int, width: int, vector: bool) -> Slot:
    features = tuple(Feature(f"column {index}", "double") for index in range(width))
    return Slot(name, dtype, width, vector, None, features)
