"""FORMAT mlflow: a folder in MLflow's layout, with the flavours onnx and python_function.

Its `model.onnx` is a graph that MLflow can serve: MLflow makes a tensor [rows] of each column of a DataFrame, and
accepts only tensors [rows] as outputs. So each probability is an output of its own: probability_yes, probability_no.
The registered graph is a second file, which IMPORT MODEL reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.formats import onnx_file

if TYPE_CHECKING:
    from sqlml.export.graph import Graph
    from sqlml.registry import ModelVersion
    from sqlml.signature import Signature
    from sqlml.system.file_export import Existing

_REGISTERED = "sqlml.onnx"


def write(version: ModelVersion, options: Mapping[str, Any], path: Path) -> None:
    from sqlml.export.metadata import GRAPH
    from sqlml.registry.folder import write_folder

    content = onnx_file.content(version)
    write_folder(path, served(content, version.signature), version.signature, {GRAPH: _REGISTERED})
    (path / _REGISTERED).write_bytes(content)


def earlier(existing: Existing) -> bool:
    """Returns whether the destination is an earlier export in this format, which `overwrite` may replace."""
    return existing.inside("MLmodel").read(1) is not None and onnx_file.earlier(existing.inside(_REGISTERED))


def served(content: bytes, signature: Signature) -> bytes:
    """Wraps the graph: each input and output column becomes a tensor [rows]; only a single input stays [rows, 1],
    because MLflow passes it so."""
    from onnx import ModelProto

    from sqlml.export.graph import Graph

    model = ModelProto.FromString(content)
    graph = Graph([(opset.domain, opset.version) for opset in model.opset_import])
    fed = {}
    for value in model.graph.input:
        column = graph.input(value.name, value.type.tensor_type.elem_type)
        fed[value.name] = graph.op("Reshape", column, graph.constant([-1, 1], "int64"))
    prefix = "served/"
    while any(value.name.startswith(prefix) for value in model.graph.input):
        prefix = f"_{prefix}"
    known = graph.embed(model.graph, model.graph.node, prefix, fed)
    for name, value, dtype in _columns(graph, model, known, signature):
        # The output's name may also be an input's.
        graph.output(f"{name} (output)" if name in fed else name, value, dtype)
    made = graph.model()
    if len(fed) > 1:
        for value in made.graph.input:
            del value.type.tensor_type.shape.dim[1:]
    found: bytes = made.SerializeToString()
    return found


def _columns(
    graph: Graph, model: Any, known: Mapping[str, str], signature: Signature
) -> Iterator[tuple[str, str, int]]:
    """Yields name, value and type of each output; an output of several columns is split by Gather."""
    names = {"probabilities": ("probability", signature.labels), "scores": ("score", signature.labels)}
    names["prediction"] = ("prediction", signature.outputs)
    for output in model.graph.output:
        dtype = output.type.tensor_type.elem_type
        what, parts = names.get(output.name, (output.name, ()))
        if not parts:
            yield what, known[output.name], dtype
        for index, part in enumerate(parts):
            column = graph.op("Gather", known[output.name], graph.constant(index, "int64"), axis=1)
            yield f"{what}_{str(part).lower() if isinstance(part, bool) else part}", column, dtype
