"""ENRICH TABLE without a JVM: how names meet, what is left open, what SQL comes of it."""

from __future__ import annotations

import pytest
from helpers.folders import FIXTURES

from sqlml.binding.outputs import standard
from sqlml.enrichment import THRESHOLD, Proposal, Wanted, outputs_of, propose, similarity
from sqlml.enrichment.columns import only, read_by, unqualified
from sqlml.enrichment.mapping import MapEntry
from sqlml.enrichment.similarity import unit_differs
from sqlml.enrichment.sql_text import Enrichment
from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Column, Piece
from sqlml.parser.functions import rewrite
from sqlml.signature import Feature, Signature

_PAIRS = [
    (line[0], *line[2:].split(" | "))
    for line in (FIXTURES / "name_pairs.txt").read_text(encoding="utf-8").splitlines()
    if line[:1] in ("=", "!")
]


def test_the_threshold_parts_names_of_one_thing_from_names_of_two() -> None:
    """The figures that the manual gives."""
    scores = {kind: [] for kind in "=!"}  # type: dict[str, list[float]]
    for kind, one, other in _PAIRS:
        scores[kind] += [similarity(one, other), similarity(other, one)]
    assert (len(scores["="]), len(scores["!"])) == (2 * 84, 2 * 107)
    assert max(scores["!"]) == pytest.approx(0.865)
    assert sum(score >= THRESHOLD for score in scores["="]) / len(scores["="]) == pytest.approx(0.976, abs=0.001)


@pytest.mark.parametrize(("kind", "one", "other"), [pair for pair in _PAIRS if pair[0] == "!"])
def test_no_name_of_another_thing_is_taken(kind: str, one: str, other: str) -> None:
    assert max(similarity(one, other), similarity(other, one)) < THRESHOLD
    mapped = propose("m", "t", [Feature(one, "double")], [(other, "double")], {}).mapped[0]
    assert not mapped.accepted


def test_names_of_any_kind_have_a_similarity() -> None:
    for name in ("", "_", "1", "ü", "日本語", "a b", "`", "x" * 500, "a_b_c_d_e_f_g_h_i_j", "of the"):
        assert 0 <= similarity(name, "age") <= 1
        assert similarity(name, name) == 1.0


def _proposed(features: dict[str, str], columns: dict[str, str], **given: MapEntry) -> Proposal:
    asked = [Feature(name, kind) for name, kind in features.items()]
    return propose("churn", "t", asked, list(columns.items()), given, "d")


def _fed(proposal: Proposal) -> dict[str, str | None]:
    return {one.feature.name: one.expression if one.accepted else None for one in proposal.mapped}


def test_exact_names_come_before_similar_ones() -> None:
    proposal = _proposed({"age": "int", "plan": "string"}, {"customer_age": "int", "AGE": "bigint", "Plan": "string"})
    assert _fed(proposal) == {"age": "d.AGE", "plan": "d.Plan"}
    assert {one.method for one in proposal.mapped} == {"exact"}


def test_a_tie_is_left_open() -> None:
    proposal = _proposed({"price": "double"}, {"price_usd": "double", "price_eur": "double"})
    assert _fed(proposal) == {"price": None}
    with pytest.raises(SqlmlError, match=r"price: price_eur 0\.94, price_usd 0\.94") as caught:
        proposal.check(7)
    assert (caught.value.condition, caught.value.offset) == ("SQLML_MAPPING_UNSURE", 7)
    assert "MAP (price = d.price_eur)" in caught.value.hint


def test_no_column_feeds_two_features() -> None:
    proposal = _proposed({"order_qty": "int", "orderQuantity": "int"}, {"order_quantity": "int"})
    assert _fed(proposal) == {"order_qty": None, "orderQuantity": None}


def test_what_is_paired_makes_room() -> None:
    proposal = _proposed({"bill_amt": "double", "ship_amt": "double"}, {"billAmount": "double", "shipAmount": "double"})
    assert _fed(proposal) == {"bill_amt": "d.billAmount", "ship_amt": "d.shipAmount"}


def test_a_text_never_feeds_a_number_by_itself() -> None:
    proposal = _proposed({"order_quantity": "int"}, {"order_qty": "string"})
    assert proposal.mapped[0].method == "none" and proposal.mapped[0].candidates == ()
    exact = _proposed({"age": "int"}, {"age": "string"})
    assert exact.mapped[0].problem == "Feature age is INT, but age is STRING"
    with pytest.raises(SqlmlError, match=r"MAP \(age = CAST\(d.age AS INT\)\)"):
        exact.check(None)


def test_names_that_differ_in_case_only_are_told_apart_or_left_open() -> None:
    assert _fed(_proposed({"age": "int"}, {"Age": "int", "age": "int"})) == {"age": "d.age"}
    assert _fed(_proposed({"age": "int"}, {"Age": "int", "AGE": "int"})) == {"age": None}


def test_what_an_expression_reads_is_no_other_features_by_mere_similarity() -> None:
    given = MapEntry("d.qty * 2", "int", None, ("qty",))
    proposal = _proposed({"twice": "int", "quantity": "int"}, {"qty": "int"}, twice=given)
    assert _fed(proposal) == {"twice": "d.qty * 2", "quantity": None}


def test_a_prefix_that_most_columns_have_says_nothing() -> None:
    columns = {"pol_age": "int", "pol_plan": "string", "pol_premium": "double"}
    features = {"age": "int", "plan": "string", "premium": "double"}
    assert _fed(_proposed(features, columns)) == {"age": "d.pol_age", "plan": "d.pol_plan", "premium": "d.pol_premium"}
    mapped = propose("m", "db.boxes", [Feature("width", "int")], [("boxWidth", "int"), ("h", "int")], {}).mapped
    assert mapped[0].accepted and mapped[0].score == 0.95
    # One of many says what the column is.
    assert _fed(_proposed({"age": "int"}, {"spouse_age": "int", "plan": "string"})) == {"age": None}


def test_a_unit_that_one_name_has_is_told() -> None:
    proposal = _proposed({"distance": "double"}, {"distance_km": "double"})
    assert proposal.mapped[0].accepted
    assert proposal.warnings == ("distance is fed by distance_km: only one of the names has a unit",)
    assert not unit_differs("distance_km", "dist_km")


@pytest.mark.parametrize(
    ("expression", "reads", "bare"),
    [
        ("d.age + 1", ("age",), "age + 1"),
        ("`age` * D.`plan`", ("age", "plan"), "`age` * `plan`"),
        ("age(x) + 'age' -- age", (), "age(x) + 'age' -- age"),
        ("address.age", (), "address.age"),
        ("d.plan.age", ("plan",), "plan.age"),
        ("coalesce(AGE, d.age)", ("age",), "coalesce(AGE, age)"),
    ],
)
def test_columns_of_an_expression(expression: str, reads: tuple[str, ...], bare: str) -> None:
    assert read_by(expression, ["age", "plan"], ["d"]) == reads
    assert unqualified(expression, ["age", "plan"], ["d"]) == bare


def test_an_expression_that_is_a_column() -> None:
    assert only("d.`Age`", ["age"], ["d"]) == "age"
    assert only("age + 1", ["age"], ["d"]) is None


_CHURN = Signature("classification", (Feature("age", "int"),), "churned", "string", ("no", "yes"))


def _columns(signature: Signature, *wanted: Wanted) -> dict[str, str]:
    return {one.column: one.expression("f()") for one in outputs_of(signature, wanted, "model m")}


def test_outputs() -> None:
    assert _columns(_CHURN) == {"predicted_churned": "f()"}
    asked = Wanted("Probability", ("YES",), None, Piece("decimal(3,2)"))
    assert _columns(_CHURN, asked) == {"probability_yes": "CAST(f()['yes'] AS decimal(3,2))"}
    several = [Wanted(name) for name in ("churned", "predicted_churned_probs", "probabilities", "score")]
    columns = _columns(_CHURN, *several)
    assert list(columns) == ["predicted_churned", "predicted_churned_probs", "probabilities", "score"]
    assert (columns["probabilities"], columns["score"]) == ("f()", "f()['yes']")
    flags = Signature("classification", (), "left", "boolean", (False, True))
    assert _columns(flags, Wanted("probability", (True,))) == {"probability_true": "f()[true]"}
    assert _columns(flags, Wanted("probability_False")) == {"probability_false": "f()[false]"}
    dates = Signature("classification", (), "day", "date", ("2020-01-01", "2020-01-02", "2020-01-03"))
    assert _columns(dates, Wanted("probability", ("2020-01-02",), Column("p"))) == {
        "p": "f()[CAST('2020-01-02' AS DATE)]"
    }
    assert _columns(dates, Wanted("probability")) == {"probability": "array_max(map_values(f()))"}
    nameless = Signature("classification", (), None, "string", ("a", "b"))
    assert [one.name for one in standard(nameless)] == ["prediction", "prediction_probs"]
    assert list(_columns(nameless, Wanted("prediction"), Wanted("prediction_probs"))) == [
        "prediction",
        "prediction_probs",
    ]
    components = Signature("dimensionality_reduction", (), None, "double", outputs=("component_1", "component_2"))
    assert _columns(components) == {
        "principal_component_1": "f().`component_1`",
        "principal_component_2": "f().`component_2`",
    }
    assert _columns(Signature("regression", (), "y", "double", outputs=("a", "b"))) == {
        "predicted_a": "f().`a`",
        "predicted_b": "f().`b`",
    }
    assert _columns(Signature("clustering", (), None, "int", (0, 1))) == {"CENTROID_ID": "f()"}
    assert _columns(Signature("anomaly_detection", (), None, "boolean", (False, True))) == {"is_anomaly": "f()"}


@pytest.mark.parametrize(
    ("signature", "wanted"),
    [
        (_CHURN, Wanted("principal_component_1")),
        (Signature("clustering", (), None, "int", (0, 1)), Wanted("probabilities")),
        (_CHURN, Wanted("prediction", ("yes",))),
        (_CHURN, Wanted("probability", ("maybe",))),
        (Signature("regression", (), "y", "double"), Wanted("probabilities")),
    ],
)
def test_outputs_that_a_model_does_not_have(signature: Signature, wanted: Wanted) -> None:
    with pytest.raises(SqlmlError) as caught:
        outputs_of(signature, (wanted,), "model m")
    assert caught.value.condition == "SQLML_COLUMN_NOT_FOUND"


def _enrichment(alias: str | None = "d") -> Enrichment:
    columns = (("id", "bigint"), ("cust_age", "int"), ("table", "struct<Aa:int>"), ("it's", "string"))
    features = [Feature("age", "int"), Feature("my plan", "string")]
    given = {"my plan": MapEntry("lower(d.`it's`)", "string", None, ("it's",))}
    proposal = propose("churn", "db.t", features, columns, given, alias)
    outputs = outputs_of(_CHURN, (), "model churn@top")
    return Enrichment("db.t", alias, "churn@top", proposal, outputs, True, columns, ("d",))


def test_the_select() -> None:
    text = """\
SELECT
  d.*,
  PREDICT('churn@top',
    age => d.cust_age /* similar name, 0.95 */,
    `my plan` => lower(d.`it's`)) AS predicted_churned,
  PREDICT_PROVENANCE('churn@top') AS provenance
FROM db.t AS d"""
    assert _enrichment().select == text
    rewritten = rewrite(text)
    assert rewritten is not None and "named_struct('age', d.cust_age /* similar name" in rewritten.text


def test_statements_quote_what_they_have_to() -> None:
    view = _enrichment().create_view("v", replace=True, temporary=False, comment="it's", properties={"a": "b'"})
    assert view.startswith("CREATE OR REPLACE VIEW v (\n  id,\n  cust_age,\n  `table`,\n  `it's`,\n  predicted_churned")
    assert "COMMENT 'it\\'s'\nTBLPROPERTIES ('a' = 'b\\'')\nAS SELECT" in view
    temporary = _enrichment().create_view("v", replace=False, temporary=True, comment="c", properties={"a": "b"})
    assert temporary.startswith("CREATE TEMPORARY VIEW v (") and "TBLPROPERTIES" not in temporary
    table = _enrichment().create_table("t", replace=False, using="delta", comment="c", properties={"a": "b"})
    assert table.startswith("CREATE TABLE t USING delta\nCOMMENT 'c'\nTBLPROPERTIES ('a' = 'b')\nAS SELECT")
    assert _enrichment().insert_into("t").startswith("INSERT INTO t BY NAME\nSELECT")
    function = _enrichment().create_function(
        "f", replace=False, temporary=True, comment="c", types=["string", "struct<Aa:int>"]
    )
    assert function == (
        "CREATE TEMPORARY FUNCTION f(cust_age INT, `it's` STRING)\n"
        "RETURNS STRUCT<`predicted_churned`: string, `provenance`: struct<Aa:int>>\nCOMMENT 'c'\nRETURN\n"
        "  struct(\n    PREDICT('churn@top',\n    age => cust_age /* similar name, 0.95 */,\n"
        "    `my plan` => lower(`it's`)) AS predicted_churned,\n"
        "    PREDICT_PROVENANCE('churn@top') AS provenance)"
    )
