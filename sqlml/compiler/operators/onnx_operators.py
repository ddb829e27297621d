"""The operators of ONNX's own domain: their rows of the OPERATORS table.

Every operator that an imported model may use computes its outputs in one pass over its inputs. An operator without a
row is refused too: no model on tabular data was seen to need it.
"""

from __future__ import annotations

from sqlml.compiler import feature_flow as flow
from sqlml.compiler.operators import arithmetic, logic, matrices, shapes
from sqlml.compiler.operators.operator import GROWS, NO_COLUMNS, NOT_NEEDED, Cost, Operator
from sqlml.compiler.operators.rule import ALL, ANY, COMPARED, NUMBER, REAL, TRUTH, WHOLE, Rule
from sqlml.compiler.values import FLOAT

ELEMENT, FUNCTION, NOTHING, PRODUCT = Cost.ELEMENT, Cost.FUNCTION, Cost.NOTHING, Cost.PRODUCT

# Opset versions that only added element types to operators that move elements (Identity, Reshape, …).
_LATE = (21, 23, 24, 25)
_REDUCED = {"axes": ANY, "keepdims": ANY, "noop_with_empty_axes": (0, 1)}

# Why there is no rule.
_HALVES = "no two systems round halves in the same way"
_SORTS = "it serves models that sort the numbers of a row"
# Why features are not followed through the operator, so that all count as used.
_MIXES = "its results depend on all features that reach it"
_UNFOLLOWED = "no model on tabular data was seen in which it drops a feature"
# Why an imported model may not use it.
_BRANCHES = "it contains subgraphs, which cannot be checked operator by operator"
_CHANCE = "a prediction must not be random"
_RUNS_FOR_EVER = "it repeats a part of the graph as often as the file says"


def _reduction(rule: Rule | str) -> Operator:
    """The row of a reduction, whose second input is its axes."""
    return Operator(rule, flow.reduce, ELEMENT, sizes=(1,))


def _refused(reason: str, sizes: tuple[int, ...] = ()) -> Operator:
    """A row of what an imported model may not use; no exporter of sqlml writes it."""
    return Operator(reason, reason, ELEMENT, reason, sizes)


ONNX_OPERATORS: dict[str, Operator] = {
    "Abs": Operator(Rule(arithmetic.absolute, (6, 13), (NUMBER,)), flow.elementwise, ELEMENT),
    "Acos": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "Acosh": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "Add": Operator(Rule(arithmetic.add, (7, 13, 14), (NUMBER, NUMBER)), flow.elementwise, ELEMENT),
    "AffineGrid": _refused(NO_COLUMNS, sizes=(1,)),
    "And": Operator(Rule(logic.both, (7,), (TRUTH, TRUTH)), flow.finite, ELEMENT),
    "ArgMax": Operator(
        Rule(
            matrices.first_largest,
            (1, 11, 12, 13),
            (REAL,),
            {"axis": ANY, "keepdims": ANY, "select_last_index": (0,)},
        ),
        flow.index_of_largest,
        ELEMENT,
    ),
    "ArgMin": Operator(NOT_NEEDED, flow.index_of_largest, ELEMENT),
    "Asin": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "Asinh": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Atan": Operator(NOT_NEEDED, flow.elementwise, FUNCTION),
    "Atanh": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "Attention": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "AveragePool": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "BatchNormalization": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Bernoulli": _refused(_CHANCE),
    "BlackmanWindow": _refused(NO_COLUMNS, sizes=(0,)),
    "Cast": Operator(
        Rule(
            shapes.cast,
            (9, 13, 19, 21, 23, 24, 25),
            (ALL,),
            # The last two concern 8-bit floats only.
            {"to": ANY, "saturate": (0, 1), "round_mode": ("up", "down", "nearest")},
        ),
        flow.elementwise,
        ELEMENT,
    ),
    "CastLike": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Ceil": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Celu": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "CenterCropPad": _refused(NO_COLUMNS, sizes=(1,)),
    "Clip": Operator(
        Rule(arithmetic.clip, (11, 12, 13), (NUMBER, NUMBER, NUMBER), optional=2), flow.elementwise, ELEMENT
    ),
    "Col2Im": _refused(NO_COLUMNS, sizes=(1, 2)),
    "Concat": Operator(
        Rule(shapes.concatenate, (4, 11, 13), (ALL,), {"axis": ANY}, many=True), flow.concatenate, ELEMENT
    ),
    "Constant": Operator(
        Rule(
            shapes.constant,
            (1, 9, 11, 12, 13, 19, *_LATE),
            (),
            dict.fromkeys(("value", "value_float", "value_floats", "value_int", "value_ints"), ANY),
        ),
        flow.of_constant,
        ELEMENT,
    ),
    "ConstantOfShape": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT, sizes=(0,)),
    "Conv": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "Cos": Operator(NOT_NEEDED, flow.elementwise, FUNCTION),
    "Cosh": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "CumSum": Operator(_SORTS, _MIXES, ELEMENT),
    "DFT": _refused(NO_COLUMNS, sizes=(1, 2)),
    "DequantizeLinear": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Div": Operator(Rule(arithmetic.divide, (7, 13, 14), (REAL, REAL)), flow.divide, ELEMENT),
    "Dropout": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "DynamicQuantizeLinear": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Einsum": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "Elu": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Equal": Operator(Rule(logic.equal, (7, 11, 13, 19), (COMPARED, COMPARED)), flow.finite, ELEMENT),
    "Erf": Operator(NOT_NEEDED, flow.elementwise, FUNCTION),
    "Exp": Operator(Rule(arithmetic.exponential, (6, 13), (REAL,)), flow.elementwise, FUNCTION),
    "Expand": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT, sizes=(1,)),
    "Flatten": Operator(Rule(shapes.flatten, (1, 9, 11, 13, *_LATE), (ALL,), {"axis": ANY}), flow.flatten, NOTHING),
    "Floor": Operator(Rule(arithmetic.floor, (6, 13), (REAL,)), flow.elementwise, ELEMENT),
    "GRU": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "Gather": Operator(Rule(shapes.gather, (1, 11, 13), (ALL, WHOLE), {"axis": ANY}), flow.gather, ELEMENT),
    "GatherElements": Operator(_SORTS, _UNFOLLOWED, ELEMENT),
    "GatherND": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Gelu": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Gemm": Operator(
        Rule(
            matrices.general_product,
            (7, 9, 11, 13),
            (REAL, REAL, REAL),
            {"alpha": ANY, "beta": ANY, "transA": ANY, "transB": ANY},
            optional=1,
        ),
        flow.general_product,
        PRODUCT,
    ),
    "GlobalAveragePool": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "GlobalMaxPool": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "Greater": Operator(Rule(logic.greater, (7, 9, 13), (COMPARED, COMPARED)), flow.finite, ELEMENT),
    "GreaterOrEqual": Operator(Rule(logic.greater_or_equal, (12, 16), (COMPARED, COMPARED)), flow.finite, ELEMENT),
    "GroupNormalization": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "HammingWindow": _refused(NO_COLUMNS, sizes=(0,)),
    "HannWindow": _refused(NO_COLUMNS, sizes=(0,)),
    "HardSigmoid": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "HardSwish": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Hardmax": Operator(NOT_NEEDED, flow.row_by_row, ELEMENT),
    "Identity": Operator(Rule(shapes.identity, (1, 13, 14, 16, 19, *_LATE), (ALL,)), flow.identity, NOTHING),
    "If": _refused(_BRANCHES),
    "InstanceNormalization": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "IsInf": Operator(NOT_NEEDED, flow.finite, ELEMENT),
    "IsNaN": Operator(Rule(logic.is_missing, (9, 13, 20), (REAL,)), flow.finite, ELEMENT),
    "LSTM": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "LayerNormalization": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "LeakyRelu": Operator(
        Rule(arithmetic.leaky_rectify, (6, 16), ((FLOAT,),), {"alpha": ANY}), flow.elementwise, ELEMENT
    ),
    "Less": Operator(Rule(logic.less, (7, 9, 13), (COMPARED, COMPARED)), flow.finite, ELEMENT),
    "LessOrEqual": Operator(Rule(logic.less_or_equal, (12, 16), (COMPARED, COMPARED)), flow.finite, ELEMENT),
    "Log": Operator(Rule(arithmetic.logarithm, (6, 13), (REAL,)), flow.unbounded, FUNCTION),
    "LogSoftmax": Operator(NOT_NEEDED, flow.row_by_row, ELEMENT),
    "Loop": _refused(_RUNS_FOR_EVER),
    "LpNormalization": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "MatMul": Operator(Rule(matrices.matrix_product, (1, 9, 13), (REAL, REAL)), flow.matrix_product, PRODUCT),
    "MatMulInteger": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Max": Operator(Rule(arithmetic.largest_of_pairs, (8, 12, 13), (NUMBER,), many=True), flow.elementwise, ELEMENT),
    "MaxPool": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "MaxUnpool": _refused(NO_COLUMNS, sizes=(2,)),
    "Mean": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "MeanVarianceNormalization": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "MelWeightMatrix": _refused(NO_COLUMNS, sizes=(0, 1)),
    "Min": Operator(Rule(arithmetic.smallest_of_pairs, (8, 12, 13), (NUMBER,), many=True), flow.elementwise, ELEMENT),
    "Mish": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Mod": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "Mul": Operator(Rule(arithmetic.multiply, (7, 13, 14), (NUMBER, NUMBER)), flow.multiply, ELEMENT),
    "Multinomial": _refused(_CHANCE),
    "Neg": Operator(Rule(arithmetic.negate, (6, 13), (NUMBER,)), flow.elementwise, ELEMENT),
    "NonZero": _refused(GROWS),
    "Not": Operator(Rule(logic.negation, (1,), (TRUTH,)), flow.finite, ELEMENT),
    "OneHot": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT, sizes=(1,)),
    "Or": Operator(Rule(logic.either, (7,), (TRUTH, TRUTH)), flow.finite, ELEMENT),
    "PRelu": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Pad": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT, sizes=(1, 3)),
    "Pow": Operator(Rule(arithmetic.power, (7, 12, 13, 15), (REAL, REAL)), flow.power, FUNCTION),
    "QLinearMatMul": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "QuantizeLinear": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "RMSNormalization": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "RNN": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "RandomNormal": _refused(_CHANCE),
    "RandomNormalLike": _refused(_CHANCE),
    "RandomUniform": _refused(_CHANCE),
    "RandomUniformLike": _refused(_CHANCE),
    "Range": _refused(GROWS),
    "Reciprocal": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "ReduceL1": _reduction(NOT_NEEDED),
    "ReduceL2": Operator(NOT_NEEDED, flow.reduce_unbounded, ELEMENT, sizes=(1,)),
    "ReduceLogSum": Operator(NOT_NEEDED, flow.reduce_unbounded, ELEMENT, sizes=(1,)),
    "ReduceLogSumExp": Operator(NOT_NEEDED, flow.reduce_unbounded, ELEMENT, sizes=(1,)),
    "ReduceMax": _reduction(Rule(matrices.reduce_max, (1, 11, 12, 13, 18, 20), (REAL, WHOLE), _REDUCED, optional=1)),
    "ReduceMean": _reduction(Rule(matrices.reduce_mean, (1, 11, 13, 18), (REAL, WHOLE), _REDUCED, optional=1)),
    "ReduceMin": _reduction(NOT_NEEDED),
    "ReduceProd": _reduction(NOT_NEEDED),
    "ReduceSum": _reduction(Rule(matrices.reduce_sum, (1, 11, 13), (NUMBER, WHOLE), _REDUCED, optional=1)),
    "ReduceSumSquare": _reduction(NOT_NEEDED),
    "Relu": Operator(Rule(arithmetic.rectify, (6, 13, 14), (REAL,)), flow.elementwise, ELEMENT),
    "Reshape": Operator(
        Rule(shapes.reshape, (5, 13, 14, 19, *_LATE), (ALL, WHOLE), {"allowzero": (0,)}),
        flow.reshape,
        NOTHING,
        sizes=(1,),
    ),
    "Resize": _refused(NO_COLUMNS, sizes=(1, 2, 3)),
    "Round": Operator(_HALVES, flow.elementwise, ELEMENT),
    "STFT": _refused(NO_COLUMNS, sizes=(1, 3)),
    "Scan": _refused(_RUNS_FOR_EVER),
    "ScatterElements": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "ScatterND": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Selu": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "SequenceMap": _refused(_RUNS_FOR_EVER),
    "Shape": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Sigmoid": Operator(Rule(arithmetic.sigmoid, (6, 13), (REAL,)), flow.elementwise, FUNCTION),
    "Sign": Operator(Rule(arithmetic.sign, (9, 13), (NUMBER,)), flow.elementwise, ELEMENT),
    "Sin": Operator(NOT_NEEDED, flow.elementwise, FUNCTION),
    "Sinh": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Size": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Slice": Operator(
        Rule(shapes.cut, (10, 11, 13), (ALL, WHOLE, WHOLE, WHOLE, WHOLE), optional=2),
        flow.cut,
        ELEMENT,
        sizes=(1, 2, 3, 4),
    ),
    "Softmax": Operator(Rule(matrices.softmax, (1, 11, 13), (REAL,), {"axis": ANY}), flow.row_by_row, FUNCTION),
    "Softplus": Operator(NOT_NEEDED, flow.elementwise, FUNCTION),
    "Softsign": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Split": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT, sizes=(1,)),
    "Sqrt": Operator(Rule(arithmetic.square_root, (6, 13), (REAL,)), flow.unbounded, FUNCTION),
    "Squeeze": Operator(
        Rule(shapes.squeeze, (1, 11, 13, *_LATE), (ALL, WHOLE), {"axes": ANY}, optional=1),
        flow.squeeze,
        NOTHING,
        sizes=(1,),
    ),
    "StringConcat": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "StringNormalizer": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "StringSplit": _refused(GROWS),
    "Sub": Operator(Rule(arithmetic.subtract, (7, 13, 14), (NUMBER, NUMBER)), flow.elementwise, ELEMENT),
    "Sum": Operator(Rule(arithmetic.sum_of_all, (8, 13), (REAL,), many=True), flow.elementwise, ELEMENT),
    "Swish": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Tan": Operator(NOT_NEEDED, flow.unbounded, ELEMENT),
    "Tanh": Operator(Rule(arithmetic.hyperbolic_tangent, (6, 13), (REAL,)), flow.elementwise, FUNCTION),
    "TfIdfVectorizer": Operator(NOT_NEEDED, _MIXES, ELEMENT),
    "ThresholdedRelu": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "Tile": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT, sizes=(1,)),
    "TopK": Operator(_SORTS, _MIXES, ELEMENT, sizes=(1,)),
    "Transpose": Operator(NOT_NEEDED, flow.transpose, ELEMENT),
    "Trilu": Operator(NOT_NEEDED, _UNFOLLOWED, ELEMENT),
    "Unsqueeze": Operator(
        Rule(shapes.unsqueeze, (1, 11, 13, *_LATE), (ALL, WHOLE), {"axes": ANY}, optional=1),
        flow.unsqueeze,
        NOTHING,
        sizes=(1,),
    ),
    "Upsample": _refused(NO_COLUMNS, sizes=(1,)),
    "Where": Operator(Rule(logic.where, (9, 16), (TRUTH, ALL, ALL)), flow.elementwise, ELEMENT),
    "Xor": Operator(NOT_NEEDED, flow.finite, ELEMENT),
}
