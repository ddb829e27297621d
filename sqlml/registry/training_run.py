"""A training's MLflow run, and the commit of its model version, which appears completely or not at all."""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError
from sqlml.registry import artifacts_client, lease, plots
from sqlml.registry.dataset import dataset, log_dataset
from sqlml.registry.folder import write_folder
from sqlml.registry.layout import (
    CREATED_BY,
    DIGEST,
    DOCUMENT,
    DOCUMENT_DIGEST,
    ERROR,
    ESTIMATOR,
    EXPERIMENT,
    FOLDER,
    LEASE,
    MODEL,
    OWNER,
    PLOTS,
    TARGET,
    TASK,
)
from sqlml.registry.model_version import document
from sqlml.registry.store import Store, long_requests
from sqlml.registry.unregistered_training import kept
from sqlml.registry.waiting import until_available
from sqlml.system import process, temporary

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.exceptions import MlflowException

    from sqlml.training.trained import Trained
    from sqlml.training.tuning import Trial

# The number of attempts to create a version, and the longest pause between them in seconds.
_COMMITS, _LONGEST_WAIT = 12, 0.4
# How long a process tries to end a run whose registry is away.
_CLOSE_SECONDS = 24 * 3600.0


class TrainingRun:
    """The open MLflow run of one TRAIN MODEL or import."""

    def __init__(self, store: Store, name: str, sql: str, tags: dict[str, str], run: Run, patience: float) -> None:
        self._store, self._name, self._sql, self._tags, self._run = store, name, sql, tags, run
        self._patience = patience
        # Trials that are not logged yet, and the runs of those that are begun.
        self._trials: list[Trial] = []
        self._trial_runs: dict[int, str] = {}
        # In milliseconds, the same in every try, so that MLflow keeps one value.
        self._trial_times: dict[int, int] = {}

    @property
    def run_id(self) -> str:
        return str(self._run.info.run_id)

    def register(self, trained: Trained, statement: str | None = None, *, comment: str | None) -> int:
        """Logs the training and commits the version; returns its number.

        All files and metrics are logged first. Creating the version is the last step and the only commit. While the
        registry is unavailable, both are tried again.

        Args:
            statement: the TRAIN MODEL statement that reproduces the version.

        Raises:
            SqlmlError: what the registry says at last, such as SQLML_REGISTRY_UNAVAILABLE; the message says where the
                model is kept. SQLML_CANCELLED.
        """
        text = document(trained, self._sql, statement)
        now = time.time_ns() // 1_000_000
        deadline = time.monotonic() + self._patience
        try:
            until_available(lambda: self._log(trained, text, now), self._patience)
            tags = {**self._tags, **_tags(trained, text)}
            return until_available(lambda: self._commit(tags, comment), max(0.0, deadline - time.monotonic()))
        except Exception as error:  # whatever prevents the registration, the finished model is kept
            if isinstance(error, SqlmlError) and error.condition == "SQLML_CANCELLED":
                raise
            raise kept(self._name, self.run_id, trained, text, error) from error

    def _commit(self, tags: dict[str, str], comment: str | None) -> int:
        """Creates the version; retries where a concurrent client drops the model or takes the version's number."""
        from mlflow.exceptions import MlflowException

        for left in reversed(range(_COMMITS)):
            with self._store.changing() as client:
                created = _ensure_model(client, self._name, comment, self.run_id)
                # The answer to an earlier try may have been lost.
                made = self._only_version(client)
                if made is not None:
                    return made
                try:
                    if comment is not None and not created:
                        client.update_registered_model(self._name, description=comment)
                    # On failure a new model stays without versions: removing it could hit a concurrent training's.
                    version = client.create_model_version(
                        self._name,
                        source=f"{self._run.info.artifact_uri}/{FOLDER}",
                        run_id=self.run_id,
                        description=comment,
                        await_creation_for=0,
                        tags=tags,
                    )
                    return self._only_version(client) or int(version.version)
                except MlflowException as error:
                    if not left or not _lost_a_race(error):
                        raise
            time.sleep(random.uniform(0.0, _LONGEST_WAIT))  # random, so that competing clients spread out
        raise AssertionError("the last attempt returns or raises")

    def _only_version(self, client: MlflowClient) -> int | None:
        """The number of this run's version, if it has one.

        A server that answers too late has done what it was asked, and MLflow's client has asked it again: all versions
        but the first are deleted. Nobody knows of them yet, and they are the same.
        """
        from mlflow.exceptions import MlflowException

        made = sorted(int(one.version) for one in client.search_model_versions(f"run_id = '{self.run_id}'"))
        for number in made[1:]:
            try:
                client.delete_model_version(self._name, str(number))
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":  # somebody has dropped the model
                    raise
        return made[0] if made else None

    def log_trial(self, trial: Trial) -> None:
        """Logs one trial of the search as a child run; later, where the registry is unavailable."""
        self._trials.append(trial)
        try:
            with self._store.writing() as client:
                self._log_trials(client)
        except SqlmlError as error:
            if error.condition != "SQLML_REGISTRY_UNAVAILABLE":
                raise

    def _log_trials(self, client: MlflowClient) -> None:
        """Logs the trials that are not logged yet."""
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.utils.time import get_current_time_millis

        while self._trials:
            trial = self._trials[0]
            params = {"estimator": trial.estimator, **trial.params}
            if trial.sample is not None:
                params["sample"] = trial.sample
            if trial.number not in self._trial_runs:
                name = f"{self._name} trial {trial.number}"
                tags = {"mlflow.parentRunId": self.run_id, "mlflow.source.type": "LOCAL", MODEL: self._name}
                # Not renewed: it is open for moments, unless the registry goes away in between.
                tags |= {OWNER: process.mark(), LEASE: lease.new(), ESTIMATOR: trial.estimator}
                made = client.create_run(self._run.info.experiment_id, run_name=name, tags=tags)
                self._trial_runs[trial.number] = made.info.run_id
            run_id = self._trial_runs[trial.number]
            now = self._trial_times.setdefault(trial.number, get_current_time_millis())
            metrics = {"seconds": trial.seconds} | ({trial.metric: trial.score} if trial.error is None else {})
            client.log_batch(
                run_id,
                metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
                params=[Param(key, str(value)[:6000]) for key, value in params.items()],
                tags=[RunTag(ERROR, str(trial.error)[:5000])] if trial.error else [],
            )
            if not trial.error:
                _not_orphaned(client, run_id)
            client.set_terminated(run_id, "FAILED" if trial.error else "FINISHED")
            del self._trials[0]

    def log_plots(self, trained: Trained, progress: Callable[[str], None]) -> None:
        """Draws the plots into the run; a failure is reported as progress and does not fail the training."""
        curves = trained.fitted.curves
        if not curves:
            return
        if "error" in curves:
            self._no_plots(curves["error"], progress)
            return
        try:
            with temporary.folder("plots") as folder:
                plots.draw(curves, self._name, folder)
                with self._store.writing() as client, long_requests():
                    client.log_artifacts(self.run_id, str(folder), PLOTS)
        except ModuleNotFoundError as error:
            progress(plots.missing(error))
        except Exception as error:
            self._no_plots(f"{type(error).__name__}: {error}", progress)

    def _no_plots(self, cause: str, progress: Callable[[str], None]) -> None:
        progress(f"no plots: {cause}")
        try:
            with self._store.writing() as client:
                client.set_tag(self.run_id, "sqlml.plots.error", cause[:5000])
        except SqlmlError as unreachable:
            logging.getLogger(__name__).warning("The run %s does not say why: %s", self.run_id, unreachable)

    def _log(self, trained: Trained, text: bytes, now: int) -> None:
        """Logs metrics, parameters, the dataset, and the model's folder with graph and document.

        Args:
            now: the metrics' time in milliseconds, the same in every try, so that MLflow keeps one value.
        """
        from mlflow.entities import Metric, Param

        fitted = trained.fitted
        with temporary.folder("model") as folder:
            # Before the registry is asked: a full disk here is not an outage there.
            model = folder / FOLDER
            write_folder(model, fitted.onnx, fitted.signature)
            (model / DOCUMENT).write_bytes(text)
            with self._store.writing() as client:
                self._log_trials(client)
                client.log_batch(
                    self.run_id,
                    metrics=[Metric(name, value, now, 0) for name, value in fitted.metrics.items()],
                    params=[Param(name, str(value)[:6000]) for name, value in fitted.params.items()],
                )
                rows = dataset(trained)
                if rows is not None:
                    log_dataset(self._store, self.run_id, rows)
                with long_requests():
                    client.log_artifacts(self.run_id, str(model), FOLDER)


@contextmanager
def training_run(
    store: Store, artifacts: str | None, name: str, sql: str, tags: dict[str, str], user: str, patience: float
) -> Iterator[TrainingRun]:
    """Opens an MLflow run around a training; the run ends as FINISHED, or on an exception as FAILED or KILLED.

    Args:
        patience: how long the finished training waits for an unavailable registry, in seconds.
    """
    with store.writing() as client:
        about = {"mlflow.source.type": "LOCAL", MODEL: name, "sqlml.sql": sql[:8000]}
        about |= {"mlflow.user": user, OWNER: process.mark(), LEASE: lease.new()}
        opened = client.create_run(experiment(client, artifacts, EXPERIMENT), run_name=name, tags=about)
        run = TrainingRun(store, name, sql, tags, opened, patience)
    try:
        artifacts_client.check(opened.info.artifact_uri)
        with lease.renewed(store, run.run_id):
            yield run
    except BaseException as error:
        cancelled = isinstance(error, SqlmlError) and error.condition == "SQLML_CANCELLED"
        status = "KILLED" if cancelled or not isinstance(error, Exception) else "FAILED"
        _close(store, run.run_id, status, str(error) or type(error).__name__)
        raise
    _close(store, run.run_id, "FINISHED")


def _close(store: Store, run_id: str, status: str, error: str = "") -> None:
    """Ends a run; where the registry is unavailable, as soon as it answers again while this process lives."""

    def close() -> None:
        with store.writing() as client:
            if error:
                client.set_tag(run_id, ERROR, error[:5000])
            else:
                _not_orphaned(client, run_id)
            client.set_terminated(run_id, status)

    try:
        close()
    except SqlmlError as unavailable:
        logging.getLogger(__name__).warning("The run %s is not ended yet: %s", run_id, unavailable)
        later = threading.Thread(target=_close_later, args=(store, run_id, close), name="sqlml-close", daemon=True)
        later.start()


def _not_orphaned(client: MlflowClient, run_id: str) -> None:
    """Removes the error of another driver that took this one for dead."""
    if ERROR in client.get_run(run_id).data.tags:
        client.delete_tag(run_id, ERROR)


def _close_later(store: Store, run_id: str, close: Callable[[], None]) -> None:
    try:
        with lease.renewed(store, run_id):
            until_available(close, _CLOSE_SECONDS)
    except SqlmlError as error:
        logging.getLogger(__name__).warning("The run %s stays open: %s", run_id, error)


def experiment(client: MlflowClient, artifacts: str | None, name: str) -> str:
    """Returns the id of an experiment; creates it where it is missing."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException:
            # A concurrent process may have created it.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _lost_a_race(error: MlflowException) -> bool:
    """Whether a concurrent client dropped the model or took the version's number."""
    return error.error_code == "RESOURCE_DOES_NOT_EXIST" or "Giving up after" in str(error)


def _ensure_model(client: MlflowClient, name: str, comment: str | None, run_id: str) -> bool:
    """Creates the registered model if needed; returns whether it did."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, {CREATED_BY: run_id}, description=comment)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return False
    return True


def _tags(trained: Trained, text: bytes) -> dict[str, str]:
    return {
        DIGEST: hashlib.sha256(trained.fitted.onnx).hexdigest(),
        DOCUMENT_DIGEST: hashlib.sha256(text).hexdigest(),
        ESTIMATOR: trained.estimator.name,
        TASK: trained.fitted.signature.task,
        TARGET: trained.fitted.signature.target or "",
    }
