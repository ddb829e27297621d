"""Time travel for a training query: each table gets the version that the model was trained on.

Delta and Iceberg keep old versions of a table, which `t VERSION AS OF n` reads. The lineage of a model version has
that n for each table; the query has only the table's name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlml.lineage import Source
from sqlml.parser.generator import quote_string
from sqlml.parser.references import TableReference

# A version that is only digits is written as a number: Delta's version, Iceberg's snapshot. Others are names.
_CLAUSE = " VERSION AS OF {}"
# Kinds of sources that need no pinning: literal rows, and models, whose lineage name contains the version.
_WITHOUT_VERSIONS = ("model", "rows")
# Spark's grammar has no clause after the name in `TABLE t` and `TABLE (t)`.
_NO_CLAUSE = re.compile(r"\btable\s*\(?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class PinnedQuery:
    """A query whose tables have a version.

    Attributes:
        text: the query.
        unpinned: for each source that got no clause, its name and the reason.
    """

    text: str
    unpinned: tuple[str, ...]


def pinned(query: str, tables: Sequence[TableReference], sources: Sequence[Source], database: str) -> PinnedQuery:
    """Returns the query with `VERSION AS OF` behind each table that has versions.

    Args:
        tables: the references to tables and views in the query.
        sources: the lineage of the version that the query has trained.
        database: the current one at the training, with its catalog.
    """
    text, reached = query, set()
    for table in sorted(tables, key=lambda table: table.end, reverse=True):
        names = _meanings(table.parts, database)
        if any(_plain(view) in names for one in sources for view in one.views) or _NO_CLAUSE.search(
            query[: table.start]
        ):
            continue
        matching = [one for one in sources if _plain(one.name) in names and not one.views]
        versions = {one.version for one in matching}
        if len(versions) == 1 and (version := versions.pop()) is not None:
            reached.update(matching)
            text = text[: table.end] + _CLAUSE.format(_version(version)) + text[table.end :]
    unpinned = [one for one in sources if one.kind not in _WITHOUT_VERSIONS and one not in reached]
    return PinnedQuery(text, tuple(dict.fromkeys(_reason(one, sources) for one in unpinned)))


def _meanings(parts: tuple[str, ...], database: str) -> set[str]:
    """The full names that a name in the query can have: as it is, in the current catalog, in the current database."""
    written, current = _plain(".".join(parts)), _plain(database)
    return {written, f"{current.partition('.')[0]}.{written}", f"{current}.{written}"}


def _plain(name: str) -> str:
    return name.replace("`", "").lower()


def _version(version: str) -> str:
    return version if version.isdecimal() else quote_string(version)


def _reason(source: Source, sources: Sequence[Source]) -> str:
    if source.version is None:
        return f"{source.name} has no versions"
    if source.views:
        return f"{source.name} is read through the view {source.views[0]}"
    if len({one.version for one in sources if one.name == source.name}) > 1:
        return f"{source.name} is read at several versions"
    return f"{source.name} has a version in the query, or is named where VERSION AS OF cannot follow"
