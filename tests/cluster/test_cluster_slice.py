"""One minute of the cluster: what every change must pass. The other files here are the whole of it, nightly."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.cluster.drivers import rows
from helpers.cluster.exact import ENGINES, expected, score, train
from helpers.cluster.lacking import hosts_lack
from helpers.cluster.opening import cluster
from helpers.folders import ROOT

pytestmark = [pytest.mark.doors, pytest.mark.skipif(bool(hosts_lack()), reason=hosts_lack())]


def test_slice(tmp_path: Path) -> None:
    """The registry is away from before the fit until the model has waited for it; then both engines score with it."""
    with cluster(tmp_path, small=True) as small:
        hosts, registry, driver = small.hosts, small.registry, small.driver()
        driver.send(train("exact", seconds=2.0))
        driver.wait_for_line("reading 2 features")
        hosts.cut(registry.host)
        driver.wait_for_line("the model registry does not answer")
        hosts.heal(registry.host)
        ((name, version, *_),) = rows(driver.answers())
        assert (name, version) == ("exact", "1")
        for engine in ENGINES:
            assert driver.rows(f"SET spark.sqlml.engine = {engine}", score("exact")) == expected()
        for worker in small.workers:
            assert len(worker.executors()) == 1
            lacks = "import importlib.util as of; print([of.find_spec(x) for x in ('sqlml', 'mlflow', 'sklearn')])"
            assert worker.host.run([small.python, "-c", lacks]) == "[None, None, None]\n"
            with pytest.raises(RuntimeError, match="No such file"):
                worker.host.run(["ls", ROOT / "sqlml"])
