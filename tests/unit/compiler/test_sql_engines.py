"""What the compiler writes, run on real engines: row by row what ONNX Runtime answers."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.compiler_fixtures import FLOAT32 as _FLOAT32
from helpers.compiler_fixtures import fixture
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import hostile_table as _table
from helpers.sklearn_fits import signature_of as _signature
from helpers.sql_cases import CASES as _CASES
from helpers.sql_cases import fitted_once as _fitted
from helpers.sql_cases import hard_rows as _rows
from helpers.sql_engines import ENGINES, FIXTURES, Postgres, compare

from sqlml.compiler import select
from sqlml.errors import SqlmlError
from sqlml.export import outputs
from sqlml.export.graph import DOUBLE, Graph
from sqlml.export.trees import LEAF, Tree, emit
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature, Transform


@pytest.mark.parametrize(("estimator", "target", "params"), _CASES)
def test_sql_answers_what_onnx_runtime_does(estimator: str, target: str, params: dict[str, Any]) -> None:
    fitted = _fitted(estimator, target, **params)
    for dialect in ENGINES:
        compare(fitted, _rows(fitted), dialect, tolerance=_tolerance(estimator, dialect))
    # No row, and one row.
    for count in (0, 1):
        compare(fitted, _table().slice(0, count), "duckdb")
        compare(fitted, _table().slice(0, count), "sqlite", tolerance=_tolerance(estimator, "sqlite"))


@pytest.mark.parametrize("estimator", ["sklearn.ridge", "sklearn.hist_gradient_boosting"])
def test_every_preparation_is_part_of_the_sql(estimator: str) -> None:
    """Gaps filled and flagged, texts by their places and by the target's means, beside one-hot and category sets."""
    fitted = _fit(
        estimator,
        _signature("amount"),
        impute={"NaN": "median", "tiny": "most_frequent", "flag": 0.5},
        encode={"t.e`x t": "ordinal", "many": "target"},
        missing_flag=("NaN", "tiny", "day", "flag"),
    )
    for dialect in ENGINES:
        compare(fitted, _rows(fitted), dialect)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_fixtures_answer_what_onnx_runtime_does(path: Path) -> None:
    model, rows = fixture(path)
    for dialect in ENGINES:
        tolerance = 1e-6 if path.stem in _FLOAT32 or (path.stem, dialect) == ("float32", "sqlite") else 1e-9
        compare(model, rows, dialect, tolerance=tolerance)


def _tolerance(estimator: str, dialect: str) -> float:
    """SQLite has no float32, in which XGBoost adds up."""
    return 1e-6 if (estimator, dialect) == ("xgboost", "sqlite") else 1e-9


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("initdb") is None, reason="PostgreSQL is not installed")
def test_postgres_answers_what_onnx_runtime_does() -> None:
    with Postgres() as server:
        for estimator, target, params in (getattr(case, "values", case) for case in _CASES):
            fitted = _fitted(estimator, target, **params)
            compare(fitted, _rows(fitted), "postgres", ask=server)


def test_a_transform_is_computed_by_the_engine() -> None:
    """The model's x is made of the table's, and the table's stands beside the prediction."""
    graph = Graph()
    outputs.prediction(graph, graph.op("Mul", graph.input("x", DOUBLE), graph.constant([[10.0]])))
    signature = Signature("regression", (Feature("x", "double"),), "y", "double")
    columns = (Feature("id", "int"), Feature("x", "double"), Feature("plan", "string"), Feature("list", "array<int>"))
    transform = Transform(
        "CASE WHEN plan = 'O\\'Hara' THEN id / x ELSE coalesce(x, -1) END AS x", columns, columns[:3], {}
    )
    rows = pa.table({"id": [1, 2, 3], "x": [4.0, 0.0, None], "plan": ["O'Hara", "O'Hara", "basic"]})
    for dialect, ask in ENGINES.items():
        sql = select(graph.model().SerializeToString(), signature, transform, dialect=dialect, table="s")
        assert ask(sql, rows) == [(1, 4.0, "O'Hara", 2.5), (2, 0.0, "O'Hara", None), (3, None, "basic", -10.0)]


# -- size --------------------------------------------------------------------------------------------------------------


def _full_tree(dice: np.random.Generator, depth: int, features: int) -> Tree:
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    children = np.where(np.arange(nodes) < inner, 2 * np.arange(nodes) + 1, LEAF)
    return Tree(
        feature=dice.integers(0, features, nodes),
        threshold=dice.normal(size=nodes),
        left=children,
        right=np.where(children == LEAF, LEAF, children + 1),
        missing_left=dice.random(nodes) < 0.5,
        weights=dice.normal(size=(nodes, 1)),
    )


def _forest(trees: int, depth: int) -> tuple[bytes, Signature]:
    dice = np.random.default_rng(7)
    names = [f"x{number}" for number in range(10)]
    graph = Graph()
    x = graph.concat([graph.input(name, DOUBLE) for name in names])
    outputs.prediction(graph, emit(graph, x, [_full_tree(dice, depth, len(names)) for _ in range(trees)], 1))
    signature = Signature("regression", tuple(Feature(name, "double", required=True) for name in names), "y", "double")
    return graph.model().SerializeToString(), signature


def test_a_hundred_trees_are_written_in_seconds() -> None:
    onnx, signature = _forest(100, 6)
    before = time.process_time()
    sql = select(onnx, signature, dialect="duckdb", table="s", columns=["id"])
    assert time.process_time() - before < 5.0
    assert len(sql) < 500_000
    rows = pa.table({"id": range(50), **{name: np.random.default_rng(1).normal(size=50) for name in signature.names}})
    expected = Scorer(onnx, signature).raw([rows.column(name) for name in signature.names])["prediction"]
    for ask in ENGINES.values():
        assert [row[1] for row in ask(sql, rows)] == expected.tolist(), "bit for bit"


def test_a_deep_tree_stays_within_the_depth_that_engines_take() -> None:
    """A way through 300 splits, each to the left: CASE within THEN, as deep as a library could make it."""
    depth = 300
    inner = np.arange(2 * depth + 1) % 2 == 0
    inner[-1] = False
    place = np.arange(2 * depth + 1)
    tree = Tree(
        feature=np.zeros(2 * depth + 1, dtype=np.int64),
        threshold=-place.astype(float),
        left=np.where(inner, place + 2, LEAF),
        right=np.where(inner, place + 1, LEAF),
        missing_left=np.ones(2 * depth + 1, dtype=bool),
        weights=place[:, np.newaxis].astype(float),
    )
    graph = Graph()
    x = graph.input("x", DOUBLE)
    present = graph.op("Less", graph.op("Abs", x), graph.constant(np.inf))
    outputs.prediction(graph, emit(graph, graph.op("Where", present, x, graph.constant(np.nan)), [tree], 1))
    onnx = graph.model().SerializeToString()
    signature = Signature("regression", (Feature("x", "double"),), "y", "double")
    rows = pa.table({"id": range(4), "x": pa.array([None, 1.0, -299.0, -1e9])})
    expected = Scorer(onnx, signature).raw([rows.column("x")])["prediction"].tolist()
    for dialect, ask in ENGINES.items():
        sql = select(onnx, signature, dialect=dialect, table="s", columns=["id"])
        assert [row[1] for row in ask(sql, rows)] == expected
    assert "THEN CASE" not in select(onnx, signature, dialect="tsql", table="s", columns=["id"]).replace("\n", " ")


@pytest.mark.parametrize(("dialect", "trees"), [("clickhouse", 100), ("duckdb", 5_000)])
def test_a_text_that_no_engine_takes_is_refused(dialect: str, trees: int) -> None:
    with pytest.raises(SqlmlError, match=dialect) as caught:
        select(*_forest(trees, 6), dialect=dialect, table="s")
    assert caught.value.condition == "SQLML_MODEL_NOT_SQL" and "FORMAT onnx" in caught.value.hint
