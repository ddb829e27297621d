"""The FROM clause of a compiled model: its table, or a CTE that computes the features by the model's TRANSFORM.

TRANSFORM is Spark SQL, and other engines differ in rounding, division, comparison of texts and parsing of dates.
`_SAID_ALIKE` lists the expressions with the same meaning everywhere; any other is refused by name.
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import ErrorLevel, TokenType, exp, parse_one, tokenize
from sqlglot.errors import SqlglotError

from sqlml.compiler.dialects import Engine
from sqlml.compiler.names import column, identifier, unique
from sqlml.errors import SqlmlError
from sqlml.signature import TEXT, Signature, Transform, is_padded, kind_of

_SAID_ALIKE: tuple[type[exp.Expression], ...] = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Alias, exp.Star),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between),
    *(exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Cast, exp.DataType, exp.Lower, exp.Upper),
)
_SAFE_CASTS = (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)
STEP = "features"
_WORD = re.compile(r"\w[\w$]*")
# BigQuery's projects have dashes in their names.
_BETWEEN = (TokenType.DOT, TokenType.DASH)


def table_of(name: str, engine: Engine) -> exp.Table:
    """Returns the table that a text names.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID where it is anything else than a name.
    """
    try:
        tokens = tokenize(name, dialect=engine.name)
    except SqlglotError:
        tokens = []
    words, between = tokens[::2], tokens[1::2]
    if (
        len(words) != len(between) + 1
        or any(token.comments for token in tokens)
        or any(token.token_type not in _BETWEEN for token in between)
        or not all(token.token_type == TokenType.IDENTIFIER or _WORD.fullmatch(token.text) for token in words)
    ):
        raise SqlmlError("SQLML_OPTION_INVALID", f"{name!r} is not the name of a table.")
    table: exp.Table = exp.to_table(name, dialect=engine.name)
    for part in list(table.parts):
        if not part.args.get("quoted"):
            part.replace(identifier(part.name, engine.name))
    return table


def transformed(
    transform: Transform, signature: Signature, engine: Engine, table: exp.Table, kept: list[str]
) -> tuple[exp.CTE, list[str]]:
    """Returns a CTE with the kept columns and the features, and the features' column names, which differ from kept
    ones.

    For each feature: take its expression, refuse what engines differ in, replace Spark's casts, and quote its names.

    Raises:
        SqlmlError: SQLML_MODEL_NOT_SQL for an expression that not every engine evaluates as Spark does.
    """
    select = _parsed(transform)
    made = {one.alias_or_name.casefold(): one.unalias() for one in select.expressions if not isinstance(one, exp.Star)}
    texts = {one.name.casefold() for one in transform.columns if kind_of(one.type) == TEXT}
    padded = {one.name.casefold() for one in transform.columns if is_padded(one.type)}
    expressions: list[exp.Expression] = [column(name, engine.name) for name in kept]
    names: list[str] = []
    for feature in signature.features:
        tree = made.get(feature.name.casefold(), column(feature.name, engine.name)).copy()
        if not isinstance(tree, exp.Column):
            for read in tree.find_all(exp.Column):
                if read.name.casefold() in padded:
                    raise _refusal(tree.sql(dialect="spark"), f"reads {read.name}, whose trailing blanks do not count")
        _check(tree, engine, texts)
        for cast in list(tree.find_all(exp.TryCast)):
            # sqlglot reads Spark's CAST as TRY_CAST; a cast of numbers cannot fail, so CAST will do everywhere.
            plain = exp.Cast(this=cast.this, to=cast.to)
            tree = plain if cast is tree else tree
            cast.replace(plain)
        for found in list(tree.find_all(exp.Identifier)):
            found.replace(identifier(found.name, engine.name))
        name = unique(feature.name, [*kept, *names])
        names.append(name)
        expressions.append(exp.Alias(this=tree, alias=identifier(name, engine.name)))
    query = exp.Select(expressions=expressions).from_(table, copy=False)
    step = exp.CTE(this=query, alias=exp.TableAlias(this=exp.Identifier(this=STEP, quoted=False)))
    return step, names


def _parsed(transform: Transform) -> Any:
    try:
        return parse_one(f"SELECT {transform.select_list}", dialect="spark", error_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise _refusal("its select list", "cannot be read outside of Spark") from error


def _check(tree: exp.Expression, engine: Engine, texts: set[str]) -> None:
    """Raises unless the expression means the same in the engine as in Spark."""
    for node in tree.walk():
        if not isinstance(node, _SAID_ALIKE):
            raise _refusal(node.sql(dialect="spark"), "does not have the same meaning in all dialects")
        if isinstance(node, exp.Column) and node.table:
            raise _refusal(node.sql(dialect="spark"), "is not a plain column name")
        if isinstance(node, exp.Cast) and (node.to.this not in _SAFE_CASTS or _reads(node, texts)):
            raise _refusal(node.sql(dialect="spark"), "is a cast, which differs between dialects")
        if isinstance(node, exp.Literal) and node.is_string and engine.text != "c":
            raise _refusal(
                node.sql(dialect="spark"), f"is a string, which {engine.name} compares by the rules of the column"
            )


def _reads(tree: exp.Expression, names: set[str]) -> bool:
    return any(found.name.casefold() in names for found in tree.find_all(exp.Column))


def _refusal(what: str, why: str) -> SqlmlError:
    return SqlmlError(
        "SQLML_MODEL_NOT_SQL",
        f"The TRANSFORM of the model cannot be written in another dialect: {what} {why}.",
        hint="Train on a query that does this in its SELECT, and score a view that does the same.",
    )
