"""The operators of ONNX that can be said in SQL: `OPERATORS`, the one table; a plain function for each.

A function gets the node, its inputs and the scope that it adds definitions to, and returns the node's outputs. What
sqlml's exporters write and has no rule here is listed, with the reason, in `WITHOUT_RULE`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlml.compiler.node import Node
from sqlml.compiler.operators import arithmetic, classical, encoders, logic, matrices, preparation, shapes, trees
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import Value

Rule = Callable[[Node, list[Value], Scope], list[Value]]

OPERATORS: dict[str, Rule] = {
    "Abs": arithmetic.absolute,
    "Add": arithmetic.add,
    "And": logic.both,
    "ArgMax": matrices.first_largest,
    "ArrayFeatureExtractor": shapes.extract_features,
    "Binarizer": preparation.binarizer,
    "Cast": shapes.cast,
    "Clip": arithmetic.clip,
    "Concat": shapes.concatenate,
    "Constant": shapes.constant,
    "Div": arithmetic.divide,
    "Equal": logic.equal,
    "Exp": arithmetic.exponential,
    "FeatureVectorizer": preparation.feature_vectorizer,
    "Flatten": shapes.flatten,
    "Floor": arithmetic.floor,
    "Gather": shapes.gather,
    "Gemm": matrices.general_product,
    "Greater": logic.greater,
    "GreaterOrEqual": logic.greater_or_equal,
    "Identity": shapes.identity,
    "Imputer": preparation.imputer,
    "IsNaN": logic.is_missing,
    "LabelEncoder": encoders.label_encoder,
    "Less": logic.less,
    "LessOrEqual": logic.less_or_equal,
    "LinearClassifier": classical.linear_classifier,
    "LinearRegressor": classical.linear_regressor,
    "Log": arithmetic.logarithm,
    "MatMul": matrices.matrix_product,
    "Max": arithmetic.largest_of_pairs,
    "Min": arithmetic.smallest_of_pairs,
    "Mul": arithmetic.multiply,
    "Neg": arithmetic.negate,
    "Normalizer": preparation.normalizer,
    "Not": logic.negation,
    "OneHotEncoder": preparation.one_hot_encoder,
    "Or": logic.either,
    "Pow": arithmetic.power,
    "ReduceMax": matrices.reduce_max,
    "ReduceMean": matrices.reduce_mean,
    "ReduceSum": matrices.reduce_sum,
    "Relu": arithmetic.rectify,
    "Reshape": shapes.reshape,
    "SVMClassifier": classical.svm_classifier,
    "SVMRegressor": classical.svm_regressor,
    "Scaler": preparation.scaler,
    "Sigmoid": arithmetic.sigmoid,
    "Sign": arithmetic.sign,
    "Slice": shapes.cut,
    "Softmax": matrices.softmax,
    "Sqrt": arithmetic.square_root,
    "Squeeze": shapes.squeeze,
    "Sub": arithmetic.subtract,
    "Sum": arithmetic.sum_of_all,
    "Tanh": arithmetic.hyperbolic_tangent,
    "TreeEnsemble": trees.tree_ensemble,
    "TreeEnsembleClassifier": trees.tree_ensemble_classifier,
    "TreeEnsembleRegressor": trees.tree_ensemble_regressor,
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
