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

    Writes a version of a model, the newest where none is named, for other systems to use:

        onnx      a file that ends in .onnx, which any ONNX Runtime runs: its properties say what the model is
        mlflow    a folder in MLflow's layout, with the flavours onnx and python_function
        sql       a file that ends in .sql: one SELECT that scores the rows of a table on an engine that never heard of
                  the model; dialect says which, table the table, columns what stands before the prediction
        csv       a file that ends in .csv: the same ONNX in hexadecimal on one line, as COPY INTO of Azure Synapse
                  takes it; also called hex

    Without FORMAT the end of the path says it. Paths are local, below `spark.sqlml.allowedPaths`; a relative one starts
    at the driver's working directory. What is there already is replaced only with overwrite = true, and only where it
    is an earlier export of the same format. A file or folder appears whole or not at all, and only below those
    folders, also where one on its way is renamed or exchanged for a link meanwhile.

    INTO TABLE adds a row with the ONNX file in the column `model` to a table, which is created where it is missing.
    IMPORT MODEL reads all of these back, to the same predictions. A model with a TRANSFORM is exported as its graph,
    which takes the columns that TRANSFORM makes.

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
        given = {} if into else clauses.read(cursor, _CLAUSES, cursor.at_end, "the end of the statement")
        return cls(model, path, table, model_offset=model_offset, to_offset=to_offset, **given)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        chosen, overwrite = ("table", False) if self.path is None else self._asked(self.path)
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

    def _asked(self, path: str) -> tuple[str, bool]:
        """The format's name, from FORMAT or the path's suffix, and whether an earlier export may be overwritten."""
        end = os.path.splitext(path)[1].lower()
        named = None if self.format is None else ALIASES.get(self.format.lower(), self.format.lower())
        if named is None:
            named = next((name for name, row in FORMATS.items() if row.suffix and row.suffix == end), None)
            if named is None:
                raise SqlmlError(
                    "SQLML_OPTION_INVALID",
                    f"{path!r} does not say in which format: it does not end in"
                    f" {', '.join(row.suffix for row in FORMATS.values() if row.suffix)}.",
                    hint=f"Add FORMAT {' | '.join(sorted(FORMATS))}.",
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
                f"A file of the format {named} ends in {FORMATS[named].suffix}, and {path!r} does not.",
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
                    "SQLML_OPTION_INVALID", f"overwrite is true or false, not {option.value!r}.", offset=option.offset
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
