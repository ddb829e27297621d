"""The records of models and versions, and the JSON document (`sqlml.json`) that stores a version's metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Fidelity
from sqlml.jobs.preparation import Preparation
from sqlml.lineage import Lineage
from sqlml.registry.layout import DIGEST, ESTIMATOR, TARGET, TASK, is_own
from sqlml.registry.lookup import aliases
from sqlml.scoring.scorer import input_name
from sqlml.signature import TEXT, Feature, Signature, Transform

if TYPE_CHECKING:
    from sqlml.training.trained import Trained
    from sqlml.training.tuning import Trial

# The estimator and engine of an imported model.
IMPORTED = "onnx"
# The version of the document's format; raised when older readers would misread it.
_FORMAT = 2


@dataclass(frozen=True)
class ModelSummary:
    """One row of SHOW MODELS. `estimator`, `task` and `target` are the newest version's."""

    name: str
    versions: int
    newest: int | None
    aliases: dict[str, int]
    estimator: str | None
    task: str | None
    target: str | None
    comment: str | None
    tags: dict[str, str]
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class VersionSummary:
    """A version as MLflow lists it, without opening a file. `estimator` and `task` are None for a version that sqlml
    has not registered; `metrics` are the run's current ones."""

    name: str
    version: int
    aliases: tuple[str, ...]
    estimator: str | None
    task: str | None
    target: str | None
    metrics: dict[str, float]
    comment: str | None
    tags: dict[str, str]
    created: datetime
    digest: str | None
    run_id: str | None
    source: str


@dataclass(frozen=True)
class TrialRecord:
    """One trial of the hyperparameter search behind a version.

    Attributes:
        metric, score: None for a failed trial.
        best: whether the version is this trial's model.
        sample: the number of rows it was trained on, where that was a sample.
    """

    trial: int
    estimator: str
    params: dict[str, Any]
    metric: str | None
    score: float | None
    seconds: float
    error: str | None
    best: bool
    sample: int | None


@dataclass(frozen=True)
class ModelVersion:
    """One version of a model. `comment` and `tags` are the version's own; `onnx()` fetches the graph and verifies its
    digest."""

    name: str
    version: int
    aliases: tuple[str, ...]
    comment: str | None
    model_comment: str | None
    tags: dict[str, str]
    model_tags: dict[str, str]
    created: datetime
    digest: str
    run_id: str
    signature: Signature
    preparation: Preparation
    estimator: str
    engine: str
    library: str
    params: dict[str, Any]
    metrics: dict[str, float]
    fidelity: Fidelity
    rows: int
    held_out: int
    # The number of rows behind the metrics.
    measured: int
    seed: int
    sql: str
    # The TRAIN MODEL statement that reproduces the version, with all defaults and search results; None for imports.
    statement: str | None
    # Names and types of the training query's columns.
    source_schema: tuple[tuple[str, str], ...]
    lineage: Lineage
    transform: Transform | None
    # Columns that were left out as features without being excluded by the user.
    left_out: tuple[str, ...]
    # The trials of the search, best score first.
    trials: tuple[TrialRecord, ...]
    # The warnings of the training.
    warnings: tuple[str, ...]
    onnx: Callable[[], bytes] = field(repr=False, compare=False)
    # When the registry was asked, if it does not answer now and this is the last known version.
    last_known_at: datetime | None = field(default=None, repr=False, compare=False)

    @property
    def imported(self) -> bool:
        """Whether it was registered by IMPORT MODEL or `sqlml.register_model`."""
        return self.engine == IMPORTED

    @property
    def inputs(self) -> tuple[Feature, ...]:
        """The columns that PREDICT takes: TRANSFORM's inputs, or the features."""
        return self.transform.inputs if self.transform else self.signature.features


def document(trained: Trained, sql: str, statement: str | None) -> bytes:
    """Serializes a training as `sqlml.json`."""
    import sqlml

    fitted = trained.fitted
    content = {
        "format": _FORMAT,
        "sqlml": sqlml.__version__,
        "sql": sql,
        "statement": statement,
        "lineage": trained.lineage.to_plain(),
        "source_schema": trained.source_schema,
        "estimator": trained.estimator.name,
        "engine": trained.estimator.engine,
        "library": fitted.library,
        "seed": trained.job.seed,
        "rows": fitted.rows,
        "held_out": fitted.held_out,
        "measured": fitted.measured,
        "params": {name: _plain(value) for name, value in fitted.params.items()},
        "metrics": fitted.metrics,
        "fidelity": asdict(fitted.fidelity),
        "signature": json.loads(fitted.signature.to_json()),
        "preparation": json.loads(fitted.preparation.to_json()),
        "transform": trained.transform.to_plain() if trained.transform else None,
        "left_out": [column.name for column in trained.left_out],
        "trials": [_trial(trial, trained.best) for trial in trained.trials],
        "warnings": trained.warnings,
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _trial(trial: Trial, best: Trial | None) -> dict[str, Any]:
    """A trial as JSON of a `TrialRecord`. A failed one has no score: JSON has no NaN."""
    return {
        "trial": trial.number,
        "estimator": trial.estimator,
        "params": {name: _plain(value) for name, value in trial.params.items()},
        "metric": trial.metric or None,
        "score": trial.score if trial.error is None else None,
        "seconds": trial.seconds,
        "error": str(trial.error) if trial.error else None,
        "best": best is not None and trial.number == best.number,
        "sample": trial.sample,
    }


def read_document(
    content: dict[str, Any], model: Any, found: Any, *, digest: str, fetch: Callable[[], bytes]
) -> ModelVersion:
    """Builds a version from its document and MLflow's records of model and version.

    Raises:
        SqlmlError: SQLML_MODEL_CORRUPT for a document in a newer format.
    """
    if content["format"] > _FORMAT:
        raise SqlmlError(
            "SQLML_MODEL_CORRUPT",
            f"Model {found.name} version {found.version} was written by a newer sqlml, {content['sqlml']}.",
            hint="Update sqlml.",
        )
    return ModelVersion(
        name=found.name,
        version=int(found.version),
        aliases=_aliases(model, found),
        comment=found.description or None,
        model_comment=model.description or None,
        tags=users_tags(found.tags),
        model_tags=users_tags(model.tags),
        created=moment(found.creation_timestamp),
        digest=digest,
        run_id=found.run_id,
        signature=Signature.from_json(json.dumps(content["signature"])),
        preparation=Preparation.from_json(json.dumps(content["preparation"])),
        transform=Transform.from_plain(content["transform"]) if content.get("transform") else None,
        fidelity=Fidelity(**content["fidelity"]),
        onnx=fetch,
        source_schema=tuple((name, kind) for name, kind in content["source_schema"]),
        # The fields below are missing in documents of early releases.
        measured=content.get("measured", content["held_out"] or content["rows"]),
        statement=content.get("statement"),
        lineage=Lineage.from_plain(content["lineage"]) if "lineage" in content else Lineage(),
        left_out=tuple(content.get("left_out", ())),
        trials=tuple(TrialRecord(**trial) for trial in content.get("trials", ())),
        warnings=tuple(content.get("warnings", ())),
        **{name: content[name] for name in _COPIED},
    )


def model_summary(model: Any, versions: list[Any]) -> ModelSummary:
    """Builds a summary from MLflow's records of a model and its versions."""
    newest = max(versions, key=lambda version: int(version.version), default=None)
    tags = dict(newest.tags) if newest else {}
    return ModelSummary(
        name=model.name,
        versions=len(versions),
        newest=int(newest.version) if newest else None,
        aliases=aliases(model),
        estimator=tags.get(ESTIMATOR),
        task=tags.get(TASK),
        target=tags.get(TARGET) or None,
        comment=model.description or None,
        tags=users_tags(model.tags),
        created=moment(model.creation_timestamp),
        updated=moment(model.last_updated_timestamp),
    )


def version_summary(model: Any, found: Any, metrics: dict[str, float]) -> VersionSummary:
    """Builds a summary from MLflow's records of model and version, and the run's metrics."""
    return VersionSummary(
        name=found.name,
        version=int(found.version),
        aliases=_aliases(model, found),
        estimator=found.tags.get(ESTIMATOR),
        task=found.tags.get(TASK),
        target=found.tags.get(TARGET) or None,
        metrics=metrics,
        comment=found.description or None,
        tags=users_tags(found.tags),
        created=moment(found.creation_timestamp),
        digest=found.tags.get(DIGEST),
        run_id=found.run_id or None,
        source=found.source or "",
    )


def _aliases(model: Any, found: Any) -> tuple[str, ...]:
    return tuple(alias for alias, version in aliases(model).items() if version == int(found.version))


def users_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that users have set, without sqlml's and MLflow's own."""
    return {key: value for key, value in sorted(tags.items()) if not is_own(key)}


_COPIED = ("estimator", "engine", "library", "params", "metrics", "rows", "held_out", "seed", "sql")


def mlflow_columns(signature: Signature) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The graph's inputs and its first output, as pairs (name, MLflow column type)."""
    inputs = [(input_name(feature.name), _input_type(feature)) for feature in signature.features]
    if not signature.labels:
        return inputs, [("prediction", "double")]
    label = signature.labels[0]
    kind = "string" if isinstance(label, str) else "double" if isinstance(label, float) else "long"
    return inputs, [("label", kind)]


def _input_type(feature: Feature) -> str:
    if feature.kind == TEXT:
        return "string"
    return "long" if feature.whole else "double"


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
