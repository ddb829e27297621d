"""The values that go into and come out of an import: `Request` and `Imported`, both serializable as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlml.jobs.job import Fidelity
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Signature

# The activation that a network's last layer lacks.
ACTIVATIONS = SOFTMAX, SIGMOID, NO_ACTIVATION = ("softmax", "sigmoid", "none")
# The treatment of a missing number: the prediction is NULL, or the model gets NaN.
MISSING = AS_NULL, AS_NAN = ("null", "nan")
DEFAULT_TOLERANCE = 1e-4
# The most characters in the name of a feature or a target; MLflow stores no longer text.
LONGEST_NAME = 1_000
_NO_PREPARATION = Preparation((), ())


@dataclass(frozen=True)
class Column:
    """A feature as the user declares it. `type` is a Spark SQL type; None leaves it to the graph's input."""

    name: str
    type: str | None = None


@dataclass(frozen=True)
class Request:
    """The options of an import, from the user's statement or call.

    Attributes:
        columns: the features in the order of the model's inputs; None to use the inputs' own names.
        inputs: the features of each input by the input's name, where the order does not determine them.
        target: the name of the prediction: one, several for a multi-output regression, or none.
        labels: the classes in the order of the probabilities' columns.
        task: `classification` or `regression`; None to infer it from the outputs.
        activation: one of ACTIVATIONS; None where the outputs are probabilities already.
        missing: one of MISSING.
        nullable: the features whose missing values the graph takes itself: NaN, or NULL_TEXT for a text.
        outputs: the graph's outputs to use; None for all.
        tolerance: the largest difference allowed between native and ONNX predictions, relative above 1.
    """

    columns: tuple[Column, ...] | None = None
    inputs: dict[str, tuple[str, ...]] | None = None
    target: tuple[str, ...] = ()
    labels: tuple[Any, ...] = ()
    task: str | None = None
    activation: str | None = None
    missing: str = AS_NULL
    nullable: tuple[str, ...] = ()
    outputs: tuple[str, ...] | None = None
    tolerance: float = DEFAULT_TOLERANCE

    @property
    def is_default(self) -> bool:
        """Whether no option but the tolerance is given, so that an exported file's own metadata decide."""
        return replace(self, tolerance=DEFAULT_TOLERANCE) == Request()

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Request:
        raw = json.loads(text)
        for name in ("target", "labels", "outputs", "nullable"):
            raw[name] = None if raw[name] is None else tuple(raw[name])
        if raw["columns"] is not None:
            raw["columns"] = tuple(Column(**column) for column in raw["columns"])
        if raw["inputs"] is not None:
            raw["inputs"] = {name: tuple(features) for name, features in raw["inputs"].items()}
        return cls(**raw)


@dataclass(frozen=True)
class Imported:
    """A model in sqlml's own layout, after every check.

    Attributes:
        onnx: the graph; inputs and outputs as `sqlml.scoring.scorer` describes them.
        library: the tool that made it, and its version.
        fidelity: of 0 rows where there was no native model to compare with.
        preparation, metrics, title: from the metadata of a file that EXPORT MODEL wrote; else empty.
        sources: SHA-256 of the given bytes, and of the graph alone where EXPORT MODEL wrote the file.
    """

    onnx: bytes
    signature: Signature
    fidelity: Fidelity
    library: str
    preparation: Preparation = _NO_PREPARATION
    metrics: dict[str, float] = field(default_factory=dict)
    title: str = ""
    sources: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the graph."""
        return hashlib.sha256(self.onnx).hexdigest()

    def to_json(self) -> str:
        """Serializes everything but the graph."""
        content = {
            "signature": json.loads(self.signature.to_json()),
            "fidelity": asdict(self.fidelity),
            "library": self.library,
            "preparation": json.loads(self.preparation.to_json()),
            "metrics": self.metrics,
            "title": self.title,
            "sources": self.sources,
        }
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, onnx: bytes) -> Imported:
        raw = json.loads(text)
        signature = Signature.from_json(json.dumps(raw["signature"]))
        preparation = Preparation.from_json(json.dumps(raw["preparation"]))
        return cls(
            onnx,
            signature,
            Fidelity(**raw["fidelity"]),
            raw["library"],
            preparation,
            raw["metrics"],
            raw["title"],
            tuple(raw["sources"]),
        )
