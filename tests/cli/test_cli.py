"""The command line: what it prints, what it refuses, what it writes, and that it starts at once."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sqlml
from sqlml.cli import app
from sqlml.cli.home import Home, parse_conf
from sqlml.cli.problem import Problem, problem
from sqlml.cli.results import display, plain
from sqlml.cli.script import statements
from sqlml.cli.spark import as_flags, spark_home
from sqlml.errors import SqlmlError

_HEAVY = {"nicegui", "pyspark", "mlflow", "sklearn", "onnx", "onnxruntime", "pandas", "numpy", "pyarrow"}
_COMMANDS = ("demo", "sql", "shell", "thrift-server", "connect-server", "conf", "doctor", "studio", "ui")


def _sqlml(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sqlml", *arguments]
    environment = {**os.environ, "COLUMNS": "100", **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


# -- starting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["sql", "--help"], ["demo", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = f"import sys; sys.argv = ['sqlml', *{arguments}]\nfrom sqlml.cli import main\n"
    program += "try:\n    main()\nexcept SystemExit:\n    print('MODULES', *sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.rpartition("MODULES")[2].split())
    assert not _HEAVY & modules
    # A start takes some 0.7 ms a module, which is counted here because a busy machine makes seconds say nothing.
    assert len(modules) < 600


def test_version(tmp_path: Path) -> None:
    done = _sqlml("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"sqlml {sqlml.__version__}\n")


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    assert [command for command in _COMMANDS if command not in text] == []


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sql"], "either -e or -f"),
        (["sql", "-e", "SELECT 1", "-f", "x.sql"], "either -e or -f"),
        (["sql", "-f", "nowhere.sql"], "nowhere.sql cannot be read"),
        (["sql", "-e", " -- nothing; \n ;"], "no statement"),
        (["sql", "-e", "SELECT 1", "--conf", "spark.ui.port"], "not key=value"),
        (["sql", "-e", "SELECT 1", "--format", "xml"], "xml"),
        (["train"], "train"),
    ],
)
def test_wrong_use_is_explained(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())


# -- splitting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", [(1, "SELECT 1")]),
        ("SELECT 1;\nSELECT 2;", [(1, "SELECT 1"), (2, "SELECT 2")]),
        ("SELECT 'a;b', \"c;d\", `e;f`; SELECT 2", [(1, "SELECT 'a;b', \"c;d\", `e;f`"), (1, "SELECT 2")]),
        (r"SELECT 'it\';s'; SELECT 2", [(1, r"SELECT 'it\';s'"), (1, "SELECT 2")]),
        (r"SELECT r'\'; SELECT 2", [(1, r"SELECT r'\'"), (1, "SELECT 2")]),
        ("SELECT 'it''s;'; SELECT 2", [(1, "SELECT 'it''s;'"), (1, "SELECT 2")]),
        (
            "-- a; b\nSELECT 1 -- c; d\n; /* e; /* f; */ g; */ SELECT 2",
            [(1, "-- a; b\nSELECT 1 -- c; d"), (3, "/* e; /* f; */ g; */ SELECT 2")],
        ),
        (";;\n ;-- nothing\n; /* nor here */ ;", []),
        ("(SELECT 1);", [(1, "(SELECT 1)")]),
        ("SELECT 'never closed; SELECT 2", [(1, "SELECT 'never closed; SELECT 2")]),
        ("SELECT 1 /* never closed; SELECT 2", [(1, "SELECT 1 /* never closed; SELECT 2")]),
        ("SET x = 1; BEGIN SELECT 1; SELECT 2; END", [(1, "SET x = 1"), (1, "BEGIN SELECT 1; SELECT 2; END")]),
        ("\n\nSELECT\n1;\n\n\nSELECT 2", [(3, "SELECT\n1"), (7, "SELECT 2")]),
        ("SELECT 4/2, 3-1; SELECT 2", [(1, "SELECT 4/2, 3-1"), (1, "SELECT 2")]),
    ],
)
def test_splitting(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(statement.line, statement.text) for statement in statements(text)] == expected


def test_comments_in_front_are_prose() -> None:
    (statement,) = statements("-- What is\n--   asked.\n\n/* aside */ SELECT 1 -- one\n;")
    assert statement.comment == "What is\nasked."
    assert statement.body == "SELECT 1 -- one"


# -- printing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown", "as_json"),
    [
        (None, "NULL", None),
        (True, "true", True),
        (7, "7", 7),
        (0.1 + 0.2, "0.3", 0.30000000000000004),
        (34.0, "34.0", 34.0),
        (1234567.25, "1234567.25", 1234567.25),
        (float("nan"), "nan", "nan"),
        ("a|b", "a|b", "a|b"),
        (Decimal("12.50"), "12.50", 12.5),
        (Decimal("1234567890123456789.5"), "1234567890123456789.5", "1234567890123456789.5"),
        (date(2013, 1, 31), "2013-01-31", "2013-01-31"),
        (bytearray(b"\x00\xff"), "00ff (2 bytes)", "00ff"),
        ({"rmse": 0.5, "r2": None}, "rmse=0.5, r2=NULL", {"rmse": 0.5, "r2": None}),
        ([1, "x"], "[1, x]", [1, "x"]),
        ({True: 0.25}, "true=0.25", {"true": 0.25}),
    ],
)
def test_values(value: object, shown: str, as_json: object) -> None:
    assert display(value) == shown
    assert plain(value) == as_json
    json.dumps(plain(value), allow_nan=False)


_PARSE = """
[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. SQLSTATE: 42601 (line 2, pos 3)

== SQL ==

   SELEC 1
---^^^
"""
_ANALYSIS = """[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `nosuch` is not there. SQLSTATE: 42703; line 1 pos 7;
'Project ['nosuch]
+- Range (0, 3, step=1)
"""
_RUNTIME = """[CAST_INVALID_INPUT] The value 'x' cannot be cast. SQLSTATE: 22018
== SQL (line 1, position 8) ==
SELECT CAST('x' AS int)
       ^^^^^^^^^^^^^^^^
"""
_WORKER = """An exception was thrown from the Python worker. See below.
Traceback (most recent call last):
  File "worker.py", line 1, in f
ValueError: no such input
"""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError(_PARSE), Problem("[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. SQLSTATE: 42601", 2, 3)),
        (
            ValueError(_ANALYSIS),
            Problem(
                "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `nosuch` is not there. SQLSTATE: 42703",
                1,
                7,
            ),
        ),
        (ValueError(_RUNTIME), Problem("[CAST_INVALID_INPUT] The value 'x' cannot be cast. SQLSTATE: 22018", 1, 7)),
        (
            ValueError(_WORKER),
            Problem("An exception was thrown from the Python worker. See below.\nValueError: no such input"),
        ),
        (
            SqlmlError("SQLML_SYNTAX_ERROR", "AS expected.", offset=9),
            Problem("[SQLML_SYNTAX_ERROR] AS expected.", 2, 2),
        ),
        (KeyError(), Problem("KeyError")),
    ],
)
def test_problems(error: Exception, expected: Problem) -> None:
    assert problem(error, "SELECT\n\t\t1") == expected


# -- the folder --------------------------------------------------------------------------------------------------------


def test_conf() -> None:
    assert parse_conf(["a=b", "spark.x=y=z", "spark.y="]) == {"a": "b", "spark.x": "y=z", "spark.y": ""}
    assert as_flags({"a": "b c"}) == ["--conf", "a=b c"]


def test_home_ignores_itself(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / ".sqlml")
    home.claim()
    assert (home.path / ".gitignore").read_text() == "*\n"
    settings = home.settings("local[2]")
    for key in ("spark.sql.warehouse.dir", "spark.hadoop.hive.exec.scratchdir", "spark.driver.extraJavaOptions"):
        assert str(home.path) in settings[key]
    assert "spark.driver.host" not in home.settings("spark://master:7077")


def test_home_in_use(tmp_path: Path) -> None:
    """The lock that Derby holds is a record lock on this file."""
    lock = tmp_path / "metastore_db" / "dbex.lck"
    lock.parent.mkdir()
    lock.write_bytes(b"")
    home = Home(tmp_path)
    assert home.catalogue_user() is None
    program = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, 2); print('.', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        assert home.catalogue_user() == holder.pid
        with pytest.raises(SqlmlError, match=f"Process {holder.pid} is using"):
            home.claim()
    finally:
        holder.communicate("\n")
    assert home.catalogue_user() is None


def test_spark_home_is_this_pythons() -> None:
    assert (spark_home() / "bin" / "spark-sql").exists()


def test_no_java(tmp_path: Path) -> None:
    done = _sqlml("sql", "-e", "SELECT 1", folder=tmp_path, JAVA_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "There is no java in JAVA_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_port_taken(tmp_path: Path) -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = _sqlml("thrift-server", "--port", str(server.getsockname()[1]), folder=tmp_path)
    assert done.returncode == 1
    assert "is already in use" in done.stderr
    assert not (tmp_path / ".sqlml").exists()


def test_conf_command(tmp_path: Path) -> None:
    words = _sqlml("conf", folder=tmp_path).stdout.split()
    jar = Path(words[words.index("--jars") + 1])
    assert jar.name == "sqlml.jar"
    assert "spark.sql.extensions=org.sqlml.SqlmlExtensions" in words


# -- running -----------------------------------------------------------------------------------------------------------

_SCRIPT = """-- A table of its own; and another one.
CREATE TABLE t AS SELECT id, id * 1.5D AS x, IF(id = 1, 'a;b', NULL) AS s FROM range(3);
SELECT id, x, s, timestamp'2024-01-01 12:00:00' + make_dt_interval(id) AS at, map('k', id) AS m FROM t ORDER BY id;
SELECT id,
       nosuch
FROM t;
SELECT count(*) AS n, count(*) AS n FROM t;
"""


@pytest.mark.slow
def test_sql_runs_a_file(tmp_path: Path) -> None:
    """Stops at the first error, and writes nothing beside its folder."""
    (tmp_path / "script.sql").write_text(_SCRIPT)
    done = _sqlml("sql", "-f", "script.sql", "--format", "csv", "--master", "local[2]", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows == [
        ["id", "x", "s", "at", "m"],
        ["0", "0.0", "", "2024-01-01 12:00:00", '{"k": 0}'],
        ["1", "1.5", "a;b", "2024-01-02 12:00:00", '{"k": 1}'],
        ["2", "3.0", "", "2024-01-03 12:00:00", '{"k": 2}'],
    ]
    said = done.stderr.splitlines()
    assert said[0].startswith("error: [UNRESOLVED_COLUMN.WITH_SUGGESTION] ")
    assert said[1:] == ["  --> script.sql:5:8", "    5 |        nosuch", "               ^"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".sqlml", "script.sql"]


@pytest.mark.slow
def test_sql_goes_on_where_told_to(tmp_path: Path) -> None:
    text = f"{_SCRIPT}; TRAIN MODEL m USINGG x AS SELECT 1; SHOW MODELS; SELECT raise_error('no'); SELECT 1 AS last"
    done = _sqlml("sql", "-e", text, "--format", "json", "--continue-on-error", folder=tmp_path)
    assert done.returncode == 1
    decoder, found, rest = json.JSONDecoder(), [], done.stdout.strip()
    while rest:
        content, end = decoder.raw_decode(rest)
        found.append(content)
        rest = rest[end:].strip()
    assert found[0][1] == {"id": 1, "x": 1.5, "s": "a;b", "at": "2024-01-02 12:00:00", "m": {"k": 1}}
    assert found[1:] == [[{"n": 3, "n (2)": 3}], [], [{"last": 1}]]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [error.split("]")[0] for error in errors] == [
        "error: [UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "error: [SQLML_SYNTAX_ERROR",
        "error: [USER_RAISED_EXCEPTION",
    ]
    assert "line 8:17" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_sql_prints_tables(tmp_path: Path) -> None:
    text = "SELECT id AS n, id / 4 AS quarter, 'r' AS word FROM range(3) ORDER BY id"
    done = _sqlml("sql", "-e", text, "--rows", "2", folder=tmp_path)
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines() if line.strip() and "─" not in line] == [
        ["n", "quarter", "word"],
        ["0", "0.0", "r"],
        ["1", "0.25", "r"],
        ["The", "first", "2", "rows.", "Use", "--rows", "to", "show", "more."],
    ]


@pytest.mark.doors
def test_shell_is_sparks_own(tmp_path: Path) -> None:
    done = _sqlml("shell", "-e", "SHOW MODELS; CREATE TABLE t AS SELECT 1 AS a; SELECT a + 1 FROM t", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1:] == ["2"]
    assert (tmp_path / ".sqlml" / "warehouse" / "t").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [".sqlml"]
