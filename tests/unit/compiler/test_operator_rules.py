"""What the compiler reads of a node: all of it or none. No JVM."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from helpers.compiled_models import RULES, Case, compiled
from helpers.row_graphs import DOUBLE, FLOAT, INT32, INT64, ML, RowGraph
from onnx import defs, numpy_helper

from sqlml.compiler import facts, values
from sqlml.compiler.operators.rule import NEWEST

_Build = Callable[[RowGraph], tuple[str, int]]


def _case(build: _Build, *, opset: int = 21, ml: int = 5, required: bool = False) -> Case:
    graph = RowGraph(opset, ml, required=required)
    value, count = build(graph)
    onnx, signature = graph.finish([value], count)
    return Case("one", onnx, signature, [])


def _last_index(graph: RowGraph) -> tuple[str, int]:
    found = graph.node("ArgMax", [graph.row(FLOAT, [3])], axis=1, keepdims=1, select_last_index=1)
    return graph.numbers(found, INT64, 1), 1


def _of_another_domain(graph: RowGraph) -> tuple[str, int]:
    x = graph.row(DOUBLE, [2])
    return graph.node("Add", [x, x], domain="com.microsoft"), 2


def _bytes(graph: RowGraph) -> tuple[str, int]:
    found = graph.node("Cast", [graph.row(DOUBLE, [2])], to=2)
    return graph.numbers(found, INT64, 2), 2


def _whole_quotient(graph: RowGraph) -> tuple[str, int]:
    x = graph.row(INT64, [2])
    return graph.numbers(graph.node("Div", [x, graph.constant([[2, 3]])]), INT64, 2), 2


def _sum_of_ints(graph: RowGraph) -> tuple[str, int]:
    x = graph.row(INT32, [2])
    return graph.numbers(graph.node("Add", [x, x]), INT32, 2), 2


def _rows_below_rows(graph: RowGraph) -> tuple[str, int]:
    x = graph.row(DOUBLE, [2])
    return graph.node("Concat", [x, x], axis=0), 2


def _axis_before_rows(graph: RowGraph) -> tuple[str, int]:
    more = graph.node("Unsqueeze", [graph.row(DOUBLE, [2]), graph.constant([0])])
    return graph.node("ReduceSum", [more, graph.constant([1])], keepdims=0), 2


def _some_rows(graph: RowGraph) -> tuple[str, int]:
    return graph.node("Gather", [graph.row(DOUBLE, [2]), graph.constant([0])], axis=0), 2


def _constant_of_rows(graph: RowGraph) -> tuple[str, int]:
    return graph.node("Add", [graph.row(DOUBLE, [2]), graph.constant([[1.0], [2.0]])]), 2


def _place_that_is_none(graph: RowGraph) -> tuple[str, int]:
    place = graph.node("Cast", [graph.row(DOUBLE, [1])], to=INT64)
    flat = graph.node("Reshape", [place, graph.constant([-1])])
    return graph.numbers(graph.node("Gather", [graph.constant([1.0, 2.0]), flat]), DOUBLE, 1), 1


def _largest_of_missing(graph: RowGraph) -> tuple[str, int]:
    roots = graph.node("Sqrt", [graph.row(DOUBLE, [2])])
    return graph.node("ReduceMax", [roots, graph.constant([1])], keepdims=1), 1


def _squeeze_without_axes(graph: RowGraph) -> tuple[str, int]:
    one = graph.node("Squeeze", [graph.row(DOUBLE, [1]), ""])
    return graph.node("Reshape", [one, graph.constant([-1, 1])]), 1


def _set_of_fractions(graph: RowGraph) -> tuple[str, int]:
    def tensor(values: object, dtype: type) -> object:
        return numpy_helper.from_array(np.array(values, dtype))

    found = graph.node(
        "TreeEnsemble",
        [graph.row(DOUBLE, [1])],
        domain=ML,
        n_targets=1,
        tree_roots=[0],
        nodes_featureids=[0],
        nodes_modes=tensor([6], np.uint8),
        nodes_splits=tensor([0], np.float64),
        membership_values=tensor([2, np.nan], np.float64),
        nodes_truenodeids=[0],
        nodes_trueleafs=[1],
        nodes_falsenodeids=[1],
        nodes_falseleafs=[1],
        leaf_weights=tensor([1, 0], np.float64),
        leaf_targetids=[0, 0],
        aggregate_function=1,
        post_transform=0,
    )
    return found, 1


@pytest.mark.parametrize(
    "build",
    [
        *(_axis_before_rows, _bytes, _constant_of_rows, _largest_of_missing, _last_index, _of_another_domain),
        *(
            _place_that_is_none,
            _rows_below_rows,
            _set_of_fractions,
            _some_rows,
            _squeeze_without_axes,
            _sum_of_ints,
            _whole_quotient,
        ),
    ],
    ids=lambda build: build.__name__,
)
def test_what_a_rule_does_not_read_is_left_to_onnx_runtime(build: _Build) -> None:
    assert compiled(_case(build)) is None


def _sum(graph: RowGraph) -> tuple[str, int]:
    x = graph.row(DOUBLE, [2])
    return graph.node("Add", [x, x]), 2


def test_a_later_version_of_the_operators_is_left_to_onnx_runtime() -> None:
    assert compiled(_case(_sum)) is not None
    assert compiled(_case(_sum, opset=NEWEST[""] + 1)) is None
    assert compiled(_case(_sum, ml=NEWEST[ML] + 1)) is None


def _constant_reshaped_by_zero(graph: RowGraph) -> tuple[str, int]:
    kept = graph.node("Reshape", [graph.constant([[1.0, 2.0]]), graph.constant([0, -1])])
    return graph.node("Add", [graph.row(DOUBLE, [2]), kept]), 2


def test_a_length_of_zero_copies_that_of_a_constant() -> None:
    assert compiled(_case(_constant_reshaped_by_zero)) is not None


def test_integers_clipped_at_a_fraction_are_not_integers() -> None:
    kind = values.DOUBLE
    digits, half = facts.of_values(np.array([0.0, 9.0]), kind), facts.of_values(np.array([0.5]), kind)
    assert digits.whole
    assert not facts.clip(kind, digits, half, digits).whole
    without = facts.of_values(np.array([np.inf]), kind)
    assert facts.clip(kind, digits, digits, without).whole


def test_every_rule_names_versions_and_attributes_that_there_are() -> None:
    history = defs.get_all_schemas_with_history()
    for (domain, kind), rule in RULES.items():
        known = [schema for schema in history if schema.name == kind and schema.domain == domain]
        assert set(rule.versions) <= {schema.since_version for schema in known}, kind
        assert list(rule.versions) == sorted(set(rule.versions)), kind
        assert set(rule.attributes) <= {name for schema in known for name in schema.attributes}, kind
        # One of the versions that sqlml's exporters and skl2onnx write.
        assert any(version <= (5 if domain else 21) for version in rule.versions), kind
