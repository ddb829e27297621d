"""The class labels of an imported classifier, read from the constants and attributes of its graph.

Its functions walk back from an output, past operators that change only its type or shape, to the node that computes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onnx import numpy_helper, shape_inference

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

# Converters put these between the operator that holds the classes and the output; they change only type or shape.
_FORM = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
# The first input of these operators is the list of classes that an index selects from.
_CHOOSE = ("ArrayFeatureExtractor", "Gather")
_ATTRIBUTES = (
    "classlabels_strings",
    "classlabels_int64s",
    "classlabels_ints",
    "values_strings",
    "values_int64s",
    "classes_strings",
)


# Cast to a number, a comparison is 0 or 1; ArgMax and ArgMin return a column index, below the number of columns.
_TRUTHS = ("And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor")
_COLUMNS = ("ArgMax", "ArgMin")


def makers(graph: GraphProto) -> dict[str, NodeProto]:
    """Maps each value to the node that computes it."""
    return {name: node for node in graph.node for name in node.output if name}


def made_behind_form(made: Mapping[str, NodeProto], value: str) -> NodeProto | None:
    """The node that computes a value, past the operators that change only its type or shape."""
    node = made.get(value)
    while node is not None and node.op_type in _FORM:
        node = made.get(node.input[0])
    return node


def classes_of(graph: GraphProto, output: str) -> tuple[Any, ...]:
    """The classes of an output in the order of the model's class indices; empty where the graph does not list them."""
    made = makers(graph)
    node = made_behind_form(made, output)
    if node is None:
        return ()
    if node.op_type in _CHOOSE:
        return constant_values(graph, made, node.input[0])
    return attribute_classes(node)


def attribute_classes(node: NodeProto) -> tuple[Any, ...]:
    """The classes in a node's attributes, sorted by LabelEncoder's keys where those are exactly 0 … n-1."""
    attributes: Mapping[str, Any] = {attribute.name: attribute for attribute in node.attribute}
    for name in _ATTRIBUTES:
        if name in attributes:
            found = attributes[name]
            values = tuple(text.decode(errors="replace") for text in found.strings) or tuple(found.ints)
            if values:
                keys = list(attributes["keys_int64s"].ints) if "keys_int64s" in attributes else []
                numbered = sorted(keys) == list(range(len(values)))
                return tuple(values[keys.index(number)] for number in range(len(values))) if numbered else values
    return ()


def most_numbers(graph: GraphProto, output: str, types: Mapping[str, Any]) -> int | None:
    """The exclusive upper bound of an integer output that starts at 0; None where the graph does not bound it."""
    node = made_behind_form(makers(graph), output)
    if node is None:
        return None
    if node.op_type in _TRUTHS:
        return 2
    if node.op_type in _COLUMNS:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
        dims = types[node.input[0]].shape.dim if node.input[0] in types else ()
        return dims[axis].dim_value or None if -len(dims) <= axis < len(dims) else None
    classes = attribute_classes(node) if node.op_type.endswith("Classifier") else ()
    return len(classes) if classes and set(classes) == set(range(len(classes))) else None


def value_types(model: ModelProto) -> dict[str, Any]:
    """The type of each value, as far as ONNX's shape inference finds it."""
    try:
        graph = shape_inference.infer_shapes(model).graph
    except Exception:  # inference is C++ and raises anything; callers treat a value without a type as unknown
        return {}
    return {value.name: value.type.tensor_type for value in (*graph.value_info, *graph.input, *graph.output)}


def ends_in(graph: GraphProto, output: str) -> str:
    """The type of the operator that computes an output; "" for none."""
    node = made_behind_form(makers(graph), output)
    return "" if node is None else node.op_type


def constant_values(graph: GraphProto, made: Mapping[str, NodeProto], name: str) -> tuple[Any, ...]:
    """The integers or texts of an initializer or a Constant node; empty for any other value."""
    tensor = next((tensor for tensor in graph.initializer if tensor.name == name), None)
    if tensor is None:
        node = made.get(name)
        if node is None or node.op_type != "Constant" or node.attribute[0].name != "value":
            return ()
        tensor = node.attribute[0].t
    values = numpy_helper.to_array(tensor).ravel()
    if values.dtype.kind == "i":
        return tuple(int(value) for value in values)
    if values.dtype.kind in "OSU":
        return tuple(value.decode() if isinstance(value, bytes) else str(value) for value in values)
    return ()
