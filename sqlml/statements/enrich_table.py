"""ENRICH TABLE"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import TokenType

from sqlml.enrichment import Proposal, Wanted, outputs_of, propose, reading
from sqlml.enrichment.columns import only, read_by
from sqlml.enrichment.creating import create
from sqlml.enrichment.mapping import MapEntry
from sqlml.enrichment.outputs import PROVENANCE
from sqlml.enrichment.reading import FUNCTION, SHOW_MAP, SHOW_SQL, Deed
from sqlml.enrichment.sql_text import Enrichment
from sqlml.errors import ParseError, SqlmlError, blank, did_you_mean
from sqlml.parser.cursor import Column, Cursor, Piece
from sqlml.parser.generator import identifier
from sqlml.parser.references import ModelReference
from sqlml.parser.tokens import tokenize
from sqlml.parser.tsql import spark_type
from sqlml.policy import PREDICT
from sqlml.session import Expressions, Queries, Session
from sqlml.statements import clauses
from sqlml.statements.base import Statement

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion

# Spark's own alias of a subquery without one.
_UNNAMED = "__auto_generated_subquery_name"


@dataclass(frozen=True)
class EnrichTable(Statement):
    """ENRICH TABLE source [AS alias] WITH MODEL model
      [MAP ( feature = expression, … )]
      [OUTPUT ( output [AS column] [type], … )]
      { SHOW SQL | SHOW MAP
      | CREATE [OR REPLACE] [TEMPORARY] VIEW v
      | CREATE [OR REPLACE] TABLE t [USING format]
      | INSERT INTO t
      | CREATE [OR REPLACE] [TEMPORARY] FUNCTION f }
      [WITH PROVENANCE]

    Adds a model's predictions to the columns of a table, a view, or a query in parentheses. The model is `churn`,
    `churn VERSION 3`, `churn ALIAS champion` or a string as in PREDICT. Without a version, the object follows the
    model: it uses the version that is the newest when it is read.

    MAP assigns expressions to features. Every other feature takes the column of the same name, or the column whose name
    is the same in another spelling: its similarity is at least 0.9 on a scale to 1, and no other column is close. If a
    match is less certain, the statement fails with a list of candidates, their similarities and a MAP clause to copy.
    SHOW MAP lists the candidates as rows. Types convert as in PREDICT, so a string never feeds a number implicitly.

    OUTPUT chooses outputs by the names of the table forms of PREDICT: `prediction`, which is the default and is called
    predicted_<target>; `probability('yes')` or probability_yes; `probabilities`, a map; predicted_<target>_probs, with
    the most probable label first; `score`; and the names of the outputs of a model with several. A type casts the
    output.

    SHOW SQL returns the SELECT, which you can run or edit. All other forms create an object with this SELECT, with
    Spark's own permissions and errors. INSERT INTO matches columns by name. A FUNCTION takes the columns that feed the
    features. With OR REPLACE the statement can run again; a catalog that cannot replace a table in one step gets the
    new table beside the old one first. WITH PROVENANCE adds a column `provenance` with the model, version and digest
    that scored the row, and the time. In a view, it shows the version of each query.

    Errors: SQLML_COLUMN_ALREADY_EXISTS, SQLML_COLUMN_NOT_FOUND, SQLML_MAPPING_UNSURE, SQLML_MODEL_NOT_FOUND,
    SQLML_NOT_SUPPORTED, SQLML_PERMISSION_DENIED, SQLML_TYPE_MISMATCH.
    """

    HEADS: ClassVar = (("ENRICH", "TABLE"),)
    ACTION: ClassVar = PREDICT
    SCHEMA: ClassVar = (
        "kind STRING, name STRING, model STRING, version INT, reference STRING, rows BIGINT,"
        " mapping ARRAY<STRUCT<feature: STRING, expression: STRING, method: STRING, score: DOUBLE>>,"
        " warnings STRING, sql STRING"
    )
    _SQL_SCHEMA: ClassVar = "sql STRING"
    _MAP_SCHEMA: ClassVar = (
        "feature STRING, feature_type STRING, expression STRING, source_column STRING, source_type STRING,"
        " method STRING, score DOUBLE, accepted BOOLEAN, problem STRING,"
        " candidates ARRAY<STRUCT<column: STRING, score: DOUBLE>>"
    )

    source: tuple[str, ...] | Piece
    model: ModelReference
    deed: Deed
    alias: str | None = None
    map: tuple[tuple[Column, Piece], ...] = ()
    output: tuple[Wanted, ...] = ()
    provenance: bool = False
    text: str = field(default="", compare=False, repr=False)
    start: int = field(default=0, compare=False)
    table: Piece = field(default=Piece(""), compare=False)
    model_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model.name,)

    @property
    def schema(self) -> str:
        return {SHOW_SQL: self._SQL_SCHEMA, SHOW_MAP: self._MAP_SCHEMA}.get(self.deed.kind, self.SCHEMA)

    @property
    def recorded(self) -> bool:
        return self.deed.kind not in (SHOW_SQL, SHOW_MAP)

    @classmethod
    def parse(cls, cursor: Cursor) -> EnrichTable:
        start = cursor.offset
        cursor.expect("ENRICH")
        table = cursor.offset
        cursor.expect("TABLE")
        source: tuple[str, ...] | Piece
        if cursor.sees_symbol(TokenType.L_PAREN):
            source = cursor.parenthesised("a query")
        else:
            source = cursor.identifiers("a table's name, or a query in parentheses,")
        named = cursor.piece(table)
        alias = cursor.column().name if cursor.accept("AS") else None
        cursor.expect("WITH", "MODEL")
        model_offset = cursor.offset
        model = cursor.model_reference()
        given = clauses.read(cursor, reading.CLAUSES, lambda: reading.deed_begins(cursor), reading.DEEDS)
        deed = reading.deed(cursor)
        offset = cursor.offset
        provenance = cursor.accept("WITH", "PROVENANCE")
        if provenance and deed.kind == SHOW_MAP:
            raise ParseError("SHOW MAP cannot have PROVENANCE, because it does not score.", offset=offset)
        return cls(
            source, model, deed, alias, provenance=provenance, **given,
            text=cursor.text, start=start, table=named, model_offset=model_offset,
        )  # fmt: skip

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        text = session.queries.substituted(self.text)
        if text != self.text:
            # Substituted here once and not in generated SQL: a column's name may contain `${…}`.
            return EnrichTable.parse(Cursor(text)).run(session)
        try:
            version = session.registry.load(self.model)
        except SqlmlError as error:
            raise error.at(self.model_offset) from None
        read = self.source if isinstance(self.source, Piece) else self.table
        frame = session.queries.frame(read.text, read.offset)
        columns = tuple(frame.dtypes)
        given = self._mapped(session.queries, frame, version, columns)
        proposal = propose(version.name, self._called, version.inputs, columns, given, self.alias)
        if self.deed.kind == SHOW_MAP:
            return _map_rows(proposal)
        proposal.check(self.model_offset)
        enrichment = self._enrichment(session.expressions, version, proposal, columns)
        if self.deed.kind == SHOW_SQL:
            return [(enrichment.select,)]
        return [create(session, version, self.deed, enrichment, self._called)]

    # -- what the clauses mean ---------------------------------------------------------------------------------------

    @property
    def _called(self) -> str:
        """The source's name in messages."""
        return "the query" if isinstance(self.source, Piece) else ".".join(self.source)

    @property
    def _relation(self) -> str:
        if isinstance(self.source, Piece):
            return f"(\n{self.source.text}\n)"
        return ".".join(map(identifier, self.source))

    @property
    def _qualifiers(self) -> tuple[str, ...]:
        if self.alias is not None:
            return (self.alias,)
        return () if isinstance(self.source, Piece) else (self.source[-1],)

    def _mapped(
        self, queries: Queries, frame: Any, version: ModelVersion, columns: tuple[tuple[str, str], ...]
    ) -> dict[str, MapEntry]:
        """The items of MAP by feature. Spark analyses their expressions over the source, which gives the types."""
        features = {feature.name.lower(): feature.name for feature in version.inputs}
        named: dict[str, Piece] = {}
        for column, piece in self.map:
            name = features.get(column.name.lower())
            if name is None:
                raise SqlmlError(
                    "SQLML_COLUMN_NOT_FOUND",
                    f"Model {version.name} has no feature {column.name}.",
                    hint=did_you_mean(column.name, features.values()),
                    offset=column.offset,
                )
            if name in named:
                raise SqlmlError("SQLML_AMBIGUOUS_FEATURE", f"MAP has {name} twice.", offset=column.offset)
            named[name] = piece
        if not named:
            return {}
        alias = self.alias or (_UNNAMED if isinstance(self.source, Piece) else None)
        source = frame if alias is None else frame.alias(alias)
        types = [kind for _, kind in queries.selected(source, self._placed(list(named.values()))).dtypes]
        names = [name for name, _ in columns]
        return {
            name: MapEntry(
                piece.text,
                kind,
                only(piece.text, names, self._qualifiers),
                read_by(piece.text, names, self._qualifiers),
                piece.offset,
            )
            for (name, piece), kind in zip(named.items(), types, strict=False)
        }

    def _placed(self, pieces: list[Piece]) -> str:
        """`SELECT expression, …, *` with each expression at its offset in the user's text, so that Spark reports the
        user's positions. The star makes an aggregate, which would need all rows, an error."""
        text, at = blank(self.text[: self.start]) + "SELECT", self.start + len("ENRICH")
        for piece in pieces:
            between = blank(self.text[at : piece.offset])
            text += (between if piece is pieces[0] else f",{between[1:]}") + piece.text
            at = piece.offset + len(piece.text)
        return f"{text}, *"

    def _enrichment(
        self, expressions: Expressions, version: ModelVersion, proposal: Proposal, columns: tuple[tuple[str, str], ...]
    ) -> Enrichment:
        """The resolved enrichment; raises where an output has the name of a column of the table."""
        wanted = tuple(
            one if one.type is None else replace(one, type=_type(expressions, one.type)) for one in self.output
        )
        outputs = outputs_of(version.signature, wanted, f"model {self.model}")
        made = [(output.column, output.offset) for output in outputs]
        if self.provenance:
            made.append((PROVENANCE, None))
        there = {name.lower() for name, _ in columns}
        for name, offset in made:
            # A function's result has no other columns, so nothing can clash.
            if name.lower() in there and self.deed.kind != FUNCTION:
                raise SqlmlError(
                    "SQLML_COLUMN_ALREADY_EXISTS",
                    f"{self._called} already has a column {name}.",
                    hint=f"Enrich a query without it: ENRICH TABLE (SELECT * EXCEPT ({identifier(name)}) FROM …)"
                    + (f", or write OUTPUT ({self.output[0].name if self.output else 'prediction'} AS another_name)."
                       if name != PROVENANCE else "."),
                    offset=self.model_offset if offset is None else offset,
                )  # fmt: skip
        return Enrichment(
            self._relation,
            self.alias,
            str(self.model),
            proposal,
            outputs,
            self.provenance,
            columns,
            self._qualifiers,
        )

    def sql(self) -> str:
        source = f"({self.source.text})" if isinstance(self.source, Piece) else ".".join(map(identifier, self.source))
        alias = f" AS {identifier(self.alias)}" if self.alias else ""
        parts = [f"ENRICH TABLE {source}{alias} WITH MODEL {self.model.sql()}"]
        if self.map:
            parts.append(f"MAP ({', '.join(f'{identifier(one.name)} = {piece.text}' for one, piece in self.map)})")
        if self.output:
            parts.append(f"OUTPUT ({', '.join(map(reading.output_sql, self.output))})")
        parts.append(self.deed.sql())
        if self.provenance:
            parts.append("WITH PROVENANCE")
        return "\n".join(parts)


def _type(expressions: Expressions, written: Piece) -> Piece:
    """A T-SQL or Spark type as Spark's, mapped as in T-SQL's PREDICT: FLOAT has 53 bits."""
    try:
        spark = spark_type(tokenize(written.text), written.text)
    except ParseError:
        spark = written.text  # Spark reports the error
    return Piece(expressions.type(spark, written.offset))


def _map_rows(proposal: Proposal) -> list[tuple[Any, ...]]:
    return [
        (
            one.feature.name,
            one.feature.type,
            one.expression,
            one.source_column,
            one.source_type,
            one.method,
            one.score,
            one.accepted,
            one.problem,
            [{"column": name, "score": score} for name, score in one.candidates],
        )
        for one in proposal.mapped
    ]
