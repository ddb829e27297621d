"""The MLflow dataset of a training: the query's rows as the input of its run, shown in MLflow's user interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

    from sqlml.registry.store import Store
    from sqlml.training.trained import Trained

# MLflow's limits are 500, 65,535 and 1,048,575 characters.
_NAME, _SOURCE, _SCHEMA = 200, 60_000, 1_000_000
_TYPES = {"tinyint": "integer", "smallint": "integer", "int": "integer", "bigint": "long", "timestamp_ntz": "datetime"}
_TYPES |= {"date": "datetime", "timestamp": "datetime", "decimal": "double", "varchar": "string", "char": "string"}


def dataset(trained: Trained) -> DatasetInput | None:
    """The dataset of a training's query; None for an imported model.

    `mlflow.data.get_source(…).load()` runs the query again.
    """
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
    """Logs the dataset as the run's input.

    It holds the registry's lock: MLflow inserts each dataset once per experiment after looking for it, so two
    concurrent runs that read the same rows would conflict.
    """
    from mlflow.exceptions import MlflowException

    with store.changing() as client:
        try:
            client.log_inputs(run_id, [rows])
        except MlflowException as error:
            # A server without our lock: another client inserted it in between, so the second attempt finds it.
            if error.error_code != "BAD_REQUEST":
                raise
            client.log_inputs(run_id, [rows])
