"""The dbt project of examples/dbt on a Thrift server: built, built again, documented."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.doors.thrift import Thrift
from helpers.environments import client
from helpers.folders import ROOT

if TYPE_CHECKING:
    from helpers.doors.opening import Doors


@pytest.fixture
def server(doors: Doors) -> Iterator[Thrift]:
    """The Thrift server, which other tests list the models of: nothing of the project stays there."""
    server = Thrift(doors.thrift.port)
    yield server
    dropped = server.run(["DROP MODEL IF EXISTS shop.churn", "DROP SCHEMA IF EXISTS shop CASCADE"])
    assert not any(result.failure for result in dropped), dropped


@pytest.mark.nightly
def test_the_example(server: Thrift, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "dbt", project)
    environment = {**os.environ, "THRIFT_PORT": str(server.port), "NO_COLOR": "1"}

    def dbt(*arguments: str, fails: bool = False) -> str:
        command = [str(client("dbt").with_name("dbt")), *arguments]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=400)
        assert (done.returncode != 0) == fails, done.stdout[-4000:] + done.stderr[-1000:]
        return done.stdout

    dbt("deps")
    built = dbt("build")
    assert "shop.churn version 1, {" in built
    # The seed, the model, a table, a view, and five tests, the model's metric among them.
    assert "PASS=9 WARN=0 ERROR=0 SKIP=0" in built
    scored, leavers, described = server.run(
        [
            "SELECT count(*) FROM shop.scored_customers s JOIN shop.customers c ON s.id = c.id"
            " WHERE s.will_leave = PREDICT(shop.churn, age => c.age, plan => c.plan)",
            "SELECT (SELECT count(*) FROM shop.leavers) = count_if(will_leave) FROM shop.scored_customers",
            "SELECT newest_version, target, comment FROM sqlml.models WHERE name = 'shop.churn'",
        ]
    )
    assert (scored.rows, leavers.rows) == ((("60",),), (("true",),))
    assert described.rows == (("1", "churned", "Who of Anna's customers leaves."),)

    assert "shop.churn version 2, {" in dbt("run", "--select", "churn")
    dbt("docs", "generate")
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    assert "model.shop.churn" in manifest["parent_map"]["model.shop.scored_customers"]
    assert "model.shop.scored_customers" in json.loads((project / "target" / "catalog.json").read_text())["nodes"]

    server.run(["CREATE TABLE shop.churn AS SELECT 1 AS one"])
    assert "shop.churn is a table or a view, and shall be a model" in dbt("run", "--select", "churn", fails=True)
