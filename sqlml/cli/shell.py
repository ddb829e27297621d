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
    """Start Spark's SQL shell, spark-sql, with sqlml.

    It is the stock spark-sql with the tables and models of the folder .sqlml in the working directory. All other
    arguments are passed to it: sqlml shell -f script.sql
    """
    run_program("spark-sql", Home(home), master, parse_conf(conf), context.args)
