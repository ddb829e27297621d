"""A registered model in this process, without Spark: `sqlml.load`, and `sqlml.predict` on a local frame.

It needs onnxruntime, pyarrow and the registry's client, but not the library that trained the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.signature import TEXT, Feature, collation_of, is_padded
from sqlml.system import process

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from sqlml.policy import Policy
    from sqlml.registry import ModelVersion, Registry


class Model:
    """One version of a model, loaded for scoring in this process. Thread-safe.

    Attributes:
        name, version: as in the registry; a loaded model stays at its version.
        features: name → Spark type of each input.
        target: the name of the prediction, or None.
        labels: the classes, in the order of the probabilities; empty for a regression.
    """

    def __init__(self, found: ModelVersion) -> None:
        from sqlml.scoring.scorer import Scorer

        _check_local(found)
        self.name, self.version = found.name, found.version
        self.features = {feature.name: feature.type for feature in found.signature.features}
        self.target, self.labels = found.signature.target, found.signature.labels
        self._signature = found.signature
        self._scorer = Scorer(found.onnx(), found.signature)

    def __repr__(self) -> str:
        return f"<sqlml.Model {self.name}/{self.version}: {', '.join(self.features)} → {self.target}>"

    def predict(self, frame: Any, *, columns: Mapping[str, str] | None = None, threshold: float | None = None) -> Any:
        """Returns the frame with the predictions behind its columns, as `PREDICT(model, TABLE(…))` does in SQL.

        Columns are matched to features by name, as SQL matches them; further columns are kept.

        Args:
            frame: a pandas or Polars data frame, an Arrow table, or a dictionary of columns (which gives an Arrow
                table). The result is of the same kind.
            columns: the outputs in place of the standard ones, types by name; see sql/reference/predict_outputs.sql.
            threshold: for a model of two labels: the second is predicted where its probability is above this.

        Raises:
            SqlmlError: SQLML_COLUMN_NOT_FOUND, SQLML_TYPE_MISMATCH and the other errors of PREDICT;
                SQLML_OPTION_INVALID for another kind of frame.
        """
        from sqlml.binding.arguments import Argument, bind, needed_casts
        from sqlml.binding.outputs import RequestedOutputs, check_names, chosen
        from sqlml.importing.columns import declared
        from sqlml.scoring.output_columns import columns as output_columns

        table = _table(frame)
        title, signature = f"{self.name}/{self.version}", self._signature
        wanted = RequestedOutputs(None if columns is None else dict(columns), threshold)
        outputs = chosen(title, signature, wanted)
        check_names(title, signature, wanted, table.column_names)
        arguments = [Argument(column.name, str(column.type)) for column in declared(table)]
        order = bind(title, signature.features, arguments, by_name=True)
        casts = needed_casts(signature.features, arguments, order, read_by_sql=False)
        for feature, cast in zip(signature.features, casts, strict=True):
            if cast is not None:
                raise SqlmlError(
                    "SQLML_TYPE_MISMATCH",
                    f"Feature {feature.name} of model {title} is {feature.type.upper()}, and only Spark casts another"
                    " date or time to that, in its session's time zone.",
                    hint=f"Give the column as {feature.type.upper()}.",
                )
        inputs = [table.column(index).combine_chunks() for index in order]
        found = output_columns(self._scorer, signature, inputs, outputs, threshold)
        return _like(frame, table, {name: found.field(name) for name in (output.name for output in outputs)})


def load(model: str, *, session: SparkSession | None = None, registry: str | None = None) -> Model:
    """Loads a model for scoring in this process, such as a service's, without Spark.

        >>> churn = sqlml.load("churn@champion", registry="sqlite:///mlflow.db")
        >>> churn.predict(pandas.DataFrame({"age": [41.0], "plan": ["basic"]}))

    Args:
        model: `churn` (the newest version), `churn/3`, `churn@champion`.
        session: the Spark session whose registry to use; the active one by default.
        registry: an MLflow tracking URI to use instead; MLFLOW_TRACKING_URI where neither is there.

    Raises:
        SqlmlError: SQLML_MODEL_NOT_FOUND; SQLML_PERMISSION_DENIED; SQLML_NOT_SUPPORTED for a model that needs Spark
            before the graph: a TRANSFORM clause, a CHAR or a collation; SQLML_REGISTRY_UNAVAILABLE.
    """
    from sqlml.parser.references import ModelReference

    reference = ModelReference.parse(model)
    store, policy = _store(session, registry)
    if policy is None:
        return Model(store.load(reference))
    from sqlml.policy import PREDICT

    with policy.permitted(process.user(), PREDICT, (reference.name,), f"sqlml.load({model!r})"):
        return Model(store.load(reference))


def _store(session: SparkSession | None, uri: str | None) -> tuple[Registry, Policy | None]:
    import os

    from sqlml.registry import Registry
    from sqlml.registry.location import locate

    if uri is None and session is None and not _runs_spark():
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                "No Spark session is running here, and no registry is named.",
                hint="Give registry='sqlite:///…' or 'http://…', or set MLFLOW_TRACKING_URI.",
            )
    if uri is not None:
        # Without Spark there is no policy: access to the store is the permission.
        return Registry(*locate(uri, "")), None
    from sqlml.spark.launch import application_of

    store, policy, _ = application_of(session)
    return store, policy


def _runs_spark() -> bool:
    """Whether this process has a Spark session; without one pyspark is not imported."""
    import sys

    if "pyspark.sql" not in sys.modules:
        return False
    from sqlml.spark.launch import has_session

    return has_session()


def _check_local(found: ModelVersion) -> None:
    """Raises SQLML_NOT_SUPPORTED for what only Spark computes before the graph."""
    special = next((one for one in found.signature.features if _is_compared_by_spark(one)), None)
    what = "has a TRANSFORM clause" if found.transform is not None else ""
    if special is not None:
        what = f"compares the texts of {special.name} as {special.type.upper()}"
    if what:
        raise SqlmlError(
            "SQLML_NOT_SUPPORTED",
            f"Model {found.name} {what}, which needs Spark.",
            hint="Score it in SQL, or with sqlml.predict on a Spark DataFrame.",
        )


def _is_compared_by_spark(feature: Feature) -> bool:
    return feature.kind == TEXT and (collation_of(feature.type) is not None or is_padded(feature.type))


# -- frames ------------------------------------------------------------------------------------------------------------


def _table(frame: Any) -> pa.Table:
    """A local frame as an Arrow table."""
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, Mapping):
        return pa.table(dict(frame))
    if hasattr(frame, "to_arrow"):
        return frame.to_arrow()
    if hasattr(frame, "columns") and hasattr(frame, "iloc"):
        return pa.Table.from_pandas(frame, preserve_index=False)
    raise SqlmlError(
        "SQLML_OPTION_INVALID",
        f"A {type(frame).__name__} is not a frame that can be scored here.",
        hint="Give a pandas or Polars data frame, an Arrow table, or a dictionary of columns.",
    )


def _like(frame: Any, table: pa.Table, outputs: dict[str, pa.Array]) -> Any:
    """The frame with further columns, of its own kind."""
    if hasattr(frame, "iloc"):
        found = frame.copy(deep=False)
        for name, column in outputs.items():
            found[name] = column.to_pandas().set_axis(frame.index)
        return found
    for name, column in outputs.items():
        table = table.append_column(name, column)
    if hasattr(frame, "to_arrow"):
        return type(frame)(table)
    return table
