"""The command `sqlml demo`, which runs the demonstration in `sqlml.cli.demonstration`."""

from __future__ import annotations

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf


def demo(home: HomeOption = DEFAULT_HOME, master: MasterOption = DEFAULT_MASTER, conf: ConfOption = None) -> None:
    """Train a model on real flights that predicts late arrivals, and check it on later flights."""
    from sqlml.cli.demonstration import run

    if not run(Home(home), master, parse_conf(conf)):
        raise typer.Exit(1)
