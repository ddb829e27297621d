"""The services of a cluster on one host: MLflow, and beside it PostgreSQL, S3 by moto, and nginx with a prefix."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from helpers.cluster.hosts import Hosts
from helpers.cluster.lacking import postgresql
from helpers.environments import packages

USER, PASSWORD = "admin", "a password of the tests"
_PREFIX = "/team/mlflow"
_FIRST_QUESTION = "/api/2.0/mlflow/registered-models/search?max_results=1"
_MLFLOW, _NGINX, _S3, _POSTGRES, _SLOW = 5000, 8088, 5555, 5432, 8089
_START_LIMIT = 120.0
_SLOW_WAY = Path(__file__).with_name("slow_way.py")

_NGINX_CONFIGURATION = """
daemon off; pid /host/nginx/pid; user root;
events {{}}
http {{
  log_format requests '$request_method $uri $status'; access_log /host/nginx/access.log requests;
  client_body_temp_path /host/nginx/body; proxy_temp_path /host/nginx/proxy; fastcgi_temp_path /host/nginx/fastcgi;
  uwsgi_temp_path /host/nginx/uwsgi; scgi_temp_path /host/nginx/scgi; client_max_body_size 64m;
  server {{
    listen {address}:{port};
    location {prefix}/ {{ proxy_pass http://{address}:{mlflow}/; proxy_set_header Host $host; }}
    location / {{ return 204; }}
  }}
}}
"""
_RIGHTS = """[mlflow]
default_permission = READ
database_uri = {database}
admin_username = {user}
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def registry_python() -> Path:
    """Of an environment with what `Registry.start` runs."""
    server = f"mlflow[auth]=={metadata.version('mlflow')}"
    return packages("cluster-registry", [server, "psycopg2-binary", "boto3", "moto[server]"])


class Registry:
    """The registry's host.

    Args:
        python: whose MLflow it is.

    Attributes:
        host: where all of it runs.
        uri: what drivers connect to.
    """

    def __init__(self, hosts: Hosts, python: Path) -> None:
        self._python = python
        environment = python.parents[1]
        self.host = hosts.add("registry", {environment: environment, _SLOW_WAY: Path("/slow_way.py")})
        self.uri = f"http://{self.host.address}:{_MLFLOW}"
        self._postgres: subprocess.Popen[str] | None = None
        self._server: subprocess.Popen[str] | None = None

    def start_small(self) -> None:
        """MLflow alone, with files of its own."""
        self._mlflow("sqlite:////host/mlflow.db", "/host/artifacts")

    def wait_until_ready(self) -> None:
        """Waits for an answer from its database: its first one takes it seconds more than a sign of life."""
        assert self._server is not None
        self._wait(self._server, "mlflow.log", self._asks(f"{self.uri}{_FIRST_QUESTION}"))

    def start(self) -> None:
        """MLflow with basic authentication on PostgreSQL, its artifacts in S3, and nginx with a prefix before it."""
        self._initialize_postgres()
        self.start_postgres()
        self._s3()
        database = f"postgresql+psycopg2://postgres@{self.host.address}:{_POSTGRES}"
        rights = _RIGHTS.format(database=f"{database}/rights", user=USER, password=PASSWORD.replace("%", "%%"))
        (self.host.disk / "rights.ini").write_text(rights, encoding="utf-8")
        self._mlflow(f"{database}/mlflow", "s3://models/mlflow", "--app-name", "basic-auth")
        self._nginx()
        self.uri = f"http://{self.host.address}:{_NGINX}{_PREFIX}"

    def start_postgres(self) -> None:
        assert self._programs is not None
        command: list[str | Path] = [
            *self._as_postgres,
            self._programs / "postgres",
            "-D",
            "/host/postgres",
            "-k",
            "/host/postgres",
        ]
        options = ["-h", self.host.address, "-p", str(_POSTGRES), "-c", "fsync=off"]
        self._postgres = self.host.spawn([*command, *options], "postgres.log")
        ready: list[str | Path] = [self._programs / "pg_isready", "-h", self.host.address, "-U", "postgres", "-q"]
        self._wait(self._postgres, "postgres.log", ready)

    def stop_postgres(self) -> None:
        """As a machine that is shut down: it ends all connections, and does not wait for its clients."""
        assert self._postgres is not None
        self.host.send_signal("/bin/postgres", signal.SIGINT)
        self._postgres.wait(60.0)

    def slow_uri(self, seconds: float) -> str:
        """The registry by a way on which each packet is late."""
        way = ["python3", "/slow_way.py", f"{self.host.address}:{_SLOW}", f"{self.host.address}:{_NGINX}", str(seconds)]
        process = self.host.spawn(way, "slow_way.log")
        self._wait(process, "slow_way.log", self._asks(f"http://{self.host.address}:{_SLOW}{_PREFIX}/health"))
        return f"http://{self.host.address}:{_SLOW}{_PREFIX}"

    def requests(self) -> list[str]:
        """The requests that were answered so far: method, path and status."""
        return (self.host.disk / "nginx" / "access.log").read_text(encoding="utf-8").splitlines()

    def states_of_runs(self, name: str) -> list[str]:
        """Of all trainings of a model, as PostgreSQL has them."""
        assert self._programs is not None
        query = f"SELECT status FROM runs JOIN tags USING (run_uuid) WHERE key = 'sqlml.model' AND value = '{name}'"
        where = ["-h", self.host.address, "-U", "postgres", "-d", "mlflow", "--tuples-only", "--no-align"]
        return self.host.run([self._programs / "psql", *where, "-c", query]).split()

    @property
    def _programs(self) -> Path | None:
        return postgresql()

    @property
    def _as_postgres(self) -> list[str]:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def _initialize_postgres(self) -> None:
        assert self._programs is not None
        self.host.run(["mkdir", "/host/postgres"])
        self.host.run(["chown", "postgres", "/host/postgres"])
        make: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            "/host/postgres",
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
        ]
        self.host.run([*self._as_postgres, *make])
        with open(self.host.disk / "postgres" / "pg_hba.conf", "a") as rules:
            rules.write("host all all samenet trust\n")
        self.start_postgres()
        for name in ("mlflow", "rights"):
            self.host.run([self._programs / "createdb", "-h", self.host.address, "-U", "postgres", name])
        self.stop_postgres()

    def _s3(self) -> None:
        command: list[str | Path] = [self._python.with_name("moto_server"), "-H", self.host.address, "-p", str(_S3)]
        process = self.host.spawn(command, "s3.log")
        self._wait(process, "s3.log", self._asks(self._endpoint))
        make = f"import boto3; boto3.client('s3', endpoint_url={self._endpoint!r}).create_bucket(Bucket='models')"
        self.host.run([self._python, "-c", make], **_S3_KEYS)

    @property
    def _endpoint(self) -> str:
        return f"http://{self.host.address}:{_S3}"

    def _mlflow(self, database: str, artifacts: str, *options: str) -> None:
        command: list[str | Path] = [self._python, "-m", "mlflow", "server", "--host", self.host.address]
        command += ["--port", str(_MLFLOW), "--workers", "1", "--backend-store-uri", database]
        command += ["--serve-artifacts", "--artifacts-destination", artifacts, *options]
        secrets = {
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "a secret of the tests",
            "MLFLOW_AUTH_CONFIG_PATH": "/host/rights.ini",
            "MLFLOW_S3_ENDPOINT_URL": self._endpoint,
        }
        # Its background jobs are processes that nobody here needs, each of which starts for seconds.
        more = {"MLFLOW_SERVER_ALLOWED_HOSTS": "*", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        more |= {"PATH": f"{self._python.parent}:{os.environ['PATH']}"}
        self._server = self.host.spawn(command, "mlflow.log", **secrets, **more, **_S3_KEYS)

    def _nginx(self) -> None:
        folder = self.host.disk / "nginx"
        folder.mkdir()
        text = _NGINX_CONFIGURATION.format(address=self.host.address, port=_NGINX, prefix=_PREFIX, mlflow=_MLFLOW)
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        command = ["nginx", "-c", "/host/nginx/nginx.conf", "-e", "/host/nginx/error.log"]
        process = self.host.spawn(command, "nginx.log")
        self._wait(process, "nginx.log", self._asks(f"http://{self.host.address}:{_NGINX}/"))

    def _asks(self, url: str) -> list[str | Path]:
        key = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        program = (
            "from urllib.request import Request, urlopen;"
            f" urlopen(Request({url!r}, headers={{'Authorization': 'Basic {key}'}}), timeout=30).read()"
        )
        return [self._python, "-c", program]

    def _wait(self, process: subprocess.Popen[str], log: str, ready: Sequence[str | Path]) -> None:
        def tried() -> bool:
            return subprocess.run(self.host.command(ready), capture_output=True).returncode == 0

        wait_for(tried, lambda: process.poll() is None, lambda: tail(self.host.disk / log))


_S3_KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_DEFAULT_REGION": "us-east-1"}


def wait_for(ready: Callable[[], bool], alive: Callable[[], bool], says: Callable[[], str]) -> None:
    """Waits until something is ready.

    Raises:
        RuntimeError: with what it says, if it has ended or takes too long.
    """
    deadline = time.monotonic() + _START_LIMIT
    while not ready():
        if not alive() or time.monotonic() > deadline:
            raise RuntimeError(f"it did not get ready: {says()}")
        time.sleep(0.2)


def tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:]
