"""The rows MLlib learns from: cached once, split by content, labelled by value.

The same rows give the same split and the same order however Spark had partitioned them: a row's place comes from a
hash of its own content (equal rows are counted apart), never from where it was read.
"""

from __future__ import annotations

import math
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from sqlml.errors import SqlmlError
from sqlml.estimators.job import LEAST_ROWS_TO_SPLIT, MOST_CLASSES
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, Signature, kind_of

_ROWS_A_PARTITION = 100_000
_FRACTION_STEPS = 1_000_000


@dataclass(frozen=True)
class Rows:
    """What is learned and what is held out.

    Attributes:
        all: f0 … fn as they were, `held`; and where there is a target `y` and `label` (double: the class's index, or
            the number to predict).
        labels: the classes in the order of their values; empty where there are none.
        measured_labels: how many classes the held-out rows have (the training rows where nothing is held out).
    """

    all: DataFrame
    training: int
    held_out: int
    labels: tuple[Any, ...] = ()
    measured_labels: int = 0

    @property
    def train(self) -> DataFrame:
        return self.all.where(~F.col("held"))

    @property
    def answers(self) -> list[str]:
        """The columns that say what is right: `label`, or none."""
        return ["label"] if "label" in self.all.columns else []

    @property
    def measured(self) -> DataFrame:
        """The rows that metrics are taken on."""
        return self.all.where("held") if self.held_out else self.all


def split(
    frame: DataFrame, signature: Signature, *, seed: int, fraction: float, least_partitions: int, release: ExitStack
) -> Rows:
    """Drops the rows without a target, caches the rest, labels them and decides which are held out.

    Bit-identical models need sums in one order, and Spark adds partial sums as they arrive. So the rows are in few
    partitions while that is fast enough (`_ROWS_A_PARTITION` each): two plain addends commute, which is enough for
    trees; MLlib's linear models also merge means of partitions, which do not. With more rows the last bits may vary.

    Args:
        frame: internal names (f0 …, and y where there is a target); its query runs once.
        least_partitions: 1 or 2.
        release: gets a callback for every frame cached here.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS, SQLML_TARGET_INVALID.
    """
    # The mark keeps apart what two trainings of the same query cache: each releases only its own.
    marked = frame.where(_usable(signature)).withColumn("mark", F.lit(uuid.uuid4().hex))
    usable = _cached(marked, release).drop("mark")
    rows = usable.count()
    if rows == 0:
        raise _nothing_to_learn(frame, signature)
    most = 4 * frame.sparkSession.sparkContext.defaultParallelism
    partitions = min(max(least_partitions, rows // _ROWS_A_PARTITION), max(2, most))
    keyed = _cached(_keyed(usable, seed, partitions), release)
    held = F.lit(False)
    if rows >= LEAST_ROWS_TO_SPLIT and fraction > 0.0:
        held = F.pmod(F.col("key"), F.lit(_FRACTION_STEPS)) < F.lit(round(fraction * _FRACTION_STEPS))
    if signature.target is None:
        found = _counted(keyed.withColumn("held", held))
    elif signature.task == "regression":
        found = _counted(keyed.withColumn("label", F.col("y").cast("double")).withColumn("held", held))
    else:
        found = _classes(keyed, held, signature)
    marked.unpersist()
    return found


def _cached(frame: DataFrame, release: ExitStack) -> DataFrame:
    cached = frame.persist(StorageLevel.MEMORY_AND_DISK)
    release.callback(cached.unpersist)
    return cached


def _keyed(frame: DataFrame, seed: int, partitions: int) -> DataFrame:
    """Spreads and orders the rows by a hash of their content and gives each a key; equal rows get different keys."""
    # A NULL leaves xxhash64 as it was, so (NULL, 1) and (1, NULL) would be the same row without the flags.
    content = [part for name in frame.columns for part in (F.col(name), F.isnull(name))]
    hashed = frame.withColumn("hash", F.xxhash64(*content)).repartition(partitions, "hash")
    twin = F.row_number().over(Window.partitionBy("hash").orderBy("hash"))
    return hashed.withColumn("key", F.xxhash64("hash", twin, F.lit(seed))).drop("hash")


def _usable(signature: Signature) -> Column:
    """Whether the row has a target: not NULL, and for a floating or predicted number finite. All rows, where nothing
    is predicted."""
    if signature.target is None:
        return F.lit(True)
    target = F.col("y")
    present = target.isNotNull()
    if signature.task == "regression" or signature.target_type in ("float", "double"):
        return present & (F.abs(target.cast("double")) < F.lit(math.inf))
    return present


def _nothing_to_learn(frame: DataFrame, signature: Signature) -> SqlmlError:
    if frame.isEmpty():
        return SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to learn from.")
    return SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {signature.target} is NULL in all rows.",
        hint="Choose another column, or look at the query's conditions.",
    )


def _counted(rows: DataFrame) -> Rows:
    counts = dict(rows.groupBy("held").count().collect())
    training, held_out = counts.get(False, 0), counts.get(True, 0)
    if training == 0:
        return Rows(rows.withColumn("held", F.lit(False)), held_out, 0)
    return Rows(rows, training, held_out)


def _classes(keyed: DataFrame, held: Column, signature: Signature) -> Rows:
    value = _label_value(signature)
    counted = (
        keyed.withColumn("held", held)
        .groupBy("y")
        .agg(F.count_if("held").alias("held_out"), F.count_if(~F.col("held")).alias("training"))
        .orderBy("y")
        .select(value.alias("value"), "training", "held_out")
        .limit(MOST_CLASSES + 1)
        .collect()
    )
    labels = [row["value"] for row in counted]
    if len(labels) < 2:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} has only one value, {labels[0]!r}: there is nothing to tell apart.",
        )
    if len(labels) > MOST_CLASSES:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} has more than {MOST_CLASSES} different values.",
            hint="Predict a number with OPTIONS (task = 'regression'), or group the values in the query.",
        )
    # A class that would be held out whole is learned instead: a model must know every class it was shown.
    unseen = [index for index, row in enumerate(counted) if row["training"] == 0]
    index = F.array_position(_array(labels, signature), value) - 1
    metadata = {"ml_attr": {"type": "nominal", "num_vals": len(labels)}}
    rows = keyed.withColumn("label", index.cast("double")).withMetadata("label", metadata)
    rows = rows.withColumn("held", held & ~F.col("label").isin(unseen) if unseen else held)
    kept = [0 if index in unseen else row["held_out"] for index, row in enumerate(counted)]
    total = sum(row["training"] + row["held_out"] for row in counted)
    return Rows(
        rows,
        training=total - sum(kept),
        held_out=sum(kept),
        labels=tuple(labels),
        measured_labels=sum(count > 0 for count in kept) if any(kept) else len(labels),
    )


def _label_value(signature: Signature) -> Column:
    """The target as the label it becomes: a text, an integer, a double or a boolean."""
    kind, target = kind_of(signature.target_type), F.col("y")
    if kind == BOOLEAN or (kind == NUMBER and signature.target_type in INTEGERS):
        return target
    if signature.target_type in ("float", "double"):
        return target.cast("double") + F.lit(0.0)  # there is no class -0.0
    if signature.target_type == "timestamp":
        # As text in UTC, whatever the session's time zone.
        seconds = "make_dt_interval(0, 0, 0, cast(cast(unix_micros(y) as decimal(20, 0)) / 1000000 as decimal(18, 6)))"
        return F.expr(f"cast(timestamp_ntz'1970-01-01' + {seconds} as string)")
    return target.cast("string")


def _array(labels: list[Any], signature: Signature) -> Column:
    literals = F.array(*[F.lit(label) for label in labels])
    return literals.cast(f"array<{signature.target_type}>") if signature.target_type in INTEGERS else literals
