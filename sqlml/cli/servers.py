"""The commands `sqlml thrift-server` and `sqlml connect-server`, which run Spark's own servers with sqlml."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf
from sqlml.cli.spark import CONNECT_SERVER, THRIFT_SERVER, run_program
from sqlml.errors import SqlmlError

HostOption = Annotated[str, typer.Option("--host", help="The address to listen on.")]
LOOPBACK = "127.0.0.1"
THRIFT_PORT, CONNECT_PORT = 10000, 15002
# How long a Connect server streams results before the client has to reattach. Only then does it notice that a client is
# gone; with Spark's default of 2 minutes an abandoned training would run on.
CONNECT_SETTINGS = {"spark.connect.execute.reattachable.senderMaxStreamDuration": "2s"}


def thrift_server(
    context: typer.Context,
    host: HostOption = LOOPBACK,
    port: Annotated[int, typer.Option("--port", help="The port to listen on.")] = THRIFT_PORT,
    home: HomeOption = DEFAULT_HOME,
    master: MasterOption = DEFAULT_MASTER,
    conf: ConfOption = None,
) -> None:
    """Run Spark's Thrift server with sqlml, for beeline, JDBC, PyHive and BI tools.

    It has no passwords by default, and it listens only on this machine unless --host names another address. All other
    arguments are passed to it: --hiveconf hive.server2.authentication=LDAP
    """
    check_free(host, port)
    folder = Home(home)
    hive = {
        "hive.server2.thrift.bind.host": host,
        "hive.server2.thrift.port": str(port),
        "hive.server2.logging.operation.log.location": str(folder.path.absolute() / "operation_logs"),
    }
    arguments = ["--class", THRIFT_SERVER, "spark-internal"]
    arguments += [part for key, value in hive.items() for part in ("--hiveconf", f"{key}={value}")]
    _starts("Thrift", "Starting ThriftBinaryCLIService", f"beeline -u jdbc:hive2://{host}:{port}")
    run_program("spark-submit", folder, master, parse_conf(conf), arguments + context.args)


def connect_server(
    context: typer.Context,
    host: HostOption = LOOPBACK,
    port: Annotated[int, typer.Option("--port", help="The port to listen on.")] = CONNECT_PORT,
    home: HomeOption = DEFAULT_HOME,
    master: MasterOption = DEFAULT_MASTER,
    conf: ConfOption = None,
) -> None:
    """Run Spark's Connect server with sqlml, for clients that use SparkSession.builder.remote("sc://…").

    It has no passwords, and it listens only on this machine unless --host names another address. A training ends some
    seconds after its client has disconnected.
    """
    check_free(host, port)
    settings = {
        "spark.connect.grpc.binding.address": host,
        "spark.connect.grpc.binding.port": str(port),
        **CONNECT_SETTINGS,
        **parse_conf(conf),
    }
    _starts("Connect", "Spark Connect server started", f"a client of sc://{host}:{port}")
    run_program(
        "spark-submit", Home(home), master, settings, ["--class", CONNECT_SERVER, "spark-internal", *context.args]
    )


def _starts(server: str, says: str, how: str) -> None:
    """Prints how to connect and when: before the server listens, connections are refused."""
    print(f"Spark's {server} server starts. When its log says {says!r}, connect with {how}", flush=True)


def check_free(host: str, port: int) -> None:
    if not port_is_free(host, port):
        raise SqlmlError(
            "SQLML_ENGINE_FAILED", f"Port {port} of {host} is already in use.", hint="Choose another port with --port."
        )


def port_is_free(host: str, port: int) -> bool:
    """Returns whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
