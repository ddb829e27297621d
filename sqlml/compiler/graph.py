"""Symbolic execution: runs a graph's operator rules once, on a row whose elements are SQL instead of numbers.

A single operator without a rule refuses the whole model: there is no mixture of SQL and ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnx import GraphProto, ModelProto, numpy_helper

from sqlml.compiler.inputs import blank, of_feature
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators import row_of
from sqlml.compiler.operators.operator import NOT_NEEDED
from sqlml.compiler.operators.rule import NEWEST
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import Value, plain
from sqlml.errors import SqlmlError
from sqlml.scoring.scorer import input_name
from sqlml.signature import Signature


def run(
    onnx: bytes,
    signature: Signature,
    sources: Sequence[str],
    scope: Scope,
    *,
    estimator: str = "",
    used: Sequence[bool] | None = None,
) -> dict[str, Value]:
    """Executes the graph and returns its outputs by name.

    Args:
        sources: the column of each feature.
        estimator: the model's name in errors.
        used: for each feature, whether an output depends on it; the others get a neutral constant.

    Raises:
        SqlmlError: SQLML_MODEL_NOT_SQL for an operator without a rule, and for a model that is too large.
    """
    model = ModelProto.FromString(onnx)
    graph = model.graph
    values = {tensor.name: plain(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    opsets = {"" if one.domain == "ai.onnx" else one.domain: one.version for one in model.opset_import}
    if model.functions or graph.sparse_initializer or any(opsets.get(name, 0) > NEWEST[name] for name in NEWEST):
        raise _refusal(estimator, "graph has functions, sparse constants or operators of a later version")
    sized = _sized(graph)
    taken = used or [True] * len(sources)
    for feature, source, whether in zip(signature.features, sources, taken, strict=True):
        name = input_name(feature.name)
        values[name] = of_feature(feature, source, scope, looked_at=name in sized) if whether else blank(feature)
    for proto in graph.node:
        node = Node.of(proto, opsets)
        inputs = [values[name] if name else None for name in node.inputs]
        found = _outputs(node, inputs, scope, estimator)
        # The last outputs are optional.
        values.update(zip(node.outputs, found, strict=False))
    scope.shapes.update({name: value.elements.shape for name, value in values.items()})
    return {output.name: values[output.name] for output in graph.output}


def _sized(graph: GraphProto) -> set[str]:
    """Returns the values that reach an Abs, directly or through Concat: the exporters' test for finite numbers begins
    so."""
    sized: set[str] = set()
    for node in reversed(graph.node):
        if node.op_type == "Abs" or (node.op_type == "Concat" and node.output[0] in sized):
            sized.update(node.input)
    return sized


def _outputs(node: Node, inputs: list[Value | None], scope: Scope, estimator: str) -> list[Value]:
    """Applies the rule of one node, or refuses the model with the reason."""
    row = row_of(node.domain, node.kind)
    rule = NOT_NEEDED if row is None else row.rule
    if isinstance(rule, str):
        raise _refusal(estimator, f"operator {node.kind} has no rule: {rule}")
    try:
        rule.check(node, inputs)
        found = rule.function(node, inputs, scope)
        if len(found) < len(node.outputs):
            raise NoRuleError(f"has {len(node.outputs)} outputs")
        return found
    except NoRuleError as error:
        raise _refusal(estimator, f"operator {node.kind} {error}") from error
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        # An imported graph may use inputs and attributes that sqlml's exporters never write, or omit an input (None).
        raise _refusal(estimator, f"operator {node.kind} is used in a way that has no rule") from error


def _refusal(estimator: str, what: str) -> SqlmlError:
    return SqlmlError(
        "SQLML_MODEL_NOT_SQL",
        f"{estimator or 'The model'} cannot be written as SQL, because its {what}.",
        hint="SQL is for linear models, trees, forests, boosting, naive Bayes, clusters and small networks. FORMAT"
        " onnx takes every model.",
    )
