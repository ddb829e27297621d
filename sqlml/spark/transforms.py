"""The select lists of TRANSFORM: resolves and applies them by Spark (org.sqlml.predict.TransformClause)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession

from sqlml.errors import SqlmlError, blank
from sqlml.parser.cursor import Piece
from sqlml.signature import Fold, fold_of

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion

# Settings that change the meaning of expressions; a version keeps their values from its training.
_MEANING = (
    "spark.sql.ansi.enabled",
    "spark.sql.caseSensitive",
    "spark.sql.decimalOperations.allowPrecisionLoss",
    "spark.sql.legacy.timeParserPolicy",
    "spark.sql.session.timeZone",
)


def conf(spark: SparkSession) -> dict[str, str]:
    """The current values of the settings that change the meaning of expressions."""
    return {key: spark.conf.get(key) or "" for key in _MEANING}


def transformed(
    spark: SparkSession, sql: str, frame: DataFrame, select_list: Piece, kept: Sequence[str]
) -> tuple[DataFrame, dict[str, tuple[str, ...]]]:
    """Applies the list to the frame. Returns the result, and for each of its new columns the input columns it reads.

    Args:
        sql: the user's whole statement, which contains the list unless the list is a stored one.
        kept: columns of the frame to pass through, unless the list has an output of the same name.

    Raises:
        SqlmlError: SQLML_TRANSFORM_INVALID, SQLML_AMBIGUOUS_FEATURE.
    """
    jvm: Any = spark.sparkContext._jvm
    # Parsed once, so that `describe` and `select` work on the same unresolved expressions.
    parsed = jvm.org.sqlml.common.SelectList.parse(spark._jsparkSession, _placed(sql, select_list))
    if parsed is None:
        raise SqlmlError(
            "SQLML_TRANSFORM_INVALID",
            "TRANSFORM takes a select list: expressions separated by commas.",
            offset=select_list.offset,
        )
    described = json.loads(jvm.org.sqlml.predict.TransformClause.describe(spark._jsparkSession, parsed, frame._jdf))
    if "error" in described:
        error = described["error"]
        offset = select_list.offset if error["offset"] is None else error["offset"]
        raise SqlmlError("SQLML_TRANSFORM_INVALID", error["message"], offset=offset)
    fold = fold_of(conf(spark))
    reads = _reads(described["outputs"], select_list, fold)
    made = set(map(fold, reads))
    names = {fold(name): name for name in frame.columns}
    unchanged = [names[fold(name)] for name in kept if fold(name) in names and fold(name) not in made]
    return DataFrame(parsed.select(frame._jdf, unchanged), spark), reads


def _reads(outputs: Sequence[dict[str, Any]], select_list: Piece, fold: Fold) -> dict[str, tuple[str, ...]]:
    """The columns that each output reads; raises where two outputs have one name."""
    found: dict[str, tuple[str, ...]] = {}
    for output in outputs:
        if fold(output["name"]) in map(fold, found):
            raise SqlmlError(
                "SQLML_AMBIGUOUS_FEATURE",
                f"TRANSFORM has two columns called {output['name']}.",
                hint="Leave out the column of the query with * EXCEPT (…), or give the new one another name.",
                offset=select_list.offset,
            )
        found[output["name"]] = tuple(output["inputs"])
    return found


def stored(spark: SparkSession, model: ModelVersion) -> Any:
    """A version's transform as Java's `TransformClause.Stored`; None if it has none."""
    transform = model.transform
    if transform is None:
        return None
    jvm: Any = spark.sparkContext._jvm
    names = [column.name for column in transform.columns]
    return jvm.org.sqlml.predict.TransformClause.Stored(
        f"SELECT {transform.select_list}",
        transform.settings,
        [[column.name, column.type] for column in transform.columns],
        [names.index(feature.name) for feature in transform.inputs],
        list(model.signature.names),
    )


def _placed(sql: str, select_list: Piece) -> str:
    """`SELECT list` with the list at its offset in the user's statement, so that Spark reports the user's positions."""
    word = sql.upper().rfind("TRANSFORM", 0, select_list.offset)
    if not sql.startswith(select_list.text, select_list.offset) or word < 0:
        return f"SELECT {select_list.text}"
    before = blank(sql[: select_list.offset])
    return f"{before[:word]}SELECT{before[word + len('SELECT') :]}{select_list.text}"
