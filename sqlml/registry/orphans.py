"""The clean-up after a killed driver: ends its open MLflow runs, and removes models that got no version.

A process of this machine is looked up. Whether a process of another machine lives, its lease tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.registry.layout import CREATED_BY, ERROR, EXPERIMENT, LEASE, MODEL, OWNER
from sqlml.registry.lease import Watch
from sqlml.registry.store import Store, all_pages
from sqlml.system import process

if TYPE_CHECKING:
    from mlflow import MlflowClient

_WHY = "The driver ended before the training did."


def end(store: Store, watch: Watch) -> int:
    """Ends the open runs whose drivers are gone; returns the number of runs.

    Creating the version is a training's last step, so no version is ever half written. A model without versions is
    removed only on SQLite, where the lock keeps other trainings from adding a version meanwhile.
    """
    with store.reaching() as client:
        runs = _open_runs(client)
        expired = watch.expired({run.info.run_id: run.data.tags[LEASE] for run in runs if LEASE in run.data.tags})
        gone = {run.info.run_id for run in runs if process.is_gone(run.data.tags.get(OWNER, ""))}
        orphans = [run for run in runs if run.info.run_id in expired | gone]
        for run in orphans:
            # Its driver may have ended it since the list was made.
            if client.get_run(run.info.run_id).info.status == "RUNNING":
                client.set_tag(run.info.run_id, ERROR, _WHY)
                client.set_terminated(run.info.run_id, "KILLED")
    if store.is_sqlite:
        # A lease may expire while its driver is only slow: it may still add the version.
        for run in (run for run in orphans if run.info.run_id in gone):
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
