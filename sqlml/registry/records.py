"""The rows of the registry's tables: all versions and all training runs, as MLflow lists them without opening files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlml.registry import lookup
from sqlml.registry.layout import ERROR, ESTIMATOR, EXPERIMENT, MODEL
from sqlml.registry.model_version import VersionSummary, moment, version_summary
from sqlml.registry.store import all_pages

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 1_000


@dataclass(frozen=True)
class RunRecord:
    """One training run, or one trial of a hyperparameter search."""

    model: str
    version: int | None
    run_id: str
    parent_run_id: str | None
    status: str
    estimator: str | None
    user: str | None
    started: datetime
    ended: datetime | None
    sql: str | None
    error: str | None
    metrics: dict[str, float]


@dataclass(frozen=True)
class Records:
    versions: tuple[VersionSummary, ...]
    runs: tuple[RunRecord, ...]


def read(client: MlflowClient) -> Records:
    """Reads all versions and runs, in about four requests for any number of models."""
    models = {model.name: model for model in all_pages(client.search_registered_models)}
    # Versions of a model that was dropped between the two requests are skipped.
    found = [one for one in all_pages(client.search_model_versions) if one.name in models]
    runs = _trainings(client)
    # A version registered through MLflow's API may have its run in another experiment.
    runs |= lookup.runs(client, {version.run_id for version in found} - runs.keys())
    versions = [version_summary(models[one.name], one, _metrics(runs.get(one.run_id))) for one in found]
    by_run = {version.run_id: version for version in versions}
    return Records(tuple(versions), tuple(_run(run, by_run.get(run_id)) for run_id, run in runs.items()))


def _trainings(client: MlflowClient) -> dict[str, Any]:
    """The runs in sqlml's experiment by id."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return {}

    def page(page_token: str | None) -> Any:
        return client.search_runs([experiment.experiment_id], max_results=_PAGE, page_token=page_token)

    return {run.info.run_id: run for run in all_pages(page)}


def _metrics(run: Any) -> dict[str, float]:
    return dict(run.data.metrics) if run else {}


def _run(run: Any, version: VersionSummary | None) -> RunRecord:
    tags = dict(run.data.tags)
    return RunRecord(
        # The version has its model's current name; the run's tag has the name at training time.
        model=version.name if version else tags.get(MODEL, ""),
        version=version.version if version else None,
        run_id=run.info.run_id,
        parent_run_id=tags.get("mlflow.parentRunId"),
        status=run.info.status,
        estimator=version.estimator if version else tags.get(ESTIMATOR),
        user=tags.get("mlflow.user"),
        started=moment(run.info.start_time),
        ended=moment(run.info.end_time) if run.info.end_time else None,
        sql=tags.get("sqlml.sql"),
        error=tags.get(ERROR),
        metrics=_metrics(run),
    )
