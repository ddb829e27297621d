"""The cluster behind `--master`: whether its executors run a task, and what each of them has."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from sqlml.doctor.finding import Finding, Setup, failed, ok, warning
from sqlml.doctor.spark import EXECUTOR_MODULES, installed

# A standalone master that does not answer is given up by Spark after a minute.
_SECONDS = 150
_SECONDS_TO_END = 15


def cluster(setup: Setup) -> Iterator[Finding]:
    """Runs a task on every executor. A local master has none."""
    master = setup.settings.get("spark.master", "local")
    if master == "local" or master.startswith("local["):
        yield ok(f"none: the master is {master}")
        return
    try:
        found = _answer(setup)
    except OSError as error:
        yield failed(
            f"{master} has run no task: {error}",
            "Start it, or give it free cores and memory. Its Python must have the minor version of the driver's.",
        )
        return
    yield from _workers(found)
    if "unusable" not in found:
        yield warning("The warehouse was not tried: there was no time left.", "Try again when executors are free.")
    elif found["unusable"]:
        yield failed(
            f"The warehouse {found['warehouse']} cannot be used by all: {found['unusable']}.",
            "Set spark.sql.warehouse.dir to a folder that the driver and all executors share, and may write to.",
        )
    else:
        yield ok(f"Executors write to the warehouse {found['warehouse']}, and read from it")


def _answer(setup: Setup) -> dict[str, Any]:
    # Spark prints to standard output, too: the answer is the line that begins with this.
    mark = secrets.token_hex(8)
    settings = {**setup.settings, "spark.ui.enabled": "false"}
    request = {"settings": settings, "modules": EXECUTOR_MODULES, "mark": mark}
    command = [sys.executable, "-m", "sqlml.spark.cluster_probe"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        env=dict(setup.environment),
    ) as process:  # fmt: skip
        try:
            stdout, stderr = process.communicate(json.dumps(request), timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            # As by Ctrl-C, so that it cancels its job and deletes what it wrote.
            process.send_signal(signal.SIGINT)
            try:
                stdout, stderr = process.communicate(timeout=_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                stdout, stderr = process.communicate()
            stderr = f"{stderr}\nError: there was no answer within {_SECONDS} s."
    answer: dict[str, Any] = {}
    for line in stdout.splitlines():
        if line.startswith(mark):
            answer |= json.loads(line.removeprefix(mark))
    if answer:
        return answer
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "Exception: " in line or "Error: " in line or "giving up" in line.lower()]
    raise OSError((telling or lines or ["it printed nothing."])[-1][:400])


def _workers(found: dict[str, Any]) -> Iterator[Finding]:
    workers = {(one["host"], one["program"]): one for one in found["workers"]}.values()
    here = {"python": ".".join(map(str, sys.version_info[:2]))}
    good = True
    for worker in workers:
        place = f"{worker['program']} on {worker['host']}"
        for name, version in worker["versions"].items():
            own = here.get(name) or installed(name)
            if version.startswith("!"):
                good = False
                yield failed(
                    f"{place} cannot import {name}: {version[1:]}",
                    "Install it there, send an environment with --archives, or name another Python in"
                    " spark.pyspark.python. Only compiled models need nothing there.",
                )
            elif version != own:
                yield warning(f"{place} has {name} {version}, but the driver has {own}.", "Install the same version.")
        if worker["problem"]:
            good = False
            yield failed(f"ONNX Runtime of {place} cannot run a graph: {worker['problem']}", "Install it again there.")
    if good:
        hosts = ", ".join(sorted({worker["host"] for worker in workers}))
        java = ", ".join(found["java"])
        count = f"{found['executors']} {'executor' if found['executors'] == 1 else 'executors'}"
        yield ok(f"{count} on {hosts}: Java {java}, and ONNX Runtime runs a graph")
