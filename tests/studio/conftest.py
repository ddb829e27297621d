"""A studio over a new folder, a browser, and a table and a model that are made in it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.doors.servers import free_port
from helpers.studio_visitor import WIDE, Visitor, chromium, run

from sqlml.cli.home import Home

_START = 180.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that the command prints, of a studio over a new folder."""
    chromium()
    folder = tmp_path_factory.mktemp("studio")
    port = free_port()
    command = [sys.executable, "-m", "sqlml", "studio", "--no-browser", "--port", str(port), "--master", "local[2]"]
    log = folder / "studio.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        printed = _printed(log, process)
        # Whoever leaves a page cancels its query, and a thread that opens Derby must not be interrupted.
        assert Home(folder / ".sqlml").catalogue_user() is not None, "the catalogue is not open"
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    said = log.read_text(encoding="utf-8")
    assert "Traceback" not in said and "deleted" not in said, said


def _printed(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"sqlml studio: (http://127\.0\.0\.1:\d+/\?token=\S+)", log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # In a container there is no way to the sandbox for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Any]:
    """Makes visitors, and asks each at the end whether anything went wrong."""
    visitors: list[tuple[Any, Visitor]] = []

    def one(name: str, size: dict[str, int] = WIDE, colours: str = "light") -> Visitor:
        context = browser.new_context(viewport=size, color_scheme=colours)
        visitors.append((context, Visitor(context, url, name)))
        return visitors[-1][1]

    yield one
    for _, visitor in visitors:
        visitor.check()
    for context, _ in visitors:
        context.close()


@pytest.fixture(scope="module")
def filled(browser: Any, url: str) -> None:
    """A table and a model, made on the SQL page by the examples that empty pages offer."""
    context = browser.new_context(viewport=WIDE)
    visitor = Visitor(context, url, "sql")
    visitor.open("/sql?example=table")
    run(visitor, "")
    assert "The statement has no result" in visitor.content()
    visitor.open("/sql?example=model")
    run(visitor, "")
    assert "sklearn.random_forest" in visitor.page.inner_text(".result")
    visitor.look("trained")
    visitor.check()
    context.close()
