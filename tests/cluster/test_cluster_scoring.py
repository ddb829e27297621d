"""A cluster whose hosts share no files with the driver: golden files, a million rows, another ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import onnxruntime
import pytest
from helpers.cluster.drivers import Driver
from helpers.cluster.exact import ENGINES, expected, score, train
from helpers.cluster.lacking import services_lack
from helpers.cluster.opening import Cluster, cluster
from helpers.cluster.spark_daemons import older_executor_python
from helpers.doors.checking import check
from helpers.folders import GOLDEN, ROOT

pytestmark = [
    pytest.mark.doors,
    pytest.mark.nightly,
    pytest.mark.skipif(bool(services_lack()), reason=services_lack()),
]

# Those in which executors do most; tests/doors/test_cluster.py has all of them on hosts that share their files.
_GOLDEN = ("engine", "enrich_table", "predict", "predict_outputs", "predict_proba", "predict_provenance")
_GOLDEN += ("retrain_model", "text_columns", "train_model", "transform", "value_types", "without_target")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("scoring"), pythons=(older_executor_python(),)) as opened:
        yield opened


@pytest.fixture(scope="module")
def driver(whole: Cluster) -> Iterator[Driver]:
    opened = whole.driver()
    yield opened
    opened.close()


@pytest.mark.parametrize("name", _GOLDEN)
def test_golden(name: str, driver: Driver) -> None:
    check(driver.door, GOLDEN / f"{name}.sql")


@pytest.mark.parametrize("estimator", ["decision_tree", "mllib.decision_tree"])
def test_a_million_rows(driver: Driver, estimator: str) -> None:
    driver.rows(train("exact", estimator))
    for engine in ENGINES:
        assert driver.rows(f"SET spark.sqlml.engine = {engine}", score("exact")) == expected()
    driver.rows("DROP MODEL exact")


def test_workers_have_nothing_of_the_driver(whole: Cluster, driver: Driver) -> None:
    driver.rows("SELECT count(*) FROM range(0, 100, 1, 4)")
    for worker in whole.workers:
        assert len(worker.executors()) == 1
        lacks = "import importlib.util as of; print([of.find_spec(x) for x in ('sqlml', 'mlflow', 'sklearn')])"
        assert worker.host.run([whole.python, "-c", lacks]) == "[None, None, None]\n"
        with pytest.raises(RuntimeError, match="No such file"):
            worker.host.run(["ls", ROOT / "sqlml"])


def test_an_older_onnx_runtime(whole: Cluster) -> None:
    """Two minor versions older than the driver's."""
    python = older_executor_python()
    for worker in whole.workers:
        older = worker.host.run([python, "-c", "import onnxruntime; print(onnxruntime.__version__)"]).split(".")
        newer = onnxruntime.__version__.split(".")
        assert older[0] == newer[0] and int(older[1]) == int(newer[1]) - 2
    with closing(whole.driver(python=python)) as driver:
        for estimator in ("decision_tree", "random_forest", "k_neighbors", "xgboost.regressor"):
            driver.rows(train("older", estimator))
            used = driver.rows("SET spark.sqlml.engine = onnxruntime", score("older", 100_000))
            assert used == driver.rows("SET spark.sqlml.engine = compiled", score("older", 100_000))
