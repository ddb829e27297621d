"""The command `sqlml demo`, which runs the demonstration in `sqlml.cli.demonstration`."""

from __future__ import annotations

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf


def demo(home: HomeOption = DEFAULT_HOME, master: MasterOption = DEFAULT_MASTER, conf: ConfOption = None) -> None:
    """Learn from 336,776 flights which ones arrive late, and check the forecast on flights not learned from."""
    from sqlml.cli.demonstration import run

    if not run(Home(home), master, parse_conf(conf)):
        raise typer.Exit(1)
