"""Compiled models at the edges of arithmetic, and under settings of a session that change what Spark computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from helpers.engine_pairs import compare, register

from sqlml.export import outputs
from sqlml.export.graph import DOUBLE, Graph
from sqlml.export.trees import LEAF, Tree, emit
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class _Made(NamedTuple):
    onnx: bytes
    signature: Signature


def _made(build: Callable[[Graph, str, str], str]) -> _Made:
    """A regression over two numbers, as they are."""
    graph = Graph()
    outputs.prediction(graph, build(graph, graph.input("x", DOUBLE), graph.input("y", DOUBLE)))
    features = (Feature("x", "double"), Feature("y", "double"))
    return _Made(graph.model().SerializeToString(), Signature("regression", features, "z", "double"))


def _difference_of_large(graph: Graph, x: str, y: str) -> str:
    """In two steps: within one MatMul ONNX Runtime rounds once and not twice, so that less is infinite."""
    ten = graph.constant([[10.0]])
    return graph.op("Sub", graph.op("Mul", x, ten), graph.op("Mul", y, ten))


def _whether(kind: str) -> Callable[[Graph, str, str], str]:
    def build(graph: Graph, x: str, y: str) -> str:
        holds = graph.op(kind, _difference_of_large(graph, x, y), graph.constant([[0.0]]))
        return graph.op("Where", holds, graph.constant([[1.0]]), graph.constant([[2.0]]))

    return build


def _quotient(graph: Graph, x: str, y: str) -> str:
    return graph.op("Div", x, y)


def _tree_over_constants(graph: Graph, x: str, y: str) -> str:
    """Two of the columns that its nodes ask about are the same for every row where something is given."""
    nothing = graph.op("Mul", y, graph.constant([[0.0]]))
    row = graph.concat([x, y, nothing, graph.op("Add", nothing, graph.constant([[2.5]]))])
    inner = [0, 1, 2, 3]
    count = 2 * len(inner) + 1
    place = np.arange(count)
    splits = place < len(inner)
    tree = Tree(
        feature=np.where(splits, np.array([0, 2, 3, 1, 0, 0, 0, 0, 0]), 0),
        threshold=np.where(splits, np.array([0.0, 0.0, 2.5, 0.0, 0, 0, 0, 0, 0]), 0.0),
        left=np.where(splits, np.array([1, 2, 3, 7, 0, 0, 0, 0, 0]), LEAF),
        right=np.where(splits, np.array([4, 5, 6, 8, 0, 0, 0, 0, 0]), LEAF),
        missing_left=place % 2 == 0,
        weights=(place * 1.5)[:, np.newaxis],
    )
    return emit(graph, row, [tree, tree], 1)


_NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan, None)
_ROWS = pa.table(
    {
        "x": pa.array([x for x in _NUMBERS for _ in _NUMBERS], pa.float64()),
        "y": pa.array([y for _ in _NUMBERS for y in _NUMBERS], pa.float64()),
    }
)


@pytest.mark.parametrize("ansi", ["true", "false"])
@pytest.mark.parametrize(
    "build",
    [_whether("Greater"), _whether("GreaterOrEqual"), _whether("Less"), _whether("LessOrEqual"), _quotient],
    ids=["greater", "greater or equal", "less", "less or equal", "quotient"],
)
def test_numbers_that_are_none(
    spark: SparkSession, registry_folder: Path, tmp_path: Path, build: Callable[[Graph, str, str], str], ansi: str
) -> None:
    """∞ − ∞ is NaN, of which no comparison holds; for Spark NaN is the largest number, and x / 0 an error."""
    session = spark.newSession()
    session.conf.set("spark.sql.ansi.enabled", ansi)
    # What is missing is NULL under one engine and NaN under the other.
    there = _ROWS.filter(pa.compute.and_(pa.compute.is_valid(_ROWS["x"]), pa.compute.is_valid(_ROWS["y"])))
    there = there.filter(
        pa.compute.invert(pa.compute.or_(pa.compute.is_nan(there["x"]), pa.compute.is_nan(there["y"])))
    )
    assert compare(session, registry_folder, _made(build), there, tmp_path)


def test_constants_under_a_tree(spark: SparkSession, registry_folder: Path, tmp_path: Path) -> None:
    assert compare(spark, registry_folder, _made(_tree_over_constants), _ROWS, tmp_path)


def test_signatures_of_one_graph(spark: SparkSession, registry_folder: Path) -> None:
    """The same bytes under the same name are another model when their signature is another one."""
    made = _made(_quotient)
    session = spark.newSession()
    session.conf.set("spark.sqlml.engine", "compiled")
    for order, expected in (("x y", 0.5), ("y x", 2.0)):
        features = tuple(Feature(name, "double") for name in order.split())
        # Features are bound by name, and the graph's inputs are called after them; so by place they change sides.
        register(registry_folder, made.onnx, Signature("regression", features, "z", "double"))
        row = session.sql("SELECT PREDICT(engine_pair, CAST(1 AS DOUBLE), CAST(2 AS DOUBLE)) AS z").first()
        assert row is not None and row.z == expected


_LABELS = ["it''s \"so\"", "a \\\\ b", "${user}", "%s {0}"]
_OTHER_SETTINGS = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.parser.escapedStringLiterals": "true",
    "spark.sql.session.timeZone": "America/New_York",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.legacy.exponentLiteralAsDecimal.enabled": "true",
    "spark.sql.caseSensitive": "true",
}


@pytest.mark.parametrize("target", ["word", "moment", "day", "price"])
def test_settings_of_a_session_change_no_model(spark: SparkSession, target: str) -> None:
    """The session in which the model is compiled has settings under which SQL means other things."""
    session = spark.newSession()
    cases = " ".join(f"WHEN {place} THEN '{label}'" for place, label in enumerate(_LABELS))
    session.sql(
        "CREATE OR REPLACE TEMPORARY VIEW edges AS"
        f" SELECT id % 4 + id % 3 * 0.01D AS x, CASE id % 4 {cases} END AS word,"
        " timestampadd(HOUR, CAST(id % 4 AS INT), TIMESTAMP'2024-03-31 00:30:00') AS moment,"
        " date_add(DATE'2024-03-30', CAST(id % 4 AS INT)) AS day, CAST(id % 4 AS DECIMAL(6, 2)) + 0.1 AS price"
        " FROM range(200)"
    )
    session.sql(
        f"TRAIN MODEL of_edges USING sklearn.decision_tree TARGET {target} OPTIONS (task = 'classification')"
        f" AS SELECT x, {target} FROM edges"
    )
    other = spark.newSession()
    try:
        for key, value in _OTHER_SETTINGS.items():
            other.conf.set(key, value)
        answers: dict[str, list[Any]] = {}
        for engine in ("compiled", "onnxruntime"):
            other.conf.set("spark.sqlml.engine", engine)
            rows = other.sql(
                "SELECT x, PREDICT(of_edges, x) AS said, PREDICT_PROBA(of_edges, x) AS shares"
                " FROM (SELECT CAST(id AS DOUBLE) / 7 AS x FROM range(30))"
            )
            answers[engine] = [(row.x, row.said, sorted(row.shares.items())) for row in rows.collect()]
        assert answers["compiled"] == answers["onnxruntime"]
        assert len({said for _, said, _ in answers["compiled"]}) == 4
        known = session.sql(f"SELECT DISTINCT {target} FROM edges").collect()
        assert {said for _, said, _ in answers["compiled"]} == {row[0] for row in known}
    finally:
        session.sql("DROP MODEL of_edges")
