"""The command line `sqlml`, built with Typer. Each command is one file of this folder, registered below.

    home       the project's folder, and the settings of the local Spark that works in it
    spark      a session in this process, or Spark's own programs with the right flags
    script     splits a text into statements
    results    prints rows as a table, CSV or JSON
    problem    turns an exception into a message with a position
    live       a status line for work in progress

Spark, MLflow and scikit-learn are imported only by the commands that need them, so that `sqlml --help` is fast.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import sqlml
from sqlml.cli import conf, demo, doctor, servers, shell, sql, studio, ui
from sqlml.errors import SqlmlError

app = typer.Typer(
    name="sqlml",
    help="Machine learning in Apache Spark SQL: TRAIN MODEL and PREDICT.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# For commands that pass unknown arguments on to Spark's own programs.
_PASSES_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}

app.command("demo")(demo.demo)
app.command("sql")(sql.sql)
app.command("shell", context_settings=_PASSES_ARGUMENTS)(shell.shell)
app.command("thrift-server", context_settings=_PASSES_ARGUMENTS)(servers.thrift_server)
app.command("connect-server", context_settings=_PASSES_ARGUMENTS)(servers.connect_server)
app.command("conf")(conf.conf)
app.command("doctor")(doctor.doctor)
app.command("studio")(studio.studio)
app.command("ui")(ui.ui)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"sqlml {sqlml.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What comes before a command."""


def main() -> None:
    """The entry point. A SqlmlError is printed as one message without a traceback."""
    try:
        app()
    except SqlmlError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
