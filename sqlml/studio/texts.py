"""The SQL statements of the pages. Names and values are quoted here; expressions are taken as the user wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.parser.generator import identifier, quote_string
from sqlml.parser.references import ModelReference, model_name

# Statements that make a first model and a first table.
EXAMPLES = {
    "model": """\
TRAIN MODEL churn USING random_forest TARGET churned FEATURES * EXCEPT (id) AS
SELECT id, id % 70 + 18 AS age, IF(id % 3 = 0, 'basic', 'plus') AS plan,
       id % 3 = 0 AND id % 70 > 30 AS churned
FROM range(1000)""",
    "table": """\
CREATE TABLE customers AS
SELECT id, id % 70 + 18 AS age, IF(id % 3 = 0, 'basic', 'plus') AS plan
FROM range(1000)""",
}

SHOW_CATALOGS = "SHOW CATALOGS"
SHOW_ENRICHMENTS = "SHOW ENRICHMENTS"
SHOW_MODELS = "SHOW MODELS"
CURRENT_PLACE = "SELECT current_catalog() AS catalog, current_database() AS database"
DEFAULT_CATALOG = "spark_catalog"
# Endings of ENRICH TABLE: return the mapping, or the SQL behind the enrichment.
SHOW_MAP, SHOW_SQL = "SHOW MAP", "SHOW SQL"
OPERATORS = (">=", ">", "<=", "<", "=")


@dataclass(frozen=True)
class TableName:
    """A table's name as its parts; a temporary view has one."""

    parts: tuple[str, ...]

    def sql(self) -> str:
        shown = self.parts[1:] if len(self.parts) == 3 and self.parts[0] == DEFAULT_CATALOG else self.parts
        return ".".join(map(identifier, shown))


@dataclass(frozen=True)
class Enrichment:
    """The choices of the wizard, from which an ENRICH TABLE statement is built.

    Args:
        mapping: feature → expression as the user wrote it; other features are left to the statement.
        label: the label whose probability is returned beside the prediction; "" for none.
        kind: a key of `KINDS`.
        name: the dotted name of the object to make.
    """

    source: TableName
    model: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    kind: str = "view"
    name: str = ""
    replace: bool = False
    provenance: bool = False

    def sql(self, what: str) -> str:
        """The statement with an ending: SHOW_MAP, SHOW_SQL, or the value of `creates`."""
        lines = [f"ENRICH TABLE {self.source.sql()} WITH MODEL {self.model}"]
        if self.mapping:
            pairs = [f"{identifier(feature)} = {_expression(text)}" for feature, text in self.mapping.items()]
            lines.append("  MAP (" + ",\n       ".join(pairs) + ")")
        if self.label:
            lines.append(f"  OUTPUT (prediction, probability({quote_string(self.label)}))")
        lines.append(f"  {what}")
        if self.provenance and what != SHOW_MAP:
            lines.append("  WITH PROVENANCE")
        return "\n".join(lines)

    def feature_at(self, line: int | None) -> str | None:
        """The feature whose expression is in a line of the statement, 1-based; None for other lines."""
        at = 2
        for feature, text in self.mapping.items():
            stop = at + _expression(text).count("\n")
            if line is not None and at <= line <= stop:
                return feature
            at = stop + 1
        return None

    def creates(self) -> str:
        """The statement's ending that makes the object."""
        verb = KINDS[self.kind].replaced if self.replace else KINDS[self.kind].made
        return f"{verb} {target(self.name).sql()}"


@dataclass(frozen=True)
class Kind:
    """A kind of object that an enrichment can make, with the SQL that makes and replaces it."""

    title: str
    tells: str
    made: str
    replaced: str


KINDS: dict[str, Kind] = {
    "view": Kind("View", "Scores the current rows whenever it is read.", "CREATE VIEW", "CREATE OR REPLACE VIEW"),
    "table": Kind("Table", "Scores once, now, and keeps the result.", "CREATE TABLE", "CREATE OR REPLACE TABLE"),
    "insert": Kind("Existing table", "Adds the scored rows to a table.", "INSERT INTO", "INSERT INTO"),
    "function": Kind(
        "Function", "Scores its arguments, one row at a time.", "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
    ),
}


def show_databases(catalog: str) -> str:
    return f"SHOW DATABASES IN {identifier(catalog)}"


def show_tables(catalog: str, database: str) -> str:
    return f"SHOW TABLES IN {TableName((catalog, *database.split('.'))).sql()}"


def describe_table(table: TableName) -> str:
    return f"DESCRIBE TABLE {table.sql()}"


def rows_of(table: TableName) -> str:
    return f"SELECT * FROM {table.sql()}"


def versions(model: str) -> str:
    return f"SHOW MODEL VERSIONS {_model(model)}"


def describe_model(reference: str, extended: bool = True) -> str:
    return f"DESCRIBE MODEL {'EXTENDED ' if extended else ''}{reference}"


def reference(model: str, version: int | None = None, alias: str | None = None) -> str:
    """A model's version in SQL: `name`, `name/3` or `name@alias`."""
    return ModelReference(_model(model), version, alias).sql()


def set_alias(model: str, alias: str, version: int, conditions: Sequence[tuple[str, str, float]]) -> str:
    """ALTER MODEL … SET ALIAS.

    Args:
        conditions: metric, one of `OPERATORS`, number.
    """
    text = f"ALTER MODEL {_model(model)} SET ALIAS {identifier(alias)} = VERSION {version:d}"
    tests = [f"{identifier(metric)} {operator} {number:.10g}" for metric, operator, number in conditions]
    return text + (f"\n  IF {' AND '.join(tests)}" if tests else "")


def first_rows(query: str, count: int) -> str:
    return f"SELECT * FROM (\n{query}\n) LIMIT {count:d}"


def counts_of(query: str, column: str, sample: int) -> str:
    """A query for the 20 most frequent values of a column among the first rows, with their counts."""
    name = identifier(column)
    return (
        f"SELECT {name} AS value, count(*) AS rows FROM (\n{first_rows(query, sample)}\n)"
        f" GROUP BY {name} ORDER BY rows DESC, value LIMIT 20"
    )


def histogram_of(query: str, column: str, sample: int, bins: int = 20) -> str:
    """A query for a histogram of a numeric column over the first rows: per bin of equal width its middle and its count,
    0 included."""
    return f"""\
WITH scores AS (
  SELECT CAST({identifier(column)} AS DOUBLE) AS score FROM (
{first_rows(query, sample)}
)),
ranged AS (
  SELECT score, min(score) OVER () AS low, max(score) OVER () AS high FROM scores
  WHERE abs(score) <= 1.7976931348623157E308D
),
binned AS (
  SELECT least(coalesce(floor((score - low) / nullif(high - low, 0) * {bins:d}), 0), {bins - 1:d}) AS bin,
    min(low) AS low, min(high) AS high, count(*) AS rows
  FROM ranged GROUP BY 1
)
SELECT low + (id + 0.5D) * (high - low) / {bins:d} AS value, coalesce(rows, 0) AS rows
FROM (SELECT min(low) AS low, max(high) AS high FROM binned)
  JOIN range({bins:d}) ON high > low OR id = 0
  LEFT JOIN (SELECT bin, rows FROM binned) ON bin = id
WHERE low IS NOT NULL ORDER BY id"""


def _model(name: str) -> str:
    """A model's name, which needs no quotes; raises for a name from MLflow's API that is not valid in SQL."""
    return model_name(name)


def target(name: str) -> TableName:
    """Parses a dotted name that the user typed.

    Raises:
        SqlmlError: SQLML_SYNTAX_ERROR for an invalid name.
    """
    cursor = Cursor(name)
    parts = cursor.identifiers("a name")
    cursor.expect_end()
    return TableName(parts)


def column(name: str) -> str:
    """A column's name as an expression."""
    return identifier(name)


def _expression(text: str) -> str:
    """Checks that a text is a single expression (balanced brackets, no comment that runs on), and returns it unchanged.

    Raises:
        SqlmlError: SQLML_SYNTAX_ERROR.
    """
    cursor = Cursor(f"({text}\n)")
    piece = cursor.parenthesised("an expression")
    if not cursor.at_end() or not piece.text.strip():
        raise SqlmlError(
            "SQLML_SYNTAX_ERROR", f"{text!r} is not a single expression, because its brackets do not match."
        )
    return piece.text
