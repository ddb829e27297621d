"""The creation of an enrichment's object in Spark, and its record in the registry.

Each enrichment is recorded twice: as an MLflow run in an experiment of its own, and as a mark on the object (a property
of a view or table, a word in a function's comment). Both are needed. Not every catalog can be searched, functions and
inserts have no properties, and a user who may list models may not see every schema. The registry lists all enrichments
but does not notice a dropped or replaced object: the mark does. Tags on the model's version would be deleted with the
version; a run stays.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlml.enrichment.reading import INSERT, TABLE, VIEW, Deed
from sqlml.enrichment.record import MARK, Record
from sqlml.enrichment.sql_text import Enrichment
from sqlml.errors import SqlmlError
from sqlml.parser.generator import identifier
from sqlml.settings import READ_ONLY

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion, Registry
    from sqlml.session import Application, Session


def create(session: Session, version: ModelVersion, deed: Deed, enrichment: Enrichment, source: str) -> tuple[Any, ...]:
    """Creates the object; returns the statement's result row.

    It chooses the comment and properties with the mark, runs the CREATE or INSERT for the object's kind, and records
    the enrichment unless the object is temporary.

    Raises:
        Spark's errors, for an object that exists already or that the user may not create.
    """
    caller, catalog, queries = session.caller, session.catalog, session.queries
    mark = secrets.token_hex(8)
    target = version.signature.target
    comment = f"{f'Predictions of {target}' if target else 'Predictions'} by model {enrichment.reference}"
    if version.name == enrichment.reference or "@" in enrichment.reference:
        comment += f", which was version {version.version} when this was created"
    properties = {
        MARK: mark,
        "sqlml.model": version.name,
        "sqlml.version": str(version.version),
        "sqlml.reference": enrichment.reference,
    }
    name = ".".join(map(identifier, deed.name))
    if deed.kind == TABLE and not catalog.keeps_properties(name):
        mark, comment, properties = "", "", {}
    kept: dict[str, Any] = {"comment": comment, "properties": properties}
    rows: int | None = None
    # Spark parses the enriched query again, inside of the CREATE or INSERT: what it stores of a view is the text.
    if deed.kind == VIEW:
        sql = enrichment.create_view(name, replace=deed.replace, temporary=deed.temporary, **kept)
        catalog.execute(sql)
    elif deed.kind == TABLE:
        catalog.check_shared(name)
        caller.progress(f"scoring {source} into {name}")
        sql = enrichment.create_table(name, replace=False, using=deed.using, **kept)
        if deed.replace:
            rows = catalog.replace_table(
                name, lambda name, replace: enrichment.create_table(name, replace=replace, using=deed.using, **kept)
            )
        else:
            rows = catalog.execute(sql)
        if rows is None:
            # Not every catalog reports the rows of CREATE TABLE AS SELECT; all report those of an insert.
            rows = queries.frame(f"SELECT count(*) FROM {name}").collect()[0][0]
    elif deed.kind == INSERT:
        caller.progress(f"scoring {source} into {name}")
        sql = enrichment.insert_into(name)
        rows = catalog.execute(sql)
    else:
        # Parsed once more, for the types that the function returns: Spark knows them of the whole SELECT only.
        made = len(enrichment.outputs) + enrichment.provenance
        types = [kind for _, kind in queries.generated(enrichment.select).dtypes[-made:]]
        sql = enrichment.create_function(
            name, replace=deed.replace, temporary=deed.temporary, comment=f"{comment} [{MARK} {mark}]", types=types
        )
        catalog.execute(sql)
    full = name if deed.temporary else catalog.located(deed.kind, name)
    warnings = list(enrichment.proposal.warnings)
    if not deed.temporary:
        record = Record(
            mark, full, deed.kind, source, version.name, version.version, version.run_id, enrichment.reference,
            datetime.now(UTC), caller.user, sql,
        )  # fmt: skip
        warnings += _remember(session.registry, session.application, record)
    mapping = [
        {
            "feature": one.feature.name,
            "expression": one.expression,
            "method": one.method,
            "score": one.score,
        }
        for one in enrichment.proposal.mapped
    ]
    return (
        f"temporary {deed.kind}" if deed.temporary else deed.kind,
        full,
        version.name,
        version.version,
        enrichment.reference,
        rows,
        mapping,
        "; ".join(warnings) or None,
        sql,
    )


def _remember(registry: Registry, application: Application, record: Record) -> list[str]:
    """Records the enrichment; a failure becomes a warning, because the object exists and works."""
    if application.setting(READ_ONLY):
        return ["not in SHOW ENRICHMENTS: this server changes nothing in the registry"]
    try:
        registry.remember_enrichment(record)
    except SqlmlError as error:
        return [f"not in SHOW ENRICHMENTS: {error.message}"]
    return []
