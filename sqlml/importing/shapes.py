"""A taint analysis of a graph: finds an operator whose output's size depends on the values of a row.

Such a graph is refused: its tensors are small on the trial rows but can be arbitrarily large when it scores. A size
computed from another tensor's shape, by `Shape` or `Size`, is allowed: it depends only on the number of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.importing.limits import Limits
from sqlml.importing.operators import GROWING, ONNX, known_domain

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

# For each operator the inputs whose values decide the output's shape. In old opsets some of them are attributes.
SHAPE_INPUTS: dict[str, tuple[int, ...]] = {
    "AffineGrid": (1,),
    "BlackmanWindow": (0,),
    "CenterCropPad": (1,),
    "Col2Im": (1, 2),
    "ConstantOfShape": (0,),
    "DFT": (1, 2),
    "Expand": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "MaxUnpool": (2,),
    "MelWeightMatrix": (0, 1),
    "OneHot": (1,),
    "Pad": (1, 3),
    "ReduceL1": (1,),
    "ReduceL2": (1,),
    "ReduceLogSum": (1,),
    "ReduceLogSumExp": (1,),
    "ReduceMax": (1,),
    "ReduceMean": (1,),
    "ReduceMin": (1,),
    "ReduceProd": (1,),
    "ReduceSum": (1,),
    "ReduceSumSquare": (1,),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "STFT": (1, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1, 2),
    "TopK": (1,),
    "Unsqueeze": (1,),
    "Upsample": (1,),
}
_SHAPES = ("Shape", "Size")


def depends_on_values(graph: GraphProto, limits: Limits) -> tuple[NodeProto, str] | None:
    """Returns the first operator whose output's size depends on the values of a row, and the input it depends on.

    Values computed from the graph's inputs are tainted; `Shape` and `Size` remove the taint. Returns None if no
    shape input is tainted. An operator of `GROWING` that an administrator allows is skipped.
    """
    constants = {tensor.name for tensor in graph.initializer}
    of_rows = {value.name for value in graph.input if value.name not in constants}
    for node in graph.node:
        plain = known_domain(node.domain) == ONNX
        if plain and not (node.op_type in GROWING and limits.allows(ONNX, node.op_type)):
            for place in SHAPE_INPUTS.get(node.op_type, ()):
                if place < len(node.input) and node.input[place] in of_rows:
                    return node, node.input[place]
        if not (plain and node.op_type in _SHAPES) and any(name in of_rows for name in node.input):
            of_rows.update(node.output)
    return None
