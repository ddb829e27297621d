"""What the registry knows of a model's version, and the document it is written in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.estimators.job import Fidelity
from sqlml.estimators.preparation import Preparation
from sqlml.scoring import input_name
from sqlml.signature import TEXT, Feature, Signature
from sqlml.transform import Transform

if TYPE_CHECKING:
    from sqlml.training import Trained
    from sqlml.training.tuning import Trial

# What stands for estimator and engine of a model that was made elsewhere.
IMPORTED = "onnx"
# Raised when a document changes so that older readers would misread it.
_FORMAT = 2


@dataclass(frozen=True)
class ModelSummary:
    """One registered model as SHOW MODELS shows it. The middle fields are the newest version's."""

    name: str
    versions: int
    newest: int | None
    aliases: dict[str, int]
    estimator: str | None
    task: str | None
    target: str | None
    comment: str | None
    created: datetime


@dataclass(frozen=True)
class TrialRecord:
    """One try of the search that a version came from.

    Attributes:
        metric, score: None where it failed.
        best: whether the version is its model.
        sample: how many rows it learned from, where that was a sample of them.
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
    """One version of a model. `comment` is the version's own; `onnx()` fetches the graph and checks its digest."""

    name: str
    version: int
    comment: str | None
    model_comment: str | None
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
    seed: int
    sql: str
    transform: Transform | None
    # Of the search it came from, the best score first.
    trials: tuple[TrialRecord, ...]
    onnx: Callable[[], bytes] = field(repr=False, compare=False)

    @property
    def imported(self) -> bool:
        """Whether it was made elsewhere, and registered by IMPORT MODEL or from Python."""
        return self.engine == IMPORTED

    @property
    def inputs(self) -> tuple[Feature, ...]:
        """What PREDICT takes: the features, or the columns that TRANSFORM makes them of."""
        return self.transform.inputs if self.transform else self.signature.features


def document(trained: Trained, sql: str) -> bytes:
    """A training as the bytes of `sqlml.json`."""
    import sqlml

    fitted = trained.fitted
    content = {
        "format": _FORMAT,
        "sqlml": sqlml.__version__,
        "sql": sql,
        "source_schema": trained.source_schema,
        "estimator": trained.estimator.name,
        "engine": trained.estimator.engine,
        "library": fitted.library,
        "seed": trained.job.seed,
        "rows": fitted.rows,
        "held_out": fitted.held_out,
        "params": {name: _plain(value) for name, value in fitted.params.items()},
        "metrics": fitted.metrics,
        "fidelity": asdict(fitted.fidelity),
        "signature": json.loads(fitted.signature.to_json()),
        "preparation": json.loads(fitted.preparation.to_json()),
        "transform": trained.transform.to_plain() if trained.transform else None,
        "trials": [_trial(trial, trained.best) for trial in trained.trials],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _trial(trial: Trial, best: Trial | None) -> dict[str, Any]:
    """One try of a search, as `TrialRecord` has it; JSON has no NaN for the score of one that failed."""
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
    """A version from its document and MLflow's own records of the model and of the version.

    Raises:
        SqlmlError: SQLML_MODEL_CORRUPT for a document of a newer sqlml.
    """
    if content["format"] > _FORMAT:
        raise SqlmlError(
            "SQLML_MODEL_CORRUPT",
            f"Model {found.name} version {found.version} was written by sqlml {content['sqlml']}, which is newer.",
            hint="Update sqlml.",
        )
    return ModelVersion(
        name=found.name,
        version=int(found.version),
        comment=found.description or None,
        model_comment=model.description or None,
        created=moment(found.creation_timestamp),
        digest=digest,
        run_id=found.run_id,
        signature=Signature.from_json(json.dumps(content["signature"])),
        preparation=Preparation.from_json(json.dumps(content["preparation"])),
        transform=Transform.from_plain(content["transform"]) if content.get("transform") else None,
        fidelity=Fidelity(**content["fidelity"]),
        onnx=fetch,
        # Documents of the first versions of sqlml have none.
        trials=tuple(TrialRecord(**trial) for trial in content.get("trials", ())),
        **{name: content[name] for name in _COPIED},
    )


_COPIED = ("estimator", "engine", "library", "params", "metrics", "rows", "held_out", "seed", "sql")


def mlflow_columns(signature: Signature) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The graph's inputs and its first output as (name, MLflow column type)."""
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
