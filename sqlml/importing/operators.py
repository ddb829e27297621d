"""The allow-list of ONNX operators for imported models: `OPERATORS`.

It holds the operators that sqlml's exporters write, and those of networks and scikit-learn pipelines over columns.
Each computes its outputs from its inputs in one pass. Operators that are excluded on purpose have their
reason in `REASONS`; any other is missing because no model over columns was seen to need it.
https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

ONNX, ONNX_ML = "", "ai.onnx.ml"


def known_domain(domain: str) -> str:
    """Normalizes a domain: "ai.onnx" is another name of ""."""
    return ONNX if domain == "ai.onnx" else domain


# The opset versions of each domain: the oldest that ONNX Runtime runs, and the newest that was tested.
OPSETS: dict[str, tuple[int, int]] = {ONNX: (7, 26), ONNX_ML: (1, 5)}

_ARITHMETIC = """
    Abs Acos Acosh Add Asin Asinh Atan Atanh Ceil Clip Cos Cosh CumSum Div Erf Exp Floor IsInf IsNaN Log Max Mean Min
    Mod Mul Neg Pow Reciprocal Round Sign Sin Sinh Sqrt Sub Sum Tan Tanh"""
_LOGIC = "And Equal Greater GreaterOrEqual Less LessOrEqual Not Or Where Xor"
_REDUCTIONS = """
    ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare TopK"""
_SHAPES = """
    Cast CastLike Concat Constant ConstantOfShape Expand Flatten Gather GatherElements GatherND Identity OneHot Pad
    Reshape ScatterElements ScatterND Shape Size Slice Split Squeeze Tile Transpose Trilu Unsqueeze"""
_MATRICES = "Einsum Gemm MatMul"
_NETWORKS = """
    Attention AveragePool BatchNormalization Celu Conv Dropout Elu GRU Gelu GlobalAveragePool GlobalMaxPool
    GroupNormalization HardSigmoid HardSwish Hardmax InstanceNormalization LSTM LayerNormalization LeakyRelu LogSoftmax
    LpNormalization MaxPool MeanVarianceNormalization Mish PRelu RMSNormalization RNN Relu Selu Sigmoid Softmax Softplus
    Softsign Swish ThresholdedRelu"""
_QUANTIZED = "DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearMatMul QuantizeLinear"
_TEXT = "StringConcat StringNormalizer TfIdfVectorizer"
_CLASSICAL = """
    ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder LinearClassifier
    LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier
    TreeEnsembleRegressor ZipMap"""

OPERATORS: dict[str, frozenset[str]] = {
    ONNX: frozenset(
        " ".join((_ARITHMETIC, _LOGIC, _REDUCTIONS, _SHAPES, _MATRICES, _NETWORKS, _QUANTIZED, _TEXT)).split()
    ),
    ONNX_ML: frozenset(_CLASSICAL.split()),
}

_RUNS_FOR_EVER = "it runs a part of the graph again and again, for as long as the file says"
_BRANCH = "it holds graphs of its own, which cannot be checked by looking at each operator once"
_RANDOM = "a prediction must not depend on chance"
_GROWS = "the values of a row decide how much memory it takes"

REASONS: dict[str, str] = {
    "Bernoulli": _RANDOM,
    "If": _BRANCH,
    "Loop": _RUNS_FOR_EVER,
    "Multinomial": _RANDOM,
    "NonZero": _GROWS,
    "RandomNormal": _RANDOM,
    "RandomNormalLike": _RANDOM,
    "RandomUniform": _RANDOM,
    "RandomUniformLike": _RANDOM,
    "Range": _GROWS,
    "Scan": _RUNS_FOR_EVER,
    "SequenceMap": _RUNS_FOR_EVER,
    "StringSplit": _GROWS,
}
# Operators whose output's size depends on the values of a row, whichever inputs they have.
GROWING = frozenset(operator for operator, reason in REASONS.items() if reason == _GROWS)
