"""The rules that translate ONNX operators to SQL: `OPERATORS`, the one table.

A row names a plain function and states which versions of the operator, which input types and which attributes the
function understands (https://onnx.ai/onnx/operators/). Any other use of the operator is left to ONNX Runtime. Operators
that sqlml's exporters write and that have no rule are listed, with the reason, in `WITHOUT_RULE`.
"""

from __future__ import annotations

from sqlml.compiler.operators import (
    arithmetic,
    classical,
    encoders,
    logic,
    matrices,
    preparation,
    shapes,
    trees_as_case,
)
from sqlml.compiler.operators.rule import ANY, ML, Rule
from sqlml.compiler.values import BOOL, DOUBLE, FLOAT, INT32, INT64, STRING

_REAL = (DOUBLE, FLOAT)
_NUMBER = (DOUBLE, FLOAT, INT64)
_WHOLE = (INT32, INT64)
_COMPARED = (DOUBLE, FLOAT, INT32, INT64)
_TRUTH = (BOOL,)
_ALL = (BOOL, DOUBLE, FLOAT, INT32, INT64, STRING)
# Versions in which operators that only move elements changed nothing but their list of types.
_LATE = (21, 23, 24, 25)

_TRANSFORM = {"post_transform": ANY}
_LABELS = {"classlabels_strings": ANY, "classlabels_ints": ANY}
_SUPPORT = {
    **dict.fromkeys(("coefficients", "kernel_type", "post_transform", "rho", "support_vectors"), ANY),
    # Parameters of the other kernels; a linear one ignores them.
    "kernel_params": ANY,
}
_TREES = dict.fromkeys(
    (
        *("base_values", "base_values_as_tensor", "nodes_falsenodeids", "nodes_featureids", "nodes_modes"),
        *("nodes_hitrates", "nodes_hitrates_as_tensor", "nodes_missing_value_tracks_true", "nodes_nodeids"),
        *("nodes_treeids", "nodes_truenodeids", "nodes_values", "nodes_values_as_tensor", "post_transform"),
    ),
    ANY,
)

OPERATORS: dict[str, Rule] = {
    "Abs": Rule(arithmetic.absolute, (6, 13), (_NUMBER,)),
    "Add": Rule(arithmetic.add, (7, 13, 14), (_NUMBER, _NUMBER)),
    "And": Rule(logic.both, (7,), (_TRUTH, _TRUTH)),
    "ArgMax": Rule(
        matrices.first_largest,
        (1, 11, 12, 13),
        (_REAL,),
        {"axis": ANY, "keepdims": ANY, "select_last_index": (0,)},
    ),
    "ArrayFeatureExtractor": Rule(shapes.extract_features, (1,), (_ALL, (INT64,)), domain=ML),
    "Binarizer": Rule(preparation.binarizer, (1,), (_REAL,), {"threshold": ANY}, domain=ML),
    "Cast": Rule(
        shapes.cast,
        (9, 13, 19, 21, 23, 24, 25),
        (_ALL,),
        # The last two concern 8-bit floats only.
        {"to": ANY, "saturate": (0, 1), "round_mode": ("up", "down", "nearest")},
    ),
    "Clip": Rule(arithmetic.clip, (11, 12, 13), (_NUMBER, _NUMBER, _NUMBER), optional=2),
    "Concat": Rule(shapes.concatenate, (4, 11, 13), (_ALL,), {"axis": ANY}, many=True),
    "Constant": Rule(
        shapes.constant,
        (1, 9, 11, 12, 13, 19, *_LATE),
        (),
        dict.fromkeys(("value", "value_float", "value_floats", "value_int", "value_ints"), ANY),
    ),
    "Div": Rule(arithmetic.divide, (7, 13, 14), (_REAL, _REAL)),
    "Equal": Rule(logic.equal, (7, 11, 13, 19), (_COMPARED, _COMPARED)),
    "Exp": Rule(arithmetic.exponential, (6, 13), (_REAL,)),
    "FeatureVectorizer": Rule(
        preparation.feature_vectorizer, (1,), (_NUMBER,), {"inputdimensions": ANY}, domain=ML, many=True
    ),
    "Flatten": Rule(shapes.flatten, (1, 9, 11, 13, *_LATE), (_ALL,), {"axis": ANY}),
    "Floor": Rule(arithmetic.floor, (6, 13), (_REAL,)),
    "Gather": Rule(shapes.gather, (1, 11, 13), (_ALL, _WHOLE), {"axis": ANY}),
    "Gemm": Rule(
        matrices.general_product,
        (7, 9, 11, 13),
        (_REAL, _REAL, _REAL),
        {"alpha": ANY, "beta": ANY, "transA": ANY, "transB": ANY},
        optional=1,
    ),
    "Greater": Rule(logic.greater, (7, 9, 13), (_COMPARED, _COMPARED)),
    "GreaterOrEqual": Rule(logic.greater_or_equal, (12, 16), (_COMPARED, _COMPARED)),
    "Identity": Rule(shapes.identity, (1, 13, 14, 16, 19, *_LATE), (_ALL,)),
    "Imputer": Rule(
        preparation.imputer,
        (1,),
        ((FLOAT,),),
        {"imputed_value_floats": ANY, "replaced_value_float": ANY},
        domain=ML,
    ),
    "IsNaN": Rule(logic.is_missing, (9, 13, 20), (_REAL,)),
    "LabelEncoder": Rule(
        encoders.label_encoder,
        (2, 4),
        ((STRING, INT64),),
        dict.fromkeys(
            ("default_int64", "default_tensor", "keys_int64s", "keys_strings", "values_int64s", "values_tensor"), ANY
        ),
        domain=ML,
    ),
    "Less": Rule(logic.less, (7, 9, 13), (_COMPARED, _COMPARED)),
    "LessOrEqual": Rule(logic.less_or_equal, (12, 16), (_COMPARED, _COMPARED)),
    "LinearClassifier": Rule(
        classical.linear_classifier,
        (1,),
        ((FLOAT,),),
        # ONNX Runtime ignores multi_class.
        {"coefficients": ANY, "intercepts": ANY, "multi_class": (0, 1), **_LABELS, **_TRANSFORM},
        domain=ML,
    ),
    "LinearRegressor": Rule(
        classical.linear_regressor,
        (1,),
        ((FLOAT,),),
        {"coefficients": ANY, "intercepts": ANY, "targets": ANY, **_TRANSFORM},
        domain=ML,
    ),
    "Log": Rule(arithmetic.logarithm, (6, 13), (_REAL,)),
    "MatMul": Rule(matrices.matrix_product, (1, 9, 13), (_REAL, _REAL)),
    "Max": Rule(arithmetic.largest_of_pairs, (8, 12, 13), (_NUMBER,), many=True),
    "Min": Rule(arithmetic.smallest_of_pairs, (8, 12, 13), (_NUMBER,), many=True),
    "Mul": Rule(arithmetic.multiply, (7, 13, 14), (_NUMBER, _NUMBER)),
    "Neg": Rule(arithmetic.negate, (6, 13), (_NUMBER,)),
    "Normalizer": Rule(preparation.normalizer, (1,), (_REAL,), {"norm": ANY}, domain=ML),
    "Not": Rule(logic.negation, (1,), (_TRUTH,)),
    "OneHotEncoder": Rule(
        preparation.one_hot_encoder,
        (1,),
        ((INT64, STRING),),
        {"cats_int64s": ANY, "cats_strings": ANY, "zeros": (1,)},
        domain=ML,
    ),
    "Or": Rule(logic.either, (7,), (_TRUTH, _TRUTH)),
    "Pow": Rule(arithmetic.power, (7, 12, 13, 15), (_REAL, _REAL)),
    "ReduceMax": Rule(
        matrices.reduce_max,
        (1, 11, 12, 13, 18, 20),
        (_REAL, _WHOLE),
        {"axes": ANY, "keepdims": ANY, "noop_with_empty_axes": (0, 1)},
        optional=1,
    ),
    "ReduceMean": Rule(
        matrices.reduce_mean,
        (1, 11, 13, 18),
        (_REAL, _WHOLE),
        {"axes": ANY, "keepdims": ANY, "noop_with_empty_axes": (0, 1)},
        optional=1,
    ),
    "ReduceSum": Rule(
        matrices.reduce_sum,
        (1, 11, 13),
        (_NUMBER, _WHOLE),
        {"axes": ANY, "keepdims": ANY, "noop_with_empty_axes": (0, 1)},
        optional=1,
    ),
    "Relu": Rule(arithmetic.rectify, (6, 13, 14), (_REAL,)),
    "Reshape": Rule(shapes.reshape, (5, 13, 14, 19, *_LATE), (_ALL, _WHOLE), {"allowzero": (0,)}),
    "SVMClassifier": Rule(
        classical.svm_classifier,
        (1,),
        ((FLOAT,),),
        {**_SUPPORT, **_LABELS, "prob_a": ANY, "prob_b": ANY, "vectors_per_class": ANY},
        domain=ML,
    ),
    "SVMRegressor": Rule(
        classical.svm_regressor, (1,), ((FLOAT,),), {**_SUPPORT, "n_supports": ANY, "one_class": (0,)}, domain=ML
    ),
    "Scaler": Rule(preparation.scaler, (1,), (_REAL,), {"offset": ANY, "scale": ANY}, domain=ML),
    "Sigmoid": Rule(arithmetic.sigmoid, (6, 13), (_REAL,)),
    "Sign": Rule(arithmetic.sign, (9, 13), (_NUMBER,)),
    "Slice": Rule(shapes.cut, (10, 11, 13), (_ALL, _WHOLE, _WHOLE, _WHOLE, _WHOLE), optional=2),
    "Softmax": Rule(matrices.softmax, (1, 11, 13), (_REAL,), {"axis": ANY}),
    "Sqrt": Rule(arithmetic.square_root, (6, 13), (_REAL,)),
    "Squeeze": Rule(shapes.squeeze, (1, 11, 13, *_LATE), (_ALL, _WHOLE), {"axes": ANY}, optional=1),
    "Sub": Rule(arithmetic.subtract, (7, 13, 14), (_NUMBER, _NUMBER)),
    "Sum": Rule(arithmetic.sum_of_all, (8, 13), (_REAL,), many=True),
    "Tanh": Rule(arithmetic.hyperbolic_tangent, (6, 13), (_REAL,)),
    "TreeEnsemble": Rule(
        trees_as_case.tree_ensemble,
        (5,),
        (_REAL,),
        dict.fromkeys(
            (
                *("aggregate_function", "leaf_targetids", "leaf_weights", "membership_values", "n_targets"),
                *("nodes_falseleafs", "nodes_falsenodeids", "nodes_featureids", "nodes_hitrates"),
                *("nodes_missing_value_tracks_true", "nodes_modes", "nodes_splits", "nodes_trueleafs"),
                *("nodes_truenodeids", "post_transform", "tree_roots"),
            ),
            ANY,
        ),
        domain=ML,
    ),
    "TreeEnsembleClassifier": Rule(
        trees_as_case.tree_ensemble_classifier,
        (1, 3),
        (_REAL,),
        {
            **_TREES,
            **dict.fromkeys(("class_ids", "class_nodeids", "class_treeids", "class_weights"), ANY),
            **dict.fromkeys(("class_weights_as_tensor", "classlabels_int64s", "classlabels_strings"), ANY),
        },
        domain=ML,
    ),
    "TreeEnsembleRegressor": Rule(
        trees_as_case.tree_ensemble_regressor,
        (1, 3),
        (_REAL,),
        {
            **_TREES,
            **dict.fromkeys(("aggregate_function", "n_targets", "target_ids", "target_nodeids"), ANY),
            **dict.fromkeys(("target_treeids", "target_weights", "target_weights_as_tensor"), ANY),
        },
        domain=ML,
    ),
    "Unsqueeze": Rule(shapes.unsqueeze, (1, 11, 13, *_LATE), (_ALL, _WHOLE), {"axes": ANY}, optional=1),
    "Where": Rule(logic.where, (9, 16), (_TRUTH, _ALL, _ALL)),
}

_SORTS = "it sorts numbers of a row"
WITHOUT_RULE: dict[str, str] = {
    "CumSum": _SORTS,
    "GatherElements": _SORTS,
    "Round": "no two engines round halves alike",
    "TopK": _SORTS,
}
