"""A model as one SELECT in the SQL of another engine: an ONNX graph becomes SQL, with nothing of sqlml left in it.

    dialects         what the arithmetic, texts and limits of each engine are: the ENGINES table
    values           what flows between operators: tensors of one row, whose elements are constants, tables or SQL
    facts            where a number can be infinite or NaN: interval arithmetic over the graph
    lookup_keys      what a table looks at: a text, a boolean, a condition, which number is the largest
    scope            the definitions that a model is made of, and how elements are written
    operators/       one function for each operator of ONNX: the OPERATORS table, which says what of a node it reads
    inputs           columns of the table → inputs of the graph
    outputs          outputs of the graph → columns of the SELECT
    steps            definitions → one SELECT, with common table expressions where something is used twice
    names            which names are quoted, and how
    node             a node's attributes as Python values
    tree_attributes  the attributes of ONNX's tree operators, old and new, as one kind of arrays
    forest_packing   those as bytes for the kernel that walks trees inside Spark
    feature_flow     what each operator does to the features that a tensor depends on: the FLOWS table
    feature_usage    the features that an answer can depend on: the others need not be read
    from_clause      the model's table, or a step that makes the features by its TRANSFORM
    optimized_graph  the graph in the form that costs least to score
    catalyst         the model as definitions in Spark SQL
    cost             what a row of a model takes, compiled and in ONNX Runtime

The graph is run once, on a row of SQL expressions instead of numbers, so that what a node does to shapes is what
numpy does. An input that is missing (NaN in the graph) is NULL in SQL; NaN that arises on the way is NULL for the rules
that can tell it from a number.

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

# A longer text is for machines: indented it would be half as long again.
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
    """One SELECT that scores a model: some columns of a table, then `prediction`, and for a classifier
    `probability_<label>` for each label, in the order of the labels (`score_<label>` where there are no probabilities).

    A missing value, a category never seen, a tie between labels: all are answered as `sqlml.scoring.scorer` answers
    them. In an engine without float32 what XGBoost adds up in float32 is added up in double.

    Args:
        onnx: the model's bytes, as sqlml's exporters write them.
        transform: the model's TRANSFORM clause.
        dialect: a name of `sqlml.compiler.dialects.ENGINES`.
        table: the table's name in that dialect, with its schema where needed.
        columns: the table's columns that stand before the prediction; by default those that the model takes.
        estimator: what an error calls the model, such as `sklearn.k_neighbors`.

    Returns:
        The text, without a semicolon.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a dialect that there is not, or a table that is no name;
            SQLML_MODEL_NOT_SQL for an operator or a TRANSFORM that cannot be said, and for a text longer than the
            engine takes.
    """
    target = engine(dialect)
    source: exp.Expression = table_of(table, target)
    names = signature.names if transform is None else tuple(one.name for one in transform.inputs)
    spelled: dict[str, str] = {}
    for name in names if columns is None else columns:
        spelled.setdefault(name.casefold(), name)
    kept = list(spelled.values())
    sources = list(signature.names)
    before: list[exp.CTE] = []
    if transform is not None:
        step, sources = transformed(transform, signature, target, table_of(table, target), kept)
        before, source = [step], exp.Table(this=exp.Identifier(this=STEP, quoted=False))
    _check_texts(signature.features if transform is None else [*signature.features, *transform.inputs], target)
    scope = Scope(target)
    found = run(onnx, signature, sources, scope, estimator=estimator)
    outputs = columns_of(found, signature, sources, scope, kept)
    taken = [*sources, *(part.name for part in source.find_all(exp.Identifier))]
    query = steps.select(scope, outputs, source, kept, taken=taken, before=before)
    text: str = query.sql(dialect=target.name, copy=False)
    if len(text) > target.most_text:
        raise SqlmlError(
            "SQLML_MODEL_NOT_SQL",
            f"{estimator or 'The model'} is {len(text):,} characters of SQL, and {target.name} takes"
            f" {target.most_text:,}.",
            hint="A model with fewer or smaller trees may do; FORMAT onnx has no limit.",
        )
    if len(text) <= _MOST_INDENTED:
        text = query.sql(dialect=target.name, pretty=True, copy=False)
    return text


def _check_texts(features: Sequence[Feature], target: Engine) -> None:
    """Raises SQLML_MODEL_NOT_SQL for texts that another engine would compare in its own way."""
    for feature in features:
        collation = collation_of(feature.type)
        if collation is not None:
            raise SqlmlError(
                "SQLML_MODEL_NOT_SQL",
                f"The feature {feature.name} compares its texts as {collation} says, which {target.name} does not.",
                hint="Train on a query that makes them one text in its SELECT, such as lower(…), and do so there too.",
            )
