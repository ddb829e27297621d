"""Random graphs of one to eight operators: a compiled one answers what ONNX Runtime does, interpreted and generated.

`make test` has some seconds of them; `pytest tests/spark/engines/test_random_graphs.py -m nightly -s` half an hour,
from a seed that it prints. RANDOM_GRAPHS_SEED=… begins with one that was printed.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.compiled_models import FORMS, Case, Evaluator, answered, by_onnxruntime, compiled, differences
from helpers.random_graphs import least_difference, made
from helpers.random_tensors import DOWN, ROUNDED, UP
from helpers.row_graphs import BOOL, DOUBLE, FLOAT, INT32, INT64, ML, RowGraph
from numpy.typing import NDArray

from sqlml.compiler.catalyst import Program

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A multiple of ONNX Runtime's own distance between two orders of its sums.
_OWN = 4.0
_AT_ONCE = 25


@pytest.fixture(scope="module")
def evaluator(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    return Evaluator(spark, tmp_path_factory.mktemp("evaluated"))


def _wrong(evaluator: Evaluator, seeds: range) -> tuple[int, int, list[str]]:
    """How many graphs were compiled, how many numbers compared, and the differences."""
    taken: list[tuple[Case, Program]] = []
    for seed in seeds:
        case = made(seed)
        program = compiled(case)
        if program is not None:
            taken.append((case, program))
    numbers, wrong = 0, []
    for (case, _), found in zip(taken, evaluator(taken), strict=True):
        seed = int(case.name.split()[1])
        with np.errstate(all="ignore"):
            wanted, *others = (by_onnxruntime(made(seed, disturbed=way)) for way in (0, UP, DOWN, ROUNDED))
            apart = [np.abs(wanted - other) / np.maximum(1.0, np.abs(wanted)) for other in others]
        certain = np.all([np.isnan(wanted) == np.isnan(other) for other in others], axis=0)
        certain &= np.all([np.isinf(wanted) == np.isinf(other) for other in others], axis=0)
        own = np.where(np.isnan(apart), 0.0, apart).max(axis=0)
        compared = answered(case)[:, np.newaxis] & certain & (own < 1e-3)
        numbers += int(compared.sum())
        for form, given in zip(FORMS, found, strict=True):
            for row, place in differences(wanted, given, _OWN * own + least_difference(case)):
                if compared[row, place]:
                    wrong.append(
                        f"{case.name}, {form}: {case.rows[row]} → {given[row, place]}, not {wanted[row, place]}"
                    )
                    break
    return len(taken), numbers, wrong


def test_some_graphs(evaluator: Evaluator) -> None:
    graphs, numbers, wrong = _wrong(evaluator, range(150))
    print(f"{graphs} graphs, {numbers} numbers")
    assert not wrong, "\n".join(wrong)
    assert graphs >= 60 and numbers >= 2_000


@pytest.mark.nightly
def test_graphs_for_half_an_hour(evaluator: Evaluator) -> None:
    first = seed = int(os.environ.get("RANDOM_GRAPHS_SEED", time.time_ns() // 1_000_000_000 * 1_000))
    print(f"RANDOM_GRAPHS_SEED={first}")
    end = time.monotonic() + 60.0 * float(os.environ.get("RANDOM_GRAPHS_MINUTES", "30"))
    graphs = numbers = 0
    while time.monotonic() < end:
        more, compared, wrong = _wrong(evaluator, range(seed, seed + _AT_ONCE))
        assert not wrong, "\n".join(wrong)
        seed, graphs, numbers = seed + _AT_ONCE, graphs + more, numbers + compared
    print(f"seeds {first} to {seed}: {graphs} graphs, {numbers} numbers")
    assert graphs > 0


def _both(evaluator: Evaluator, case: Case) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What ONNX Runtime answers, and each form of the compiled graph."""
    program = compiled(case)
    assert program is not None
    (forms,) = evaluator([(case, program)])
    return by_onnxruntime(case), forms


@pytest.mark.parametrize(("element", "unit"), [(FLOAT, 2.0**-23), (DOUBLE, 2.0**-52)], ids=["float32", "float64"])
def test_sums_differ_by_the_bound_of_the_manual_at_most(evaluator: Evaluator, element: int, unit: float) -> None:
    """Of ordinary numbers, and of a column at the end of BIGINT whose weights cancel out."""
    random = np.random.default_rng(3)
    dtype = np.float32 if element == FLOAT else np.float64
    weights, bias = random.normal(size=(16, 4)).astype(dtype), random.normal(size=4).astype(dtype)
    weights[15] = -weights[14] * dtype(1 + 1e-6)
    numbers = (np.sin(np.outer(np.arange(300), np.arange(1, 17))) * 50).astype(dtype)
    numbers[150:, 14:] = dtype(9.2e18) * np.where(np.arange(150) % 2, 1, -1)[:, np.newaxis]
    graph = RowGraph(21, 5, required=True)
    sums = graph.node("Gemm", [graph.row(element, [16]), graph.constant(weights), graph.constant(bias)])
    onnx, signature = graph.finish([graph.numbers(sums, element, 4)], 4)
    wanted, forms = _both(evaluator, Case("sums", onnx, signature, numbers.astype(np.float64).tolist()))
    wide = np.float64
    sizes = np.abs(numbers.astype(wide)) @ np.abs(weights.astype(wide)) + np.abs(bias.astype(wide))
    for form in forms:
        apart = np.abs(form - wanted)
        assert np.all(apart <= 17 * unit * sizes), (apart / sizes).max()
        if element == DOUBLE:
            assert np.all(apart[:150] <= 1e-9 * np.maximum(1.0, np.abs(wanted[:150])))


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
@pytest.mark.parametrize("element", [FLOAT, DOUBLE], ids=["float32", "float64"])
def test_norms_of_rows_with_infinity(evaluator: Evaluator, element: int, norm: str) -> None:
    """And of rows that are so small that each number is -∞ as a float32."""
    inf = float("inf")
    rows = [[-inf, -inf], [-inf, -5.0], [-3.0, 1.0], [-3.0, -1.0], [inf, 1.0], [inf, -inf], [0.0, -inf]]
    if element == DOUBLE:
        rows.append([-1e308, -1e308])
    graph = RowGraph(21, 5, required=True)
    scaled = graph.node("Normalizer", [graph.row(element, [2])], domain=ML, norm=norm)
    onnx, signature = graph.finish([graph.numbers(scaled, FLOAT, 2)], 2)
    wanted, forms = _both(evaluator, Case("norms", onnx, signature, rows))
    for form in forms:
        np.testing.assert_allclose(form, wanted, rtol=1e-6)


@pytest.mark.parametrize("to", [DOUBLE, FLOAT, INT64, INT32], ids=["double", "float", "int64", "int32"])
@pytest.mark.parametrize("element", [FLOAT, DOUBLE], ids=["float32", "float64"])
def test_casts_of_a_float32_that_is_a_double_again(evaluator: Evaluator, element: int, to: int) -> None:
    rows = [[value] for value in (1.5, -2.5, 0.1, 1e-45, -0.0, 3e9, -1e308, float("inf"))]
    graph = RowGraph(21, 5, required=False)
    value = graph.row(element, [1])
    for kind in (FLOAT, DOUBLE, to, DOUBLE):
        value = graph.node("Cast", [value], to=kind)
    onnx, signature = graph.finish([graph.numbers(value, DOUBLE, 1)], 1)
    wanted, forms = _both(evaluator, Case("casts", onnx, signature, rows))
    for form in forms:
        np.testing.assert_array_equal(form, wanted)


@pytest.mark.parametrize("kind", ["Min", "Max", "Less", "Equal"])
def test_a_power_of_what_is_missing_is_missing(evaluator: Evaluator, kind: str) -> None:
    rows = [[value] for value in (None, float("nan"), 0.0, -1.0, 1.5, float("inf"))]
    graph = RowGraph(21, 5, required=False)
    power = graph.node("Pow", [graph.constant([[float("inf"), 1.0, 2.0]]), graph.row(DOUBLE, [1])])
    found = graph.node(kind, [power, graph.constant([[3.0, 3.0, 3.0]])])
    onnx, signature = graph.finish([graph.numbers(found, BOOL if kind in ("Less", "Equal") else DOUBLE, 3)], 3)
    wanted, forms = _both(evaluator, Case("powers", onnx, signature, rows))
    for form in forms:
        np.testing.assert_array_equal(form, wanted)
