"""Columns of every Arrow type in, predictions in the target's own type out."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sqlml.compiler.optimized_graph import prepared
from sqlml.errors import SqlmlError
from sqlml.export import outputs, preparation
from sqlml.export.graph import Graph
from sqlml.jobs.preparation import CategoryColumn, NumberColumn, Preparation
from sqlml.scoring import model_cache
from sqlml.scoring import scorer as scoring
from sqlml.scoring.feature_values import NULL_TEXT, values
from sqlml.scoring.model_cache import scorer
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

_FEATURES = (Feature("a b", "double"), Feature("texte", "string"))


def _onnx(signature: Signature) -> bytes:
    """A model whose answer follows from its two features: NULL counts as 0; class 1 for 'yes', else class 0."""
    graph = Graph()
    prepared = Preparation((NumberColumn("a b", "", 0.0, 0.0, 1.0),), (CategoryColumn("texte", ("yes",), other=False),))
    x = preparation.emit(graph, signature.features, prepared)
    if signature.task == "regression":
        outputs.prediction(graph, graph.op("MatMul", x, graph.constant([[1.0], [10.0]])))
    else:
        second = graph.op("MatMul", x, graph.constant([[0.0], [1.0]]))
        probabilities = outputs.binary_probabilities(graph, second)
        outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))
    content: bytes = graph.model().SerializeToString()
    return content


def _regression() -> Signature:
    return Signature("regression", _FEATURES, "y", "double")


def _classification(target_type: str, labels: tuple[Any, ...]) -> Signature:
    return Signature("classification", _FEATURES, "y", target_type, labels)


def test_a_feature_may_be_called_as_an_output() -> None:
    signature = Signature("regression", (Feature("prediction", "double"), Feature("label", "double")), "y", "double")
    graph = Graph()
    prepared = Preparation(tuple(NumberColumn(name, "", 0.0, 0.0, 1.0) for name in signature.names), ())
    x = preparation.emit(graph, signature.features, prepared)
    outputs.prediction(graph, graph.op("MatMul", x, graph.constant([[1.0], [10.0]])))
    said = Scorer(graph.model().SerializeToString(), signature).label([pa.array([1.0, 2.0]), pa.array([3.0, None])])
    assert said.to_pylist() == [31.0, 2.0]


def test_a_feature_may_be_called_as_a_value_inside_the_graph() -> None:
    names = [f"__{kind}_{number}" for kind in ("constant", "Sub", "Where", "MatMul") for number in range(1, 9)]
    signature = Signature("regression", tuple(Feature(name, "double") for name in names), "y", "double")
    graph = Graph()
    prepared = Preparation(tuple(NumberColumn(name, "", 0.0, 1.0, 2.0) for name in names), ())
    x = preparation.emit(graph, signature.features, prepared)
    outputs.prediction(graph, graph.op("MatMul", x, graph.constant([[2.0]] * len(names))))
    said = Scorer(graph.model().SerializeToString(), signature).label([pa.array([2.0])] * len(names))
    assert said.to_pylist() == [len(names)]


# -- columns in --------------------------------------------------------------------------------------------------------

_DAY = dt.date(2024, 2, 29)
_MOMENT = dt.datetime(2024, 2, 29, 12, 30, 15, 250_000)
_SECONDS = 1_709_209_815.25
_MARCH = dt.datetime(2024, 3, 1)
_UTC, _MARCH_UTC = _MOMENT.replace(tzinfo=dt.UTC), _MARCH.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("type_", "column", "expected"),
    [
        ("bigint", pa.array([2**62 + 1, None, -1]), [2.0**62, np.nan, -1.0]),
        ("tinyint", pa.array([1, None], pa.int8()), [1.0, np.nan]),
        ("float", pa.array([0.1, None], pa.float32()), [np.float64(np.float32(0.1)), np.nan]),
        ("double", pa.array([float("nan"), float("inf"), -0.0]), [np.nan, np.inf, -0.0]),
        ("double", pa.array([True, None, False]), [1.0, np.nan, 0.0]),
        ("double", pa.nulls(2), [np.nan, np.nan]),
        ("double", pa.array([1, 2, 3]).slice(1), [2.0, 3.0]),
        ("double", pa.chunked_array([[1.0], [2.0]]), [1.0, 2.0]),
        ("boolean", pa.array([True, None, False]), [1.0, np.nan, 0.0]),
        ("boolean", pa.array([2.5, None, 0.0, float("nan")]), [1.0, np.nan, 0.0, np.nan]),
        ("boolean", pa.array([1.0, 0.0]), [1.0, 0.0]),
        ("date", pa.array([_DAY, None]), [19_782.0, np.nan]),
        ("date", pa.nulls(1), [np.nan]),
        ("timestamp", pa.array([_MOMENT, None], pa.timestamp("us", "America/New_York")), [_SECONDS, np.nan]),
        ("timestamp", pa.array([_MOMENT], pa.timestamp("ns")), [_SECONDS]),
        ("timestamp_ntz", pa.array([_MOMENT], pa.timestamp("ms")), [_SECONDS]),
        ("timestamp", pa.array([_DAY, None]), [19_782 * 86_400.0, np.nan]),
        ("timestamp", pa.nulls(1), [np.nan]),
    ],
)
def test_a_column_of_numbers(type_: str, column: pa.Array, expected: list[float]) -> None:
    np.testing.assert_array_equal(values(Feature("x", type_), column), expected)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, "", "é☃"]),
        pa.array(["a", None, "", "é☃"], pa.large_string()),
        pa.array(["a", None, "", "é☃"]).dictionary_encode(),
        pa.chunked_array([["a", None], ["", "é☃"]]),
    ],
)
def test_a_column_of_texts(column: pa.Array) -> None:
    assert list(values(Feature("x", "string"), column)) == ["a", NULL_TEXT, "", "é☃"]


def test_a_column_of_nothing_but_null_is_text_too() -> None:
    assert list(values(Feature("x", "varchar(10)"), pa.nulls(2))) == [NULL_TEXT, NULL_TEXT]


@pytest.mark.parametrize(("precision", "scale"), [(5, 0), (10, 2), (15, 15), (18, 4), (38, 10), (38, 37)])
def test_a_decimal_becomes_the_nearest_double(precision: int, scale: int) -> None:
    dice = random.Random(precision)
    digits = [dice.randrange(1 - 10**precision, 10**precision) for _ in range(500)]
    exact = [decimal.Decimal((value < 0, tuple(map(int, str(abs(value)))), -scale)) for value in digits]
    column = pa.array([*exact, None], pa.decimal128(precision, scale)).slice(1)
    expected = [*map(float, exact[1:]), np.nan]
    np.testing.assert_array_equal(values(Feature("x", "decimal"), column), expected)


# -- predictions out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target_type", "labels", "arrow", "expected"),
    [
        ("string", ("ja", "näh☃"), pa.string(), ["ja", "näh☃"]),
        ("varchar(3)", ("", "x"), pa.string(), ["", "x"]),
        ("tinyint", (-1, 1), pa.int8(), [-1, 1]),
        ("smallint", (-1, 1), pa.int16(), [-1, 1]),
        ("int", (3, 5), pa.int32(), [3, 5]),
        ("bigint", (2**60, 2**60 + 1), pa.int64(), [2**60, 2**60 + 1]),
        ("boolean", (False, True), pa.bool_(), [False, True]),
        ("double", (0.1, 0.2), pa.float64(), [0.1, 0.2]),
        ("float", (0.5, 1.5), pa.float32(), [0.5, 1.5]),
        ("decimal(10,2)", ("0.50", "1.50"), pa.decimal128(10, 2), [decimal.Decimal("0.50"), decimal.Decimal("1.50")]),
        ("date", ("1969-12-31", "2024-02-29"), pa.date32(), [dt.date(1969, 12, 31), dt.date(2024, 2, 29)]),
        ("timestamp_ntz", ("2024-02-29 12:30:15.250000", "2024-03-01 00:00:00"), pa.timestamp("us"), [_MOMENT, _MARCH]),
        (
            "timestamp",
            ("2024-02-29 12:30:15.250000", "2024-03-01 00:00:00"),
            pa.timestamp("us", "UTC"),
            [_UTC, _MARCH_UTC],
        ),
    ],
)
def test_labels_have_the_targets_type(
    target_type: str, labels: tuple[Any, ...], arrow: pa.DataType, expected: list[Any]
) -> None:
    signature = _classification(target_type, labels)
    model = Scorer(_onnx(signature), signature)
    columns = [pa.array([0.0, 1.0, None]), pa.array(["no", "yes", None])]
    answer = model.label(columns)
    assert answer.type == arrow
    assert answer.to_pylist() == [expected[0], expected[1], expected[0]]
    maps = model.probabilities(columns)
    assert maps.type == pa.map_(arrow, pa.float64())
    assert maps.to_pylist() == [
        [(expected[0], 1.0), (expected[1], 0.0)],
        [(expected[0], 0.0), (expected[1], 1.0)],
        [(expected[0], 1.0), (expected[1], 0.0)],
    ]


def test_a_regressor_answers_doubles() -> None:
    answer = Scorer(_onnx(_regression()), _regression()).label([pa.array([1, None]), pa.array(["yes", "no"])])
    assert answer.type == pa.float64()
    assert answer.to_pylist() == [11.0, 0.0]


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(rows: int) -> None:
    signature = _classification("string", ("a", "b"))
    columns = [pa.array([1.0][:rows], pa.float64()), pa.array(["yes"][:rows], pa.string())]
    model = Scorer(_onnx(signature), signature)
    assert model.label(columns).to_pylist() == ["b"][:rows]
    assert model.probabilities(columns).to_pylist() == [[("a", 0.0), ("b", 1.0)]][:rows]
    assert Scorer(_onnx(_regression()), _regression()).label(columns).to_pylist() == [11.0][:rows]


def test_raw_outputs_by_name() -> None:
    signature = _classification("boolean", (False, True))
    found = Scorer(_onnx(signature), signature).raw([pa.array([1.0]), pa.array(["yes"])])
    assert found["label"].tolist() == [1]
    assert found["probabilities"].tolist() == [[0.0, 1.0]]


def test_a_graph_that_an_optimization_cannot_take_is_run_as_it_is() -> None:
    """ONNX Runtime's fusion of Relu and Clip refuses limits of type double."""
    from helpers.row_graphs import DOUBLE, RowGraph

    graph = RowGraph(18, 3, required=True)
    relu = graph.node("Relu", [graph.row(DOUBLE, [1])])
    onnx, signature = graph.finish([graph.node("Clip", [relu, graph.constant(1.0), graph.constant(3.0)])], 1)
    assert Scorer(onnx, signature).label([pa.array([-2.0, 2.0, 9.0])]).to_pylist() == [1.0, 2.0, 3.0]


def test_bytes_that_are_no_model() -> None:
    with pytest.raises(SqlmlError, match="SQLML_MODEL_CORRUPT"):
        Scorer(b"no model", _regression())


# -- loaded models -----------------------------------------------------------------------------------------------------


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_cache, "_CACHE", model_cache._Cache(limit=10**9))


@pytest.mark.usefixtures("empty_cache")
def test_a_model_is_fetched_once_whoever_asks() -> None:
    onnx, fetched, found = _onnx(_regression()), [], []

    def fetch() -> bytes:
        fetched.append(1)
        return onnx

    threads = [threading.Thread(target=lambda: found.append(scorer("d", fetch, _regression()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
    assert len(set(map(id, found))) == 1


@pytest.mark.usefixtures("empty_cache")
def test_the_least_recently_used_models_go_first() -> None:
    onnx = _onnx(_regression())
    model_cache.set_cache_limit(2 * model_cache.memory(len(onnx)))
    first = scorer("1", onnx, _regression())
    second = scorer("2", onnx, _regression())
    assert scorer("1", onnx, _regression()) is first
    scorer("3", onnx, _regression())
    assert scorer("1", onnx, _regression()) is first
    assert scorer("2", onnx, _regression()) is not second


def test_a_scored_batch_stays_in_no_memory_of_the_models_own() -> None:
    """Arenas of ONNX Runtime's grew by megabytes a model: after hundreds of them a worker held more than a gigabyte."""
    onnx, rows = _onnx(_regression()), 20_000
    columns = [pa.array(np.linspace(0.0, 1.0, rows)), pa.array(["yes", "no"] * (rows // 2))]
    scorers = [Scorer(onnx, _regression()) for _ in range(41)]
    scorers[0].label(columns)
    before = _resident()
    for one in scorers[1:]:
        one.label(columns)
    assert _resident() - before < 40 * model_cache.memory(len(onnx))


def _resident() -> int:
    """Bytes of this process's memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.usefixtures("empty_cache")
def test_a_model_larger_than_the_cache_is_kept_until_the_next() -> None:
    model_cache.set_cache_limit(1)
    onnx = _onnx(_regression())
    model = scorer("1", onnx, _regression())
    assert scorer("1", onnx, _regression()) is model


# -- prepared graphs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("string", ("no", "yes")),
        ("boolean", (False, True)),
        ("int", (7, 3)),
        ("double", (0.5, -1.0)),
        ("date", ("2020-01-01", "2021-01-01")),
        ("decimal(4,2)", ("1.50", "2.25")),
    ],
)
def test_a_prepared_graph_says_which_label_it_is(kind: str, labels: tuple[Any, ...]) -> None:
    signature = _classification(kind, labels)
    columns = [pa.array([1.0, None, 2.0]), pa.array(["yes", "no", None])]
    onnx = _onnx(signature)
    ready = Scorer(prepared(onnx, signature), signature)
    assert ready.says == scoring.POSITION
    expected = Scorer(onnx, signature).label(columns)
    assert ready.label(columns).equals(expected)
    assert ready.label(columns).type == expected.type
    assert ready.label([pa.array([], pa.float64()), pa.array([], pa.string())]).to_pylist() == []
    assert ready.probabilities(columns).equals(Scorer(onnx, signature).probabilities(columns))
    # Of other labels the place among the graph's own says nothing.
    assert prepared(onnx, _classification(kind, labels[::-1])) == onnx
    assert prepared(_onnx(_regression()), _regression()) == _onnx(_regression())
