"""The command `sqlml shell`, which runs spark-sql with sqlml."""

from __future__ import annotations

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf
from sqlml.cli.spark import run_program


def shell(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    master: MasterOption = DEFAULT_MASTER,
    conf: ConfOption = None,
) -> None:
    """Start Spark's own SQL shell with sqlml in it.

    It is the stock spark-sql, on the tables and models of the working directory's .sqlml folder. Everything else on
    the line goes to it: sqlml shell -f script.sql
    """
    run_program("spark-sql", Home(home), master, parse_conf(conf), context.args)
