"""The command `sqlml studio`, which starts Spark and serves the studio's page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf
from sqlml.cli.servers import LOOPBACK, check_free
from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sqlml.studio.pictures import Pictures

STUDIO_PORT = 8765


def studio(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = LOOPBACK,
    port: Annotated[int, typer.Option("--port", help="The port to listen on.")] = STUDIO_PORT,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    remote: Annotated[
        str | None, typer.Option("--remote", help="A Spark Connect server that runs sqlml: sc://host:15002.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    master: MasterOption = DEFAULT_MASTER,
    conf: ConfOption = None,
) -> None:
    """Open a local web page to score a table step by step, look at models and run SQL.

    Every click runs a SQL statement, which the page shows. The page works with the tables and models of the folder
    .sqlml in the working directory, or with those of a server. Whoever has the printed address, which contains a token,
    has your permissions on the page.
    """
    from rich.console import Console

    from sqlml.cli.live import working

    try:
        import nicegui  # noqa: F401
    except ModuleNotFoundError as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"The studio needs the Python package {error.name}.",
            hint="Install it: pip install 'sqlml[ui]'",
        ) from None
    check_free(host, port)
    settings = parse_conf(conf)
    # A descriptor of its own: while Spark starts, the process's standard error is redirected to the log.
    errors = Console(file=os.fdopen(os.dup(2), "w", buffering=1))
    with ExitStack() as stack:
        with working(errors, "starting Spark" if remote is None else f"connecting to {remote}"):
            opened = _connected(remote) if remote is not None else _local(Home(home), master, settings)
            spark, pictures = stack.enter_context(opened)
            _open_catalogue(spark)
        from sqlml.spark.cancelling import Cancelling
        from sqlml.studio.engine import Engine
        from sqlml.studio.server import Address, serve

        address = Address.of(host, port)

        def started() -> None:
            print(f"sqlml studio: {address.url}\nCtrl-C stops it.", flush=True)
            if browser:
                import webbrowser

                webbrowser.open(address.url)

        serve(Engine(spark.sql, Cancelling(spark)), pictures, address, started)


def _open_catalogue(spark: SparkSession) -> None:
    """Opens the catalogue before the page is served.

    Closing a page cancels its query by an interrupt of its thread in the JVM. If that thread were just opening Derby,
    the database could not be opened again.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED.
    """
    from sqlml.cli.problem import problem

    sql = "SHOW TABLES"
    try:
        spark.sql(sql).collect()
    except Exception as error:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"The catalog cannot be opened: {problem(error, sql).message}",
            hint="Run sqlml doctor for details.",
        ) from error


@contextmanager
def _local(home: Home, master: str, conf: dict[str, str]) -> Iterator[tuple[SparkSession, Pictures]]:
    """A session in this process, and the plots of its models."""
    from sqlml.cli.spark import session
    from sqlml.policy import READ
    from sqlml.spark.launch import application_of
    from sqlml.studio.pictures import Pictures

    with session(home, master, conf) as spark:
        registry, policy, _ = application_of(spark)
        user = spark.sparkContext.sparkUser()
        yield spark, Pictures(registry, lambda model: policy.permissions.allow(user, READ, model))


@contextmanager
def _connected(remote: str) -> Iterator[tuple[SparkSession, Pictures]]:
    """A session of a Connect server, whose registry and plots are remote."""
    from sqlml.spark.launch import connected
    from sqlml.studio.pictures import Pictures

    spark = connected(remote)
    try:
        yield spark, Pictures(None, lambda model: False)
    finally:
        spark.stop()
