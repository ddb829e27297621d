"""A training's rows as MLflow shows them: the data set that is the run's input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

    from sqlml.registry.store import Store
    from sqlml.training.trained import Trained

# MLflow's own limits are 500, 65,535 and 1,048,575 characters.
_NAME, _SOURCE, _SCHEMA = 200, 60_000, 1_000_000
_TYPES = {"tinyint": "integer", "smallint": "integer", "int": "integer", "bigint": "long", "timestamp_ntz": "datetime"}
_TYPES |= {"date": "datetime", "timestamp": "datetime", "decimal": "double", "varchar": "string", "char": "string"}


def dataset(trained: Trained) -> DatasetInput | None:
    """The rows that a query gave; None for a model that was made elsewhere. `mlflow.data.get_source(…).load()` runs the
    query again."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    resolved, lineage = trained.resolved, trained.lineage
    if resolved is None or lineage.fingerprint is None:
        return None
    names = ", ".join(source.name for source in lineage.sources) or "query"
    columns = [
        {"name": name, "type": _TYPES.get(kind.split("(")[0], kind.split("(")[0])}
        for name, kind in trained.source_schema
    ]
    schema = json.dumps({"mlflow_colspec": columns})
    return DatasetInput(
        Dataset(
            name=names if len(names) <= _NAME else names[: _NAME - 2] + " …",
            digest=lineage.fingerprint,
            source_type="spark",
            source=json.dumps({"sql": resolved.query[:_SOURCE]}),
            schema=schema if len(schema) <= _SCHEMA else None,
            profile=json.dumps({"num_rows": lineage.rows}),
        ),
        [InputTag("mlflow.data.context", "training")],
    )


def log_dataset(store: Store, run_id: str, rows: DatasetInput) -> None:
    """Says in a run what it has read. MLflow keeps a data set once an experiment: it looks, and adds the row where it
    found none; so of two runs that read the same rows at the same time, one would fail."""
    from mlflow.exceptions import MlflowException

    with store.changing() as client:
        try:
            client.log_inputs(run_id, [rows])
        except MlflowException as error:
            # On a server: somebody was faster, and now it is found.
            if error.error_code != "BAD_REQUEST":
                raise
            client.log_inputs(run_id, [rows])
