"""What it costs to turn a forest of MLlib, 100 trees of depth 10, into its graph: read from the JVM, and written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS, FEATURES, TREES, DEPTH, ROUNDS = 20_000, 8, 100, 10, 3


def test_forest_conversion(spark: SparkSession) -> None:
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as F

    from sqlml.estimators.mllib import parts as mllib_parts
    from sqlml.export import mllib as export
    from sqlml.jobs.preparation import NumberColumn, Preparation
    from sqlml.signature import Feature, Signature

    names = [f"f{k}" for k in range(FEATURES)]
    rows = spark.range(ROWS).select(*[F.randn(seed).alias(name) for seed, name in enumerate(names)])
    label = (F.expr(" + ".join(names[:4])) + F.randn(99) > 0).cast("double").alias("label")
    train = rows.select(array_to_vector(F.array(*names)).alias("x"), label).cache()
    forest = RandomForestClassifier(featuresCol="x", numTrees=TREES, maxDepth=DEPTH, seed=1).fit(train)
    features = tuple(Feature(name, "double") for name in names)
    signature = Signature("classification", features, "label", "int", labels=(0, 1))
    preparation = Preparation(tuple(NumberColumn(name, "", 0.0, 0.0, 1.0) for name in names), ())
    for _ in range(ROUNDS):
        started, processor = time.monotonic(), time.process_time()
        parts = mllib_parts.parts(forest, spark.sparkContext)
        read = time.monotonic()
        onnx = export.emit(forest, parts, signature, preparation)
        print(
            f"{forest.totalNumNodes} nodes: {read - started:.2f} s to read, {time.monotonic() - read:.2f} s to write"
            f" {len(onnx)} bytes; {time.process_time() - processor:.2f} s of Python's processor time in all"
        )
        assert len(onnx) > forest.totalNumNodes
    train.unpersist()
