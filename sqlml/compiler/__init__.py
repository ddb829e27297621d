"""The compiler from ONNX graphs to SQL: a model as one SELECT in another engine's dialect, without functions of sqlml.

    dialects         arithmetic, texts and limits of each engine: the ENGINES table
    values           symbolic tensors of one row, whose elements are constants, lookup tables or SQL
    facts            interval arithmetic: where a number can be infinite or NaN
    lookup_keys      subjects of lookup tables: a text, a boolean, a condition, an index, an arg max
    scope            the definitions of a model under construction, and how elements are written as SQL
    operators/       the OPERATORS table: of each ONNX operator its rule, the flow of features, its cost
    inputs           columns of the table → inputs of the graph
    outputs          outputs of the graph → columns of the SELECT
    steps            definitions → one SELECT, with common table expressions for what is used twice
    names            quoting of names in each dialect
    node             a node's attributes as Python values
    tree_attributes  the attributes of ONNX's tree operators, old and new, as one set of arrays
    forest_packing   trees as bytes for the kernel that walks them inside Spark
    feature_flow     data-flow rules for the features that a tensor depends on
    feature_usage    column pruning: the features that an answer can depend on
    from_clause      the model's table, or a step that computes the features by its TRANSFORM
    optimized_graph  the graph with its label as an index, which is cheaper to score
    catalyst         the model as definitions in Spark SQL, for Spark's code generator
    cost             the cost model: a row's nanoseconds, compiled and in ONNX Runtime

The graph is executed once, symbolically: on a row of SQL expressions instead of numbers, so that numpy does to shapes
what ONNX does. A missing input (NaN in the graph) is NULL in SQL; a NaN that arises in between becomes NULL for the
rules that can tell it from a number.

Nothing here needs Spark or ONNX Runtime. Expressions are sqlglot's, built from its classes; none is subclassed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from sqlml.compiler import steps
from sqlml.compiler.dialects import Engine, engine
from sqlml.compiler.from_clause import STEP, table_of, transformed
from sqlml.compiler.graph import run
from sqlml.compiler.outputs import columns_of
from sqlml.compiler.scope import Scope
from sqlml.errors import SqlmlError
from sqlml.signature import Feature, Signature, Transform, collation_of

__all__ = ["select"]

# Longer texts are not indented, which would make them half as long again.
_MOST_INDENTED = 20_000


def select(
    onnx: bytes,
    signature: Signature,
    transform: Transform | None = None,
    *,
    dialect: str,
    table: str,
    columns: Sequence[str] | None = None,
    estimator: str = "",
) -> str:
    """Returns one SELECT that scores a model: some columns of a table, then `prediction`, then a classifier's scores.

    A classifier has `probability_<label>` for each label, in the order of the labels, or `score_<label>` where there
    are no probabilities. Missing values, unseen categories and ties between labels are treated as in
    `sqlml.scoring.scorer`. In an engine without float32 the float32 sums of XGBoost are sums of doubles.

    Args:
        onnx: the model's bytes, as sqlml's exporters write them.
        transform: the model's TRANSFORM clause.
        dialect: a name of `sqlml.compiler.dialects.ENGINES`.
        table: the table's name in that dialect, with its schema where needed.
        columns: the table's columns before the prediction; by default the model's inputs.
        estimator: the model's name in errors, such as `sklearn.k_neighbors`.

    Returns:
        The text, without a semicolon.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for an unknown dialect, or a table that is no name; SQLML_MODEL_NOT_SQL for an
            operator or a TRANSFORM without a translation, and for a text longer than the engine takes.
    """
    target = engine(dialect)
    source: exp.Expression = table_of(table, target)
    names = signature.names if transform is None else tuple(one.name for one in transform.inputs)
    spelled: dict[str, str] = {}
    for name in names if columns is None else columns:
        spelled.setdefault(name.casefold(), name)
    kept = list(spelled.values())
    # The source: the table itself, or a CTE that applies the TRANSFORM to it.
    sources = list(signature.names)
    before: list[exp.CTE] = []
    if transform is not None:
        step, sources = transformed(transform, signature, target, table_of(table, target), kept)
        before, source = [step], exp.Table(this=exp.Identifier(this=STEP, quoted=False))
    _check_texts(signature.features if transform is None else [*signature.features, *transform.inputs], target)
    # Execute the graph symbolically, then arrange its definitions into steps.
    scope = Scope(target)
    found = run(onnx, signature, sources, scope, estimator=estimator)
    outputs = columns_of(found, signature, sources, scope, kept)
    taken = [*sources, *(part.name for part in source.find_all(exp.Identifier))]
    query = steps.select(scope, outputs, source, kept, taken=taken, before=before)
    text: str = query.sql(dialect=target.name, copy=False)
    if len(text) > target.most_text:
        raise SqlmlError(
            "SQLML_MODEL_NOT_SQL",
            f"{estimator or 'The model'} is {len(text):,} characters of SQL, but {target.name} takes at most"
            f" {target.most_text:,}.",
            hint="Train a model with fewer or smaller trees, or use FORMAT onnx, which has no limit.",
        )
    if len(text) <= _MOST_INDENTED:
        text = query.sql(dialect=target.name, pretty=True, copy=False)
    return text


def _check_texts(features: Sequence[Feature], target: Engine) -> None:
    """Raises SQLML_MODEL_NOT_SQL for a feature with a collation, which another engine would not apply."""
    for feature in features:
        collation = collation_of(feature.type)
        if collation is not None:
            raise SqlmlError(
                "SQLML_MODEL_NOT_SQL",
                f"The feature {feature.name} has the collation {collation}, which {target.name} does not support.",
                hint="Train on a query that normalizes the strings in its SELECT, such as by lower(…), and normalize"
                " them in the same way there.",
            )
