"""Rivals that take the rows to Python, each written as its own manual says it is fastest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.models import Trained

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Scoring = Callable[["DataFrame", str], "DataFrame"]
"""Gives a DataFrame with one more column, of that name."""


def mlflow_spark_udf(spark: SparkSession, trained: Trained) -> Scoring:
    """The scikit-learn flavour in this environment (no server a task); the label, which costs it least."""
    import logging

    import mlflow
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    # It warns that this environment is not made anew, which is what is wanted.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    data = trained.model.data
    place = trained.place / "mlflow"
    if not place.exists():
        pipeline = trained.pipeline
        if not data.texts:
            # It passes a DataFrame to a model that was fitted to an array.
            pipeline = Pipeline([("array", FunctionTransformer(np.asarray)), *pipeline.steps])
        columns = [ColSpec("double", name) for name in data.numbers]
        columns += [ColSpec("string", name) for name in data.texts]
        partial = place.with_suffix(".partial")
        mlflow.sklearn.save_model(
            pipeline,
            str(partial),
            serialization_format="cloudpickle",
            signature=ModelSignature(Schema(columns), Schema([ColSpec("long")])),
            pip_requirements=[],
        )
        partial.rename(place)
    score = mlflow.pyfunc.spark_udf(spark, str(place), result_type="double", env_manager="local")
    return lambda frame, name: frame.withColumn(name, score(*trained.features))


def pandas_library(spark: SparkSession, trained: Trained) -> Scoring:
    """An iterator of series, the fitted pipeline broadcast, its rows as one array where it takes one."""
    import pandas as pd
    from pyspark.sql.functions import pandas_udf

    pipeline = spark.sparkContext.broadcast(trained.pipeline)
    columns, has_texts = list(trained.features), bool(trained.model.data.texts)

    def score(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.Series]:
        import numpy as np
        import pandas as pd

        for batch in batches:
            if has_texts:
                inputs: Any = pd.DataFrame(dict(zip(columns, batch, strict=True)), copy=False)
            else:
                inputs = np.column_stack([series.to_numpy() for series in batch])
            yield pd.Series(pipeline.value.predict_proba(inputs)[:, 1], dtype="float64")

    # Annotations are texts here, and Spark wants types.
    score.__annotations__ = {"batches": Iterator[tuple[pd.Series, ...]], "return": Iterator[pd.Series]}
    made = pandas_udf(score, "double")
    return lambda frame, name: frame.withColumn(name, made(*columns))


def pandas_onnx(spark: SparkSession, trained: Trained) -> Scoring:
    import pandas as pd
    from pyspark.sql.functions import pandas_udf

    digest, onnx = trained.digest, spark.sparkContext.broadcast(trained.onnx)

    def score(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.Series]:
        import pandas as pd

        from benchmarks.onnx_session import probability, session

        opened = session(digest, lambda: onnx.value)
        for batch in batches:
            yield pd.Series(probability(opened, [series.to_numpy() for series in batch]), dtype="float64")

    score.__annotations__ = {"batches": Iterator[tuple[pd.Series, ...]], "return": Iterator[pd.Series]}
    made = pandas_udf(score, "double")
    return lambda frame, name: frame.withColumn(name, made(*trained.features))


def predict_batch_udf(spark: SparkSession, trained: Trained) -> Scoring:
    """ONNX Runtime on a scalar column an input, as many rows a batch as Spark sends at once."""
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql.types import DoubleType

    digest, onnx = trained.digest, spark.sparkContext.broadcast(trained.onnx)

    names = trained.features

    def make() -> Any:
        import inspect

        from benchmarks.onnx_session import probability, session

        opened = session(digest, lambda: onnx.value)

        def predict(*columns: Any) -> Any:
            return probability(opened, columns)

        # It asks the function how many columns it takes.
        kind = inspect.Parameter.POSITIONAL_ONLY
        predict.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        return predict

    made = predict_batch_udf(make, return_type=DoubleType(), batch_size=10_000)
    return lambda frame, name: frame.withColumn(name, made(*trained.features))


def arrow_onnx(spark: SparkSession, trained: Trained) -> Scoring:
    import pyarrow as pa
    from pyspark.sql.functions import arrow_udf

    digest, onnx = trained.digest, spark.sparkContext.broadcast(trained.onnx)

    def score(*columns: pa.Array) -> pa.Array:
        import pyarrow as pa

        from benchmarks.onnx_session import probability, session

        opened = session(digest, lambda: onnx.value)
        return pa.array(probability(opened, [column.to_numpy(zero_copy_only=False) for column in columns]))

    score.__annotations__ = {"columns": pa.Array, "return": pa.Array}
    made = arrow_udf(score, "double")
    return lambda frame, name: frame.withColumn(name, made(*trained.features))


def identity_udf(spark: SparkSession, trained: Trained) -> Scoring:
    """The way to Python and back alone, with the columns that the model uses."""
    import pyarrow as pa
    from pyspark.sql.functions import arrow_udf

    def first(*columns: pa.Array) -> pa.Array:
        return columns[0]

    first.__annotations__ = {"columns": pa.Array, "return": pa.Array}
    numbers = [name for name in trained.used if name in trained.model.data.numbers]
    # A number first, because that is what comes back.
    columns = [*numbers, *(name for name in trained.used if name not in numbers)]
    made = arrow_udf(first, "double")
    return lambda frame, name: frame.withColumn(name, made(*columns))
