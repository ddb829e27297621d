"""Models without an emitter of ours that skl2onnx converts in float64: its nodes are copied behind the preparation.

Which classes these are is in `sqlml.export.sklearn._EMITTERS`; `sql/reference/converters.md` lists what skl2onnx
converts wrong, so that it is refused.
"""

from __future__ import annotations

import warnings
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.export import outputs
from sqlml.export.graph import ML, Graph
from sqlml.signature import Signature

# skl2onnx knows no ai.onnx.ml above 3. What it writes means the same in ai.onnx.ml 5, which the finished graph names.
VERSIONS = {"": 21, ML: 3}
_MATRIX = "x"


def described() -> str:
    """The converter's name, version and precision."""
    import skl2onnx

    return f"skl2onnx {skl2onnx.__version__}, float64"


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Label indices and probabilities, as skl2onnx writes them.

    Args:
        model: fitted to label indices.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for an error of skl2onnx.
    """
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType

    kinds = [(_MATRIX, DoubleTensorType([None, model.n_features_in_]))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = skl2onnx.convert_sklearn(
                model, initial_types=kinds, target_opset=VERSIONS, options={"zipmap": False}
            ).graph
    except Exception as error:
        # Converters raise exceptions of any type for what they do not know.
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"{described()} cannot convert this {type(model).__name__}: {str(error).strip().splitlines()[0]}",
            hint="Use another value of the option that it names, or another estimator.",
        ) from error
    values = graph.embed(found, found.node, graph.prefix("skl2onnx"), {_MATRIX: x})
    label, probabilities = (values[output.name] for output in found.output)
    outputs.classes(graph, signature, probabilities, label)
