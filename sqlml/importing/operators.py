"""The operators that imported models may use: those rows of `sqlml.compiler.operators.OPERATORS` that say so.

They are the operators that sqlml's exporters write, and those of networks and scikit-learn pipelines over tabular data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlml.compiler.operators.operator import Operator

ONNX, ONNX_ML = "", "ai.onnx.ml"

# The opset versions of each domain: the oldest that ONNX Runtime runs, and the newest that was tested.
OPSETS: dict[str, tuple[int, int]] = {ONNX: (7, 26), ONNX_ML: (1, 5)}


def known_domain(domain: str) -> str:
    """Normalizes a domain: "ai.onnx" is another name of ""."""
    return ONNX if domain == "ai.onnx" else domain


def operators(domain: str) -> Mapping[str, Operator]:
    """Returns the rows of a domain by name, also of operators that are refused; none of a domain that is not known."""
    # The compiler is not needed before a model is read.
    from sqlml.compiler.operators import OPERATORS

    return OPERATORS.get(known_domain(domain), {})


def setting_name(domain: str, name: str) -> str:
    """Returns an operator as the setting `spark.sqlml.import.operators` spells it."""
    return name if known_domain(domain) == ONNX else f"{domain}.{name}"
