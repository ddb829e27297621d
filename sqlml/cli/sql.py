"""The command `sqlml sql`, which runs SQL statements and prints their results."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf
from sqlml.cli.results import Format

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from rich.console import Console

    from sqlml.cli.script import Statement

_DEFAULT_ROWS = 100


def sql(
    execute: Annotated[str | None, typer.Option("-e", "--execute", help="SQL to run, one or more statements.")] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="A file of SQL to run; - is standard input.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print rows.")] = Format.TABLE,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="The maximum number of rows to print of a table.")
    ] = _DEFAULT_ROWS,
    continue_on_error: Annotated[
        bool, typer.Option("--continue-on-error", help="Continue after a statement that fails.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    master: MasterOption = DEFAULT_MASTER,
    conf: ConfOption = None,
) -> None:
    """Run SQL statements and print their results.

    Statements end with a semicolon. The exit code is 1 if one of them fails.
    """
    from rich.console import Console

    from sqlml.cli.live import working
    from sqlml.cli.script import statements
    from sqlml.cli.spark import session

    text, source = _read(execute, file)
    settings = parse_conf(conf)
    script = list(statements(text))
    if not script:
        raise typer.BadParameter("There is no statement to run.", param_hint="-e / -f")
    # A descriptor of its own: while Spark starts, the process's standard error is redirected to the log.
    errors = Console(file=os.fdopen(os.dup(2), "w", buffering=1))
    failed = False
    with ExitStack() as stack:
        with working(errors, "starting Spark"):
            spark = stack.enter_context(session(Home(home), master, settings))
        for statement in script:
            done = _run(spark, statement, source, form, rows, errors)
            failed = failed or not done
            if failed and not continue_on_error:
                break
    if failed:
        raise typer.Exit(1)


def _read(execute: str | None, file: Path | None) -> tuple[str, str]:
    """The SQL text, and the name of its file or ""."""
    if (execute is None) == (file is None):
        raise typer.BadParameter("Use either -e or -f.", param_hint="-e / -f")
    if execute is not None:
        return execute, ""
    if str(file) == "-":
        return sys.stdin.read(), "stdin"
    assert file is not None
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}.", param_hint="-f") from None


def _run(spark: SparkSession, statement: Statement, source: str, form: Format, rows: int, errors: Console) -> bool:
    """Runs a statement and prints its rows or its error; returns whether it succeeded."""
    from rich.console import Console

    from sqlml.cli.live import working
    from sqlml.cli.problem import problem, show
    from sqlml.cli.results import Result, write

    try:
        with working(errors, "working"):
            result = Result(spark.sql(statement.text))
            head = result.first(rows + 1) if form is Format.TABLE else []
        write(result, head, form, Console(), rows)
    except BrokenPipeError:
        raise
    except Exception as error:
        show(problem(error, statement.text), statement, source, errors)
        return False
    return True
