"""The table of Spark and Java versions in the manual."""

from __future__ import annotations

from helpers import spark_matrix
from helpers.spark_matrix import COLUMNS, Outcome

_LINES = (("4.3.0", "17", "7"), ("4.1.10", "17", "1"), ("4.1.4", "25", "2"), ("4.3.0", "17", "9"))


def test_the_table_has_one_line_for_a_spark_and_a_java() -> None:
    """A line is replaced, and stands where its version belongs."""
    page = "# Versions\n\n<!-- make test-spark -->\n<!-- end -->\nrest\n"
    cells = [str(number) for number in range(len(COLUMNS))]
    for version, java, first in (
        ("4.3.0", "17", "7"),
        ("4.1.10", "17", "1"),
        ("4.1.4", "25", "2"),
        ("4.3.0", "17", "9"),
    ):
        page = spark_matrix.written(page, version, java, [first, *cells[1:]])
    lines = [line.split(" | ")[:3] for line in page.splitlines() if line.startswith("| 4")]
    assert lines == [["| 4.1.4", "25", "2"], ["| 4.1.10", "17", "1"], ["| 4.3.0", "17", "9"]]
    assert page.endswith("<!-- end -->\nrest\n")


def test_a_cell_names_what_failed() -> None:
    assert Outcome("", 37, ()).cell == "37"
    assert Outcome("", 36, ("test_pyspark[explain]",)).cell == "36 of 37 (explain)"
