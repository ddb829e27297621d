"""The documented examples of skl2onnx, onnxmltools and CatBoost, written anew on data that scikit-learn ships.

Each fits a model, converts it with the library alone, and keeps what the model predicts. `options` are those of IMPORT
MODEL that its graph leaves open: the names of the columns of a matrix, say. Examples that need a download or another
server (MobileNet, Keras, H2O) are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert import convert_lightgbm, convert_sklearn, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloats
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm as convert_lightgbm_step
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost as convert_xgboost_step
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxGather, OnnxMul, OnnxReduceSum
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from skl2onnx.sklapi import CastTransformer
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import NMF
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ExpSineSquared
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

if TYPE_CHECKING:
    from onnx import ModelProto

_IRIS, _DIABETES = load_iris(), load_diabetes()
_X, _Y = _IRIS.data.astype(np.float32), _IRIS.target
_FLOWERS = pd.DataFrame(_X, columns=["sepal_length", "sepal_width", "petal_length", "petal_width"])
_PATIENTS = pd.DataFrame(_DIABETES.data[:150, :4], columns=["age", "sex", "bmi", "bp"])
_LABEL = {"outputs": ["label"], "labels": [0, 1, 2]}
# The names of the columns are in no example's graph, unless it has an input for each column.
_NAMES = {"features": list(_FLOWERS)}


@dataclass(frozen=True)
class Example:
    """A converted model.

    Attributes:
        graph: as the library writes it.
        rows: the columns in the order of the graph's inputs.
        predictions: what the model says of the rows: classes, or numbers.
        options: of IMPORT MODEL.
        operators: those that an administrator has to allow first.
    """

    graph: ModelProto
    rows: pd.DataFrame
    predictions: list[Any]
    options: dict[str, Any] = field(default_factory=dict)
    operators: frozenset[str] = frozenset()


def _iris(model: Any, converter: dict[str, Any] | None = None, *, learned: Any = _Y, **options: Any) -> Example:
    """A model of irises by `to_onnx`, whose options for the model are `converter`."""
    model.fit(_X, learned)
    words = {} if converter is None else {"options": {id(model): converter}}
    graph = to_onnx(model, initial_types=[("float_input", FloatTensorType([None, 4]))], target_opset=_OPSETS, **words)
    return Example(graph, _FLOWERS, model.predict(_X).ravel().tolist(), {**_NAMES, **options})


_OPSETS = {"": 17, "ai.onnx.ml": 3}


def _logistic() -> Any:
    return LogisticRegression(max_iter=500)


def _raw_scores() -> Example:
    return _iris(_logistic(), {"raw_scores": True}, activation="none")


def _without_an_operator() -> Example:
    model = GaussianMixture(3, random_state=0).fit(_X)
    graph = to_onnx(
        model, _X[:1], options={id(model): {"score_samples": True}}, black_op={"ReduceLogSumExp"}, target_opset=15
    )
    options = {**_NAMES, "outputs": ["label", "probabilities"]}
    return Example(graph, _FLOWERS, model.predict(_X).tolist(), options)


def _single_probability() -> Example:
    model = RandomForestClassifier(20, random_state=0).fit(_X, _Y)
    graph = to_onnx(model, _X[:1], options={"zipmap": False})
    graph.graph.initializer.append(numpy_helper.from_array(np.array([1]), "index"))
    chosen = helper.make_node("ArrayFeatureExtractor", ["probabilities", "index"], ["P1"], domain="ai.onnx.ml")
    graph.graph.node.append(chosen)
    del graph.graph.output[:]
    graph.graph.output.append(helper.make_tensor_value_info("P1", TensorProto.FLOAT, [None, 1]))
    return Example(graph, _FLOWERS, model.predict_proba(_X)[:, 1].tolist(), _NAMES)


def _boosted_step(kind: type, alias: str, converter: Any, words: dict[str, Any]) -> Example:
    """A pipeline of skl2onnx in which onnxmltools converts the last step."""
    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    update_registered_converter(kind, alias, calculate_linear_classifier_output_shapes, converter, options=options)
    return _iris(make_pipeline(StandardScaler(), kind(n_estimators=3, **words)))


def _lightgbm_pipeline() -> Example:
    from lightgbm import LGBMClassifier

    return _boosted_step(LGBMClassifier, "LightGbmLGBMClassifier", convert_lightgbm_step, {"verbose": -1})


def _xgboost_pipeline() -> Example:
    from xgboost import XGBClassifier

    return _boosted_step(XGBClassifier, "XGBoostXGBClassifier", convert_xgboost_step, {})


def _gaussian_process() -> Example:
    model = GaussianProcessRegressor(ExpSineSquared(), alpha=20.0).fit(_PATIENTS.to_numpy(), _DIABETES.target[:150])
    types = [("X", DoubleTensorType([None, 4]))]
    # Without `optim` skl2onnx writes Scan, which is refused.
    graph = to_onnx(model, initial_types=types, options={id(model): {"optim": "cdist"}}, target_opset=_OPSETS)
    predictions = model.predict(_PATIENTS.to_numpy()).tolist()
    return Example(graph, _PATIENTS, predictions, {"features": list(_PATIENTS)}, frozenset({"com.microsoft.CDist"}))


def _embedding_by_neighbors() -> Example:
    """The example of a custom model learns a t-SNE by nearest neighbours."""
    x = _PATIENTS.to_numpy(np.float32)
    model = KNeighborsRegressor().fit(x, np.column_stack([x.sum(axis=1), x[:, 0]]))
    graph = to_onnx(model, x[:1], options={id(model): {"optim": "cdist"}}, target_opset=_OPSETS)
    predictions = [tuple(row) for row in model.predict(x).tolist()]
    options = {"features": list(_PATIENTS), "target": ["x", "y"]}
    return Example(graph, _PATIENTS.astype(np.float32), predictions, options, frozenset({"com.microsoft.CDist"}))


def _casts() -> Example:
    x = _PATIENTS.astype(np.float32)
    steps = (CastTransformer(dtype=np.float64), StandardScaler(), CastTransformer(), DecisionTreeRegressor(max_depth=9))
    model = make_pipeline(*steps).fit(x.to_numpy(), _DIABETES.target[:150])
    graph = to_onnx(model, x.to_numpy()[:1], options={StandardScaler: {"div": "div_cast"}})
    return Example(graph, x, model.predict(x.to_numpy()).tolist(), {"features": list(x)})


def _titanic() -> Example:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "age": random.integers(1, 80, 300).astype(np.float32),
            "fare": random.gamma(2, 20, 300).astype(np.float32),
            "embarked": random.choice(list("SCQ"), 300),
            "sex": random.choice(["male", "female"], 300),
            "pclass": random.choice(["1", "2", "3"], 300),
        }
    )
    survived = ((rows["sex"] == "female") | (rows["age"] < 10)).astype(int)
    numbers, texts = ["age", "fare"], ["embarked", "sex", "pclass"]
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer([("num", numeric, numbers), ("cat", OneHotEncoder(handle_unknown="ignore"), texts)])
    model = make_pipeline(columns, LogisticRegression()).fit(rows, survived)
    types = [(name, (FloatTensorType if name in numbers else StringTensorType)([None, 1])) for name in rows]
    # An input for each column: the graph says everything.
    return Example(to_onnx(model, initial_types=types), rows, model.predict(rows).tolist())


def _texts() -> Example:
    subjects = ["space shuttle", "hockey game", "moon launch", "goal and ice"] * 10
    bodies = ["the orbit of the moon", "the team won on ice", "a rocket to the sky", "players skate fast"] * 10
    rows = pd.DataFrame({"subject": subjects, "body": bodies})
    union = ColumnTransformer([("subject", TfidfVectorizer(), 0), ("body", TfidfVectorizer(), 1)])
    model = Pipeline([("union", union), ("classifier", LogisticRegression())]).fit(rows.to_numpy(), [0, 1, 0, 1] * 10)
    separators = {TfidfVectorizer: {"locale": "C", "separators": [" ", "[.]", "\\?", ",", ";", ":", "!", "\\(", "\\)"]}}
    types = [("input", StringTensorType([None, 2]))]
    graph = to_onnx(model, initial_types=types, options=separators, target_opset=12)
    predictions = model.predict(rows.to_numpy()).tolist()
    return Example(graph, rows, predictions, {"features": list(rows)}, frozenset({"com.microsoft.Tokenizer"}))


def _recommendation() -> Example:
    """The example of a graph that is written by hand: user and product by a factorization."""
    ratings = np.ones((5, 4)) * [1, 0, 0, 0] + np.eye(5, 4)
    model = NMF(n_components=2, max_iter=900, random_state=0)
    left, right = model.fit_transform(ratings), model.components_
    chosen = [
        OnnxGather(table.astype(np.float32), name, op_version=13) for table, name in ((left, "user"), (right.T, "item"))
    ]
    product = OnnxMul(*chosen, op_version=13)
    rating = OnnxReduceSum(product, np.array([1]), keepdims=0, output_names=["rating"], op_version=13)
    types = [("user", Int64TensorType([None])), ("item", Int64TensorType([None]))]
    graph = rating.to_onnx(types, outputs=[("rating", FloatTensorType([None]))], target_opset=13)
    rows = pd.DataFrame({"user": [0, 1, 2, 4], "item": [0, 1, 3, 2]})
    return Example(graph, rows, (left @ right)[rows["user"], rows["item"]].tolist())


def _intermediate_results() -> Example:
    model = make_pipeline(StandardScaler(), _logistic()).fit(_X, _Y)
    graph = select_model_inputs_outputs(to_onnx(model, _X[:1], target_opset=_OPSETS), "variable")
    names = ["a", "b", "c", "d"]
    return Example(
        graph, _FLOWERS, [tuple(row) for row in model[0].transform(_X).tolist()], {**_NAMES, "target": names}
    )


def _one_more_output() -> Example:
    """The example of a custom parser: whether the best probability is large enough, beside label and probabilities."""
    model = _logistic().fit(_X, _Y)
    graph = to_onnx(model, _X[:1], options={"zipmap": False}, target_opset=_OPSETS)
    graph.graph.node.append(helper.make_node("ReduceMax", ["probabilities"], ["best"], axes=[1], keepdims=0))
    graph.graph.node.append(helper.make_node("Greater", ["best", "least"], ["validity"]))
    graph.graph.initializer.append(helper.make_tensor("least", TensorProto.FLOAT, [], [0.6]))
    graph.graph.output.append(helper.make_tensor_value_info("validity", TensorProto.BOOL, [None]))
    return Example(graph, _FLOWERS, model.predict(_X).tolist(), {**_NAMES, "outputs": ["label", "probabilities"]})


def _lightgbm() -> Example:
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=10, verbose=-1).fit(_X, _Y)
    graph = convert_lightgbm(model, initial_types=[("float_input", ToolsFloats([None, 4]))], target_opset=15)
    return Example(graph, _FLOWERS, model.predict(_X).tolist(), _NAMES)


def _xgboost() -> Example:
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=10).fit(_X, _Y)
    graph = convert_xgboost(model, initial_types=[("float_input", ToolsFloats([None, 4]))], target_opset=15)
    return Example(graph, _FLOWERS, model.predict(_X).tolist(), _NAMES)


def _scikit_learn() -> Example:
    model = _logistic().fit(_X, _Y)
    # The function takes skl2onnx's types, not those of onnxmltools.
    graph = convert_sklearn(model, initial_types=[("float_input", FloatTensorType([None, 4]))], target_opset=15)
    return Example(graph, _FLOWERS, model.predict(_X).tolist(), _NAMES)


def _catboost() -> Example:
    import tempfile
    from pathlib import Path

    from catboost import CatBoostClassifier

    model = CatBoostClassifier(n_estimators=10, verbose=0, allow_writing_files=False).fit(_X, _Y)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        model.save_model(path, format="onnx")
        graph = onnx.load(path)
    return Example(graph, _FLOWERS, model.predict(_X).ravel().tolist(), _NAMES)


EXAMPLES: dict[str, Callable[[], Example]] = {
    "forest": lambda: _iris(RandomForestClassifier(20, random_state=0)),
    "zipmap": lambda: _iris(_logistic(), {"zipmap": False}),
    "zipmap_columns": lambda: _iris(_logistic(), {"zipmap": "columns"}),
    "raw_scores": _raw_scores,
    "class_labels": lambda: _iris(
        _logistic(), {"output_class_labels": True, "zipmap": False}, learned=_IRIS.target_names[_Y]
    ),
    "calibrated": lambda: _iris(CalibratedClassifierCV(_logistic(), cv=3)),
    "k_means": lambda: _iris(make_pipeline(StandardScaler(), KMeans(3, random_state=0)), **_LABEL),
    "without_an_operator": _without_an_operator,
    "single_probability": _single_probability,
    "lightgbm_pipeline": _lightgbm_pipeline,
    "xgboost_pipeline": _xgboost_pipeline,
    "gaussian_process": _gaussian_process,
    "embedding_by_neighbors": _embedding_by_neighbors,
    "casts": _casts,
    "titanic": _titanic,
    "texts": _texts,
    "recommendation": _recommendation,
    "intermediate_results": _intermediate_results,
    "one_more_output": _one_more_output,
    "onnxmltools_lightgbm": _lightgbm,
    "onnxmltools_xgboost": _xgboost,
    "onnxmltools_scikit_learn": _scikit_learn,
    "catboost": _catboost,
}
