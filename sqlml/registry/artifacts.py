"""The artifact files of models and runs: resolves MLflow URIs to locations, and reads files below allowed roots.

Locations in MLflow's database are not trusted: whoever can write to the registry could point one at any file of this
machine or at any server.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sqlml.errors import SqlmlError
from sqlml.registry.layout import EXPERIMENT, MODEL
from sqlml.registry.store import Store, all_pages, load_mlflow, long_requests
from sqlml.system import allowed_paths, temporary
from sqlml.system.allowed_paths import AllowedPaths

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PROXIED = "mlflow-artifacts"
# A model may be registered from another model, and that from a run; longer chains of URIs are refused.
_MOST_STEPS = 4
_LOGGED_MODEL = re.compile(r"m-[0-9a-f]{32}\Z")
URI_FORMS = "Write models:/name/3, models:/name@alias, models:/name or runs:/id/path."
_MOST_BYTES = 2**31
# Suffixes of the database's file, of the files that SQLite keeps beside it, and of `sqlml.registry.store`'s lock.
_BESIDE = ("", "-journal", "-wal", "-shm", ".lock")


class Artifacts:
    """The files of one MLflow store.

    Args:
        own: the artifact root of the store, where sqlml knows it; None where MLflow decides.
    """

    def __init__(self, store: Store, own: str | None) -> None:
        self._store = store
        folder = store.uri if store.uri.startswith("file:") or "://" not in store.uri else None
        self._roots = AllowedPaths.of([root for root in (own, folder) if root])

    def places(self, client: MlflowClient) -> tuple[Path, ...]:
        """The registry's own folders and files on this machine."""
        # Also the files that SQLite has yet to create: a folder with such a name would keep it from writing.
        database = self._store.file
        beside = [] if database is None else [Path(f"{database}{end}") for end in _BESIDE]
        # The experiment may have been created with another artifact root than the one configured today.
        return (*self._roots.folders, *self._of_experiment(client).folders, *beside)

    def version(self, client: MlflowClient, uri: str) -> Any:
        """MLflow's record of the version that a `models:/` URI names; None for the URI of an unregistered logged model.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID, SQLML_MODEL_NOT_FOUND.
        """
        from mlflow.exceptions import MlflowException

        parsed = _parsed(uri)
        name = parsed.name or parsed.model_id
        try:
            if parsed.version is not None:
                return client.get_model_version(name, parsed.version)
            if parsed.alias is not None:
                return client.get_model_version_by_alias(name, parsed.alias)
            client.get_registered_model(name)
            # The name needs the quote that is not in it; a name with both kinds is never found.
            quote = '"' if "'" in name else "'"
            found = client.search_model_versions(f"name = {quote}{name}{quote}")
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            if parsed.model_id is not None:
                return None
            raise _unknown(uri) from error
        if parsed.stage is not None:
            found = [version for version in found if version.current_stage.lower() == parsed.stage.lower()]
        if not found:
            raise _unknown(uri)
        return max(found, key=lambda version: int(version.version))

    def root(self, client: MlflowClient, uri: str, names: set[str], steps: int = _MOST_STEPS) -> str:
        """The storage location of a `models:/` or `runs:/` URI; any other URI is returned as it is.

        A registered version leads to its source, which may be a URI again. A run leads to its artifacts, or since
        MLflow 3 to a logged model.

        Args:
            names: a set to which the names of all models on the way are added.
            steps: how many more URIs may be followed.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID, SQLML_MODEL_NOT_FOUND.
        """
        from mlflow.exceptions import MlflowException

        if steps == 0:
            raise _unknown(uri)
        if uri.startswith("models:"):
            version = self.version(client, uri)
            if version is not None:
                names.add(version.name)
                return self.root(client, version.source, names, steps - 1)
            try:
                logged_model = client.get_logged_model(uri.removeprefix("models:").strip("/"))
            except MlflowException as error:
                raise _unknown(uri) from error
            names |= self._registered(client, logged_model.source_run_id)
            return str(logged_model.artifact_location)
        if not uri.startswith("runs:"):
            return uri
        run_id, _, path = uri.removeprefix("runs:").strip("/").partition("/")
        if _traverses(path):
            # Another run's model may be one that this user has no right to.
            raise SqlmlError("SQLML_OPTION_INVALID", f"{uri!r} points outside of its run.", hint=URI_FORMS)
        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            raise _unknown(uri) from error
        if MODEL in run.data.tags:
            names.add(run.data.tags[MODEL])
        names |= self._registered(client, run_id)
        logged = self._logged(client, run, path)
        return logged or f"{run.info.artifact_uri}/{path}".rstrip("/")

    def read(
        self,
        client: MlflowClient,
        root: str,
        file: str,
        most_bytes: int = _MOST_BYTES,
        also: AllowedPaths | None = None,
    ) -> bytes:
        """Reads a file.

        Args:
            root: a location from `root`, or the source in a version's record.
            also: folders that are allowed in addition to the registry's own.

        Raises:
            SqlmlError: SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND, SQLML_MODEL_REFUSED for a file that is too large.
        """
        allowed = self._allowed(client, root, self._roots if also is None else self._roots + also)
        if allowed_paths.is_elsewhere(root):
            return self._downloaded(root, file, most_bytes)
        return allowed_paths.read(f"{root.rstrip('/')}/{file}", most_bytes, allowed, hard_links=True)

    def names(self, client: MlflowClient, run_id: str, folder: str) -> list[str]:
        """The names of the files in a folder of a run's artifacts; empty where the folder does not exist.

        Raises:
            SqlmlError: SQLML_PATH_NOT_ALLOWED.
        """
        self._allowed(client, client.get_run(run_id).info.artifact_uri, self._roots)
        return [file.path.rpartition("/")[2] for file in client.list_artifacts(run_id, folder) if not file.is_dir]

    def _allowed(self, client: MlflowClient, root: str, allowed: AllowedPaths) -> AllowedPaths:
        """The folders from which files may be read. Raises unless the root is in one of them, or served by a proxy."""
        if allowed.holds(root) or self._is_proxied(root):
            return allowed
        allowed += self._of_experiment(client)
        if not allowed.holds(root):
            raise SqlmlError("SQLML_PATH_NOT_ALLOWED", "The registry refers to files outside of its own folder.")
        return allowed

    @staticmethod
    def _registered(client: MlflowClient, run_id: str | None) -> set[str]:
        """The current names of all models registered from a run. The run's own tag has the name at training time."""
        if run_id is None:
            return set()
        return {
            version.name
            for version in all_pages(
                lambda page_token: client.search_model_versions(f"run_id = '{run_id}'", page_token=page_token)
            )
        }

    def _is_proxied(self, root: str) -> bool:
        """Whether the files are served by the registry's own server (`mlflow-artifacts:`)."""
        parts, server = urlsplit(root), urlsplit(self._store.uri)
        same = parts.netloc in ("", server.netloc.rpartition("@")[2])
        return parts.scheme == _PROXIED and server.scheme in ("http", "https") and same and ".." not in parts.path

    def _of_experiment(self, client: MlflowClient) -> AllowedPaths:
        """The artifact location of sqlml's experiment."""
        found = client.get_experiment_by_name(EXPERIMENT)
        return AllowedPaths.of([found.artifact_location] if found else [])

    @staticmethod
    def _logged(client: MlflowClient, run: Any, path: str) -> str | None:
        """The location of a model that a run has logged under this name: since MLflow 3 outside the run's artifacts."""
        token = None
        while path:
            page = client.search_logged_models(experiment_ids=[run.info.experiment_id], page_token=token)
            for model in page:
                if model.name == path and model.source_run_id == run.info.run_id:
                    return str(model.artifact_location)
            token = page.token
            if not token:
                break
        return None

    def _downloaded(self, root: str, file: str, most_bytes: int) -> bytes:
        """Downloads a file from a server or an object store, after a look at its size where there is a limit."""
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with temporary.folder("download") as folder, long_requests():
            try:
                if most_bytes < _MOST_BYTES:
                    listed = get_artifact_repository(root, tracking_uri=self._store.uri).list_artifacts()
                    size = next((one.file_size or 0 for one in listed if one.path == file), 0)
                    if size > most_bytes:
                        raise SqlmlError(
                            "SQLML_MODEL_REFUSED",
                            f"The model is refused: {file} has {size} bytes, but the limit is {most_bytes}.",
                        )
                path = download_artifacts(
                    artifact_uri=f"{root}/{file}", dst_path=str(folder), tracking_uri=self._store.uri
                )
            except MlflowException as error:
                if "No such artifact" not in str(error) and error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise SqlmlError("SQLML_PATH_NOT_FOUND", f"The model has no file {file}.") from error
            return Path(path).read_bytes()


def named(uri: str) -> str | None:
    """See `Registry.named`."""
    if not uri.startswith("models:"):
        return None
    parsed = _parsed(uri)
    return None if _LOGGED_MODEL.match(parsed.model_id or "") else str(parsed.name or parsed.model_id)


def _parsed(uri: str) -> Any:
    load_mlflow()
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.utils.models import _parse_model_uri

    try:
        return _parse_model_uri(uri)
    except MlflowException:
        raise SqlmlError("SQLML_OPTION_INVALID", f"{uri!r} is not the URI of a model.", hint=URI_FORMS) from None


def _unknown(uri: str) -> SqlmlError:
    return SqlmlError("SQLML_MODEL_NOT_FOUND", f"The registry does not have {uri}.", hint=URI_FORMS)


def _traverses(path: str) -> bool:
    """Whether an artifact path is a path traversal: has "..", even if only after one or two rounds of percent-decoding,
    which servers may do."""
    plain = unquote(unquote(path)).replace("\\", "/")
    return ".." in plain.split("/") or "\0" in plain
