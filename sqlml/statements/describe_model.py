"""DESCRIBE MODEL"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.parser.references import ModelReference
from sqlml.policy import READ
from sqlml.session import Session
from sqlml.signature import BOOLEAN, TEXT, Feature, collation_of, is_padded
from sqlml.statements.base import Statement

if TYPE_CHECKING:
    from sqlml.lineage import Source
    from sqlml.registry import ModelVersion, VersionSummary

_Row = tuple[str, str | None, str | None]
_MOMENT = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True)
class DescribeModel(Statement):
    """{DESCRIBE | DESC} MODEL [EXTENDED] name [VERSION n | ALIAS alias]

    Describes one version of a model, by default the newest: its aliases, its target, each feature with its type and how
    a NULL in it is handled, its metrics on held-out rows, the warnings of its training, and the tags of the version and
    the model. EXTENDED adds how the version was trained: the SQL text, every hyperparameter, the comparison of graph
    and library, the versions of the libraries, the digest of the graph, and the MLflow run.

    Errors: SQLML_MODEL_NOT_FOUND.
    """

    HEADS: ClassVar = (("DESCRIBE", "MODEL"), ("DESC", "MODEL"))
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = "name STRING, value STRING, comment STRING"

    model: ModelReference
    extended: bool = False
    model_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> DescribeModel:
        if not cursor.accept("DESC"):
            cursor.expect("DESCRIBE")
        cursor.expect("MODEL")
        # `DESCRIBE MODEL extended` describes a model of the name "extended".
        extended = cursor.accept("EXTENDED")
        if extended and cursor.at_end():
            return cls(ModelReference("extended"))
        offset = cursor.offset
        return cls(cursor.model_reference(), extended, offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        from sqlml.registry import ModelVersion

        try:
            version = session.registry.described(self.model)
        except SqlmlError as error:
            raise error.at(self.model_offset) from None
        if not isinstance(version, ModelVersion):
            return _foreign(version)
        rows = _summary(version) + _features(version) + _inputs(version) + _metrics(version)
        rows += _warnings(version) + _tags(version)
        return rows + (_making(version) if self.extended else [])

    def sql(self) -> str:
        return f"DESCRIBE MODEL {'EXTENDED ' if self.extended else ''}{self.model.sql()}"


def _summary(version: ModelVersion) -> list[_Row]:
    signature = version.signature
    labels = ", ".join(str(label).lower() if isinstance(label, bool) else str(label) for label in signature.labels)
    return [
        ("model", version.name, version.model_comment),
        ("version", str(version.version), version.comment),
        *_aliases(version),
        ("created", version.created.strftime(_MOMENT), None),
        ("estimator", version.estimator, version.library),
        ("task", signature.task, f"labels: {labels}" if labels else None),
        ("target", signature.target, signature.target_type),
    ]


def _aliases(version: ModelVersion | VersionSummary) -> list[_Row]:
    return [("aliases", ", ".join(version.aliases), None)] if version.aliases else []


def _foreign(version: VersionSummary) -> list[_Row]:
    """The rows for a version registered through MLflow's own API."""
    return [
        ("model", version.name, None),
        ("version", str(version.version), version.comment),
        *_aliases(version),
        ("created", version.created.strftime(_MOMENT), None),
        ("source", version.source, "not registered by sqlml, so PREDICT cannot use it"),
        ("run_id", version.run_id, None),
        ("# Metrics", None, "of its MLflow run"),
        *((name, f"{value:.6g}", None) for name, value in sorted(version.metrics.items())),
        *_tag_rows([(version.tags, "of the version")]),
    ]


def _tags(version: ModelVersion) -> list[_Row]:
    return _tag_rows([(version.model_tags, "of the model"), (version.tags, "of the version")])


def _tag_rows(tagged: list[tuple[dict[str, str], str]]) -> list[_Row]:
    rows: list[_Row] = [(key, value, whose) for tags, whose in tagged for key, value in tags.items()]
    return [("# Tags", None, None), *rows] if rows else []


def _features(version: ModelVersion) -> list[_Row]:
    heading: list[_Row] = [("# Features", None, None)]
    return heading + [
        (feature.name, feature.type, _comment(version, feature)) for feature in version.signature.features
    ]


def _inputs(version: ModelVersion) -> list[_Row]:
    """The rows for TRANSFORM's input columns, which PREDICT takes in place of the features."""
    if version.transform is None:
        return []
    heading: list[_Row] = [("# Inputs", None, "the columns from which TRANSFORM computes the features")]
    return heading + [(column.name, column.type, None) for column in version.transform.inputs]


def _comment(version: ModelVersion, feature: Feature) -> str:
    """The comment on a feature: how its texts are compared, unless by bytes, and how missing values are treated."""
    parts = [_missing(version, feature)]
    if is_padded(feature.type):
        parts.insert(0, "trailing blanks do not count")
    collation = collation_of(feature.type)
    if collation is not None:
        parts.insert(0, f"texts are compared with {collation}")
    return "; ".join(parts)


def _missing(version: ModelVersion, feature: Feature) -> str:
    if feature.required:
        also = {TEXT: "", BOOLEAN: ""}.get(feature.kind, "" if feature.whole else ", NaN and infinity")
        shown = f"NULL{also} {'give' if also else 'gives'} NULL"
        return f"{shown}, as do values outside of the type" if feature.whole else shown
    if version.imported and not version.preparation.width:
        if feature.kind == TEXT:
            return "NULL is a missing text for the model"
        return "NULL becomes NaN; NaN and infinity are passed on"
    return version.preparation.describe(feature.name)


def _metrics(version: ModelVersion) -> list[_Row]:
    measured = f"{version.held_out} held-out rows" if version.held_out else f"{version.rows} training rows"
    if version.measured < (version.held_out or version.rows):
        measured = f"a sample of {version.measured} of the {measured}"
    if version.imported:
        measured = "given at registration" if version.metrics else "none"
    heading: list[_Row] = [("# Metrics", None, measured)]
    return heading + [(name, f"{value:.6g}", None) for name, value in sorted(version.metrics.items())]


def _warnings(version: ModelVersion) -> list[_Row]:
    heading: list[_Row] = [("# Warnings", None, "of its training")] if version.warnings else []
    return heading + [("warning", text, None) for text in version.warnings]


def _making(version: ModelVersion) -> list[_Row]:
    """The rows of EXTENDED: how the version was imported or trained."""
    fidelity = version.fidelity
    difference = f"largest difference {fidelity.max_abs_diff:.3g}" if fidelity.rows else None
    software = ", ".join(f"{name} {number}" for name, number in version.lineage.software.items())
    stored: list[_Row] = [
        ("fidelity", f"{fidelity.rows} rows compared", difference),
        ("digest", version.digest, "SHA-256 of the ONNX graph"),
        ("run_id", version.run_id, None),
        *([("software", software, None)] if software else []),
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
        *([("transform", version.transform.select_list, None)] if version.transform else []),
        *_data(version),
        ("# Hyperparameters", None, None),
    ]
    return rows + [(name, str(value), None) for name, value in sorted(version.params.items())]


def _data(version: ModelVersion) -> list[_Row]:
    """The rows for the lineage: the sources that the training query read."""
    lineage = version.lineage
    if lineage.fingerprint is None:  # documents of early releases have no lineage
        return []
    columns = ", ".join(f"{name} {kind}" for name, kind in version.source_schema)
    return [
        ("# Data", None, None),
        ("fingerprint", lineage.fingerprint, f"of {lineage.rows} rows, in the columns it learned from"),
        ("columns", columns, None),
        ("settings", ", ".join(f"{name} = {value}" for name, value in lineage.settings.items()), None),
        *((source.name, _kept(source), _kind(source)) for source in lineage.sources),
    ]


def _kept(source: Source) -> str | None:
    """The state of a source at the time it was read, as far as it is known."""
    if source.version is not None:
        return f"version {source.version}"
    if source.files is None:
        return None
    return f"{source.files} file{'s' * (source.files != 1)}, {source.bytes} bytes, {source.digest}"


def _kind(source: Source) -> str:
    kind = f"{source.format} {source.kind}" if source.format else source.kind
    views = [view for view in source.views if view != source.name]
    return kind + (f" through {', '.join(views)}" if views else "")
