"""The table of Spark and Java versions in the manual."""

from __future__ import annotations

import pytest
from helpers import spark_matrix
from helpers.spark_matrix import COLUMNS, Outcome

_LINES = (("4.3.0", "17", "7"), ("4.1.10", "17", "1"), ("4.1.4", "25", "2"), ("4.3.0", "17", "9"))


def test_the_table_has_one_line_for_a_spark_and_a_java() -> None:
    """A line is replaced, and stands where its version belongs."""
    page = "# Versions\n\n<!-- make test-spark -->\n<!-- end -->\nrest\n"
    cells = {column.title: str(number) for number, column in enumerate(COLUMNS.values())}
    for version, java, first in (
        ("4.3.0", "17", "7"),
        ("4.1.10", "17", "1"),
        ("4.1.4", "25", "2"),
        ("4.3.0", "17", "9"),
    ):
        page = spark_matrix.written(page, version, java, cells | {"Demo": first})
    lines = [line.split(" | ")[:3] for line in page.splitlines() if line.startswith("| 4")]
    assert lines == [["| 4.1.4", "25", "2"], ["| 4.1.10", "17", "1"], ["| 4.3.0", "17", "9"]]
    assert page.endswith("<!-- end -->\nrest\n")


def test_some_columns_leave_the_other_cells_of_a_line() -> None:
    """Also where the table is older than a column."""
    page = """Before.
<!-- make test-spark -->
| Spark | Java | Demo | PySpark |
| --- | --- | --- | --- |
| 4.1.4 | 17 | 1 | 38 of 39 (explain) |
<!-- end -->
"""
    head, _, line = (
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in spark_matrix.written(page, "4.1.4", "17", {"Streaming": "9", "Demo": "2"}).splitlines()
        if row.startswith("|")
    )
    assert head == ["Spark", "Java", *(column.title for column in COLUMNS.values())]
    cells = dict(zip(head, line, strict=True))
    expected = {"Demo": "2", "PySpark": "38 of 39 (explain)", "Streaming": "9", "Comet": "not run"}
    assert {title: cells[title] for title in expected} == expected


def test_an_unknown_column_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SystemExit, match=r"There is no column streming. The columns are demo, .*comet"):
        spark_matrix.main("4.1.4", "17", "streming")


def test_a_cell_names_what_failed() -> None:
    assert Outcome("", 37, ()).cell == "37"
    assert Outcome("", 36, ("test_pyspark[explain]",)).cell == "36 of 37 (explain)"
