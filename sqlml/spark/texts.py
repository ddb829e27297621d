"""Text equality under CHAR and collations: replaces equal texts by one spelling, in training and in scoring.

A model compares bytes. But trailing blanks of a CHAR do not count, and a collation such as UTF8_LCASE makes 'Ab' and
'AB' equal. A model learns one spelling of equal texts, the most frequent one, and its arguments are mapped to it: see
org.sqlml.predict.TextEquality. The feature's type decides about the collation, not the argument's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlml.parser.generator import quote_identifier
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.signature import TEXT, Feature, collation_of, is_padded

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sqlml.importing.unregistered_model import UnregisteredModel
    from sqlml.registry import ModelVersion

# Only the most frequent texts of a column are mapped to one spelling; encodings keep far fewer.
_MOST_TEXTS = 100_000
# The capacity of the cache; the oldest entries are evicted.
_MOST_KNOWN = 256
_lock = threading.Lock()
_known: dict[tuple[Any, ...], Any] = {}


def canonical(spark: SparkSession, frame: DataFrame, columns: Sequence[Feature]) -> DataFrame:
    """Returns the frame with some columns' equal texts replaced by one spelling, as plain strings.

    Args:
        columns: columns of the frame, with their types.
    """
    from pyspark.sql import DataFrame

    special = {column.name: column.type for column in columns if _is_special(column.type)}
    if not special:
        return frame
    jvm: Any = spark.sparkContext._jvm
    equalities = []
    for name in frame.columns:
        kind = special.get(name)
        collation = None if kind is None else collation_of(kind)
        texts = [] if collation is None else _spellings(frame, name)
        equalities.append(None if kind is None else _in_jvm(spark, is_padded(kind), collation, texts))
    return DataFrame(jvm.org.sqlml.predict.TextEquality.apply(frame._jdf, equalities), spark)


def equalities(spark: SparkSession, model: ModelVersion | UnregisteredModel, types: Sequence[str]) -> list[Any] | None:
    """Returns for each feature the JVM's `TextEquality` that maps its argument, or None; None where no feature has one.

    Args:
        types: the Spark type of the argument for each feature.
    """
    found: list[Any] = []
    for feature, kind in zip(model.signature.features, types, strict=True):
        if feature.kind != TEXT or not (_is_special(feature.type) or _is_special(kind)):
            found.append(None)
            continue
        padded = is_padded(feature.type) or is_padded(kind)
        collation = collation_of(feature.type)
        key = (spark.sparkContext.applicationId, model.digest, model.signature, feature.name, padded)
        with _lock:
            made = _known.get(key)
        if made is None:
            texts = [] if collation is None else _learned(model, feature.name)
            made = _in_jvm(spark, padded, collation, texts)
            with _lock:
                _known[key] = made
                if len(_known) > _MOST_KNOWN:
                    del _known[next(iter(_known))]
        found.append(made)
    return found if any(made is not None for made in found) else None


def _in_jvm(spark: SparkSession, padded: bool, collation: str | None, texts: Sequence[str]) -> Any:
    jvm: Any = spark.sparkContext._jvm
    return jvm.org.sqlml.predict.TextEquality.of(padded, collation, json.dumps(texts))


def _is_special(kind: str) -> bool:
    return is_padded(kind) or collation_of(kind) is not None


def _spellings(frame: DataFrame, name: str) -> list[str]:
    """The most frequent spelling of each distinct text of a column, under the column's collation."""
    from pyspark.sql import functions as F

    column = quote_identifier(name)
    spelling = F.expr(f"mode(CAST({column} AS STRING), true)").alias("text")
    counted = frame.groupBy(frame[column]).agg(spelling, F.count(F.lit(1)).alias("rows"))
    most = counted.orderBy(F.desc("rows"), "text").limit(_MOST_TEXTS)
    return [row.text for row in most.select("text").collect() if row.text is not None]


def _learned(model: ModelVersion | UnregisteredModel, feature: str) -> list[str]:
    """The spellings that a model's encoding has learned for a feature."""
    known = [(block.feature, block.categories) for block in model.preparation.categories]
    known += [(column.feature, column.categories) for column in model.preparation.codes]
    return [text for name, texts in known if name == feature for text in texts if text != NULL_TEXT]
