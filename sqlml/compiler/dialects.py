"""Properties of the SQL engines that the compiler targets: `ENGINES`, the one table.

sqlglot knows the spelling of functions, types and quotes. This table has the semantics that sqlglot lacks: infinity and
float32, whether EXP fails instead of returning 0 or infinity, how a text is compared byte for byte, how long a query
may be.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.errors import SqlmlError, did_you_mean


@dataclass(frozen=True)
class Engine:
    """One SQL dialect. In the templates `c` stands for the column.

    Attributes:
        name: sqlglot's name of the dialect.
        days: a date as days since 1970-01-01.
        seconds: a timestamp as seconds since the epoch in UTC, with fraction.
        local_seconds: the same for a timestamp without a zone, read as UTC; None where `seconds` does that.
        trimmed: a text without trailing blanks.
        text: a text that compares with a literal by its bytes, trailing blanks included.
        real: the type for float32 whose sums are rounded to float32; None where there is none: then everything is
            computed in double.
        infinity: the literal, or the largest double where there is no infinity.
        not_a_number: whether a column of doubles may hold NaN and infinities.
        careful: whether EXP fails where the result overflows or underflows a double.
        booleans: whether there are boolean columns; otherwise a number other than 0 is true.
        flat: whether nested CASE is avoided.
        greatest: the function for the largest of several numbers.
        national: whether a literal that is not ASCII begins with N.
        materialized: whether a step needs MATERIALIZED so that it is computed once instead of at each use.
        most_text: the maximum number of characters of a query.
        arrays: whether forests, and lookups of many texts, are functions of sqlml's own over flat arrays.
    """

    name: str
    days: str
    seconds: str
    local_seconds: str | None = None
    trimmed: str = "TRIM(TRAILING ' ' FROM c)"
    text: str = "c"
    real: str | None = None
    infinity: str = "CAST('Infinity' AS DOUBLE)"
    not_a_number: bool = True
    careful: bool = False
    booleans: bool = True
    flat: bool = False
    greatest: str | None = "GREATEST"
    national: bool = False
    materialized: bool = False
    # Most engines accept more, but need minutes to plan it.
    most_text: int = 4_000_000
    arrays: bool = False


# UNIX_MICROS would read a timestamp without a zone in the session's time zone.
_SPARK_LOCAL = (
    "(((UNIX_DATE(CAST(c AS DATE)) * 24L + HOUR(c)) * 60 + MINUTE(c)) * 60000000"
    " + CAST(EXTRACT(SECOND FROM c) * 1000000 AS BIGINT)) / 1e6"
)
# For engines without infinity: no finite sum compares above it.
_LARGEST = "1.7976931348623157e308"
_MEGABYTE = 1_000_000

ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine(
            "bigquery",
            days="UNIX_DATE(c)",
            seconds="UNIX_MICROS(c) / 1e6",
            infinity="CAST('inf' AS FLOAT64)",
            careful=True,
            most_text=_MEGABYTE,
        ),
        Engine(
            "clickhouse",
            days="toInt32(toDate32(c))",
            seconds="toUnixTimestamp64Micro(toDateTime64(c, 6)) / 1e6",
            infinity="toFloat64('inf')",
            # The default of its setting max_query_size; a server may allow more.
            most_text=262_144,
        ),
        Engine(
            "databricks",
            days="UNIX_DATE(c)",
            seconds="UNIX_MICROS(c) / 1e6",
            local_seconds=_SPARK_LOCAL,
            real="FLOAT",
        ),
        Engine(
            "duckdb",
            days="DATE_DIFF('day', CAST('1970-01-01' AS DATE), c)",
            seconds="EPOCH_US(c) / 1e6",
            real="FLOAT",
        ),
        Engine(
            "mysql",
            days="DATEDIFF(c, '1970-01-01')",
            seconds="TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c) / 1e6",
            text="CAST(c AS BINARY)",
            infinity=_LARGEST,
            not_a_number=False,
            careful=True,
            booleans=False,
        ),
        Engine(
            "postgres",
            days="c - CAST('1970-01-01' AS DATE)",
            # The cast rounds, then the division, as in the graph; a DECIMAL number of seconds would be rounded once.
            seconds="CAST(EXTRACT(EPOCH FROM c) * 1000000 AS DOUBLE PRECISION) / 1e6",
            real="REAL",
            careful=True,
            materialized=True,
        ),
        Engine(
            "redshift",
            days="DATEDIFF(DAY, CAST('1970-01-01' AS DATE), c)",
            seconds="DATEDIFF(MICROSECOND, CAST('1970-01-01' AS TIMESTAMP), c) / 1e6",
            real="REAL",
            careful=True,
        ),
        Engine(
            "snowflake",
            days="DATEDIFF(DAY, CAST('1970-01-01' AS DATE), c)",
            seconds="DATE_PART(EPOCH_MICROSECOND, c) / 1e6",
            careful=True,
            infinity="CAST('inf' AS DOUBLE)",
            most_text=_MEGABYTE,
        ),
        Engine(
            "spark",
            days="UNIX_DATE(c)",
            seconds="UNIX_MICROS(c) / 1e6",
            local_seconds=_SPARK_LOCAL,
            real="FLOAT",
        ),
        Engine(
            "sqlite",
            days="JULIANDAY(c) - JULIANDAY('1970-01-01')",
            # A timestamp is a text, 'YYYY-MM-DD HH:MM:SS' and after a point up to six digits; SQLite's own functions
            # round those to three.
            seconds="(CAST(STRFTIME('%s', SUBSTR(c, 1, 19)) AS INTEGER) * 1000000"
            " + CAST(SUBSTR(SUBSTR(c, 21) || '000000', 1, 6) AS INTEGER)) / 1e6",
            infinity="9e999",
            not_a_number=True,
            booleans=False,
            greatest="MAX",
            materialized=True,
        ),
        Engine(
            "trino",
            days="DATE_DIFF('day', CAST('1970-01-01' AS DATE), c)",
            seconds="TO_UNIXTIME(c)",
            real="REAL",
            infinity="INFINITY()",
            most_text=_MEGABYTE,
        ),
        Engine(
            "tsql",
            days="DATEDIFF(DAY, '1970-01-01', c)",
            seconds="DATEDIFF_BIG(MICROSECOND, '1970-01-01', c) / 1e6",
            # Before version 2022 TRIM has no TRAILING.
            trimmed="RTRIM(c)",
            text="c COLLATE Latin1_General_100_BIN2",
            real="REAL",
            infinity=_LARGEST,
            not_a_number=False,
            careful=True,
            booleans=False,
            # SQL Server allows ten levels of nested CASE, and has GREATEST since 2022 only.
            flat=True,
            greatest=None,
            national=True,
        ),
    )
}
# Other names of the engines.
_ALIASES = {
    "athena": "trino",
    "azure_sql": "tsql",
    "mariadb": "mysql",
    "mssql": "tsql",
    "postgresql": "postgres",
    "presto": "trino",
    "sparksql": "spark",
    "sqlserver": "tsql",
    "synapse": "tsql",
}


def engine(dialect: str) -> Engine:
    """Returns the engine for a name in OPTIONS (dialect = …), in any case.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID with the names that there are.
    """
    name = dialect.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in ENGINES:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"A model cannot be written in the SQL of {dialect}.",
            hint=did_you_mean(dialect, ENGINES, limit=len(ENGINES)),
        )
    return ENGINES[name]
