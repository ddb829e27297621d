"""The compiler, text in and text out: graphs as ONNX writes them, and the SQL of each engine. No model is fitted."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlglot
from helpers.compiled_models import RULES
from helpers.folders import ROOT
from helpers.sql_engines import FIXTURES, model_of, sections
from hypothesis import given
from hypothesis import strategies as st
from onnx import parser
from sqlglot import exp

from sqlml.compiler import select
from sqlml.compiler.catalyst import program
from sqlml.compiler.dialects import ENGINES, engine
from sqlml.compiler.feature_usage import used_features
from sqlml.compiler.names import identifier, unique
from sqlml.compiler.operators import OPERATORS
from sqlml.compiler.operators.operator import NOT_NEEDED
from sqlml.compiler.operators.trees_as_case import boundary
from sqlml.errors import SqlmlError
from sqlml.signature import Feature, Signature, Transform

_OTHERS, _TWO_CLASSES = (next(path for path in FIXTURES if path.stem == name) for name in ("others", "two_classes"))
# What Spark compiles itself: no SELECT, and no dialect of EXPORT.
_CATALYST = "catalyst"
_EXPORTERS = ROOT / "sqlml" / "export"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixtures(path: Path, request: pytest.FixtureRequest) -> None:
    parts = sections(path)
    signature = Signature.from_json(parts["signature"])
    content = model_of(parts).SerializeToString()
    found = {
        name: select(content, signature, dialect=name, table="shop.customers", columns=["id"]) + "\n"
        for name in parts
        if name in ENGINES
    }
    texts = found | {name: _program(content, signature) for name in parts if name == _CATALYST}
    for dialect, text in found.items():
        (tree,) = sqlglot.parse(text, dialect=dialect)
        assert isinstance(tree, exp.Select)
        assert not list(tree.find_all(exp.Placeholder, exp.Command))
    if request.config.getoption("--update-golden"):
        text = parts[""] + "".join(f"== {name}\n{texts.get(name, text)}" for name, text in parts.items() if name)
        path.write_text(text, encoding="utf-8")
        return
    assert texts == {name: text for name, text in parts.items() if name in (*ENGINES, _CATALYST)}


def _program(content: bytes, signature: Signature) -> str:
    """A line a definition, as Spark gets them."""
    given = [feature.type for feature in signature.features]
    made = program(content, signature, given, used_features(content, signature))
    assert made is not None
    lines = [
        f"i{place} {kind} = {signature.names[at]}"
        for place, (at, kind) in enumerate(zip(made.features, made.inputs, strict=True))
    ]
    lines += [f"d{place} {one.type} = {one.sql}" for place, one in enumerate(made.definitions)]
    lines += [f"n{place} = {number}" for place, number in enumerate(made.numbers)]
    lines += [f"present = {made.present}"] if made.present else []
    lines += [f"label {made.label_type} = {label}" for label in made.labels]
    return "\n".join(lines) + "\n"


def test_every_operator_and_engine_is_in_a_fixture() -> None:
    used = {node.op_type for path in FIXTURES for node in model_of(sections(path)).graph.node}
    assert used == {kind for _, kind in RULES}
    assert {name for path in FIXTURES for name in sections(path)} >= set(ENGINES)


def test_what_the_exporters_write_has_a_rule_or_a_reason() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in _EXPORTERS.rglob("*.py"))
    written = set(re.findall(r'\.(?:op|ops|ml)\(\s*"(\w+)"', sources)) | set(re.findall(r'kind = "(\w+)" if', sources))
    assert {"GreaterOrEqual", "LabelEncoder", "TreeEnsemble"} <= written
    rules = {name: row.rule for rows in OPERATORS.values() for name, row in rows.items()}
    assert [name for name in sorted(written) if rules.get(name, NOT_NEEDED) == NOT_NEEDED] == []
    assert list(ENGINES) == sorted(ENGINES)


def test_nothing_heavy_is_loaded() -> None:
    program = "import sqlml.compiler, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pyspark", "mlflow", "onnxruntime", "sklearn", "pandas"} & set(loaded)


# -- rounding ----------------------------------------------------------------------------------------------------------

_FLOAT32 = st.floats(width=32, allow_nan=False)


@given(st.one_of(_FLOAT32, st.floats(allow_nan=False)))
def test_a_boundary_is_the_last_double_that_rounds_to_the_left(split: float) -> None:
    limit = boundary(split)
    with np.errstate(over="ignore"):
        assert float(np.float32(limit)) <= split
        if limit < math.inf:
            assert float(np.float32(math.nextafter(limit, math.inf))) > split


# -- names -------------------------------------------------------------------------------------------------------------


def test_names_are_quoted_where_they_must_be() -> None:
    said = {
        (name, dialect): identifier(name, dialect).sql(dialect=dialect)
        for name, dialect in [("age", "postgres"), ("Age", "snowflake"), ("plan", "tsql"), ("a b", "mysql")]
    }
    assert list(said.values()) == ["age", "Age", "[plan]", "`a b`"]
    assert identifier("Order", "postgres").sql(dialect="postgres") == '"order"'
    assert identifier("Order", "snowflake").sql(dialect="snowflake") == '"ORDER"'
    assert unique("prediction", ["Prediction", "prediction_2"]) == "prediction_3"


def test_dialects_have_their_other_names() -> None:
    assert engine("PostgreSQL").name == "postgres"
    with pytest.raises(SqlmlError, match="cannot be written in the SQL of postgre") as caught:
        engine("postgre")
    assert caught.value.condition == "SQLML_OPTION_INVALID"
    assert "Did you mean postgres?" in str(caught.value)


@pytest.mark.parametrize("table", ["", "a; DROP TABLE b", "(SELECT 1)", "a b c", "f(x)", "a JOIN b", "a -- b"])
def test_a_table_is_a_name(table: str) -> None:
    with pytest.raises(SqlmlError, match="is not the name of a table"):
        _line(table=table)


def _line(dialect: str = "duckdb", transform: Transform | None = None, **options: object) -> str:
    parts = sections(_TWO_CLASSES)
    signature = Signature.from_json(parts["signature"])
    options = {"table": "t", **options}
    return select(model_of(parts).SerializeToString(), signature, transform, dialect=dialect, **options)  # type: ignore[arg-type]


def test_what_the_model_takes_stands_before_the_prediction() -> None:
    tree = sqlglot.parse_one(_line(), dialect="duckdb")
    assert tree.named_selects == ["x", "prediction", "probability_false", "probability_true"]
    tree = sqlglot.parse_one(_line(columns=["id", "Prediction"], table='"my schema".t'), dialect="duckdb")
    assert tree.named_selects == ["id", "Prediction", "prediction_2", "probability_false", "probability_true"]
    assert 'FROM "order"' in _line("postgres", table="Order", columns=[])
    assert '"my schema".t' in tree.sql(dialect="duckdb")


@pytest.mark.parametrize("dialect", ["snowflake", "postgres", "tsql"])
def test_a_column_is_carried_once_however_its_name_is_spelled(dialect: str) -> None:
    parts = sections(_OTHERS)
    content, signature = model_of(parts).SerializeToString(), Signature.from_json(parts["signature"])
    text = select(content, signature, dialect=dialect, table="t", columns=["ORDER", "Order", "X"])
    for query in sqlglot.parse_one(text, dialect=dialect).find_all(exp.Select):
        names = [name.casefold() for name in query.named_selects]
        assert len(names) == len(set(names)), query.sql(dialect=dialect)
    assert sqlglot.parse_one(text, dialect=dialect).named_selects[1:] == ["X", "prediction"]


def test_an_operator_without_a_rule_is_named() -> None:
    text = """<ir_version: 10, opset_import: ["": 21]> g (double[N, 1] x) => (double[N, 1] prediction)
        <int64[1] one = {1}> { prediction, places = TopK <axis = 1> (x, one) }"""
    signature = Signature("regression", (Feature("x", "double"),), "y", "double")
    with pytest.raises(SqlmlError, match=r"^\[SQLML_MODEL_NOT_SQL\] sklearn.k_neighbors cannot be .* TopK has no rule"):
        select(
            parser.parse_model(text).SerializeToString(),
            signature,
            dialect="duckdb",
            table="t",
            estimator="sklearn.k_neighbors",
        )


def test_a_tree_that_leads_back_to_itself_is_refused() -> None:
    text = """<ir_version: 10, opset_import: ["": 21, "ai.onnx.ml": 5]>
        g (double[N, 1] x) => (double[N, 1] prediction) {
        prediction = ai.onnx.ml.TreeEnsemble <n_targets = 1, tree_roots = [0], nodes_featureids = [0],
            nodes_modes = uint8[1] {0}, nodes_splits = double[1] {0}, nodes_truenodeids = [0], nodes_trueleafs = [0],
            nodes_falsenodeids = [0], nodes_falseleafs = [1], leaf_weights = double[1] {1},
            leaf_targetids = [0]> (x) }"""
    signature = Signature("regression", (Feature("x", "double"),), "y", "double")
    with pytest.raises(SqlmlError, match="share their nodes"):
        select(parser.parse_model(text).SerializeToString(), signature, dialect="duckdb", table="t")


# -- TRANSFORM ---------------------------------------------------------------------------------------------------------


def _transform(select_list: str) -> Transform:
    inputs = (Feature("a", "int"), Feature("x", "double"), Feature("plan", "string"))
    return Transform(select_list, inputs, inputs, {})


def test_a_transform_is_a_step_before() -> None:
    text = _line("postgres", _transform("CASE WHEN plan = 'basic' THEN a / x ELSE coalesce(x, 0) END AS x, a AS b"))
    assert text.startswith(
        'WITH features AS (\n  SELECT\n    a,\n    x,\n    "plan",\n    CASE\n      WHEN "plan" = \'basic\'\n'
    )
    tree = sqlglot.parse_one(text, dialect="postgres")
    assert tree.named_selects == ["a", "x", "plan", "prediction", "probability_false", "probability_true"]
    # The feature is not the column of that name.
    assert "AS x_2" in text and "FROM features" in text


@pytest.mark.parametrize(
    ("select_list", "what"),
    [
        ("year(day) AS x", r"YEAR\(day\)"),
        ("CAST(plan AS DATE) > '2024-01-01' AS x", "is a cast"),
        ("a % 2 AS x", "a % 2"),
        ("t.a + 1 AS x", "t.a"),
        ("x +", "read"),
    ],
)
def test_a_transform_that_engines_read_in_their_own_ways_is_refused(select_list: str, what: str) -> None:
    with pytest.raises(
        SqlmlError, match=f"TRANSFORM of the model cannot be written in another dialect: .*{what}"
    ) as caught:
        _line("postgres", _transform(select_list))
    assert caught.value.condition == "SQLML_MODEL_NOT_SQL"


def test_texts_of_a_transform_need_an_engine_that_compares_bytes() -> None:
    with pytest.raises(SqlmlError, match="'basic' is a string, which mysql compares by the rules of the column"):
        _line("mysql", _transform("CASE WHEN plan = 'basic' THEN 1 ELSE x END AS x"))
