"""Static validation of a model's file: parses the protobuf and refuses what is not allowed, without running anything.

It comes before ONNX's checker and ONNX Runtime, because some files (nested functions, loops, external data) make those
run for ever or read other files. Both see a file only after it has passed here, and then in a process with limits
(`sqlml.importing.sandbox`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.importing.limits import DEFAULT, Limits
from sqlml.importing.operators import ONNX, ONNX_ML, OPSETS, known_domain, operators, setting_name
from sqlml.importing.shapes import depends_on_values
from sqlml.settings import IMPORT_OPERATORS

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, TensorProto

_MOST_NODES = 100_000
_MOST_ELEMENTS = 2**31
_MOST_TREE_NODES = 5_000_000
_MOST_INPUTS = 10_000

# Formats that users pass by mistake, by their first bytes, each with a hint.
_OTHERS = (
    (b"PK\x03\x04", "a zip archive, the format of PyTorch and Keras", "Convert it by torch.onnx.export or tf2onnx."),
    (b"\x89HDF", "HDF5, a format of Keras", "Convert it by tf2onnx."),
    (
        b"\x80\x02",
        "a Python pickle",
        "Pickles are never loaded, because they can run code. Pass the object itself, or export it to ONNX.",
    ),
    (
        b"\x80\x03",
        "a Python pickle",
        "Pickles are never loaded, because they can run code. Pass the object itself, or export it to ONNX.",
    ),
    (
        b"\x80\x04",
        "a Python pickle",
        "Pickles are never loaded, because they can run code. Pass the object itself, or export it to ONNX.",
    ),
    (
        b"\x80\x05",
        "a Python pickle",
        "Pickles are never loaded, because they can run code. Pass the object itself, or export it to ONNX.",
    ),
)
# What to do instead of an operator that converters write and that no setting can allow.
_WAYS_OUT = {
    "Scan": "skl2onnx writes it for distances, as of nearest neighbours. Give the fitted estimator to"
    " sqlml.register_model, which needs no Scan; or convert it with options={id(model): {'optim': 'cdist'}}, and let an"
    f" administrator set {IMPORT_OPERATORS.key} = com.microsoft.CDist.",
}
_ONE_FILE = "Save it as one file: onnx.save_model(model, path, save_as_external_data=False)."


def read(content: bytes, limits: Limits = DEFAULT) -> ModelProto:
    """Parses a model and validates it.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for the first violation.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if len(content) > limits.size:
        raise refused(f"it has {len(content)} bytes, but the limit is {limits.size}")
    for start, what, hint in _OTHERS:
        if content.startswith(start):
            raise refused(f"it is not an ONNX file but {what}", hint)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise refused("it is not a valid ONNX file") from error
    check(model, limits)
    return model


def check(model: ModelProto, limits: Limits = DEFAULT) -> None:
    """Raises SqlmlError SQLML_MODEL_REFUSED for the first violation."""
    # Python's protobuf returns bytes for a text that is not valid UTF-8.
    if not all(isinstance(text, str) for text in _texts(model)):
        raise refused("it contains a name that is not valid UTF-8")
    if not model.graph.node:
        raise refused("it has no operators, so it is empty or not an ONNX file")
    if model.functions:
        raise refused(
            f"it defines functions ({model.functions[0].name}), and functions can call each other without end",
            "Replace the functions by their operators: onnx.inliner.inline_local_functions.",
        )
    if model.training_info:
        raise refused("it contains training graphs", "Export it for inference only.")
    _check_versions(model)
    _check_graph(model.graph, limits)


def refused(reason: str, hint: str = "") -> SqlmlError:
    return SqlmlError("SQLML_MODEL_REFUSED", f"The model is refused: {reason.rstrip('.')}.", hint=hint)


def type_name(dtype: int) -> str:
    """ONNX's name of a tensor type."""
    from onnx import TensorProto

    known = dtype in TensorProto.DataType.values()
    return TensorProto.DataType.Name(dtype).lower() if known else f"number {dtype}"


def _texts(model: ModelProto) -> Iterator[Any]:
    """Yields every text field that later code reads."""
    yield from (model.producer_name, model.producer_version)
    for opset in model.opset_import:
        yield opset.domain
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        yield value.name
    for node in model.graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name


def _check_versions(model: ModelProto) -> None:
    for opset in model.opset_import:
        domain = known_domain(opset.domain)
        # An unused domain is harmless; PyTorch's and Microsoft's exporters import some.
        if domain not in OPSETS:
            continue
        oldest, newest = OPSETS[domain]
        if not oldest <= opset.version <= newest:
            raise refused(
                f"it uses version {opset.version} of the {domain or 'ONNX'} operators, but only versions {oldest} to"
                f" {newest} are supported",
                "Export it with another opset_version, or convert it by onnx.version_converter.",
            )


def _check_graph(graph: GraphProto, limits: Limits) -> None:
    """Checks the graph's size, each operator, attribute and constant, and that no shape depends on values."""
    if len(graph.node) > _MOST_NODES:
        raise refused(f"it has {len(graph.node)} operators, but the limit is {_MOST_NODES}")
    if len(graph.input) > _MOST_INPUTS + len(graph.initializer):
        raise refused(f"it has {len(graph.input)} inputs, but the limit is {_MOST_INPUTS}")
    if graph.sparse_initializer:
        raise refused("it has sparse constants", "Export it with dense constants.")
    for node in graph.node:
        _check_operator(node, limits)
        for attribute in node.attribute:
            _check_attribute(node, attribute)
    for tensor in graph.initializer:
        _check_tensor(tensor, f"the constant {tensor.name[:60]}")
    growing = depends_on_values(graph)
    if growing is not None:
        node, value = growing
        raise refused(
            f"the size of the result of its operator {node.op_type} depends on the values of a row, through"
            f" {value[:60]}",
            "Compute sizes only from shapes: x.shape in PyTorch, tf.shape(x) in TensorFlow.",
        )


def _check_operator(node: Any, limits: Limits) -> None:
    """Refuses an operator that is not allowed, with the reason and perhaps the setting that allows it."""
    domain = known_domain(node.domain)
    if limits.allows(domain, node.op_type):
        return
    if domain not in (ONNX, ONNX_ML):
        raise refused(
            f"its operator {node.op_type[:60]} belongs to the domain {domain[:60]}, and only operators of ONNX and"
            " ONNX-ML are allowed",
            "Export it without extensions and without optimizations for a runtime, or"
            f" {_allowed_by(domain, node.op_type)}",
        )
    rows = operators(domain)
    row = rows.get(node.op_type)
    if row is not None:
        from sqlml.compiler.operators.operator import specification

        hint = f"{specification(domain, node.op_type)} says what it does; {_allowed_by(domain, node.op_type)}"
        # The setting cannot allow operators with subgraphs: _check_attribute refuses those.
        way_out = hint if row.may_be_allowed else _WAYS_OUT.get(node.op_type, "")
        raise refused(f"it uses the operator {node.op_type}: {row.refused}", way_out)
    allowed = [name for name, other in rows.items() if not other.refused]
    known = did_you_mean(node.op_type, allowed, limit=0) if len(node.op_type) < 40 else ""
    raise refused(
        f"it uses the operator {node.op_type[:60]}, which is not among the {len(allowed)} operators that"
        " are known to be safe",
        known
        if known.startswith("Did")
        else f"The list is in sqlml.compiler.operators, and {_allowed_by(domain, node.op_type)}",
    )


def _allowed_by(domain: str, operator: str) -> str:
    """A hint that names the setting by which an administrator allows an operator."""
    return f"an administrator can allow it with {IMPORT_OPERATORS.key} = {setting_name(domain, operator)[:120]}."


def _check_attribute(node: Any, attribute: AttributeProto) -> None:
    where = f"the attribute {attribute.name} of {node.op_type}"
    if attribute.HasField("g") or attribute.graphs:
        raise refused(f"{where} is a subgraph")
    if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
        raise refused(f"{where} is a sparse tensor")
    for tensor in _tensors(attribute):
        _check_tensor(tensor, where)
    if attribute.name.startswith("nodes_") and max(len(attribute.ints), len(attribute.floats)) > _MOST_TREE_NODES:
        raise refused(f"its trees have more than {_MOST_TREE_NODES} nodes")


def _tensors(attribute: AttributeProto) -> Iterator[TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors


def _check_tensor(tensor: TensorProto, where: str) -> None:
    from onnx import TensorProto

    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise refused(f"the data of {where} is in another file", _ONE_FILE)
    if any(length < 0 for length in tensor.dims) or prod(tensor.dims) > _MOST_ELEMENTS:
        raise refused(f"{where} has an invalid size, {'×'.join(map(str, tensor.dims))} elements")
