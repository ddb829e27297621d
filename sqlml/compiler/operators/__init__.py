"""The ONNX operators that sqlml knows, one row each: `OPERATORS`, by domain and name (https://onnx.ai/onnx/operators/).

A row (`sqlml.compiler.operators.operator.Operator`) names the rule that translates the operator to SQL, the flow of
features through it and its cost, and says whether an imported model may use it. A rule names a plain function, and the
versions of the operator, the input types and the attributes that the function understands; any other use is left to
ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlml.compiler.operators.onnx_ml_operators import ONNX_ML_OPERATORS
from sqlml.compiler.operators.onnx_operators import ONNX_OPERATORS
from sqlml.compiler.operators.operator import Operator
from sqlml.compiler.operators.rule import ML

OPERATORS: Mapping[str, Mapping[str, Operator]] = {"": ONNX_OPERATORS, ML: ONNX_ML_OPERATORS}


def row_of(domain: str, name: str) -> Operator | None:
    """Returns the row of an operator, None for one without a row. "ai.onnx" is another name of the domain ""."""
    return OPERATORS.get("" if domain == "ai.onnx" else domain, {}).get(name)
