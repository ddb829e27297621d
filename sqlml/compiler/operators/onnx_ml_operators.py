"""The operators of the domain ai.onnx.ml, classical models: their rows of the OPERATORS table."""

from __future__ import annotations

from sqlml.compiler import feature_flow as flow
from sqlml.compiler.operators import classical, encoders, preparation, shapes, trees_as_case
from sqlml.compiler.operators.operator import NOT_NEEDED, Cost, Operator
from sqlml.compiler.operators.rule import ALL, ANY, NUMBER, REAL, Rule
from sqlml.compiler.values import FLOAT, INT64, STRING

ELEMENT, LINEAR, NOTHING = Cost.ELEMENT, Cost.LINEAR, Cost.NOTHING

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

# Why there is no flow.
_KERNEL = "its results depend on the distances of a row from its support vectors, and so on all features"
_MAPS = "it makes a map, which importing takes out of the graph"

ONNX_ML_OPERATORS: dict[str, Operator] = {
    "ArrayFeatureExtractor": Operator(Rule(shapes.extract_features, (1,), (ALL, (INT64,))), flow.extract, ELEMENT),
    "Binarizer": Operator(Rule(preparation.binarizer, (1,), (REAL,), {"threshold": ANY}), flow.elementwise, ELEMENT),
    "CategoryMapper": Operator(NOT_NEEDED, flow.elementwise, ELEMENT),
    "FeatureVectorizer": Operator(
        Rule(preparation.feature_vectorizer, (1,), (NUMBER,), {"inputdimensions": ANY}, many=True),
        flow.concatenate,
        ELEMENT,
    ),
    "Imputer": Operator(
        Rule(
            preparation.imputer,
            (1,),
            ((FLOAT,),),
            {"imputed_value_floats": ANY, "replaced_value_float": ANY},
        ),
        flow.elementwise,
        ELEMENT,
    ),
    "LabelEncoder": Operator(
        Rule(
            encoders.label_encoder,
            (2, 4),
            ((STRING, INT64),),
            dict.fromkeys(
                ("default_int64", "default_tensor", "keys_int64s", "keys_strings", "values_int64s", "values_tensor"),
                ANY,
            ),
        ),
        flow.encode_labels,
        ELEMENT,
    ),
    "LinearClassifier": Operator(
        Rule(
            classical.linear_classifier,
            (1,),
            ((FLOAT,),),
            # ONNX Runtime ignores multi_class.
            {"coefficients": ANY, "intercepts": ANY, "multi_class": (0, 1), **_LABELS, **_TRANSFORM},
        ),
        flow.linear_model,
        LINEAR,
    ),
    "LinearRegressor": Operator(
        Rule(
            classical.linear_regressor,
            (1,),
            ((FLOAT,),),
            {"coefficients": ANY, "intercepts": ANY, "targets": ANY, **_TRANSFORM},
        ),
        flow.linear_model,
        LINEAR,
    ),
    "Normalizer": Operator(Rule(preparation.normalizer, (1,), (REAL,), {"norm": ANY}), flow.norm, ELEMENT),
    "OneHotEncoder": Operator(
        Rule(
            preparation.one_hot_encoder,
            (1,),
            ((INT64, STRING),),
            {"cats_int64s": ANY, "cats_strings": ANY, "zeros": (1,)},
        ),
        flow.one_hot,
        ELEMENT,
    ),
    "SVMClassifier": Operator(
        Rule(
            classical.svm_classifier,
            (1,),
            ((FLOAT,),),
            {**_SUPPORT, **_LABELS, "prob_a": ANY, "prob_b": ANY, "vectors_per_class": ANY},
        ),
        _KERNEL,
        LINEAR,
    ),
    "SVMRegressor": Operator(
        Rule(classical.svm_regressor, (1,), ((FLOAT,),), {**_SUPPORT, "n_supports": ANY, "one_class": (0,)}),
        _KERNEL,
        LINEAR,
    ),
    "Scaler": Operator(Rule(preparation.scaler, (1,), (REAL,), {"offset": ANY, "scale": ANY}), flow.scale, ELEMENT),
    "TreeEnsemble": Operator(
        Rule(
            trees_as_case.tree_ensemble,
            (5,),
            (REAL,),
            dict.fromkeys(
                (
                    *("aggregate_function", "leaf_targetids", "leaf_weights", "membership_values", "n_targets"),
                    *("nodes_falseleafs", "nodes_falsenodeids", "nodes_featureids", "nodes_hitrates"),
                    *("nodes_missing_value_tracks_true", "nodes_modes", "nodes_splits", "nodes_trueleafs"),
                    *("nodes_truenodeids", "post_transform", "tree_roots"),
                ),
                ANY,
            ),
        ),
        flow.trees,
        NOTHING,
    ),
    "TreeEnsembleClassifier": Operator(
        Rule(
            trees_as_case.tree_ensemble_classifier,
            (1, 3),
            (REAL,),
            {
                **_TREES,
                **dict.fromkeys(("class_ids", "class_nodeids", "class_treeids", "class_weights"), ANY),
                **dict.fromkeys(("class_weights_as_tensor", "classlabels_int64s", "classlabels_strings"), ANY),
            },
        ),
        flow.trees,
        NOTHING,
    ),
    "TreeEnsembleRegressor": Operator(
        Rule(
            trees_as_case.tree_ensemble_regressor,
            (1, 3),
            (REAL,),
            {
                **_TREES,
                **dict.fromkeys(("aggregate_function", "n_targets", "target_ids", "target_nodeids"), ANY),
                **dict.fromkeys(("target_treeids", "target_weights", "target_weights_as_tensor"), ANY),
            },
        ),
        flow.trees,
        NOTHING,
    ),
    "ZipMap": Operator(NOT_NEEDED, _MAPS, ELEMENT),
}
