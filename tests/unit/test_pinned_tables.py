"""Tables of a training query with the versions that the model was trained on."""

from __future__ import annotations

import pytest

from sqlml.lineage import Source
from sqlml.parser.references import TableReference
from sqlml.statements.pinned_tables import pinned

_DELTA = Source("spark_catalog.default.t", "table", "delta", "3")
_ICEBERG = Source("ice.db.`a b`", "table", "iceberg", "6878507922827162105")
_TAG = Source("ice.db.u", "table", "iceberg", "it's")
_PARQUET = Source("spark_catalog.default.p", "table", "parquet")


def _table(query: str, name: str, *parts: str) -> TableReference:
    return TableReference(parts or tuple(name.split(".")), query.index(name) + len(name))


@pytest.mark.parametrize(
    ("query", "tables", "sources", "text", "unpinned"),
    [
        (
            "SELECT * FROM t JOIN db.`a b` AS x",
            [("t",), ("db.`a b`", "db", "a b")],
            [_DELTA, _ICEBERG],
            "SELECT * FROM t VERSION AS OF 3 JOIN db.`a b` VERSION AS OF 6878507922827162105 AS x",
            (),
        ),
        ("FROM Default.T", [("Default.T",)], [_DELTA], "FROM Default.T VERSION AS OF 3", ()),
        ("FROM u", [("u",)], [_TAG], "FROM u VERSION AS OF 'it\\'s'", ()),
        ("FROM p", [("p",)], [_PARQUET], "FROM p", ("spark_catalog.default.p has no versions",)),
        (
            "FROM v",
            [("v",)],
            [Source("spark_catalog.default.t", "table", "delta", "3", views=("spark_catalog.default.v",))],
            "FROM v",
            ("spark_catalog.default.t is read through the view spark_catalog.default.v",),
        ),
        (
            "FROM t JOIN t VERSION AS OF 1",
            [("t",)],
            [_DELTA, Source("spark_catalog.default.t", "table", "delta", "1")],
            "FROM t JOIN t VERSION AS OF 1",
            ("the query itself says which version of spark_catalog.default.t it reads",),
        ),
        ("FROM range(9)", [], [Source("Range (0, 9)", "rows"), Source("m/1", "model")], "FROM range(9)", ()),
    ],
)
def test_a_table_gets_its_version(
    query: str, tables: list[tuple[str, ...]], sources: list[Source], text: str, unpinned: tuple[str, ...]
) -> None:
    found = pinned(query, [_table(query, *table) for table in tables], sources)
    assert (found.text, found.unpinned) == (text, unpinned)
