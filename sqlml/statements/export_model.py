"""EXPORT MODEL"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.formats import ALIASES, FORMATS
from sqlml.parser.cursor import Cursor, Option
from sqlml.parser.generator import identifier, print_options, quote_string
from sqlml.parser.references import ModelReference
from sqlml.policy import EXPORT
from sqlml.session import Catalog, Files, Session
from sqlml.statements import clauses
from sqlml.statements.base import Statement

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion


@dataclass(frozen=True)
class ExportModel(Statement):
    """EXPORT MODEL name [VERSION n | ALIAS alias]
      { TO 'path' | INTO TABLE table }
      [FORMAT { onnx | mlflow | sql | csv }]
      [OPTIONS ( overwrite = true, dialect = 'postgres', table = 'customers', columns = ['id'] )]

    Writes a version of a model, by default the newest, for other systems:

        onnx      a file with the suffix .onnx, which any ONNX Runtime can run; its properties describe the model
        mlflow    a folder in MLflow's layout, with the flavours onnx and python_function
        sql       a file with the suffix .sql: one SELECT that scores the rows of a table in another system; the option
                  dialect names its SQL dialect, table the table, and columns the columns before the prediction
        csv       a file with the suffix .csv: the ONNX file in hexadecimal on one line, for COPY INTO of Azure Synapse;
                  also called hex

    Without FORMAT, the suffix of the path decides. Paths are local and must be below `spark.sqlml.allowedPaths`. A
    relative path starts at the driver's working directory. An existing file is replaced only with overwrite = true, and
    only if it is an earlier export of the same format. A file or folder is written completely or not at all, and never
    outside of the allowed folders, even if a folder is replaced by a link meanwhile.

    INTO TABLE adds a row to a table, with the ONNX file in the column `model`. The table is created if it does not
    exist. IMPORT MODEL reads all formats but sql, and gives the same predictions. A model with a TRANSFORM is exported
    as its graph, whose inputs are the columns that TRANSFORM computes.

    Returns one row.

    Errors: SQLML_COLUMN_NOT_FOUND, SQLML_MODEL_CORRUPT, SQLML_MODEL_NOT_FOUND, SQLML_MODEL_NOT_SQL,
    SQLML_OPTION_INVALID, SQLML_OPTION_NOT_FOUND, SQLML_PATH_ALREADY_EXISTS, SQLML_PATH_NOT_ALLOWED,
    SQLML_PATH_NOT_FOUND, SQLML_REGISTRY_UNAVAILABLE, SQLML_TYPE_MISMATCH.
    """

    HEADS: ClassVar = (("EXPORT", "MODEL"),)
    ACTION: ClassVar = EXPORT
    SCHEMA: ClassVar = "model STRING, version INT, format STRING, written STRING, bytes BIGINT, digest STRING"

    model: ModelReference
    path: str | None = None
    table: tuple[str, ...] = ()
    format: str | None = None
    options: tuple[Option, ...] = ()
    model_offset: int | None = field(default=None, compare=False)
    to_offset: int | None = field(default=None, compare=False)
    format_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> ExportModel:
        cursor.expect("EXPORT", "MODEL")
        model_offset = cursor.offset
        model = cursor.model_reference()
        into = cursor.accept("INTO", "TABLE")
        if not into and not cursor.accept("TO"):
            raise cursor.error("TO and a path, or INTO TABLE and a name")
        to_offset = cursor.offset
        path = None if into else cursor.string()
        table = cursor.identifiers("a table's name") if into else ()
        values = {} if into else clauses.read(cursor, _CLAUSES, cursor.at_end, "the end of the statement")
        return cls(model, path, table, model_offset=model_offset, to_offset=to_offset, **values)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        chosen, overwrite = ("table", False) if self.path is None else self._chosen_format(self.path)
        try:
            version = session.registry.load(self.model)
        except SqlmlError as error:
            raise error.at(self.model_offset) from None
        try:
            if self.path is None:
                size = self._into(session.catalog, version)
            else:
                size = self._to(self.path, session.files, version, chosen, overwrite)
        except SqlmlError as error:
            raise error.at(self.to_offset) from None
        return [(version.name, version.version, chosen, self.path or self._table(), size, version.digest)]

    def _chosen_format(self, path: str) -> tuple[str, bool]:
        """The format's name, from FORMAT or the path's suffix, and whether an earlier export may be overwritten."""
        end = os.path.splitext(path)[1].lower()
        named = None if self.format is None else ALIASES.get(self.format.lower(), self.format.lower())
        if named is None:
            named = next((name for name, row in FORMATS.items() if row.suffix and row.suffix == end), None)
            if named is None:
                raise SqlmlError(
                    "SQLML_OPTION_INVALID",
                    f"The format of {path!r} is not known, because it does not end in one of"
                    f" {', '.join(row.suffix for row in FORMATS.values() if row.suffix)}.",
                    hint=f"Add FORMAT with one of {', '.join(sorted(FORMATS))}.",
                    offset=self.to_offset,
                )
        elif named not in FORMATS:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"There is no format {self.format}.",
                hint=did_you_mean(named, FORMATS),
                offset=self.format_offset,
            )
        if FORMATS[named].suffix and FORMATS[named].suffix != end:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"The path of a file of the format {named} must end in {FORMATS[named].suffix}, and {path!r} does not.",
                offset=self.to_offset,
            )
        return named, self._overwrite(named)

    def _overwrite(self, named: str) -> bool:
        """Checks the options' names; returns the value of `overwrite`."""
        known = ("overwrite", *FORMATS[named].options)
        for option in self.options:
            if option.name.lower() not in known:
                raise SqlmlError(
                    "SQLML_OPTION_NOT_FOUND",
                    f"EXPORT MODEL … FORMAT {named} has no option {option.name}.",
                    hint=did_you_mean(option.name, known),
                    offset=option.offset,
                )
            if option.name.lower() == "overwrite" and not isinstance(option.value, bool):
                raise SqlmlError(
                    "SQLML_OPTION_INVALID",
                    f"overwrite must be true or false, not {option.value!r}.",
                    offset=option.offset,
                )
        return any(option.name.lower() == "overwrite" and option.value for option in self.options)

    def _to(self, path: str, files: Files, version: ModelVersion, chosen: str, overwrite: bool) -> int:
        from sqlml.system import file_export

        row = FORMATS[chosen]
        options = {option.name.lower(): option.value for option in self.options}
        return file_export.write(
            path,
            files.allowed,
            lambda path: row.write(version, options, path),
            row.earlier if overwrite else None,
        )

    def _into(self, catalog: Catalog, version: ModelVersion) -> int:
        """Appends a row with the model to a table; returns the model's size in bytes."""
        from sqlml.formats.onnx_file import content

        onnx = content(version)
        row = {
            "name": version.name,
            "version": version.version,
            "model": onnx,
            "signature": version.signature.to_json(),
            "digest": version.digest,
            "task": version.signature.task,
            "estimator": version.estimator,
            "description": version.comment or version.model_comment,
            "exported": datetime.now(UTC),
        }
        catalog.append(self._table(), TABLE, row)
        return len(onnx)

    def _table(self) -> str:
        return ".".join(map(identifier, self.table))

    def sql(self) -> str:
        where = f"INTO TABLE {self._table()}" if self.path is None else f"TO {quote_string(self.path)}"
        parts = [f"EXPORT MODEL {self.model.sql()}", where]
        if self.format is not None:
            parts.append(f"FORMAT {identifier(self.format)}")
        if self.options:
            parts.append(f"OPTIONS {print_options(self.options)}")
        return "\n".join(parts)


# The columns of a table of models. T-SQL's PREDICT reads its `model`: PREDICT(MODEL = (SELECT model FROM models …), …).
TABLE = (
    "name STRING, version INT, model BINARY, signature STRING, digest STRING, task STRING, estimator STRING,"
    " description STRING, exported TIMESTAMP"
)


def _format(cursor: Cursor) -> dict[str, Any]:
    offset = cursor.offset
    return {"format": cursor.dotted("a format"), "format_offset": offset}


_CLAUSES: clauses.Clauses = {"FORMAT": _format, "OPTIONS": clauses.COMMON["OPTIONS"]}
