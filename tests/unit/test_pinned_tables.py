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


_ELSEWHERE = "spark_catalog.default.t has a version in the query, or is named where VERSION AS OF cannot follow"


def _table(query: str, name: str, *parts: str) -> TableReference:
    return TableReference(parts or tuple(name.split(".")), query.index(name), query.index(name) + len(name))


@pytest.mark.parametrize(
    ("query", "tables", "sources", "text", "unpinned"),
    [
        (
            "SELECT * FROM t JOIN ice.db.`a b` AS x",
            [("t",), ("ice.db.`a b`", "ice", "db", "a b")],
            [_DELTA, _ICEBERG],
            "SELECT * FROM t VERSION AS OF 3 JOIN ice.db.`a b` VERSION AS OF 6878507922827162105 AS x",
            (),
        ),
        ("FROM Default.T", [("Default.T",)], [_DELTA], "FROM Default.T VERSION AS OF 3", ()),
        ("FROM ice.db.u", [("ice.db.u",)], [_TAG], "FROM ice.db.u VERSION AS OF 'it\\'s'", ()),
        ("FROM db.t", [("db.t",)], [_DELTA], "FROM db.t", (_ELSEWHERE,)),
        ("TABLE t", [("t",)], [_DELTA], "TABLE t", (_ELSEWHERE,)),
        (
            "FROM t JOIN raw.t",
            [("t",), ("raw.t",)],
            [
                Source("spark_catalog.default.t", "view", views=("spark_catalog.default.t",)),
                Source("spark_catalog.raw.t", "table", "delta", "5"),
            ],
            "FROM t JOIN raw.t VERSION AS OF 5",
            ("spark_catalog.default.t has no versions",),
        ),
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
            ("spark_catalog.default.t is read at several versions",),
        ),
        ("FROM range(9)", [], [Source("Range (0, 9)", "rows"), Source("m/1", "model")], "FROM range(9)", ()),
    ],
)
def test_a_table_gets_its_version(
    query: str, tables: list[tuple[str, ...]], sources: list[Source], text: str, unpinned: tuple[str, ...]
) -> None:
    found = pinned(query, [_table(query, *table) for table in tables], sources, "spark_catalog.default")
    assert (found.text, found.unpinned) == (text, unpinned)
