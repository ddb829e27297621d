"""Reading and dropping models."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.names import ModelReference
from sqlml.paths import AllowedPaths
from sqlml.registry.artifacts import Artifacts
from sqlml.registry.layout import DIGEST, DOCUMENT, DOCUMENT_DIGEST, ESTIMATOR, GRAPH, TARGET, TASK
from sqlml.registry.model_version import ModelSummary, ModelVersion, moment, read_document
from sqlml.registry.store import Store, all_pages
from sqlml.registry.training_run import TrainingRun, training_run

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Resolved:
    """What a URI of MLflow's names: a version that sqlml has registered, or else files; `read(name, most_bytes)`."""

    version: ModelVersion | None
    read: Callable[[str, int], bytes] = lambda file, most_bytes: b""


_WRONG = {
    "SQLML_PATH_NOT_FOUND": "{} is missing",
    "SQLML_PATH_NOT_ALLOWED": "the registry says that {} is where it does not keep files",
}
# What is kept of versions that were asked for; a version never changes.
_MOST_DOCUMENTS = 1_000


class Registry:
    """The models of one MLflow store.

    Args:
        uri: an MLflow tracking URI: `sqlite:///…`, `http://…`, a folder.
        artifacts: where a new store that is no server keeps files; None leaves it to MLflow.
    """

    def __init__(self, uri: str, artifacts: str | None = None) -> None:
        self._store = Store(uri)
        self._artifacts = artifacts
        self._files = Artifacts(self._store, artifacts)
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
        wanted = _pattern(pattern)
        return [
            _summary(model, by_name.get(model.name, []))
            for model in sorted(registered, key=lambda model: model.name)
            if wanted.match(model.name)
        ]

    def load(self, reference: ModelReference | str, pinned: str | None = None) -> ModelVersion:
        """One version of a model; the newest where the reference names none.

        Args:
            reference: `churn`, `churn/3` or `churn@champion`.
            pinned: the version a query has already resolved this reference to.

        Raises:
            SqlmlError: SQLML_MODEL_NOT_FOUND, SQLML_MODEL_CORRUPT, SQLML_REGISTRY_UNAVAILABLE.
        """
        wanted = ModelReference.parse(reference) if isinstance(reference, str) else reference
        if pinned is not None:
            wanted = ModelReference(wanted.name, version=int(pinned))
        with self._store.reaching() as client:
            model, found = self._find(client, wanted)
            tags = dict(found.tags)
            if DIGEST not in tags:
                raise SqlmlError(
                    "SQLML_MODEL_CORRUPT",
                    f"Version {found.version} of model {wanted.name} was not registered by sqlml.",
                )
            key = (found.name, int(found.version), tags[DOCUMENT_DIGEST])
            if key not in self._documents:
                text = self._read(client, found, DOCUMENT, tags[DOCUMENT_DIGEST])
                self._documents[key] = json.loads(text)
            document = self._documents[key]
            if len(self._documents) > _MOST_DOCUMENTS:
                # Another thread may have done the same.
                self._documents.pop(next(iter(self._documents)), None)
        return read_document(
            document, model, found, digest=tags[DIGEST], fetch=lambda: self._fetch(found, tags[DIGEST])
        )

    def resolve(self, uri: str, allowed: AllowedPaths) -> Resolved:
        """What a `models:/` or `runs:/` URI of MLflow's names.

        Args:
            allowed: where its files may be beside the registry's own folder.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID, SQLML_MODEL_NOT_FOUND, SQLML_REGISTRY_UNAVAILABLE.
        """
        with self._store.reaching() as client:
            found = self._files.version(client, uri) if uri.startswith("models:") else None
            if found is not None and DIGEST in dict(found.tags):
                return Resolved(self.load(ModelReference(found.name, version=int(found.version))))
            root = self._files.root(client, uri)

        def read(file: str, most_bytes: int) -> bytes:
            with self._store.reaching() as client:
                return self._files.read(client, root, file, most_bytes, allowed)

        return Resolved(None, read)

    def check_tag(self, key: str, value: str) -> None:
        """Raises SqlmlError SQLML_OPTION_INVALID for a tag of a version that MLflow would refuse."""
        from mlflow.exceptions import MlflowException
        from mlflow.utils.validation import _validate_model_version_tag

        try:
            _validate_model_version_tag(key, value)
        except MlflowException as error:
            raise SqlmlError("SQLML_OPTION_INVALID", f"MLflow refuses the tag {key!r}: {error.message}") from error

    def training_run(self, name: str, sql: str, tags: dict[str, str]) -> AbstractContextManager[TrainingRun]:
        """An MLflow run around a training; the tags are the version's."""
        return training_run(self._store, self._artifacts, name, sql, tags)

    def drop(self, name: str, version: int | None = None, *, if_exists: bool = False) -> int:
        """Removes a version, or a model with all of them; returns how many versions are gone."""
        with self._store.reaching() as client:
            try:
                _, versions = self._versions(client, name)
                if version is not None:
                    self._find(client, ModelReference(name, version))
                    client.delete_model_version(name, str(version))
                    return 1
                client.delete_registered_model(name)
            except SqlmlError as error:
                if if_exists and error.condition == "SQLML_MODEL_NOT_FOUND":
                    return 0
                raise
            return len(versions)

    def _versions(self, client: MlflowClient, name: str) -> tuple[Any, list[Any]]:
        """A model and its versions, newest first. An unknown model is an error; a model without versions is not."""
        models = client.search_registered_models(f"name = '{name}'")
        if not models:
            known = [model.name for model in all_pages(client.search_registered_models)]
            hint = did_you_mean(name, known) or "TRAIN MODEL makes the first one."
            raise SqlmlError("SQLML_MODEL_NOT_FOUND", f"There is no model {name}.", hint=hint)
        found = client.search_model_versions(f"name = '{name}'")
        return models[0], sorted(found, key=lambda version: -int(version.version))

    def _find(self, client: MlflowClient, wanted: ModelReference) -> tuple[Any, Any]:
        """A model and the version of it that a reference means."""
        from mlflow.exceptions import MlflowException

        model, versions = self._versions(client, wanted.name)
        if wanted.alias is not None:
            try:
                return model, client.get_model_version_by_alias(wanted.name, wanted.alias)
            except MlflowException:
                aliases = client.get_registered_model(wanted.name).aliases
                raise SqlmlError(
                    "SQLML_MODEL_NOT_FOUND",
                    f"Model {wanted.name} has no alias {wanted.alias}.",
                    hint=did_you_mean(wanted.alias, aliases),
                ) from None
        if wanted.version is not None:
            versions = [version for version in versions if int(version.version) == wanted.version]
        if not versions:
            known = f"version {wanted.version}" if wanted.version is not None else "versions"
            raise SqlmlError(
                "SQLML_MODEL_NOT_FOUND",
                f"Model {wanted.name} has no {known}.",
                hint=f"DESCRIBE MODEL {wanted.name} shows the newest.",
            )
        return model, versions[0]

    def _fetch(self, version: Any, digest: str) -> bytes:
        with self._store.reaching() as client:
            return self._read(client, version, GRAPH, digest)

    def _read(self, client: MlflowClient, version: Any, file: str, digest: str) -> bytes:
        """A file of a version, if it is still the file that was registered."""
        try:
            content = self._files.read(client, version.source, file)
        except SqlmlError as error:
            if error.condition not in _WRONG:
                raise
            raise self._corrupt(version, _WRONG[error.condition].format(file)) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._corrupt(version, f"{file} is not the file that was registered")
        return content

    @staticmethod
    def _corrupt(version: Any, what: str) -> SqlmlError:
        return SqlmlError(
            "SQLML_MODEL_CORRUPT",
            f"Model {version.name} version {version.version} cannot be used: {what}.",
            hint="Train the model again, or drop the version.",
        )


def _summary(model: Any, versions: list[Any]) -> ModelSummary:
    newest = max(versions, key=lambda version: int(version.version), default=None)
    tags = dict(newest.tags) if newest else {}
    return ModelSummary(
        name=model.name,
        versions=len(versions),
        newest=int(newest.version) if newest else None,
        aliases={alias: int(version) for alias, version in dict(model.aliases).items()},
        estimator=tags.get(ESTIMATOR),
        task=tags.get(TASK),
        target=tags.get(TARGET) or None,
        comment=model.description or None,
        created=moment(model.creation_timestamp),
    )


def _pattern(pattern: str | None) -> re.Pattern[str]:
    if pattern is None:
        return re.compile("")
    alternatives = [
        ".*".join(re.escape(piece) for piece in alternative.strip().split("*")) for alternative in pattern.split("|")
    ]
    return re.compile(rf"(?:{'|'.join(alternatives)})\Z", re.IGNORECASE)
