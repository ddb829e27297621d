"""DESCRIBE MODEL"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.grammar import Cursor
from sqlml.names import ModelReference
from sqlml.session import Session
from sqlml.signature import BOOLEAN, TEXT, Feature
from sqlml.statements.base import Statement

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion

_Row = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class DescribeModel(Statement):
    """{DESCRIBE | DESC} MODEL [EXTENDED] name [VERSION n | ALIAS alias]

    What one version of a model is (the newest by default): what it predicts, each feature with its type and what
    happens to a NULL in it, and its metrics on held-out rows. EXTENDED adds how it was made: the SQL text, every
    hyperparameter, the fidelity check, library versions, the digest of its graph, and its MLflow run.

    Errors: SQLML_MODEL_NOT_FOUND.
    """

    HEADS: ClassVar = (("DESCRIBE", "MODEL"), ("DESC", "MODEL"))
    SCHEMA: ClassVar = "name STRING, value STRING, comment STRING"

    model: ModelReference
    extended: bool = False
    model_offset: int | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, cursor: Cursor) -> DescribeModel:
        if not cursor.accept("DESC"):
            cursor.expect("DESCRIBE")
        cursor.expect("MODEL")
        # `DESCRIBE MODEL extended` describes a model of that name.
        extended = cursor.accept("EXTENDED")
        if extended and cursor.at_end():
            return cls(ModelReference("extended"))
        offset = cursor.offset
        return cls(cursor.model_reference(), extended, offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        try:
            version = session.registry.load(self.model)
        except SqlmlError as error:
            raise error.at(self.model_offset) from None
        rows = _summary(version) + _features(version) + _inputs(version) + _metrics(version)
        return rows + (_making(version) if self.extended else [])

    def sql(self) -> str:
        return f"DESCRIBE MODEL {'EXTENDED ' if self.extended else ''}{self.model.sql()}"


def _summary(version: ModelVersion) -> list[_Row]:
    signature = version.signature
    labels = ", ".join(str(label).lower() if isinstance(label, bool) else str(label) for label in signature.labels)
    return [
        ("model", version.name, version.model_comment),
        ("version", str(version.version), version.comment),
        ("created", version.created.strftime("%Y-%m-%d %H:%M:%S UTC"), None),
        ("estimator", version.estimator, version.library),
        ("task", signature.task, f"labels: {labels}" if labels else None),
        ("target", signature.target, signature.target_type),
    ]


def _features(version: ModelVersion) -> list[_Row]:
    heading: list[_Row] = [("# Features", None, None)]
    return heading + [
        (feature.name, feature.type, _missing(version, feature)) for feature in version.signature.features
    ]


def _inputs(version: ModelVersion) -> list[_Row]:
    """What PREDICT takes, where that is not the features."""
    if version.transform is None:
        return []
    heading: list[_Row] = [("# Inputs", None, "TRANSFORM makes the features of them")]
    return heading + [(column.name, column.type, None) for column in version.transform.inputs]


def _missing(version: ModelVersion, feature: Feature) -> str:
    if feature.required:
        also = {TEXT: "", BOOLEAN: ""}.get(feature.kind, ", also NaN and infinite" if not feature.whole else "")
        return f"NULL{also} gives NULL{', also what the type cannot hold' if feature.whole else ''}"
    if version.imported and not version.preparation.width:
        return "NULL goes in as NaN; NaN and infinite as they are"
    return version.preparation.describe(feature.name)


def _metrics(version: ModelVersion) -> list[_Row]:
    measured = f"{version.held_out} held-out rows" if version.held_out else f"{version.rows} training rows"
    if version.imported:
        measured = "given by who registered it" if version.metrics else "none given"
    heading: list[_Row] = [("# Metrics", None, measured)]
    return heading + [(name, f"{value:.6g}", None) for name, value in sorted(version.metrics.items())]


def _making(version: ModelVersion) -> list[_Row]:
    fidelity = version.fidelity
    difference = f"largest difference {fidelity.max_abs_diff:.3g}" if fidelity.rows else None
    stored: list[_Row] = [
        ("fidelity", f"{fidelity.rows} rows compared", difference),
        ("digest", version.digest, "SHA-256 of the ONNX graph"),
        ("run_id", version.run_id, None),
    ]
    if version.imported:
        if not version.sql:
            return [("# Registered from Python", None, None), *stored]
        return [("# Import", None, None), *stored, ("sql", version.sql, None)]
    rows: list[_Row] = [
        ("# Training", None, None),
        ("rows", str(version.rows), None),
        ("held_out", str(version.held_out), None),
        ("seed", str(version.seed), None),
        *stored,
        ("sql", version.sql, None),
        ("# Hyperparameters", None, None),
    ]
    if version.transform is not None:
        rows.insert(-1, ("transform", version.transform.select_list, None))
    return rows + [(name, str(value), None) for name, value in sorted(version.params.items())]
