"""Real SQL engines for what the compiler writes: a table goes in, a query's rows come out."""

from __future__ import annotations

import csv
import io
import math
import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
from onnx import ModelProto, checker, parser

from helpers import folders
from helpers.doors.servers import free_port
from sqlml.compiler import select
from sqlml.compiler.names import identifier
from sqlml.jobs.job import Fitted
from sqlml.scoring.scorer import Scorer
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Signature

TABLE = "s"
# Graphs as text, and the SQL of some engines.
FIXTURES = sorted((folders.FIXTURES / "compiler").glob("*.txt"))
_TYPES = {BOOLEAN: pa.bool_(), TEXT: pa.string(), DATE: pa.date32(), TIMESTAMP: pa.timestamp("us")}


def sections(path: Path) -> dict[str, str]:
    """What a fixture is about, under "", and its sections by name."""
    first, *others = re.split(r"^== ", path.read_text(encoding="utf-8"), flags=re.M)
    return {"": first, **{name: text for name, _, text in (other.partition("\n") for other in others)}}


def model_of(parts: dict[str, str]) -> ModelProto:
    model = parser.parse_model(parts["graph"])
    checker.check_model(model)
    return model


def in_duckdb(sql: str, rows: pa.Table) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.register(TABLE, rows)
        return connection.execute(f"SELECT * FROM ({sql}) ORDER BY id").fetchall()


def in_sqlite(sql: str, rows: pa.Table) -> list[tuple[Any, ...]]:
    """Dates and timestamps are texts there; NaN is NULL."""
    with sqlite3.connect(":memory:") as connection:
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in rows.column_names)
        connection.execute(f"CREATE TABLE {TABLE} ({names})")
        texts = [_as_text(column).to_pylist() for column in rows.columns]
        places = ", ".join("?" * len(texts))
        connection.executemany(f"INSERT INTO {TABLE} VALUES ({places})", zip(*texts, strict=True))
        return connection.execute(f"SELECT * FROM ({sql}) ORDER BY id").fetchall()


class Postgres:
    """A server of its own in a temporary folder, spoken to through psql; nothing of it is left behind."""

    _KINDS: ClassVar = {
        "int64": "bigint",
        "double": "float8",
        "bool": "boolean",
        "string": "text",
        "date32[day]": "date",
    }

    def __init__(self) -> None:
        # The server refuses to be root.
        self._user = pwd.getpwnam("nobody").pw_name if os.getuid() == 0 else None
        self._folder = tempfile.mkdtemp(prefix="sqlml-postgres-")
        if self._user:
            shutil.chown(self._folder, self._user)
        self._data = f"{self._folder}/data"
        self._port = 5432

    def __enter__(self) -> Postgres:
        self._run("initdb", "-D", self._data, "-U", "sqlml", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off -c timezone=UTC"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", f"{self._folder}/log", "-o", options, "start")
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    def __call__(self, sql: str, rows: pa.Table) -> list[tuple[Any, ...]]:
        kinds = [self._KINDS.get(str(kind), "timestamp") for kind in rows.schema.types]
        names = [identifier(name, "postgres").sql(dialect="postgres") for name in rows.column_names]
        columns = ", ".join(map(" ".join, zip(names, kinds, strict=True)))
        texts = [column.cast(pa.string()).to_pylist() for column in rows.columns]
        lines = "\n".join("\t".join(map(_escaped, row)) for row in zip(*texts, strict=True))
        script = (
            f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} ({columns});\nCOPY {TABLE} FROM stdin;\n{lines}\n\\.\n"
            f"COPY (SELECT * FROM ({sql}) AS answers ORDER BY id) TO stdout WITH (FORMAT csv, NULL '\\N');\n"
        )
        answer = self._run(
            "psql", "-h", self._folder, "-U", "sqlml", "-q", "-v", "ON_ERROR_STOP=1", "postgres", text=script
        )
        return [tuple(None if cell == "\\N" else cell for cell in row) for row in csv.reader(io.StringIO(answer))]

    def listen(self, passwords: Mapping[str, str]) -> str:
        """Has it listen on the loopback for new users, who need their passwords; returns host and port."""
        port = free_port()
        rules = Path(self._data, "pg_hba.conf")
        # The first rule that fits decides, and initdb's own trust everybody.
        rules.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8")
        options = f"-k {self._folder} -c listen_addresses=127.0.0.1 -p {port} -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", f"{self._folder}/log", "-o", options, "restart")
        self._port = port
        self.execute("".join(f"CREATE ROLE {user} LOGIN PASSWORD '{word}';" for user, word in passwords.items()))
        return f"127.0.0.1:{port}"

    def execute(self, statements: str) -> None:
        """Runs statements as the server's owner."""
        self._run(
            "psql", "-h", self._folder, "-p", str(self._port), "-U", "sqlml", "-q", "-v", "ON_ERROR_STOP=1", "postgres",
            text=statements,
        )  # fmt: skip

    def _run(self, *command: str, text: str = "") -> str:
        found = subprocess.run(command, input=text, capture_output=True, text=True, user=self._user, cwd=self._folder)
        assert found.returncode == 0, found.stderr
        return found.stdout


def _escaped(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


ENGINES: dict[str, Callable[[str, pa.Table], list[tuple[Any, ...]]]] = {"duckdb": in_duckdb, "sqlite": in_sqlite}


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return pa.compute.strftime(column, format="%Y-%m-%d %H:%M:%S")
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def typed(rows: pa.Table, signature: Signature) -> pa.Table:
    """The features as an engine's table has them, with an id: a boolean is one, and only a floating column has NaN."""
    columns = {"id": pa.array(range(rows.num_rows))}
    for feature in signature.features:
        column = rows.column(feature.name)
        if feature.kind == NUMBER:
            column = column.cast(pa.float64(), safe=False)
            if feature.type not in ("float", "double"):
                column = pa.compute.if_else(pa.compute.is_finite(column), column, pa.scalar(None, pa.float64()))
        elif feature.kind == BOOLEAN:
            column = column.cast(pa.float64()).cast(pa.int8()).cast(pa.bool_())
        else:
            column = column.cast(_TYPES[feature.kind])
        if feature.kind == TIMESTAMP:
            column = pa.compute.if_else(_in_calendar(column), column, pa.scalar(None, column.type))
        columns[feature.name] = column
    return pa.table(columns)


def _in_calendar(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether the year has four digits, as every engine's calendar has."""
    year = pa.compute.year(moments)
    return pa.compute.and_(pa.compute.greater(year, 0), pa.compute.less(year, 10_000))


class Model(Protocol):
    """What is compared: a fitted model, or a fixture."""

    onnx: bytes
    signature: Signature


def compare(
    fitted: Fitted | Model,
    rows: pa.Table,
    dialect: str,
    *,
    tolerance: float = 1e-9,
    ask: Callable[[str, pa.Table], list[tuple[Any, ...]]] | None = None,
) -> int:
    """Asserts that the SQL answers what ONNX Runtime does, row by row; returns the length of the text.

    A label may differ where the best two scores are within the tolerance, if that is not the usual one.
    """
    rows = typed(rows, fitted.signature)
    sql = select(fitted.onnx, fitted.signature, dialect=dialect, table=TABLE, columns=["id"])
    found = (ask or ENGINES[dialect])(sql, rows)
    columns = [rows.column(name) for name in fitted.signature.names]
    scorer = Scorer(fitted.onnx, fitted.signature)
    raw = scorer.raw(columns)
    assert len(found) == rows.num_rows
    if not found:
        return len(sql)
    expected = raw.get("probabilities", raw.get("scores", raw.get("prediction"))).reshape(len(found), -1)
    first = 2 if "label" in raw else 1
    actual = np.array([[_number(value) for value in row[first:]] for row in found])
    differences = np.abs(actual - expected) / np.maximum(1.0, np.abs(expected))
    differences[(actual == expected) | (np.isnan(actual) & np.isnan(expected))] = 0.0
    worst = np.unravel_index(np.argmax(np.nan_to_num(differences, nan=math.inf)), differences.shape)
    place = int(worst[0])
    row = [column[place].cast(pa.string()).as_py() for column in rows.columns]
    assert differences[worst] <= tolerance, (differences[worst], actual[place], expected[place], row)
    if "label" in raw:
        wanted = scorer.label(columns).to_pylist()
        got = [row[1] for row in found]
        wrong = [place for place in range(len(found)) if _label(got[place], wanted[place]) != wanted[place]]
        if tolerance > 1e-9:
            ordered = np.sort(expected, axis=1)
            wrong = [place for place in wrong if ordered[place, -1] - ordered[place, -2] > tolerance]
        assert not wrong, (len(wrong), got[wrong[0]], wanted[wrong[0]], expected[wrong[0]], actual[wrong[0]])
    return len(sql)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _label(got: Any, wanted: Any) -> Any:
    """SQLite has no booleans and dates, and psql prints texts."""
    if isinstance(got, str) and not isinstance(wanted, str):
        return wanted if got == ("t" if wanted is True else "f" if wanted is False else str(wanted)) else got
    return bool(got) if isinstance(wanted, bool) else got
