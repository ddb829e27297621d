"""IMPORT MODEL"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import TokenType

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor, Option, Piece
from sqlml.parser.generator import print_options, quote_string
from sqlml.policy import IMPORT
from sqlml.session import Session
from sqlml.signature import struct_type
from sqlml.statements import clauses
from sqlml.statements.base import Statement
from sqlml.statements.tags import checked

if TYPE_CHECKING:
    from sqlml.importing import Imported


@dataclass(frozen=True)
class ImportModel(Statement):
    """IMPORT MODEL [IF NOT EXISTS] name
      FROM { 'path' | 'models:/…' | 'runs:/…' | '0x…' | ( query ) }
      [COMMENT 'text']
      [OPTIONS ( key = value, … )]
      [TAGS ( 'key' = 'value', … )]

    Registers an imported model as a new version, so that PREDICT works with it. CREATE [OR REPLACE] MODEL name FROM …
    is another spelling.

    The source is an ONNX file; a folder in MLflow's layout; a registered model, `models:/name/3`, `models:/name@alias`
    or `models:/name`; an artifact of a run, `runs:/id/path`; the bytes in hexadecimal; or a query that returns one row
    with one column, BINARY or a STRING in hexadecimal, as from a table of models in Synapse. ONNX is the only flavour
    of MLflow that is read. All others are programs, and the error shows the Python code that converts them.

    Files must be below `spark.sqlml.allowedPaths` after symbolic links are resolved. Spark reads other file systems
    (`hdfs:/…`, `s3a://…`) if that setting names them. A model is registered only after it has passed every check:
    validation of its operators, then a trial run with generated rows in a sandbox, a process with limits. A file that
    EXPORT MODEL wrote contains its own metadata, and is registered with the signature that it was exported with.

    Options for what the graph does not state; see also sqlml.register_model:
        features    the columns in the order of the inputs: ['age', 'plan']; or for each input: {'x': ['age', 'income']}
        signature   the same with types: 'age double, plan string'
        target      the name of the prediction; a list of names for several numbers
        labels      the classes in the order of the probabilities: ['no', 'yes']. By default the order is found by
                    comparing the label output with the probabilities
        task        'classification' or 'regression'
        activation  'softmax' or 'sigmoid' for logits, 'none' for scores that are not probabilities
        missing     'nan' if the model handles missing numbers itself; by default a NULL gives NULL
        outputs     the outputs of the graph to use
        example     a table or view with rows for the trial run
        tolerance   how much the prediction of a row may depend on the other rows of its batch; 1e-4

    Returns one row. With IF NOT EXISTS nothing happens if the model exists.

    To import a registered model, a user needs the right to export it. To import a copy of a registered model as a file,
    a user needs the right to predict with that model.

    Errors: SQLML_BINDING_MISMATCH, SQLML_FEATURE_UNUSABLE, SQLML_MODEL_NOT_FOUND, SQLML_MODEL_REFUSED,
    SQLML_OPTION_INVALID, SQLML_OPTION_NOT_FOUND, SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND,
    SQLML_PERMISSION_DENIED, SQLML_REGISTRY_UNAVAILABLE, SQLML_TARGET_INVALID.
    """

    HEADS: ClassVar = (("IMPORT", "MODEL"),)
    ACTION: ClassVar = IMPORT
    SCHEMA: ClassVar = (
        "model STRING, version INT, library STRING, task STRING, features ARRAY<STRING>, target STRING,"
        " prediction STRING, labels ARRAY<STRING>, digest STRING, seconds DOUBLE, run_id STRING"
    )

    name: str
    source: str | Piece
    if_not_exists: bool = False
    comment: str | None = None
    options: tuple[Option, ...] = ()
    tags: tuple[Option, ...] = ()
    source_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def query_offset(self) -> int | None:
        return self.source.offset if isinstance(self.source, Piece) else None

    @property
    def query_end(self) -> int | None:
        return self.source.offset + len(self.source.text) if isinstance(self.source, Piece) else None

    @classmethod
    def is_meant(cls, cursor: Cursor) -> bool:
        """Whether a text that begins with CREATE is an import: FROM follows the model's name."""
        if cursor.accept("CREATE", "MODEL") or cursor.accept("CREATE", "OR", "REPLACE", "MODEL"):
            cursor.accept("IF", "NOT", "EXISTS")
            try:
                cursor.model_name()
            except SqlmlError:
                return False
        return cursor.sees("FROM")

    @classmethod
    def parse(cls, cursor: Cursor) -> ImportModel:
        if not cursor.accept("CREATE", "OR", "REPLACE") and not cursor.accept("CREATE"):
            cursor.expect("IMPORT")
        cursor.expect("MODEL")
        if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
        name = cursor.model_name()
        cursor.expect("FROM")
        offset = cursor.offset
        is_query = cursor.sees_symbol(TokenType.L_PAREN)
        source: str | Piece = cursor.parenthesised("a query") if is_query else cursor.string()
        values = clauses.read(cursor, clauses.COMMON, cursor.at_end, "the end of the statement")
        return cls(name, source, if_not_exists, source_offset=offset, **values)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        from sqlml.training.imported_model import trained

        registry = session.registry
        if self.if_not_exists and registry.exists(self.name):
            return []
        started = time.monotonic()
        tags = checked(self.tags, registry)
        try:
            found = self._found(session)
        except SqlmlError as error:
            raise error.at(self._place(error)) from None
        with registry.training_run(self.name, self._stored(), tags, session.caller.user) as run:
            version = run.register(trained(found), comment=self.comment)
        signature = found.signature
        return [
            (
                self.name,
                version,
                found.library,
                signature.task,
                [f"{feature.name} {feature.type}" for feature in signature.features],
                signature.target,
                struct_type(signature.outputs) if signature.outputs else signature.target_type,
                [str(label).lower() if isinstance(label, bool) else str(label) for label in signature.labels],
                found.digest,
                round(time.monotonic() - started, 3),
                run.run_id,
            )
        ]

    def _found(self, session: Session) -> Imported:
        """Reads the source, imports it in the sandbox, and checks the rights to copies of registered models."""
        from sqlml.importing import imported
        from sqlml.importing.limits import Limits
        from sqlml.importing.options import requested_options
        from sqlml.importing.statement_source import check_copies, read_source

        request, example = requested_options(self.options)
        limits = Limits.of(session.application.setting)
        source = read_source(session, self.source, limits.size, self.name)
        session.caller.progress(f"looking through {len(source.content)} bytes, and trying the model on some rows")
        rows = None if example is None else session.queries.frame(f"SELECT * FROM {example}")
        found = imported(
            source.content,
            request,
            example=rows,
            suggested=source.columns,
            limits=limits,
            cancelled=session.caller.cancelled,
        )
        check_copies(session.registry, session.caller, found)
        return found

    def _place(self, error: SqlmlError) -> int | None:
        """The offset to report with an error: that of the option that it is about, or else that of the source."""
        about = _ABOUT.get(error.condition, ())
        named = {option.name.lower(): option.offset for option in self.options}
        if error.condition == "SQLML_OPTION_INVALID":
            about = tuple(name for name in named if re.search(rf"\b{name}\b", error.message, re.IGNORECASE))
        return next((named[name] for name in about if name in named), self.source_offset)

    def _stored(self) -> str:
        """The statement's text as the version stores it; "" for a long one, which contains the model in hexadecimal."""
        text = self.sql()
        return text if len(text) <= _MOST_STORED else ""

    def sql(self) -> str:
        words = "IMPORT MODEL IF NOT EXISTS" if self.if_not_exists else "IMPORT MODEL"
        source = f"({self.source.text})" if isinstance(self.source, Piece) else quote_string(self.source)
        parts = [f"{words} {self.name}", f"FROM {source}"]
        if self.comment is not None:
            parts.append(f"COMMENT {quote_string(self.comment)}")
        if self.options:
            parts.append(f"OPTIONS {print_options(self.options)}")
        if self.tags:
            parts.append(f"TAGS {print_options(self.tags, keys=quote_string)}")
        return "\n".join(parts)


_MOST_STORED = 65_536
# For each error condition the options that it is probably about.
_ABOUT = {
    "SQLML_AMBIGUOUS_FEATURE": ("features", "signature"),
    "SQLML_BINDING_MISMATCH": ("features", "signature"),
    "SQLML_COLUMN_NOT_FOUND": ("example",),
    "SQLML_FEATURE_UNUSABLE": ("signature", "features"),
    "SQLML_TARGET_INVALID": ("labels", "target", "task", "activation"),
    "SQLML_TOO_FEW_ROWS": ("example",),
    "SQLML_TYPE_MISMATCH": ("example",),
}
