"""The clean-up after a killed driver: ends its open MLflow runs, and removes models that got no version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.registry.layout import CREATED_BY, EXPERIMENT, MODEL, OWNER
from sqlml.registry.store import Store, all_pages
from sqlml.system import process

if TYPE_CHECKING:
    from mlflow import MlflowClient

_WHY = "The driver ended before the training did."


def end(store: Store) -> int:
    """Ends the open runs of this machine's drivers that no longer run; returns the number of runs.

    Creating the version is a training's last step, so no version is ever half written. A model without versions is
    removed only on SQLite, where the lock keeps other trainings from adding a version meanwhile.
    """
    with store.reaching() as client:
        orphans = [run for run in _open_runs(client) if process.is_gone(run.data.tags.get(OWNER, ""))]
        for run in orphans:
            client.set_tag(run.info.run_id, "sqlml.error", _WHY)
            client.set_terminated(run.info.run_id, "KILLED")
    if store.is_sqlite:
        for run in orphans:
            with store.changing() as client:
                _remove_if_empty(client, run.data.tags.get(MODEL, ""), run.info.run_id)
    return len(orphans)


def _open_runs(client: MlflowClient) -> list[Any]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []

    def page(page_token: str | None) -> Any:
        return client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'", page_token=page_token)

    return all_pages(page)


def _remove_if_empty(client: MlflowClient, name: str, run_id: str) -> None:
    for model in client.search_registered_models(f"name = '{name}'"):
        made_here = dict(model.tags).get(CREATED_BY) == run_id
        if made_here and not client.search_model_versions(f"name = '{name}'"):
            client.delete_registered_model(name)
