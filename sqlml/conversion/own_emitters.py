"""The emitters of `sqlml.export` as converters that skl2onnx calls for the steps of a pipeline.

skl2onnx takes them as arguments (`custom_conversion_functions`, `custom_shape_calculators`), so nothing is registered
for the whole process: https://onnx.ai/sklearn-onnx/auto_tutorial/plot_icustom_converter.html
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import helper
from sklearn.base import is_regressor

from sqlml.conversion import boosters, categories, predictions, thresholds
from sqlml.conversion.categories import CategoryCodes
from sqlml.conversion.thresholds import Threshold
from sqlml.estimators import ESTIMATORS, REGRESSION
from sqlml.export.graph import DOUBLE, STRING, Graph
from sqlml.export.sklearn import emit_model, has_emitter
from sqlml.export.sklearn.blocks import Block, NoEmitterError
from sqlml.export.sklearn.converted import VERSIONS
from sqlml.export.sklearn.transformers import TRANSFORMERS
from sqlml.signature import Signature

Convert = Callable[[Any, Any, Any], None]
Shape = Callable[[Any], None]
# Classes that have an emitter and no row of ESTIMATORS of their own.
_FURTHER = (
    "sklearn.ensemble.StackingClassifier",
    "sklearn.ensemble.StackingRegressor",
    "sklearn.ensemble.VotingClassifier",
    "sklearn.ensemble.VotingRegressor",
    "sklearn.neighbors.KNeighborsClassifier",
    "sklearn.neighbors.KNeighborsRegressor",
    "sklearn.neighbors.LocalOutlierFactor",
    "sklearn.neighbors.RadiusNeighborsClassifier",
    "sklearn.neighbors.RadiusNeighborsRegressor",
)
# Where scikit-learn keeps the transformers of TRANSFORMERS.
_MODULES = ("sklearn.compose", "sklearn.decomposition", "sklearn.impute", "sklearn.preprocessing")


def converters(missing: Any) -> tuple[dict[type, Convert], dict[type, Shape]]:
    """Returns the converter and the shape calculator of each class that has an emitter, for `convert_sklearn`.

    Args:
        missing: what a missing text is for the library, see `blocks.Block`.

    A library that is not imported has no fitted model in this process, so its classes are left out.
    """
    convert: dict[type, Convert] = {}
    shape: dict[type, Shape] = {}
    for cls in _models():
        convert[cls], shape[cls] = _convert_model, _model_shape
    for cls in (*_transformers(), CategoryCodes):
        convert[cls] = functools.partial(_convert_transformer, missing=missing)
        shape[cls] = functools.partial(_transformer_shape, missing=missing)
    convert[Threshold], shape[Threshold] = _convert_threshold, _model_shape
    return convert, shape


def _models() -> list[type]:
    """The classes of all rows of ESTIMATORS that have an emitter, and further ones of the same families."""
    paths = [path for row in ESTIMATORS if not row.distributed for path in row.classes.values()]
    found = []
    for path in (*paths, *_FURTHER):
        module, _, name = path.rpartition(".")
        if has_emitter(name) and module.split(".")[0] in sys.modules:
            found.append(getattr(importlib.import_module(module), name))
    found += [boosters.LGBMClassifier, boosters.LGBMRegressor]
    return [cls for cls in found if hasattr(cls, "predict")]


def _transformers() -> list[type]:
    places = [importlib.import_module(name) for name in _MODULES]
    return [getattr(place, name) for name in TRANSFORMERS for place in places if hasattr(place, name)]


def _default(kind: str, operator: Any) -> Callable[..., None]:
    """skl2onnx's own converter or shape calculator of a step.

    Raises:
        NoEmitterError: if it has none.
    """
    from skl2onnx.common import _registration

    if operator.type is None:
        name = type(operator.raw_operator).__name__
        raise NoEmitterError(f"{name} of several targets has no emitter, and skl2onnx has no converter")

    return getattr(_registration, f"get_{kind}")(operator.type)


# -- transformers ------------------------------------------------------------------------------------------------------


def _convert_transformer(scope: Any, operator: Any, container: Any, *, missing: Any) -> None:
    graph = Graph()
    found = _transformed(graph, operator, missing)
    _moved(graph, scope, container, {found.value: operator.outputs[0].full_name})


def _transformed(graph: Graph, operator: Any, missing: Any) -> Block:
    model = operator.raw_operator
    name = type(model).__name__
    emit = categories.emit if isinstance(model, CategoryCodes) else TRANSFORMERS[name]
    try:
        return emit(graph, _blocks(graph, operator.inputs, missing), model)
    except NoEmitterError as error:
        raise NoEmitterError(f"{name} {error}") from error


def _transformer_shape(operator: Any, *, missing: Any) -> None:
    """Runs the emitter into a graph that is thrown away; it knows width and type of its output."""
    from skl2onnx.common.data_types import DoubleTensorType, StringTensorType

    found = _transformed(Graph(), operator, missing)
    kind = StringTensorType if found.text else DoubleTensorType
    operator.outputs[0].type = kind([operator.inputs[0].get_first_dimension(), found.width])


# -- models ------------------------------------------------------------------------------------------------------------


def _convert_model(scope: Any, operator: Any, container: Any) -> None:
    if not _is_covered(operator):
        return _default("converter", operator)(scope, operator, container)
    model, graph = operator.raw_operator, Graph()
    x = graph.concat([block.value for block in _blocks(graph, operator.inputs)])
    answers = predictions.answers_of(model)
    positions = tuple(range(len(answers.labels)))
    kind = "bigint" if positions else "double"
    signature = Signature(answers.task, (), "y", kind, positions, hasattr(model, "predict_proba"))
    written = graph.captured(lambda: emit_model(graph, x, model, signature))
    outputs = [variable.full_name for variable in operator.outputs]
    if answers.task == REGRESSION:
        column = graph.op("Unsqueeze", written["prediction"], graph.constant([1], np.int64))
        return _moved(graph, scope, container, {column: outputs[0]})
    label = _label(graph, answers.labels, written["label"])
    scores = written["probabilities" if signature.probabilities else "scores"]
    # skl2onnx declares no scores for the clusterings that it does not know.
    return _moved(graph, scope, container, dict(zip((label, scores), outputs, strict=False)))


def _convert_threshold(scope: Any, operator: Any, container: Any) -> None:
    rule, graph = operator.raw_operator, Graph()
    (probabilities,) = _blocks(graph, operator.inputs)
    label = _label(graph, rule.classes_, thresholds.emit(graph, probabilities.value, rule))
    outputs = [variable.full_name for variable in operator.outputs]
    _moved(graph, scope, container, {label: outputs[0], probabilities.value: outputs[1]})


def _label(graph: Graph, classes: Any, position: str) -> str:
    """The class of each row from its index."""
    labels = np.asarray(classes)
    labels = labels.astype(object) if labels.dtype.kind in "OUS" else labels.astype(np.int64)
    return graph.op("Gather", graph.constant(labels, labels.dtype), position)


def _is_covered(operator: Any) -> bool:
    """Whether the emitter covers this use of a model: not its decision function beside probabilities, for which a model
    around it asks, and no bagging of others than trees."""
    model = operator.raw_operator
    options = operator.scope_inst.get_options(model, {}, fail=False) or {}
    if options.get("raw_scores") and hasattr(model, "predict_proba"):
        return False
    return covers(model)


def covers(model: Any) -> bool:
    """Returns whether there is an emitter for a fitted model; that of bagging is for trees."""
    name = type(model).__name__
    # Of several targets; a classifier's coefficients have a row for each class.
    several = is_regressor(model) and np.ndim(getattr(model, "coef_", 0.0)) == 2 and len(model.coef_) > 1
    if several or getattr(model, "n_outputs_", 1) > 1:
        return False
    return has_emitter(name) and (not name.startswith("Bagging") or hasattr(model.estimators_[0], "tree_"))


def _model_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType

    if not isinstance(operator.raw_operator, Threshold) and not _is_covered(operator):
        return _default("shape_calculator", operator)(operator)
    model, rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    labels = tuple(model.classes) if isinstance(model, Threshold) else predictions.answers_of(model).labels
    if not labels:
        operator.outputs[0].type = DoubleTensorType([rows, 1])
        return None
    operator.outputs[0].type = (StringTensorType if isinstance(labels[0], str) else Int64TensorType)([rows])
    for scores in operator.outputs[1:]:
        scores.type = DoubleTensorType([rows, len(labels)])
    return None


# -- between the two graphs --------------------------------------------------------------------------------------------


def _blocks(graph: Graph, variables: Sequence[Any], missing: Any = None) -> list[Block]:
    """The inputs of a step: doubles, or texts. Numbers of another type are cast."""
    from skl2onnx.common.data_types import DoubleTensorType, StringTensorType

    found = []
    for variable in variables:
        width = variable.type.shape[1]
        if isinstance(variable.type, StringTensorType):
            found.append(Block(variable.full_name, width, text=True, missing=missing))
        elif isinstance(variable.type, DoubleTensorType):
            found.append(Block(variable.full_name, width))
        else:
            found.append(Block(graph.cast(variable.full_name, DOUBLE), width))
    return found


def _moved(graph: Graph, scope: Any, container: Any, outputs: dict[str, str]) -> None:
    """Moves an emitter's nodes and constants into skl2onnx's container under unique names.

    Args:
        outputs: the emitter's results → the names that skl2onnx gave to them.
    """
    nodes, constants = graph.fragment()
    names: dict[str, str] = {}
    for tensor in constants:
        names[tensor.name] = scope.get_unique_variable_name("constant")
        # It copies a tensor's raw bytes, which texts do not have.
        content = list(tensor.string_data) if tensor.data_type == STRING else tensor
        container.add_initializer(names[tensor.name], tensor.data_type, list(tensor.dims), content)
    for node in nodes:
        for name in node.output:
            names[name] = scope.get_unique_variable_name(node.op_type)
        container.add_node(
            node.op_type,
            [names.get(name, name) for name in node.input],
            [names[name] for name in node.output],
            op_domain=node.domain,
            op_version=VERSIONS[node.domain],
            name=scope.get_unique_operator_name(node.op_type),
            **{one.name: helper.get_attribute_value(one) for one in node.attribute},
        )
    for value, output in outputs.items():
        container.add_node(
            "Identity",
            [names.get(value, value)],
            [output],
            op_version=1,
            name=scope.get_unique_operator_name("Identity"),
        )
