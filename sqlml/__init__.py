"""sqlml: machine learning statements and functions for Apache Spark SQL.

    import sqlml
    spark = sqlml.session()                                  # or sqlml.configure(SparkSession.builder)….getOrCreate()
    spark.sql("TRAIN MODEL churn USING random_forest TARGET churned AS SELECT * FROM customers")
    spark.sql("SELECT id, PREDICT(churn, *) AS will_leave FROM customers_today")

How a statement travels, and the order to read the code in:

    spark/java, spark/   a text reaches Spark's parser; ours go to Python, everything else passes untouched
    parser/              the words of the language, the calls in a query, and the text that Spark's parser gets
    dialect              the same language for tools that parse SQL with sqlglot
    statements/          what the user can say: one file, one row of STATEMENTS a statement
    binding/             how the arguments of a call meet the model's features, and which outputs it asks for
    enrichment/          how a table gets a model's predictions: names that meet, and the SQL that is made
    policy/              who may do what with which model, and the record of what was done
    session              what a statement sees while it runs
    training/            what TRAIN decides before it fits
    lineage              where a version comes from
    jobs/                what a library is asked for and what it hands back
    estimators/          how a model is fitted: one row of ESTIMATORS an estimator, one folder a library
    export/              fitted estimator to ONNX, and the proof that both say the same
    importing/           any ONNX model to one in our layout, and the proof that it does no harm
    compiler/            any ONNX model to one SELECT of another engine, and trees to what a kernel inside Spark walks
    formats/             a version as other systems read it: one row of FORMATS a format
    registry/            models in MLflow
    tables/              the registry as tables: one file, one row of TABLES a table
    scoring/             columns in, predictions out, over ONNX Runtime, and the models that a worker keeps
    system/              processes, limits, temporary folders, and the files that a statement may name
    cli/                 the command `sqlml`: one file a command
    doctor/              what can be wrong around sqlml on a machine
    studio/              its local page: one row of PAGES a page, each click a statement

Which of them may import which is the list of layers in tests/test_architecture.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.importing.register import register_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

__version__ = "0.1.0"
__all__ = ["__version__", "configure", "predict", "register_model", "session"]


def configure(builder: SparkSession.Builder) -> SparkSession.Builder:
    """A session builder with everything set that sqlml needs; settings made before or after stay as they are.

    Args:
        builder: `SparkSession.builder`, with whatever was configured on it.
    """
    from sqlml.spark.launch import configure

    return configure(builder)


def session() -> SparkSession:
    """The running Spark session with sqlml in it, or a new local one."""
    from pyspark.sql import SparkSession

    return configure(SparkSession.builder).getOrCreate()


def predict(
    frame: DataFrame, model: str, *, columns: Mapping[str, str] | None = None, threshold: float | None = None
) -> DataFrame:
    """The rows of a DataFrame with what a model says of them, as PREDICT(model, TABLE(…)) gives it in SQL.

    The frame's columns come first, then `predicted_<target>` and, of a classifier, `predicted_<target>_probs`. The
    model is scored where the rows are, when they are asked for. Works on DataFrames of Spark Connect too, where the
    server has sqlml.

    Args:
        model: `churn` (the newest version), `churn/3`, `churn@champion`.
        columns: the outputs in place of those, types by name: `{"score": "double", "label": "string"}`; see
            sql/reference/predict_outputs.sql for the names.
        threshold: of a model of two labels: the second is said where its probability is above this.

    Raises:
        pyspark.errors.AnalysisException: SQLML_MODEL_NOT_FOUND, SQLML_COLUMN_NOT_FOUND and the other errors of PREDICT.
        ValueError: columns and threshold together.
    """
    from sqlml.parser.table_functions import over_frame

    return frame.sparkSession.sql(over_frame(model, columns, threshold, "{frame}"), frame=frame)
