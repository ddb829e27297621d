"""What MLflow keeps of versions and trainings, as the registry's tables show it: no file of a version is opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlml.registry.layout import DIGEST, ESTIMATOR, EXPERIMENT, OWN, TARGET, TASK
from sqlml.registry.model_version import moment
from sqlml.registry.store import all_pages

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 1_000


@dataclass(frozen=True)
class VersionRecord:
    """One version; `tags` are those that users gave it."""

    model: str
    version: int
    aliases: tuple[str, ...]
    estimator: str | None
    task: str | None
    target: str | None
    comment: str | None
    tags: dict[str, str]
    created: datetime
    digest: str | None
    run_id: str | None


@dataclass(frozen=True)
class RunRecord:
    """One training, or one trial of a training's search."""

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
    versions: tuple[VersionRecord, ...]
    runs: tuple[RunRecord, ...]


def read(client: MlflowClient) -> Records:
    """Everything, in three kinds of request."""
    aliases: dict[tuple[str, int], list[str]] = {}
    for model in all_pages(client.search_registered_models):
        for alias, version in dict(model.aliases).items():
            aliases.setdefault((model.name, int(version)), []).append(alias)
    found = all_pages(client.search_model_versions)
    versions = tuple(_version(version, aliases.get((version.name, int(version.version)), [])) for version in found)
    by_run = {version.run_id: version for version in versions}
    return Records(versions, tuple(_run(run, by_run.get(run.info.run_id)) for run in _runs(client)))


def _runs(client: MlflowClient) -> list[Any]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []

    def page(page_token: str | None) -> Any:
        return client.search_runs([experiment.experiment_id], max_results=_PAGE, page_token=page_token)

    return all_pages(page)


def _version(version: Any, aliases: list[str]) -> VersionRecord:
    tags = dict(version.tags)
    return VersionRecord(
        model=version.name,
        version=int(version.version),
        aliases=tuple(sorted(aliases)),
        estimator=tags.get(ESTIMATOR),
        task=tags.get(TASK),
        target=tags.get(TARGET) or None,
        comment=version.description or None,
        tags=users_tags(tags),
        created=moment(version.creation_timestamp),
        digest=tags.get(DIGEST),
        run_id=version.run_id or None,
    )


def users_tags(tags: dict[str, str]) -> dict[str, str]:
    """Tags without those that sqlml and MLflow keep for themselves."""
    return {key: value for key, value in sorted(tags.items()) if not key.startswith((OWN, "mlflow."))}


def _run(run: Any, version: VersionRecord | None) -> RunRecord:
    tags = dict(run.data.tags)
    return RunRecord(
        # A version knows the name its model has now.
        model=version.model if version else tags.get("sqlml.model", ""),
        version=version.version if version else None,
        run_id=run.info.run_id,
        parent_run_id=tags.get("mlflow.parentRunId"),
        status=run.info.status,
        estimator=version.estimator if version else tags.get(ESTIMATOR),
        user=tags.get("mlflow.user"),
        started=moment(run.info.start_time),
        ended=moment(run.info.end_time) if run.info.end_time else None,
        sql=tags.get("sqlml.sql"),
        error=tags.get("sqlml.error"),
        metrics=dict(run.data.metrics),
    )
