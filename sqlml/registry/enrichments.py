"""The records of ENRICH TABLE, stored as MLflow runs in an experiment of their own, so that they outlive the model."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlml.enrichment.record import ASKS, Record, Remembered
from sqlml.parser.references import ModelReference
from sqlml.registry import lookup
from sqlml.registry.layout import ENRICHMENTS, MODEL
from sqlml.registry.model_version import moment
from sqlml.registry.store import all_pages
from sqlml.registry.training_run import experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient

_TAG = "sqlml.enrichment."
# The most characters that MLflow stores in a tag's value.
_MOST_TEXT = 5_000
_PAGE = 1_000


def remember(client: MlflowClient, artifacts: str | None, record: Record) -> None:
    """Adds a record and deletes earlier ones that it replaces (`_same`)."""
    experiment_id = experiment(client, artifacts, ENRICHMENTS)
    earlier = [run for run in _runs(client, experiment_id) if _same(_record(run), record)]
    values = asdict(record) | {"created": record.created.isoformat(), "version": str(record.version)}
    tags = {f"{_TAG}{key}": str(value)[:_MOST_TEXT] for key, value in values.items()}
    run = client.create_run(experiment_id, run_name=f"{record.kind} {record.name}", tags={**tags, MODEL: record.model})
    client.set_terminated(run.info.run_id)
    for one in earlier:
        client.delete_run(one.info.run_id)


def read(client: MlflowClient) -> list[Remembered]:
    """All records by name, each with the current state of its model."""
    kept = client.get_experiment_by_name(ENRICHMENTS)
    if kept is None:
        return []
    records = [_record(run) for run in _runs(client, kept.experiment_id)]
    models = {model.name: model for model in all_pages(client.search_registered_models)}
    versions = [one for one in all_pages(client.search_model_versions) if one.name in models]
    newest: dict[str, int] = {}
    for one in versions:
        newest[one.name] = max(newest.get(one.name, 0), int(one.version))
    # A renamed model is found by the run of one of its versions.
    homes = {one.run_id: one.name for one in versions}
    found = [_now(record, homes, models, newest) for record in records]
    return sorted(found, key=lambda one: (one.record.name, one.record.kind))


def asking(client: MlflowClient, name: str) -> list[Record]:
    """The records of views and functions that resolve a model by this name at each read, by name.

    Tables are not among them: they hold predictions already made.
    """
    kept = client.get_experiment_by_name(ENRICHMENTS)
    records = [_record(run) for run in _runs(client, kept.experiment_id)] if kept is not None else []
    found = [one for one in records if one.kind in ASKS and ModelReference.parse(one.reference).name == name]
    return sorted(found, key=lambda one: (one.name, one.kind))


def _now(record: Record, homes: dict[str, str], models: dict[str, Any], newest: dict[str, int]) -> Remembered:
    """The record with its model's current name and newest version, and whether it still scores with the newest."""
    exact = {name.lower(): name for name in models}
    model = record.model if record.model in models else homes.get(record.run_id, record.model)
    reference = ModelReference.parse(record.reference)
    # A written table keeps its version; a view without a version in its reference follows the model.
    follows = record.kind in ASKS and reference.version is None
    scores: int | None = record.version
    if follows:
        current = exact.get(reference.name, reference.name)
        aliases = lookup.aliases(models[current]) if current in models else {}
        scores = newest.get(current) if reference.alias is None else aliases.get(reference.alias)
    last = newest.get(model)
    return Remembered(record, model, last, follows, None if last is None or scores is None else scores == last)


def _runs(client: MlflowClient, experiment_id: str) -> list[Any]:
    def page(page_token: str | None) -> Any:
        return client.search_runs([experiment_id], max_results=_PAGE, page_token=page_token)

    return all_pages(page)


def _same(earlier: Record, record: Record) -> bool:
    """Whether a record replaces an earlier one."""
    if earlier.name.lower() != record.name.lower():
        return False
    if record.kind == "insert":
        # One table may have many inserts, and may also come from ENRICH; only an identical insert is replaced.
        return earlier.kind == "insert" and (earlier.source, earlier.reference) == (record.source, record.reference)
    # Replacing a table or view deletes its inserts' records too. Functions are a namespace of their own.
    return (earlier.kind == "function") == (record.kind == "function")


def _record(run: Any) -> Record:
    """Reads a record of any release: missing fields are empty, unknown ones are ignored."""
    kept = {one.name: run.data.tags.get(f"{_TAG}{one.name}", "") for one in fields(Record)}
    created = datetime.fromisoformat(kept["created"]) if kept["created"] else moment(run.info.start_time)
    return Record(**kept | {"created": created, "version": int(kept["version"] or 0)})
