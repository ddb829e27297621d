"""The mapping from the outputs of an imported graph to SQL: a prediction, or a label with probabilities or scores.

`read` interprets the outputs and returns a `Reading`; `write` adds the nodes that carry it out. An output's meaning
follows from its type, the operators that compute it, its values on the trial rows, and the user's options. Where these
leave it ambiguous, the import ends in an error that asks for an option.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import CLASSIFICATION, REGRESSION
from sqlml.export import outputs
from sqlml.export.graph import DOUBLE, INT64, STRING, Graph
from sqlml.importing.classes import attribute_classes, classes_of, ends_in, makers, most_numbers, value_types
from sqlml.importing.column_outputs import common_tensor, varying
from sqlml.importing.label_order import Probe, classes_in_order, label_values
from sqlml.importing.request import NO_ACTIVATION, SIGMOID, SOFTMAX, Request
from sqlml.importing.validation import refused, type_name
from sqlml.signature import Feature, Signature, struct_type

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
_WHOLE = (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL)
# How far probabilities computed in float32 may be off: their sum from 1, and each of them from the range 0 to 1.
_SUM_ERROR, _RANGE_ERROR = 1e-3, 1e-6
_ASK_TASK = "Give task='classification' or task='regression', or labels=['…', …]."
_ASK_ACTIVATION = (
    "Give activation='softmax' or 'sigmoid' for a network's logits, or 'none' for scores that are not probabilities."
)


@dataclass(frozen=True)
class Answer:
    """One output of the graph that is used.

    Attributes:
        value: the value's name in the graph; for a ZipMap, the name of its input.
        dtype: the type it is cast to: DOUBLE, INT64 or STRING.
        classes: the classes that the graph lists for it; empty where it lists none.
        last: the type of the operator that computes it.
        numbers: for integers that start at 0, their exclusive upper bound; None where nothing bounds them.
    """

    name: str
    value: str
    dtype: int
    classes: tuple[Any, ...]
    last: str
    numbers: int | None = None


@dataclass(frozen=True)
class Reading:
    """The interpretation of the outputs: the model's signature, and which output is the label and which the scores.

    Attributes:
        known: the classes as the values of the `label` output, in the signature's order.
        activation: the activation to apply to the scores; None for none.
        single: whether the scores are one number per row, which is that of the second class.
    """

    signature: Signature
    scores: Answer | None
    label: Answer | None
    known: tuple[Any, ...] = ()
    activation: str | None = None
    single: bool = False


def answers(model: ModelProto, names: tuple[str, ...] | None) -> list[Answer]:
    """The outputs of a model's graph: those named, or all that depend on its inputs.

    Outputs that are the columns of one tensor, one for each class, are that tensor.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for an unknown name; SQLML_MODEL_REFUSED for an output that cannot become a
            column.
    """
    graph, types = model.graph, value_types(model)
    found = {output.name: output for output in graph.output}
    for name in names or ():
        if name not in found:
            raise SqlmlError("SQLML_OPTION_INVALID", f"The model has no output {name}.", hint=did_you_mean(name, found))
    if names is not None:
        return [_answer(graph, found[name], types) for name in names]
    changing = varying(graph)
    listed = [_answer(graph, found[name], types) for name in found if name in changing or len(found) == 1]
    if not listed:
        raise refused("its outputs do not depend on its inputs")
    return _joined(graph, listed)


def read(
    listed: list[Answer],
    values: dict[str, NDArray[Any]],
    features: tuple[Feature, ...],
    request: Request,
    probe: Probe = lambda label, score, classes: None,
) -> Reading:
    """Interprets the outputs as a regression or a classification.

    Args:
        values: the value of each output on the trial rows, [rows, k].
        probe: runs the end of the graph on scores that reach every class (`label_probes.probed`), or returns None.
    """
    labels = [answer for answer in listed if answer.dtype != DOUBLE]
    scores = [answer for answer in listed if answer.dtype == DOUBLE]
    if len(labels) > 1 or len(scores) > 1:
        names = ", ".join(answer.name for answer in listed)
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The model has several outputs that could be its prediction: {names}.",
            hint="Choose one with outputs=['…'], or two that are a label and its probabilities.",
        )
    label, score = labels[0] if labels else None, scores[0] if scores else None
    if _task(label, score, values, request) == REGRESSION:
        return _regression(label, score, values, features, request)
    return _classification(label, score, values, features, request, probe)


def write(graph: Graph, reading: Reading, values: dict[str, str]) -> None:
    """Adds the output nodes that `sqlml.scoring.scorer` expects.

    Args:
        values: for each answer its value in this graph, [rows, k], cast to its dtype.
    """
    signature = reading.signature
    if signature.task == REGRESSION:
        answer = reading.scores or reading.label
        assert answer is not None
        value = values[answer.name]
        if signature.outputs:
            graph.output("prediction", value, DOUBLE, len(signature.outputs))
        else:
            graph.output("prediction", _flat(graph, value if answer.dtype == DOUBLE else graph.cast(value)), DOUBLE)
        return
    position = _position(graph, reading, _flat(graph, values[reading.label.name])) if reading.label else None
    if reading.scores is None:
        assert position is not None
        outputs.label(graph, signature, position)
        return
    shown, chosen = _probabilities(graph, reading, values[reading.scores.name])
    outputs.classes(graph, signature, shown, position or chosen)


# -- what there is -----------------------------------------------------------------------------------------------------


def _answer(graph: GraphProto, output: Any, types: Mapping[str, Any]) -> Answer:
    """The answer of one output of the graph; a ZipMap, which returns dictionaries, is replaced by its input."""
    if output.name not in makers(graph) and output.name in {tensor.name for tensor in graph.initializer}:
        raise refused(f"its output {output.name} is a constant")
    if output.type.HasField("tensor_type"):
        dtype = output.type.tensor_type.elem_type
        kind = DOUBLE if dtype in _FLOATS else INT64 if dtype in _WHOLE else STRING if dtype == STRING else None
        if kind is None:
            raise refused(
                f"its output {output.name} has the type {type_name(dtype)}, which no column can have",
                "Leave it out by naming the others in outputs=['…'].",
            )
        numbers = most_numbers(graph, output.name, types) if kind == INT64 else None
        name = output.name
        return Answer(name, name, kind, classes_of(graph, name), ends_in(graph, name), numbers)
    node = makers(graph).get(output.name)
    if node is None or node.op_type != "ZipMap":
        raise refused(
            f"its output {output.name} is not a tensor", "Leave it out by naming the others in outputs=['…']."
        )
    return Answer(output.name, node.input[0], DOUBLE, attribute_classes(node), "ZipMap")


def _joined(graph: GraphProto, listed: list[Answer]) -> list[Answer]:
    """A label and the score of each of its classes in outputs of their own: the label and the tensor of the scores."""
    labels = [answer for answer in listed if answer.dtype != DOUBLE]
    scores = [answer for answer in listed if answer.dtype == DOUBLE]
    if len(labels) != 1 or len(scores) < 2 or len(labels[0].classes) != len(scores):
        return listed
    name = common_tensor(graph, [answer.value for answer in scores])
    if name is None:
        return listed
    return [*labels, Answer(name, name, DOUBLE, classes_of(graph, name), ends_in(graph, name))]


def _task(label: Answer | None, score: Answer | None, values: dict[str, NDArray[Any]], request: Request) -> str:
    """The task that the request names, or the one that the outputs imply; raises where they imply neither."""
    if request.task is not None:
        return request.task
    sure = label is not None and (label.dtype == STRING or score is not None or label.classes)
    if sure or request.labels or request.activation or (score is not None and score.last == "Softmax"):
        return CLASSIFICATION
    if score is not None and (_width(values[score.name]) == 1 or len(request.target) > 1):
        return REGRESSION
    answer = score or label
    assert answer is not None
    what = "one integer" if score is None else f"{_width(values[answer.name])} numbers"
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The output {answer.name} has {what} per row, from which the task does not follow.",
        hint=_ASK_TASK,
    )


def _width(array: NDArray[Any]) -> int:
    return int(array.shape[1])


# -- regression --------------------------------------------------------------------------------------------------------


def _regression(
    label: Answer | None,
    score: Answer | None,
    values: dict[str, NDArray[Any]],
    features: tuple[Feature, ...],
    request: Request,
) -> Reading:
    """The reading of a regression: one number per row, or one per name of the target."""
    answer = score or label
    assert answer is not None
    if answer.dtype == STRING or request.labels or request.activation:
        raise SqlmlError(
            "SQLML_TARGET_INVALID", "A regression has no labels and no activation.", hint="Give task='classification'."
        )
    width = _width(values[answer.name])
    if width != (len(request.target) or 1):
        named = f"{len(request.target)} names" if len(request.target) > 1 else "1 name"
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The model returns {width} numbers per row, but the target has {named}.",
            hint=f"Give target=[…] with {width} names." if width > 1 else "Give target='…'.",
        )
    if width > 1:
        if len({name.lower() for name in request.target}) < width:
            raise SqlmlError("SQLML_TARGET_INVALID", "Two names of the target are the same, where case does not count.")
        kind, name = struct_type(request.target), ", ".join(request.target)
        signature = Signature(REGRESSION, features, name, kind, outputs=request.target)
    else:
        signature = Signature(REGRESSION, features, (request.target or (None,))[0], "double")
    return Reading(signature, answer if score else None, None if score else answer)


# -- classification ----------------------------------------------------------------------------------------------------


def _classification(
    label: Answer | None,
    score: Answer | None,
    values: dict[str, NDArray[Any]],
    features: tuple[Feature, ...],
    request: Request,
    probe: Probe,
) -> Reading:
    """The reading of a classification.

    It counts the classes, finds their order (`known`, the values of the label output), names them (`labels`), and
    checks that the scores are probabilities unless an activation makes them so.
    """
    if len(request.target) > 1:
        raise SqlmlError("SQLML_TARGET_INVALID", "A classifier has one target, but several names are given.")
    if label is not None and _width(values[label.name]) != 1:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The output {label.name} has {_width(values[label.name])} labels per row, but a classifier has one.",
        )
    # 1. The number of classes.
    single = score is not None and _width(values[score.name]) == 1
    own = (score.classes if score else ()) or (label.classes if label else ())
    count = (2 if single else _width(values[score.name])) if score else len(request.labels or own)
    if request.labels:
        _check_labels(request.labels, count)
    # 2. The values of the label output, in the order of the scores.
    if label is not None and score is not None:
        found = probe(label, score, count)
        known = classes_in_order(label, score, (values[label.name], values[score.name]), found, request, count)
    else:
        known = own if len(own) == count else ()
        if label is not None and (not known or set(known) == set(request.labels)):
            known = label_values(label, request.labels, count)
    # 3. The names of the classes in SQL, and the checks.
    labels = request.labels or known or tuple(range(count))
    _check_labels(labels, count)
    if label is not None:
        _check_label_values(label, values[label.name], known)
    activation = request.activation
    if score is not None and activation is None:
        _check_probabilities(score, values[score.name], single)
    if activation == SOFTMAX and single:
        raise SqlmlError(
            "SQLML_OPTION_INVALID", "A softmax of one number is always 1.", hint="Give activation='sigmoid'."
        )
    kind = "string" if isinstance(labels[0], str) else "boolean" if isinstance(labels[0], bool) else "bigint"
    kind = "double" if isinstance(labels[0], float) else kind
    signature = Signature(
        CLASSIFICATION,
        features,
        (request.target or (None,))[0],
        kind,
        tuple(labels),
        probabilities=score is not None and activation != NO_ACTIVATION,
    )
    return Reading(signature, score, label, known, activation, single)


def _check_labels(labels: tuple[Any, ...], count: int) -> None:
    if len(labels) != count:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The model has {count} classes, but labels has {len(labels)}.",
            hint="Give labels=[…] with one label for each class, in the order of the probabilities.",
        )
    if count < 2:
        raise SqlmlError("SQLML_TARGET_INVALID", "A classifier needs at least two classes.")
    if len({type(label) for label in labels}) > 1 or not isinstance(labels[0], (str, bool, int, float)):
        raise SqlmlError(
            "SQLML_TARGET_INVALID", "Labels must be all strings, all booleans, all integers or all floats."
        )
    if len(set(labels)) < count:
        raise SqlmlError("SQLML_TARGET_INVALID", "Two labels are the same.")


def _check_label_values(label: Answer, values: NDArray[Any], known: tuple[Any, ...]) -> None:
    """Raises where the label output has a value on the trial rows that is not among the known classes."""
    strange = sorted({value.item() if hasattr(value, "item") else value for value in values.ravel()} - set(known))
    if strange:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The output {label.name} returned {strange[0]!r}, which is not one of {', '.join(map(repr, known[:12]))}.",
            hint="Give labels=[…] with all classes of the model.",
        )


def _check_probabilities(score: Answer, values: NDArray[Any], single: bool) -> None:
    """Raises unless the scores are probabilities: each in 0 to 1, and each row's sum 1 unless they are independent."""
    rows = values[~np.isnan(values).any(axis=1)]
    inside = len(rows) > 0 and (rows >= -_RANGE_ERROR).all() and (rows <= 1.0 + _RANGE_ERROR).all()
    own = single or score.last == "Sigmoid"  # independent probabilities need not sum to 1
    if inside and (own or (np.abs(rows.sum(axis=1) - 1.0) <= _SUM_ERROR).all()):
        return
    shown = ", ".join(f"{value:.4g}" for value in rows[0][:4]) if len(rows) else "NaN"
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The output {score.name} does not contain probabilities: one of its rows is"
        f" {shown}{', …' if rows.shape[1] > 4 else ''}.",
        hint=_ASK_ACTIVATION,
    )


# -- nodes -------------------------------------------------------------------------------------------------------------


def _probabilities(graph: Graph, reading: Reading, value: str) -> tuple[str, str]:
    """Adds the nodes from the raw scores to the shown ones, [rows, classes], and to the index of the largest, [rows].

    A single score p becomes [1 - p, p]; a single logit passes a Sigmoid first; a single margin x becomes [-x, x]. The
    index is taken before the activation, which is monotone but rounds small differences away.
    """
    if reading.single and reading.activation is not None:
        positive = graph.op("Greater", value, graph.constant([[0.0]]))
        position = _flat(graph, graph.cast(positive, INT64))
        if reading.activation == NO_ACTIVATION:
            return outputs.opposite(graph, value), position
        return outputs.binary_probabilities(graph, graph.op("Sigmoid", value)), position
    if reading.single:
        value = outputs.binary_probabilities(graph, value)
    position = outputs.first_largest(graph, value)
    if reading.activation == SOFTMAX:
        value = graph.op("Softmax", value, axis=1)
    elif reading.activation == SIGMOID:
        value = graph.op("Sigmoid", value)
    return value, position


def _position(graph: Graph, reading: Reading, label: str) -> str:
    """Adds the node from the model's label output to the index of the class, [rows] in int64."""
    count = len(reading.known)
    assert reading.label is not None
    if reading.known == tuple(range(count)) and reading.label.numbers == count:
        return label
    # An unknown value becomes an index beyond the labels, which is an error when scoring and not a wrong label.
    values = {"values_int64s": list(range(count)), "default_int64": count}
    if reading.label.dtype == STRING:
        return graph.ml("LabelEncoder", label, keys_strings=list(reading.known), **values)
    return graph.ml("LabelEncoder", label, keys_int64s=list(reading.known), **values)


def _flat(graph: Graph, value: str) -> str:
    return graph.op("Reshape", value, graph.constant([-1], "int64"))
