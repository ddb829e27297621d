"""The command `sqlml`. Each command is one file of this folder and one row of `COMMANDS`.

    home       the project's own folder, and the settings of the Spark that runs on it
    spark      a session for a command, and Spark's own programs with the right flags
    script     a text's statements
    results    rows as a table, CSV or JSON
    problem    an error as a message and a place
    live       one line that says what is being done

Nothing here imports Spark, MLflow or scikit-learn before a command needs it: `sqlml --help` answers at once.
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

# Spark's own programs take arguments of theirs after ours.
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
    """The entry point. An error of ours is one message, never a traceback."""
    try:
        app()
    except SqlmlError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
