"""Time travel for a training query: each table gets the version that the model was trained on.

Delta and Iceberg keep old versions of a table, which `t VERSION AS OF n` reads. The lineage of a model version has the
n of each table; the query has the table's name only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlml.lineage import Source
from sqlml.parser.generator import quote_string
from sqlml.parser.references import TableReference

# A version that is only digits is written as a number: Delta's version, Iceberg's snapshot. Others are names.
_CLAUSE = " VERSION AS OF {}"
# What the query says itself, and models, whose versions it says.
_WITHOUT_VERSIONS = ("model", "rows")


@dataclass(frozen=True)
class PinnedQuery:
    """A query whose tables have a version.

    Attributes:
        text: the query.
        unpinned: for each source that is read as it is now, its name and the reason.
    """

    text: str
    unpinned: tuple[str, ...]


def pinned(query: str, tables: Sequence[TableReference], sources: Sequence[Source]) -> PinnedQuery:
    """Returns the query with `VERSION AS OF` behind each table that has versions.

    Args:
        tables: the references to tables in the query.
        sources: the lineage of the version that the query has trained.
    """
    text, reached = query, set()
    for table in sorted(tables, key=lambda table: table.end, reverse=True):
        matching = [one for one in sources if _names(one, table.parts)]
        versions = {one.version for one in matching}
        if len(versions) == 1 and (version := versions.pop()) is not None:
            reached.update(matching)
            text = text[: table.end] + _CLAUSE.format(_version(version)) + text[table.end :]
    unpinned = [one for one in sources if one.kind not in _WITHOUT_VERSIONS and one not in reached]
    return PinnedQuery(text, tuple(dict.fromkeys(_reason(one) for one in unpinned)))


def _names(source: Source, parts: tuple[str, ...]) -> bool:
    """Whether a name in the query is the source's, which is qualified by its catalog and schema."""
    if source.views:
        return False  # the name in the query is the view's
    name = source.name.replace("`", "").lower()
    written = ".".join(parts).lower()
    return name == written or name.endswith(f".{written}")


def _version(version: str) -> str:
    return version if version.isdecimal() else quote_string(version)


def _reason(source: Source) -> str:
    if source.version is None:
        return f"{source.name} has no versions"
    if source.views:
        return f"{source.name} is read through the view {source.views[0]}"
    return f"the query itself says which version of {source.name} it reads"
