"""Models made elsewhere as SQL: what skl2onnx and PyTorch write, run by DuckDB and SQLite as ONNX Runtime runs it."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers.sql_engines import compare

from sqlml.importing import Imported, requested
from sqlml.importing.loading import opened

_NUMBERS = ["a", "b", "c"]


@cache
def _table() -> pd.DataFrame:
    random = np.random.default_rng(5)
    frame = pd.DataFrame(random.normal(size=(150, 3)), columns=_NUMBERS)
    frame["plan"] = random.choice(["basic", "grün", "O'Hara"], 150)
    frame["two"] = frame["a"] + frame["b"] * frame["c"] > 0
    frame["three"] = np.digitize(frame["a"] - frame["c"], [-0.7, 0.7])
    frame["words"] = np.array(["häh", "a", "O'Hara"], dtype=object)[frame["three"]]
    frame["y"] = frame["a"] - 2 * frame["b"] + (frame["plan"] == "basic")
    return frame


def _opened(model: Any, columns: list[str], **words: Any) -> Imported:
    return opened(model.SerializeToString(), requested(features=columns, **words), None, ())


def _pipeline(*steps: Any) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    *numeric, last = steps
    columns = make_column_transformer(
        (make_pipeline(*numeric) if numeric else "passthrough", _NUMBERS),
        (OneHotEncoder(handle_unknown="ignore"), ["plan"]),
    )
    return make_pipeline(columns, last)


def _converted(fitted: Any, **options: Any) -> Any:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [(name, FloatTensorType([None, 1])) for name in _NUMBERS] + [("plan", StringTensorType([None, 1]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert_sklearn(
            fitted, initial_types=types, options=options or None, target_opset={"": 19, "ai.onnx.ml": 3}
        )


def _compared(found: Imported) -> None:
    """On ordinary rows, a category never seen, and a missing number where the model takes one."""
    rows = _table().head(60)[[*_NUMBERS, "plan"]].astype(dict.fromkeys(_NUMBERS, "float32"))
    rows.loc[3, "plan"] = "never seen"
    if not found.signature.features[0].required:
        rows.loc[5, "a"] = np.nan
    rows.loc[6, _NUMBERS] = -0.0
    table = pa.Table.from_pandas(rows, preserve_index=False)
    for dialect in ("duckdb", "sqlite"):
        compare(found, table, dialect, tolerance=2e-6)


def _models() -> dict[str, tuple[Any, str, dict[str, Any]]]:
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import Binarizer, MinMaxScaler, Normalizer, StandardScaler
    from sklearn.svm import SVC, SVR
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    return {
        "linear regression": (
            _pipeline(SimpleImputer(), StandardScaler(), LinearRegression()),
            "y",
            {"missing": "nan"},
        ),
        "logistic regression": (_pipeline(StandardScaler(), LogisticRegression()), "two", {}),
        "logistic regression of three": (_pipeline(MinMaxScaler(), LogisticRegression()), "three", {}),
        "svc": (_pipeline(StandardScaler(), SVC(kernel="linear")), "two", {"activation": "none", "labels": [1, 0]}),
        "svr": (_pipeline(StandardScaler(), SVR(kernel="linear")), "y", {}),
        "normalized": (_pipeline(Normalizer(), LinearRegression()), "y", {}),
        "binarized": (_pipeline(Binarizer(threshold=0.1), LinearRegression()), "y", {}),
        "tree": (_pipeline(DecisionTreeRegressor(max_depth=4)), "y", {"missing": "nan"}),
        "tree of two": (_pipeline(DecisionTreeClassifier(max_depth=4)), "two", {}),
        "tree of three": (_pipeline(DecisionTreeClassifier(max_depth=4)), "three", {"missing": "nan"}),
        "forest": (_pipeline(RandomForestRegressor(5, max_depth=4)), "y", {}),
        "forest of two": (_pipeline(RandomForestClassifier(5, max_depth=4)), "two", {}),
        "forest of three": (_pipeline(RandomForestClassifier(5, max_depth=4)), "three", {}),
        "boosting": (_pipeline(GradientBoostingClassifier(n_estimators=5)), "two", {}),
        "boosting of three": (_pipeline(GradientBoostingClassifier(n_estimators=5)), "three", {}),
        "words": (_pipeline(StandardScaler(), LogisticRegression()), "words", {}),
        "forest of words": (_pipeline(RandomForestClassifier(5, max_depth=4)), "words", {}),
        "network": (_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=30)), "three", {}),
    }


@pytest.mark.parametrize("name", _models())
def test_scikit_learn(name: str) -> None:
    model, target, words = _models()[name]
    frame = _table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(frame[[*_NUMBERS, "plan"]], frame[target])
    found = _opened(_converted(fitted), [*_NUMBERS, "plan"], **words)
    _compared(found)


@pytest.mark.slow
def test_a_network_of_pytorch() -> None:
    import torch

    torch.manual_seed(1)
    layers = (torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3), torch.nn.Softmax(dim=1))
    from sqlml.importing import imported

    found = imported(torch.nn.Sequential(*layers).eval(), requested(features=list("wxyz"), task="classification"))
    random = np.random.default_rng(3)
    table = pa.table({name: random.normal(size=50).astype(np.float32) for name in "wxyz"})
    for dialect in ("duckdb", "sqlite"):
        compare(found, table, dialect, tolerance=2e-6)
