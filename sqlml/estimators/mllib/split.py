"""The training rows of MLlib: caches the query once, encodes labels, adds weights, and splits by hash or by a column.

Each row's rank comes from a hash of its content (equal rows are numbered), never from its partition. So the same rows
give the same split and the same order however Spark had partitioned them.
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
    """The training rows and the held-out rows of a job, as one DataFrame with a `held` column.

    Attributes:
        all: f0 … fn unprepared, `key`, `held`. With a target also `y` and `label` (double: the class index, or the
            number to predict), with weights `weight`, with censored times `censor`.
        learned: the number of training rows of each class; one number without classes.
        held_out_of: the number of held-out rows of each class, likewise.
        labels: the classes in ascending order; empty if there are none.
    """

    all: DataFrame
    learned: tuple[int, ...]
    held_out_of: tuple[int, ...]
    labels: tuple[Any, ...] = ()

    @property
    def train(self) -> DataFrame:
        """The training rows."""
        return self.all.where(~F.col("held"))

    @property
    def measured(self) -> DataFrame:
        """The rows to measure metrics on: the held-out rows, or else all."""
        return self.all.where("held") if self.held_out else self.all

    @property
    def training(self) -> int:
        """The number of training rows."""
        return sum(self.learned)

    @property
    def held_out(self) -> int:
        """The number of held-out rows."""
        return sum(self.held_out_of)

    @property
    def counts(self) -> list[int]:
        """The number of rows of each class, training and held-out rows together."""
        return [learned + out for learned, out in zip(self.learned, self.held_out_of, strict=True)]

    @property
    def measured_labels(self) -> int:
        """The number of classes that occur in the measured rows."""
        return sum(count > 0 for count in self.held_out_of) if self.held_out else len(self.labels)

    @property
    def answers(self) -> list[str]:
        """The columns with the actual values: `label` if there is a target, and `censor` if times may be censored."""
        return [name for name in ("label", "censor") if name in self.all.columns]

    @property
    def learned_columns(self) -> list[str]:
        """The columns that a fit needs besides the features."""
        return [*self.answers, *(["weight"] if "weight" in self.all.columns else [])]


def split(frame: DataFrame, job: Job, *, least_partitions: int, release: ExitStack) -> Rows:
    """Drops rows without a target, caches the others, encodes their labels and decides which are held out.

    Bit-identical models need sums in a fixed order, but Spark adds partial sums in the order in which they arrive. So
    the rows are in few partitions while that is fast enough (`_ROWS_A_PARTITION` each): two plain addends commute,
    which is enough for trees. MLlib's linear models also merge means of partitions, which does not commute. With more
    rows the last bits may vary.

    Args:
        frame: made by `columns.internal`; its query runs once.
        least_partitions: 1 or 2.
        release: gets a callback that uncaches each frame cached here.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS, SQLML_TARGET_INVALID, SQLML_OPTION_INVALID.
    """
    signature = job.signature
    # The query is cached, then its rows repartitioned by key and cached again, which replaces the first cache. A unique
    # column keeps the first caches of two trainings of the same query apart: each releases only its own.
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
    """Cuts the training rows into stratified folds; yields the rows once for each fold, with that fold held out.

    With one fold a fifth of the rows is held out once. A fold without rows is left out.
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
    """Repartitions and orders the rows by a hash of their content and gives each a unique key.

    The hash covers features and target only: weights and the split column do not change keys.
    """
    contents = [*columns.feature_names(signature), *(["y"] if signature.target is not None else [])]
    others = [name for name in frame.columns if name not in contents]
    # xxhash64 skips NULLs, so without the flags (NULL, 1) and (1, NULL) would have the same hash.
    content = [part for name in contents for part in (F.col(name), F.isnull(name))]
    hashed = frame.withColumn("hash", F.xxhash64(*content)).repartition(partitions, "hash")
    # Equal rows have the same hash; their row number makes their keys different.
    twin = F.row_number().over(Window.partitionBy("hash").orderBy(*(others or ["hash"])))
    return hashed.withColumn("key", ranks.key(F.col("hash"), twin, F.lit(seed))).drop("hash")


def _check_weights(rows: DataFrame, job: Job) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID if a weight is missing, negative or infinite, or if no training row has a
    positive weight."""
    weight = F.col("w").cast("double")
    wrong = weight.isNull() | F.isnan(weight) | (weight < 0.0) | (weight == F.lit(math.inf))
    bad, most = rows.agg(F.count_if(wrong), F.max(F.when(~F.col("held"), weight))).first() or (0, 0.0)
    if bad or not most:
        raise label_options.unusable_weights(job)


def _weighted(frame: DataFrame, job: Job, learned: Sequence[int], labels: tuple[Any, ...]) -> DataFrame:
    """The frame with a `weight` column, the product of the row's weight and its class weight, if either is given."""
    weight = F.col("w").cast("double") if job.weight_column is not None else None
    if job.class_weights is not None:
        of_classes = label_options.of_classes(job.class_weights, learned, labels)
        of_class = F.get(F.array(*map(F.lit, of_classes)), F.col("label").cast("int"))
        weight = of_class if weight is None else weight * of_class
    return frame if weight is None else frame.withColumn("weight", weight).drop("w")


def _usable(signature: Signature) -> Column:
    """A condition that the row has a target: not NULL, and finite if it is floating or to be predicted as a number.
    True for all rows if there is no target."""
    if signature.target is None:
        return F.lit(True)
    target = F.col("y")
    present = target.isNotNull()
    if signature.task == "regression" or signature.target_type in ("float", "double"):
        return present & (F.abs(target.cast("double")) < F.lit(math.inf))
    return present


def _nothing_to_learn(frame: DataFrame, signature: Signature) -> SqlmlError:
    if frame.isEmpty():
        return SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to train on.")
    return SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {signature.target} is NULL in all rows.",
        hint="Choose another target, or check the conditions of the query.",
    )


def _classes(keyed: DataFrame, signature: Signature) -> tuple[tuple[Any, ...], list[int]]:
    """The labels in ascending order, and the number of rows of each."""
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
            f"The target {signature.target} has only one value, {labels[0]!r}, but a classification needs at least"
            " two.",
        )
    if len(labels) > MOST_CLASSES:
        raise label_options.too_many_classes(signature)
    return labels, [row["count"] for row in counted]


def _labelled(keyed: DataFrame, labels: tuple[Any, ...], signature: Signature) -> DataFrame:
    """Adds `label`, the index of the row's class, with the number of classes in its metadata, which MLlib reads."""
    index = F.array_position(_array(list(labels), signature), _label_value(signature)) - 1
    metadata = {"ml_attr": {"type": "nominal", "num_vals": len(labels)}}
    return keyed.withColumn("label", index.cast("double")).withMetadata("label", metadata)


def _label_value(signature: Signature) -> Column:
    """The target converted to the type of its label: text, integer, double or boolean."""
    kind, target = kind_of(signature.target_type), F.col("y")
    if kind == BOOLEAN or (kind == NUMBER and signature.target_type in INTEGERS):
        return target
    if signature.target_type in ("float", "double"):
        return target.cast("double") + F.lit(0.0)  # there is no class -0.0
    if signature.target_type == "timestamp":
        # As text in UTC, independent of the session's time zone.
        seconds = "make_dt_interval(0, 0, 0, cast(cast(unix_micros(y) as decimal(20, 0)) / 1000000 as decimal(18, 6)))"
        return F.expr(f"cast(timestamp_ntz'1970-01-01' + {seconds} as string)")
    return target.cast("string")


def _array(labels: list[Any], signature: Signature) -> Column:
    literals = F.array(*[F.lit(label) for label in labels])
    return literals.cast(f"array<{signature.target_type}>") if signature.target_type in INTEGERS else literals
