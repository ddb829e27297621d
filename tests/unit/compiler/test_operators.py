"""The table of ONNX operators: its rows are complete, and true of ONNX's own specification."""

from __future__ import annotations

import pytest
from helpers.compiled_models import RULES
from helpers.folders import ROOT
from helpers.random_graphs import made
from onnx import ModelProto, defs

from sqlml.compiler.operators import OPERATORS
from sqlml.compiler.operators.operator import Cost, Operator, specification
from sqlml.compiler.operators.rule import Rule
from sqlml.importing.operators import ONNX, OPSETS

# Operators with a rule that random graphs have not. Whole models have them, in the fixtures and in the fits of
# estimators, and the ONNX project's own tests.
_NOT_AT_RANDOM = frozenset(
    (
        *("ArrayFeatureExtractor", "Binarizer", "Constant", "FeatureVectorizer", "Flatten", "LinearClassifier"),
        *("SVMClassifier", "SVMRegressor", "Squeeze", "Sum", "TreeEnsemble", "TreeEnsembleClassifier", "Unsqueeze"),
    )
)
_ROWS = [
    pytest.param(domain, name, row, id=f"{domain}.{name}")
    for domain, rows in OPERATORS.items()
    for name, row in rows.items()
]


def test_the_manual_has_the_versions() -> None:
    page = ROOT / "sql" / "reference" / "import_model.sql"
    oldest, newest = OPSETS[ONNX]
    assert f"versions {oldest} to {newest} of the ONNX operators are supported" in page.read_text(encoding="utf-8")


def test_the_table_is_sorted() -> None:
    assert list(OPERATORS) == sorted(OPERATORS)
    for rows in OPERATORS.values():
        assert list(rows) == sorted(rows)


@pytest.mark.parametrize(("domain", "name", "row"), _ROWS)
def test_a_row_is_complete(domain: str, name: str, row: Operator) -> None:
    """Each has a rule or the reason why not, a flow or the reason why not, and is one of ONNX's operators."""
    assert isinstance(row.rule, Rule) or row.rule.startswith(("it ", "its ", "no ", "neither ", "a ", "the "))
    assert callable(row.flow) or row.flow.startswith(("it ", "its ", "no ", "a ", "the "))
    assert isinstance(row.cost, Cost)
    assert defs.has(name, domain=domain)
    assert all(place < defs.get_schema(name, domain=domain).max_input for place in row.sizes)
    if isinstance(row.rule, Rule):
        assert not row.refused, "what an imported model may not use need not be translated"
        assert specification(domain, name) in (row.rule.function.__doc__ or "")


def test_random_graphs_have_every_other_operator() -> None:
    written = {node.op_type for seed in range(200) for node in ModelProto.FromString(made(seed).onnx).graph.node}
    assert {name for _, name in RULES} - written == _NOT_AT_RANDOM
