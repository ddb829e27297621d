"""The registry's interface to the rest of sqlml: reads, changes and drops the models of one MLflow store."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.parser.references import ModelReference
from sqlml.registry import changes, enrichments, lookup, orphans, records
from sqlml.registry.artifacts import URI_FORMS, Artifacts, named
from sqlml.registry.changes import Change
from sqlml.registry.known_graphs import KnownGraphs
from sqlml.registry.known_versions import KnownVersions
from sqlml.registry.layout import DIGEST, DOCUMENT, DOCUMENT_DIGEST, GRAPH, PLOTS, is_own
from sqlml.registry.lease import Watch
from sqlml.registry.model_version import (
    ModelSummary,
    ModelVersion,
    VersionSummary,
    model_summary,
    read_document,
    version_summary,
)
from sqlml.registry.records import Records
from sqlml.registry.store import Store, all_pages, load_mlflow, without_password
from sqlml.registry.training_run import TrainingRun, training_run
from sqlml.system.allowed_paths import AllowedPaths

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient

    from sqlml.enrichment.record import Record, Remembered
    from sqlml.registry.metric_gates import Condition


@dataclass(frozen=True)
class Resolved:
    """The target of an MLflow URI: a version that sqlml has registered, or else files (`read(name, most_bytes)`).

    `models` are the names of all registered models on the way: a user needs the right to each of them.
    """

    version: ModelVersion | None
    models: frozenset[str]
    read: Callable[[str, int], bytes] = lambda file, most_bytes: b""


_WRONG = {
    "SQLML_PATH_NOT_FOUND": "{} is missing",
    "SQLML_PATH_NOT_ALLOWED": "the registry refers to {} outside of its own folder",
}
_DAMAGED = "Train the model again, or drop the version."
_LOST = (
    "If other models miss it too, the artifact store has lost its files: restore them. Otherwise train the model again,"
    " or drop the version."
)
# The names of the files that `plots.draw` writes, and the most bytes of one.
_PICTURE, _MOST_PICTURE = re.compile(r"[a-z0-9_]{1,64}\.(png|html)\Z"), 2**25
# The capacity of the cache of versions' documents; a version never changes.
_MOST_DOCUMENTS = 1_000
_PATIENCE = 600.0


class Registry:
    """The models of one MLflow store.

    Args:
        uri: an MLflow tracking URI: `sqlite:///…`, `http://…`, a folder.
        artifacts: the artifact root of a new store that is not a server; None leaves it to MLflow.
        patience: how long a finished training waits for an unavailable store, in seconds.
        staleness: how old the last known version behind a name or an alias may be, in seconds, where the store is
            unavailable.
    """

    URI_FORMS = URI_FORMS

    def __init__(
        self, uri: str, artifacts: str | None = None, *, patience: float = _PATIENCE, staleness: float = 0.0
    ) -> None:
        self._store = Store(uri)
        self._patience = patience
        self._artifacts = artifacts
        self._files = Artifacts(self._store, artifacts)
        self._leases = Watch()
        self._known = KnownVersions(staleness)
        self._graphs = KnownGraphs()
        self._documents: dict[tuple[str, int, str], dict[str, Any]] = {}

    def exists(self, name: str) -> bool:
        with self._store.reaching() as client:
            return bool(client.search_registered_models(f"name = '{name}'"))

    def models(self, pattern: str | None = None) -> list[ModelSummary]:
        """All models by name; `pattern` as in SHOW TABLES: `*` for any characters, `|` between alternatives."""
        with self._store.reaching() as client:
            registered = all_pages(client.search_registered_models)
            versions = all_pages(client.search_model_versions)
        by_name: dict[str, list[Any]] = {}
        for version in versions:
            by_name.setdefault(version.name, []).append(version)
        wanted = lookup.like_pattern(pattern)
        return [
            model_summary(model, by_name.get(model.name, []))
            for model in sorted(registered, key=lambda model: model.name)
            if wanted.match(model.name)
        ]

    def records(self) -> Records:
        """All versions and training runs, as MLflow lists them."""
        with self._store.reaching() as client:
            return records.read(client)

    def versions(self, name: str) -> list[VersionSummary]:
        """All versions of a model, newest first, including those registered through MLflow's API.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_FOUND.
        """
        with self._store.reaching() as client:
            model, versions = lookup.versions(client, name)
            metrics = lookup.metrics(client, [version.run_id for version in versions])
        return [version_summary(model, version, metrics[version.run_id]) for version in versions]

    def names_of(self, digest: str) -> set[str]:
        """The models that have a version whose graph has this SHA-256."""
        with self._store.reaching() as client:
            wanted = f"tags.`{DIGEST}` = '{digest}'"
            found = all_pages(lambda page_token: client.search_model_versions(wanted, page_token=page_token))
            # A folder store ignores tags in filters.
            return {version.name for version in found if dict(version.tags).get(DIGEST) == digest}

    def described(self, reference: ModelReference) -> ModelVersion | VersionSummary:
        """Everything known about a version; only a summary where sqlml has not registered it.

        Raises:
            SqlmlError: as `load`.
        """
        with self._store.reaching() as client:
            model, found = lookup.find(client, reference)
            if DIGEST not in found.tags:
                return version_summary(model, found, lookup.metrics(client, [found.run_id])[found.run_id])
        return self.load(ModelReference(reference.name, version=int(found.version)))

    def load(self, reference: ModelReference | str, pinned: str | None = None) -> ModelVersion:
        """Loads a version of a model; the newest where the reference names none.

        Args:
            reference: `churn`, `churn/3` or `churn@champion`.
            pinned: the version to which the query has already resolved this reference.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_FOUND, SQLML_MODEL_CORRUPT, SQLML_REGISTRY_UNAVAILABLE.
        """
        wanted = ModelReference.parse(reference) if isinstance(reference, str) else reference
        if pinned is not None:
            wanted = ModelReference(wanted.name, version=int(pinned))
        model, found, last_known_at = self._known.find(wanted, lambda: self._find(wanted))
        tags = dict(found.tags)
        if DIGEST not in tags:
            raise SqlmlError(
                "SQLML_MODEL_CORRUPT",
                f"Version {found.version} of model {wanted.name} was not registered by sqlml.",
            )
        key = (found.name, int(found.version), tags[DOCUMENT_DIGEST])
        document = self._documents.get(key)
        if document is None:
            with self._store.reaching() as client:
                document = json.loads(self._read(client, found, DOCUMENT, tags[DOCUMENT_DIGEST]))
            self._documents[key] = document
        if len(self._documents) > _MOST_DOCUMENTS:
            # A concurrent thread may have evicted the same entry.
            self._documents.pop(next(iter(self._documents)), None)
        version = read_document(
            document, model, found, digest=tags[DIGEST], fetch=lambda: self._fetch(found, tags[DIGEST])
        )
        return version if last_known_at is None else replace(version, last_known_at=last_known_at)

    def _find(self, wanted: ModelReference) -> tuple[Any, Any]:
        with self._store.reaching() as client:
            return lookup.find(client, wanted)

    @staticmethod
    def named(uri: str) -> str | None:
        """The model's name in a `models:/` URI, parsed without access to the registry; None for an id of a run or of a
        logged model.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID.
        """
        return named(uri)

    def resolve(self, uri: str, allowed: AllowedPaths) -> Resolved:
        """Resolves a `models:/` or `runs:/` URI.

        Args:
            allowed: the folders its files may be in, besides the registry's own.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID, SQLML_MODEL_NOT_FOUND, SQLML_REGISTRY_UNAVAILABLE.
        """
        with self._store.reaching() as client:
            found = self._files.version(client, uri) if uri.startswith("models:") else None
            if found is not None and DIGEST in dict(found.tags):
                version = self.load(ModelReference(found.name, version=int(found.version)))
                return Resolved(version, frozenset({version.name}))
            names: set[str] = set()
            root = self._files.root(client, uri, names)

        def read(file: str, most_bytes: int) -> bytes:
            with self._store.reaching() as client:
                return self._files.read(client, root, file, most_bytes, allowed)

        return Resolved(None, frozenset(names), read)

    def places(self) -> tuple[Path, ...]:
        """The registry's own folders and files on this machine, which no statement may name.

        Raises:
            SqlmlError: SQLML_REGISTRY_UNAVAILABLE.
        """
        with self._store.reaching() as client:
            return self._files.places(client)

    def check_tag(self, key: str, value: str) -> None:
        """Raises SqlmlError SQLML_OPTION_INVALID for a tag that MLflow would refuse, or that no user may set."""
        if is_own(key):
            raise SqlmlError("SQLML_OPTION_INVALID", f"The tag {key!r} is reserved for sqlml and MLflow.")
        load_mlflow()
        from mlflow.exceptions import MlflowException
        from mlflow.utils.validation import _validate_model_version_tag

        try:
            _validate_model_version_tag(key, value)
        except MlflowException as error:
            raise SqlmlError("SQLML_OPTION_INVALID", f"MLflow refuses the tag {key!r}: {error.message}") from error

    @contextmanager
    def training_run(self, name: str, sql: str, tags: dict[str, str], user: str) -> Iterator[TrainingRun]:
        """A context manager that opens an MLflow run for a training; the tags are the version's."""
        opened = training_run(self._store, self._artifacts, name, sql, tags, user, self._patience)
        with self._known.changed(name), opened as run:
            yield run

    def drop(self, name: str, version: int | None = None, *, if_exists: bool = False) -> int:
        """Removes a version, or a model with all its versions; returns the number of removed versions.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_FOUND; SQLML_VERSION_IN_USE where an alias points at the version.
        """
        with self._known.changed(name), self._store.changing() as client:
            try:
                model, versions = lookup.versions(client, name)
                if version is not None:
                    lookup.find(client, ModelReference(name, version))
                    _check_unused(model, version)
                    client.delete_model_version(model.name, str(version))
                    return 1
                client.delete_registered_model(model.name)
            except SqlmlError as error:
                if if_exists and error.condition == "SQLML_MODEL_NOT_FOUND":
                    return 0
                raise
            return len(versions)

    # -- mutable properties; errors as in `sqlml.statements.alter_model` ---------------------------------------------

    def set_alias(self, name: str, alias: str, version: int, conditions: Sequence[Condition] = ()) -> list[Change]:
        with self._known.changed(name), self._store.changing() as client:
            return changes.set_alias(client, name, alias, version, conditions)

    def unset_alias(self, name: str, alias: str, *, if_exists: bool = False) -> list[Change]:
        with self._known.changed(name), self._store.changing() as client:
            return changes.unset_alias(client, name, alias, if_exists=if_exists)

    def set_comment(self, name: str, version: int | None, text: str) -> list[Change]:
        with self._store.changing() as client:
            return changes.set_comment(client, name, version, text)

    def set_tags(self, name: str, version: int | None, tags: Mapping[str, str]) -> list[Change]:
        with self._store.changing() as client:
            return changes.set_tags(client, name, version, tags)

    def unset_tags(
        self, name: str, version: int | None, keys: Sequence[str], *, if_exists: bool = False
    ) -> list[Change]:
        with self._store.changing() as client:
            return changes.unset_tags(client, name, version, keys, if_exists=if_exists)

    def rename(self, name: str, to: str) -> list[Change]:
        with self._known.changed(name), self._store.changing() as client:
            if self._store.is_folder:
                # MLflow's folder store fails half-way, at the first tag of a version.
                raise SqlmlError(
                    "SQLML_NOT_SUPPORTED",
                    f"Model {name} cannot be renamed, because the registry is a folder.",
                    hint="Keep the registry in SQLite: spark.sqlml.registry.uri=sqlite:///….",
                )
            return changes.rename(client, name, to)

    def remember_enrichment(self, record: Record) -> None:
        """Records an enrichment; it replaces earlier records of the same object."""
        with self._store.changing() as client:
            enrichments.remember(client, self._artifacts, record)

    def enrichments(self, pattern: str | None = None) -> list[Remembered]:
        """The objects that ENRICH TABLE made, with their models' current state, by name; `pattern` as in `models`."""
        with self._store.reaching() as client:
            found = enrichments.read(client)
        wanted = lookup.like_pattern(pattern)
        return [one for one in found if wanted.match(one.record.name)]

    def enrichments_asking(self, name: str) -> list[Record]:
        """The views and functions of ENRICH TABLE that resolve this model at each read, by name."""
        with self._store.reaching() as client:
            return enrichments.asking(client, name)

    def end_orphans(self) -> int:
        """Ends the runs that killed drivers have left open; returns their number.

        A run of another machine is ended only by a later call, once its lease has not been renewed for 90 seconds.
        """
        return orphans.end(self._store, self._leases)

    # -- files -------------------------------------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """MLflow's tracking URI, without a password."""
        return without_password(self._store.uri)

    def pictures(self, reference: ModelReference) -> list[str]:
        """The sorted file names of a version's plots; empty where there are none.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_FOUND, SQLML_REGISTRY_UNAVAILABLE.
        """
        with self._store.reaching() as client:
            run_id = lookup.find(client, reference)[1].run_id
            names = self._files.names(client, run_id, PLOTS) if run_id else []
        return sorted(name for name in names if _PICTURE.match(name))

    def picture(self, reference: ModelReference, name: str) -> bytes:
        """The bytes of one of those files.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_FOUND, SQLML_PATH_NOT_FOUND, SQLML_PATH_NOT_ALLOWED, SQLML_MODEL_REFUSED.
        """
        with self._store.reaching() as client:
            run = client.get_run(lookup.find(client, reference)[1].run_id)
            return self._files.read(client, run.info.artifact_uri, f"{PLOTS}/{name}", _MOST_PICTURE)

    def _fetch(self, version: Any, digest: str) -> bytes:
        def ask() -> bytes:
            with self._store.reaching() as client:
                return self._read(client, version, GRAPH, digest)

        return self._graphs.read(digest, ask)

    def _read(self, client: MlflowClient, version: Any, file: str, digest: str) -> bytes:
        """Reads a file of a version and verifies its digest."""
        try:
            content = self._files.read(client, version.source, file)
        except SqlmlError as error:
            if error.condition not in _WRONG:
                raise
            hint = _LOST if error.condition == "SQLML_PATH_NOT_FOUND" else _DAMAGED
            raise self._corrupt(version, _WRONG[error.condition].format(file), hint) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._corrupt(version, f"{file} is not the file that was registered")
        return content

    @staticmethod
    def _corrupt(version: Any, what: str, hint: str = _DAMAGED) -> SqlmlError:
        return SqlmlError(
            "SQLML_MODEL_CORRUPT",
            f"Model {version.name} version {version.version} cannot be used: {what}.",
            hint=hint,
        )


def _check_unused(model: Any, version: int) -> None:
    pointing = [alias for alias, target in lookup.aliases(model).items() if target == version]
    if pointing:
        raise SqlmlError(
            "SQLML_VERSION_IN_USE",
            f"Version {version} of model {model.name} has the alias {' and '.join(pointing)}.",
            hint=f"Point the alias at another version first, or remove it with ALTER MODEL {model.name} UNSET ALIAS"
            f" {pointing[0]}.",
        )
