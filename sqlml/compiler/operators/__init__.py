"""The operators of ONNX that can be said in SQL: `OPERATORS`, the one table; a plain function for each.

A function gets the node, its inputs and the scope that it adds definitions to, and returns the node's outputs. What
sqlml's exporters write and has no rule here is listed, with the reason, in `WITHOUT_RULE`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlml.compiler.node import Node
from sqlml.compiler.operators import arithmetic, encoders, logic, matrices, shapes, trees
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import Value

Rule = Callable[[Node, list[Value], Scope], list[Value]]

OPERATORS: dict[str, Rule] = {
    "Abs": arithmetic.absolute,
    "Add": arithmetic.add,
    "ArgMax": matrices.first_largest,
    "Cast": shapes.cast,
    "Clip": arithmetic.clip,
    "Concat": shapes.concatenate,
    "Div": arithmetic.divide,
    "Equal": logic.equal,
    "Exp": arithmetic.exponential,
    "Floor": arithmetic.floor,
    "Gather": shapes.gather,
    "Greater": logic.greater,
    "GreaterOrEqual": logic.greater_or_equal,
    "Identity": shapes.identity,
    "IsNaN": logic.is_missing,
    "LabelEncoder": encoders.label_encoder,
    "Less": logic.less,
    "LessOrEqual": logic.less_or_equal,
    "MatMul": matrices.matrix_product,
    "Max": arithmetic.largest_of_pairs,
    "Min": arithmetic.smallest_of_pairs,
    "Mul": arithmetic.multiply,
    "Neg": arithmetic.negate,
    "Not": logic.negation,
    "Or": logic.either,
    "Pow": arithmetic.power,
    "ReduceMax": matrices.reduce_max,
    "ReduceSum": matrices.reduce_sum,
    "Relu": arithmetic.rectify,
    "Sigmoid": arithmetic.sigmoid,
    "Sign": arithmetic.sign,
    "Softmax": matrices.softmax,
    "Sqrt": arithmetic.square_root,
    "Squeeze": shapes.squeeze,
    "Sub": arithmetic.subtract,
    "Tanh": arithmetic.hyperbolic_tangent,
    "TreeEnsemble": trees.tree_ensemble,
    "Unsqueeze": shapes.unsqueeze,
    "Where": logic.where,
}

_SORTS = "it sorts numbers of a row"
WITHOUT_RULE: dict[str, str] = {
    "CumSum": _SORTS,
    "GatherElements": _SORTS,
    "Round": "no two engines round halves alike",
    "TopK": _SORTS,
}
