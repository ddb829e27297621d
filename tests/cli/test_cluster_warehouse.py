"""A warehouse on the driver's own disk, under a cluster: executors would write to disks of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlml.cli.home import Home
from sqlml.cli.spark import merged
from sqlml.errors import SqlmlError


@pytest.mark.parametrize("master", ["spark://host:7077", "yarn", "k8s://https://host"])
def test_the_commands_refuse_it(tmp_path: Path, master: str) -> None:
    with pytest.raises(SqlmlError, match="disk of each executor") as caught:
        merged(Home(tmp_path), master, {})
    assert caught.value.condition == "SQLML_OPTION_INVALID"
    assert "--conf spark.sqlml.warehouse.shared=true" in caught.value.hint


@pytest.mark.parametrize(
    ("master", "conf"),
    [
        ("local[*]", {}),
        ("local-cluster[2,1,1024]", {}),
        ("spark://host:7077", {"spark.sql.warehouse.dir": "hdfs://host/warehouse"}),
        ("spark://host:7077", {"spark.sqlml.warehouse.shared": "true"}),
    ],
)
def test_they_take_what_all_hosts_have(tmp_path: Path, master: str, conf: dict[str, str]) -> None:
    assert merged(Home(tmp_path), master, conf)["spark.master"] == master
