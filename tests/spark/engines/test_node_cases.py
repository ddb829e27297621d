"""The ONNX project's own tests of its operators, under both engines: what the compiler takes answers what ONNX Runtime
does, and what it does not read in full it leaves to it.

A test becomes rows × columns where that keeps its meaning: its inputs are the columns of as many rows as their first
axis is long, and what is no column is a constant. ONNX Runtime decides that: the rows of the reshaped graph, one by one
and all at once, must be the answer that the test states.
"""

from __future__ import annotations

import warnings
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.compiled_models import FORMS, RULES, Case, Evaluator, by_onnxruntime, compiled, differences
from helpers.row_graphs import BOOL, DOUBLE, FLOAT, INT32, INT64, ML, STRING, RowGraph, column_values
from onnx import TensorProto, numpy_helper

from sqlml.compiler.operators.rule import NEWEST
from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TYPES = {"f8": DOUBLE, "f4": FLOAT, "i8": INT64, "i4": INT32, "b1": BOOL}
# float32 is exact to 6e-8 of each number; these sums are short.
_TOLERANCE = {FLOAT: 1e-5, DOUBLE: 1e-9}
# The project has no test of these, or only of types and axes that no row of columns has; the fuzzer has them all.
_WITHOUT_TEST = frozenset(
    (
        *("Binarizer", "FeatureVectorizer", "Imputer", "LinearClassifier", "LinearRegressor", "Normalizer"),
        *("OneHotEncoder", "SVMClassifier", "SVMRegressor", "Scaler", "TreeEnsembleClassifier"),
        "TreeEnsembleRegressor",
        # All of its cases state how many rows there are. The graphs here have it in front of most inputs.
        "Reshape",
    )
)


@cache
def _collected() -> list[Any]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = collect_testcases(None)
    return [test for test in tests if all((node.domain, node.op_type) in RULES for node in test.model.graph.node)]


def _element(array: Any) -> int | None:
    if array.dtype.kind in "OSU":
        return STRING
    return _TYPES.get(array.dtype.str[1:])


def _array(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def _reshaped(test: Any) -> Case | None:
    """The test as rows, by the first way that keeps its meaning."""
    inputs, outputs = ([_array(one) for one in ones] for ones in test.data_sets[0])
    if any(_element(array) is None for array in inputs) or any(
        _element(array) in (None, STRING) for array in outputs[:1]
    ):
        return None
    if not outputs[0].ndim or not outputs[0].size:
        return None
    rows = len(outputs[0])
    full = [place for place, array in enumerate(inputs) if array.ndim and len(array) == rows and array.size]
    # One row, and a list of one axis or one size: the list is no column.
    full = [place for place in full if rows > 1 or not place or inputs[place].ndim > 1]
    for varying in (full, full[:1], [place for place in full if inputs[place].ndim == outputs[0].ndim]):
        found = _as_rows(test, inputs, outputs[0], varying) if varying else None
        if found is not None:
            return found
    return None


def _as_rows(test: Any, inputs: list[Any], output: Any, varying: list[int]) -> Case | None:
    opsets = {one.domain: one.version for one in test.model.opset_import}
    numbers = [inputs[place] for place in varying if inputs[place].dtype.kind == "f"]
    finite = all(np.isfinite(array).all() for array in numbers)
    # A later version than the compiler knows becomes its newest one; ONNX Runtime says below whether that matters.
    graph = RowGraph(min(max(opsets.get("", 13), 9), NEWEST[""]), min(opsets.get(ML, 3), NEWEST[ML]), required=finite)
    graph_inputs = [one.name for one in test.model.graph.input]
    names: dict[str, str] = {"": ""}
    rows: list[list[Any]] = [[] for _ in output]
    for place, (name, array) in enumerate(zip(graph_inputs, inputs, strict=True)):
        element = _element(array)
        assert element is not None
        if place in varying:
            names[name] = graph.row(element, array.shape[1:] or (1,))
            if array.ndim == 1:
                names[name] = graph.node("Reshape", [names[name], graph.constant([-1], np.int64)])
            for row, more in zip(rows, column_values(array), strict=True):
                row.extend(more)
        else:
            names[name] = graph.constant(array)
    for constant in test.model.graph.initializer:
        names[constant.name] = graph.constant(numpy_helper.to_array(constant))
    for node in test.model.graph.node:
        made = type(node)()
        made.CopyFrom(node)
        names |= {name: graph.name() for name in node.output if name}
        made.input[:] = [names[name] for name in node.input]
        made.output[:] = [names[name] if name else "" for name in node.output]
        graph.add(made)
    count = output.size // len(output)
    element = _element(output)
    assert element is not None
    value = graph.numbers(names[test.model.graph.output[0].name], element, count)
    onnx, signature = graph.finish([value], count)
    case = Case(test.name, onnx, signature, rows)
    stated = output.astype(np.float64).reshape(len(output), -1)
    try:
        together = by_onnxruntime(case)
        apart = np.concatenate([by_onnxruntime(case._replace(rows=[row])) for row in rows])
    except SqlmlError:  # types that ONNX Runtime has no kernel for
        return None
    except Exception as error:  # its errors have no class of their own; sizes that rows do not have
        if type(error).__module__.startswith("onnxruntime") or isinstance(error, ValueError):
            return None
        raise
    if differences(stated, together, 1e-3) or differences(together, apart, 1e-5):
        return None
    return case


@pytest.fixture(scope="module")
def evaluator(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    return Evaluator(spark, tmp_path_factory.mktemp("evaluated"))


def test_the_projects_own_tests(evaluator: Evaluator) -> None:
    tests = _collected()
    cases = [case for case in map(_reshaped, tests) if case is not None]
    made = [(case, found) for case in cases if (found := compiled(case)) is not None]
    wrong = []
    kinds = {test.name: [node.op_type for node in test.model.graph.node] for test in tests}
    for (case, _), found in zip(made, evaluator(made), strict=True):
        wanted = by_onnxruntime(case)
        single = any(node_type == TensorProto.FLOAT for node_type in _cast_to(case))
        for form, numbers in zip(FORMS, found, strict=True):
            places = differences(wanted, numbers, _TOLERANCE[FLOAT if single else DOUBLE])
            wrong += [(case.name, form, case.rows[row], wanted[row, k], numbers[row, k]) for row, k in places[:1]]
    assert not wrong, wrong
    asked = Counter(kind for case, _ in made for kind in set(kinds[case.name]))
    left = sorted({kind for _, kind in RULES} - set(asked))
    print(f"{len(tests)} tests, {len(cases)} as rows, {len(made)} compiled; none of {', '.join(left)}")
    assert set(left) <= _WITHOUT_TEST, sorted(set(left) - _WITHOUT_TEST)
    assert len(made) >= 150, (len(tests), len(cases), len(made))


def _cast_to(case: Case) -> list[int]:
    from onnx import ModelProto

    return [
        attribute.i
        for node in ModelProto.FromString(case.onnx).graph.node
        if node.op_type == "Cast"
        for attribute in node.attribute
        if attribute.name == "to"
    ]


def _sign_of_roots(graph: RowGraph) -> tuple[str, int]:
    signs = graph.node("Sign", [graph.node("Sqrt", [graph.row(FLOAT, [3])])])
    sums = graph.node("MatMul", [signs, graph.constant(np.float32([[1], [10], [100]]))])
    return graph.numbers(sums, FLOAT, 1), 1


def _roots_that_are_none(graph: RowGraph) -> tuple[str, int]:
    roots = graph.node("Sqrt", [graph.row(FLOAT, [3])])
    instead = graph.constant(np.float32([[-99]]))
    return graph.numbers(graph.node("Where", [graph.node("IsNaN", [roots]), instead, roots]), FLOAT, 3), 3


def _narrow(graph: RowGraph) -> tuple[str, int]:
    narrow = graph.node("Cast", [graph.row(INT64, [3])], to=INT32)
    wide = graph.node("Cast", [narrow], to=INT64)
    sums = graph.node("ReduceSum", [wide, graph.constant([1])], keepdims=1)
    return graph.numbers(sums, INT64, 1), 1


def _floor(graph: RowGraph) -> tuple[str, int]:
    return graph.node("Floor", [graph.row(DOUBLE, [1])]), 1


def _leaky(graph: RowGraph) -> tuple[str, int]:
    x = graph.row(FLOAT, [1])
    both = graph.node("Concat", [graph.node("LeakyRelu", [x], alpha=alpha) for alpha in (0.1, 0.0)], axis=1)
    return graph.numbers(both, FLOAT, 2), 2


def _largest_place(graph: RowGraph) -> tuple[str, int]:
    roots = graph.node("Sqrt", [graph.row(DOUBLE, [3])])
    return graph.numbers(graph.node("ArgMax", [roots], axis=1, keepdims=1), INT64, 1), 1


@pytest.mark.parametrize(
    ("build", "answers"),
    [
        (_sign_of_roots, {(0.0, 0.0, 2.0): [100], (1.0, -1.0, 2.0): [np.nan], (2.0, -2.5, 0.4): [np.nan]}),
        (_roots_that_are_none, {(-1.0, 4.0, None): [-99, 2, -99]}),
        (_narrow, {(2**53 + 1, 0, 0): [1], (2**31, -1, 300): [-(2**31) + 299]}),
        (_floor, {(1e300,): [1e300], (-np.inf,): [-np.inf], (-2.5,): [-3], (None,): [np.nan]}),
        (
            _leaky,
            {
                (-1.1,): [float(np.float32(-1.1) * np.float32(0.1)), 0.0],
                (-np.inf,): [-np.inf, np.nan],
                (-3.5e38,): [-np.inf, np.nan],
                (1e-45,): [float(np.float32(1e-45)), float(np.float32(1e-45))],
                (np.inf,): [np.inf, np.inf],
                (None,): [np.nan, np.nan],
            },
        ),
        (_largest_place, {(4.0, -1.0, 9.0): [2], (-1.0, 4.0, 9.0): [0], (4.0, 1.0, -1.0): [0], (None, 1.0, 2.0): [0]}),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_nan_that_arises_and_integers_that_wrap(
    evaluator: Evaluator, build: Any, answers: dict[tuple[Any, ...], list[float]]
) -> None:
    graph = RowGraph(17, 3)
    value, count = build(graph)
    onnx, signature = graph.finish([value], count)
    case = Case("one", onnx, signature, [list(row) for row in answers])
    program = compiled(case)
    assert program is not None
    wanted = np.array(list(answers.values()), dtype=np.float64)
    assert not differences(wanted, by_onnxruntime(case), 1e-6)
    for form in evaluator([(case, program)])[0]:
        assert not differences(wanted, form, 1e-6), (form, wanted)
