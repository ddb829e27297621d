"""The rows MLlib learns from: cached once, split by content or by a column, labelled by value, weighted.

The same rows give the same split and the same order however Spark had partitioned them: a row's place comes from a
hash of its own content (equal rows are counted apart), never from where it was read.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from sqlml.errors import SqlmlError
from sqlml.estimators import label_options
from sqlml.estimators.mllib import columns, holdout, ranks
from sqlml.jobs.job import MOST_CLASSES, Job
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, Signature, kind_of

_ROWS_A_PARTITION = 100_000


@dataclass(frozen=True)
class Rows:
    """What is learned and what is held out.

    Attributes:
        all: f0 … fn as they were, `key`, `held`; where there is a target `y` and `label` (double: the class's index, or
            the number to predict); where rows are weighted `weight`; of times that may not have ended `censor`.
        learned: how many rows of each class are learned from; without classes one number.
        held_out_of: how many rows of each class are held out, likewise.
        labels: the classes in the order of their values; empty where there are none.
    """

    all: DataFrame
    learned: tuple[int, ...]
    held_out_of: tuple[int, ...]
    labels: tuple[Any, ...] = ()

    @property
    def train(self) -> DataFrame:
        return self.all.where(~F.col("held"))

    @property
    def measured(self) -> DataFrame:
        """The rows that metrics are taken on."""
        return self.all.where("held") if self.held_out else self.all

    @property
    def training(self) -> int:
        return sum(self.learned)

    @property
    def held_out(self) -> int:
        return sum(self.held_out_of)

    @property
    def counts(self) -> list[int]:
        """How many rows each class has, whether they are learned from or held out."""
        return [learned + out for learned, out in zip(self.learned, self.held_out_of, strict=True)]

    @property
    def measured_labels(self) -> int:
        """How many classes the measured rows have."""
        return sum(count > 0 for count in self.held_out_of) if self.held_out else len(self.labels)

    @property
    def answers(self) -> list[str]:
        """The columns that say what is right: `label`, or none, and whether it is the whole time: `censor`."""
        return [name for name in ("label", "censor") if name in self.all.columns]

    @property
    def learned_columns(self) -> list[str]:
        """What a fit wants beside the features."""
        return [*self.answers, *(["weight"] if "weight" in self.all.columns else [])]


def split(frame: DataFrame, job: Job, *, least_partitions: int, release: ExitStack) -> Rows:
    """Drops the rows without a target, caches the rest, labels them and decides which are held out.

    Bit-identical models need sums in one order, and Spark adds partial sums as they arrive. So the rows are in few
    partitions while that is fast enough (`_ROWS_A_PARTITION` each): two plain addends commute, which is enough for
    trees; MLlib's linear models also merge means of partitions, which do not. With more rows the last bits may vary.

    Args:
        frame: from `columns.internal`; its query runs once.
        least_partitions: 1 or 2.
        release: gets a callback for every frame cached here.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS, SQLML_TARGET_INVALID, SQLML_OPTION_INVALID.
    """
    signature = job.signature
    # The mark keeps apart what two trainings of the same query cache: each releases only its own.
    marked = frame.where(_usable(signature)).withColumn("mark", F.lit(uuid.uuid4().hex))
    usable = _cached(marked, release).drop("mark")
    rows = usable.count()
    if rows == 0:
        raise _nothing_to_learn(frame, signature)
    most = 4 * frame.sparkSession.sparkContext.defaultParallelism
    partitions = min(max(least_partitions, rows // _ROWS_A_PARTITION), max(2, most))
    keyed = _cached(_keyed(usable, signature, job.seed, partitions), release)
    labels: tuple[Any, ...] = ()
    counts = [rows]
    labelled, stratum = keyed, F.lit(0)
    if signature.task == "regression":
        labelled = keyed.withColumn("label", F.col("y").cast("double"))
    elif signature.target is not None:
        labels, counts = _classes(keyed, signature)
        labelled, stratum = _labelled(keyed, labels, signature), F.col("label").cast("int")
    marked.unpersist()
    held, held_out = holdout.held_out(job, labelled, stratum, counts)
    learned = tuple(count - out for count, out in zip(counts, held_out, strict=True))
    label_options.check_learned(job, learned, labels)
    found = labelled.withColumn("held", held).drop("s")
    if job.weight_column is not None:
        _check_weights(found, job)
    return Rows(_weighted(found, job, learned, labels), learned, tuple(held_out), labels)


def folds(rows: Rows, count: int) -> Iterator[Rows]:
    """The rows that are not held out, cut into folds of like classes: each once with one fold held out.

    With one fold a fifth of the rows is held out, once. A fold without rows is left out.
    """
    stratum = F.col("label").cast("int") if rows.labels else F.lit(0)
    for held, held_out in holdout.folds(rows.train, stratum, rows.learned, count):
        if any(held_out):
            learned = tuple(total - out for total, out in zip(rows.learned, held_out, strict=True))
            yield replace(rows, all=rows.train.withColumn("held", held), learned=learned, held_out_of=tuple(held_out))


def _cached(frame: DataFrame, release: ExitStack) -> DataFrame:
    cached = frame.persist(StorageLevel.MEMORY_AND_DISK)
    release.callback(cached.unpersist)
    return cached


def _keyed(frame: DataFrame, signature: Signature, seed: int, partitions: int) -> DataFrame:
    """Spreads and orders the rows by a hash of their content and gives each a key; equal rows get different keys.

    The content is what is learned from and what is predicted: weights and the column of the split do not change keys.
    """
    contents = [*columns.feature_names(signature), *(["y"] if signature.target is not None else [])]
    others = [name for name in frame.columns if name not in contents]
    # A NULL leaves xxhash64 as it was, so (NULL, 1) and (1, NULL) would be the same row without the flags.
    content = [part for name in contents for part in (F.col(name), F.isnull(name))]
    hashed = frame.withColumn("hash", F.xxhash64(*content)).repartition(partitions, "hash")
    twin = F.row_number().over(Window.partitionBy("hash").orderBy(*(others or ["hash"])))
    return hashed.withColumn("key", ranks.key(F.col("hash"), twin, F.lit(seed))).drop("hash")


def _check_weights(rows: DataFrame, job: Job) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID where a weight is none, or where none of the rows to learn from counts."""
    weight = F.col("w").cast("double")
    wrong = weight.isNull() | F.isnan(weight) | (weight < 0.0) | (weight == F.lit(math.inf))
    bad, most = rows.agg(F.count_if(wrong), F.max(F.when(~F.col("held"), weight))).first() or (0, 0.0)
    if bad or not most:
        raise label_options.unusable_weights(job)


def _weighted(frame: DataFrame, job: Job, learned: Sequence[int], labels: tuple[Any, ...]) -> DataFrame:
    """With `weight`, the row's own times its class's, where there are any."""
    weight = F.col("w").cast("double") if job.weight_column is not None else None
    if job.class_weights is not None:
        of_classes = label_options.of_classes(job.class_weights, learned, labels)
        of_class = F.get(F.array(*map(F.lit, of_classes)), F.col("label").cast("int"))
        weight = of_class if weight is None else weight * of_class
    return frame if weight is None else frame.withColumn("weight", weight).drop("w")


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


def _classes(keyed: DataFrame, signature: Signature) -> tuple[tuple[Any, ...], list[int]]:
    """The labels in the order of their values, and how many rows each has."""
    counted = (
        keyed.groupBy("y")
        .count()
        .orderBy("y")
        .select(_label_value(signature).alias("value"), "count")
        .limit(MOST_CLASSES + 1)
        .collect()
    )
    labels = tuple(row["value"] for row in counted)
    if len(labels) < 2:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} has only one value, {labels[0]!r}: there is nothing to tell apart.",
        )
    if len(labels) > MOST_CLASSES:
        raise label_options.too_many_classes(signature)
    return labels, [row["count"] for row in counted]


def _labelled(keyed: DataFrame, labels: tuple[Any, ...], signature: Signature) -> DataFrame:
    index = F.array_position(_array(list(labels), signature), _label_value(signature)) - 1
    metadata = {"ml_attr": {"type": "nominal", "num_vals": len(labels)}}
    return keyed.withColumn("label", index.cast("double")).withMetadata("label", metadata)


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
