"""sqlml: machine learning statements and functions for Apache Spark SQL.

    import sqlml
    spark = sqlml.session()                                  # or sqlml.configure(SparkSession.builder)….getOrCreate()
    spark.sql("TRAIN MODEL churn USING random_forest TARGET churned AS SELECT * FROM customers")
    spark.sql("SELECT id, PREDICT(churn, *) AS will_leave FROM customers_today")

The path of a statement, and the order in which to read the code:

    spark/java, spark/   the extension of Spark's parser: our statements go to Python, all others to Spark unchanged
    parser/              parses our statements, and rewrites the calls in a query for Spark's parser
    dialect              the same language for tools that parse SQL with sqlglot
    statements/          the statements: one file and one row of STATEMENTS for each
    binding/             binds the arguments of a call to the model's features, and resolves the outputs it asks for
    enrichment/          ENRICH TABLE: matches columns to a model and generates the SQL
    policy/              permissions on models, and the audit log
    session              protocols for the environment of a running statement
    training/            analyses and plans a TRAIN statement before anything is fitted
    lineage              the provenance of a version: sources, fingerprint, software
    jobs/                the requests to a library and its results
    estimators/          fits models: one row of ESTIMATORS for each estimator, one folder for each library
    export/              converts fitted estimators to ONNX, and checks that both predict the same
    conversion/          converts fitted objects of other libraries to ONNX, and compares both
    serving              a registered model in a process without Spark
    importing/           converts any ONNX model to our layout, and checks in a sandbox that it is safe
    compiler/            compiles ONNX models to one SELECT of another engine, or to expressions for Spark
    formats/             exports a version for other systems: one row of FORMATS for each format
    registry/            stores models in MLflow
    tables/              the registry as tables: one file and one row of TABLES for each
    scoring/             scores Arrow columns with ONNX Runtime, with an LRU cache of loaded models
    system/              processes, limits, temporary folders, and the files that a statement may name
    cli/                 the command `sqlml`: one file for each subcommand
    doctor/              checks a machine's installation
    studio/              the local web page: one row of PAGES for each page, each click a statement

The layers, that is which of them may import which, are listed in tests/unit/test_architecture.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.importing.register import register_model
from sqlml.serving import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

__version__ = "0.1.0"
__all__ = ["__version__", "configure", "load", "predict", "register_model", "session"]


def configure(builder: SparkSession.Builder) -> SparkSession.Builder:
    """Returns a session builder with all settings that sqlml needs; settings made before or after stay unchanged.

    Args:
        builder: `SparkSession.builder`, with whatever was configured on it.
    """
    from sqlml.spark.launch import configure

    return configure(builder)


def session() -> SparkSession:
    """Returns the running Spark session with sqlml in it, or a new local one."""
    from pyspark.sql import SparkSession

    return configure(SparkSession.builder).getOrCreate()


def predict(
    frame: Any,
    model: str,
    *,
    columns: Mapping[str, str] | None = None,
    threshold: float | None = None,
    registry: str | None = None,
) -> Any:
    """Returns the rows of a frame with a model's predictions, as PREDICT(model, TABLE(…)) does in SQL.

    The frame's columns come first, then `predicted_<target>` and, for a classifier, `predicted_<target>_probs`. On a
    Spark DataFrame scoring is lazy and distributed, like any other transformation; it may be one of Spark Connect where
    the server has sqlml. A pandas or Polars data frame or an Arrow table is scored in this process, see `load`.

    Args:
        model: `churn` (the newest version), `churn/3`, `churn@champion`.
        columns: the outputs in place of those, types by name: `{"score": "double", "label": "string"}`; see
            sql/reference/predict_outputs.sql for the names.
        threshold: for a model of two labels: the second is predicted where its probability is above this.
        registry: for a local frame: an MLflow tracking URI to use in place of the active Spark session's.

    Raises:
        SqlmlError: for a local frame, the errors of `load` and `serving.Model.predict`.
        pyspark.errors.AnalysisException: SQLML_MODEL_NOT_FOUND, SQLML_COLUMN_NOT_FOUND and the other errors of PREDICT.
        ValueError: columns and threshold together.
    """
    if not hasattr(frame, "sparkSession"):
        return load(model, registry=registry).predict(frame, columns=columns, threshold=threshold)
    from sqlml.parser.table_functions import over_frame

    return frame.sparkSession.sql(over_frame(model, columns, threshold, "{frame}"), frame=frame)
