"""The doctor finds what is seeded, and says what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

import sqlml
from sqlml.doctor import CHECKS, Setup, examine
from sqlml.doctor.finding import Finding, Status
from sqlml.doctor.java import java, java_version, javac
from sqlml.doctor.packages import libraries, pandas, python
from sqlml.doctor.places import audit, folder, ports, store
from sqlml.doctor.spark import executors, jar, programs, pyspark, spark_home


def _setup(home: Path, settings: dict[str, str] | None = None, **variables: str) -> Setup:
    return Setup(home, settings or {}, {**os.environ, **variables})


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def _only(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    assert bool(finding.remedy) == (finding.status is not Status.OK), "what is wrong has a remedy"
    return finding


def test_nothing_is_wrong_here(tmp_path: Path) -> None:
    """The machine the tests run on passes; so every other test sees one seeded fault."""
    failed = [(name, found) for name, found in examine(_setup(tmp_path)) if found.status is Status.FAILED]
    assert failed == []


def test_checks_have_names_of_their_own() -> None:
    assert len({name for name, _ in CHECKS}) == len(CHECKS)


# -- Java --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_292"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("The operation couldn't be completed.", None),
    ],
)
def test_java_versions(text: str, version: int | None) -> None:
    assert java_version(text) == version


def test_no_java(tmp_path: Path) -> None:
    found = _only(java(_setup(tmp_path, JAVA_HOME=str(tmp_path / "nowhere"))))
    assert found.status is Status.FAILED
    assert "JAVA_HOME" in found.detail
    assert _only(java(_setup(tmp_path, JAVA_HOME="", PATH=str(tmp_path)))).detail == "There is no java in the PATH."


def test_old_java(tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "java", """echo 'openjdk version "11.0.2"' >&2""")
    found = _only(java(_setup(tmp_path, JAVA_HOME=str(tmp_path))))
    assert found.status is Status.FAILED
    assert "Java 11" in found.detail


def test_broken_java(tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "java", "echo 'cannot load libjvm' >&2; exit 3")
    found = _only(java(_setup(tmp_path, JAVA_HOME=str(tmp_path))))
    assert found.status is Status.FAILED
    assert "cannot load libjvm" in found.detail


def test_no_compiler(tmp_path: Path) -> None:
    assert _only(javac(_setup(tmp_path, JAVA_HOME=str(tmp_path)))).status is Status.WARNING


# -- Spark -------------------------------------------------------------------------------------------------------------


def test_other_spark_home(tmp_path: Path) -> None:
    found = _only(spark_home(_setup(tmp_path, SPARK_HOME=str(tmp_path))))
    assert found.status is Status.FAILED
    assert "no Spark" in found.detail
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "spark-core_2.12-3.5.1.jar").touch()
    found = _only(spark_home(_setup(tmp_path, SPARK_HOME=str(tmp_path))))
    assert found.status is Status.FAILED
    assert "Spark 3.5.1" in found.detail


def test_stray_programs(tmp_path: Path) -> None:
    stray = _program(tmp_path / "old" / "spark-sql", "exit 1")
    found = _only(programs(_setup(tmp_path, PATH=f"{stray.parent}:{os.environ['PATH']}", SPARK_HOME="")))
    assert found.status is Status.WARNING
    assert str(stray) in found.detail


def test_this_pyspark(tmp_path: Path) -> None:
    assert _only(pyspark(_setup(tmp_path))).status is Status.OK


@pytest.mark.parametrize("fault", ["missing", "damaged", "old"])
def test_jar(fault: str, tmp_path: Path) -> None:
    """On a copy of the package's light part, run by another process."""
    source = Path(sqlml.__file__).parent
    copy = tmp_path / "sqlml"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    place = copy / "spark" / "jars" / "sqlml.jar"
    place.unlink()
    if fault == "damaged":
        place.write_bytes(b"PK")
    elif fault == "old":
        with zipfile.ZipFile(place, "w") as content:
            content.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Version: 0.0.1\n")
    program = (
        "from sqlml.doctor import Setup; from sqlml.doctor.spark import jar\n"
        "for found in jar(Setup('.', {}, {})): print(found.status, found.detail, found.remedy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("failed ")
    assert {"missing": "is missing", "damaged": "is damaged", "old": "has version 0.0.1"}[fault] in done.stdout
    assert _only(jar(_setup(tmp_path))).status is Status.OK


# -- Python ------------------------------------------------------------------------------------------------------------


def test_this_python(tmp_path: Path) -> None:
    for check in (python, pandas):
        assert _only(check(_setup(tmp_path))).status is Status.OK
    assert {found.status for found in libraries(_setup(tmp_path))} <= {Status.OK, Status.WARNING}


def test_executors_python_is_not_there(tmp_path: Path) -> None:
    found = _only(executors(_setup(tmp_path, {"spark.pyspark.python": "/no/such/python"})))
    assert found.status is Status.FAILED
    assert "/no/such/python" in found.detail


def test_executors_python_lacks_a_package(tmp_path: Path) -> None:
    bare = _program(tmp_path / "python", f'exec {sys.executable} -I -S "$@"')
    found = list(executors(_setup(tmp_path, PYSPARK_PYTHON=str(bare))))
    assert {finding.status for finding in found} == {Status.FAILED}
    assert [finding.detail.split(" cannot import ")[1].split(":")[0] for finding in found] == [
        "numpy",
        "pyarrow",
        "onnxruntime",
    ]


def test_executors_python_has_other_versions(tmp_path: Path) -> None:
    answer = json.dumps({"python": "3.9", "numpy": "1.0", "pyarrow": "1", "onnxruntime": "1"})
    other = _program(tmp_path / "python", f"echo '{answer}'")
    found = list(executors(_setup(tmp_path, PYSPARK_PYTHON=str(other))))
    assert [finding.status for finding in found] == [Status.FAILED, *3 * [Status.WARNING]]
    assert "python 3.9, but the driver has" in found[0].detail
    assert "onnxruntime 1, but the driver has" in found[-1].detail


def test_executors_python_comes_in_an_archive(tmp_path: Path) -> None:
    settings = {"spark.archives": "environment.tar.gz#environment", "spark.pyspark.python": "./environment/bin/python"}
    assert _only(executors(_setup(tmp_path, settings))).status is Status.OK
    del settings["spark.archives"]
    assert _only(executors(_setup(tmp_path, settings))).status is Status.FAILED


def test_the_audit_log_is_named(tmp_path: Path) -> None:
    store = {"spark.sqlml.registry.uri": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    assert _only(audit(_setup(tmp_path, store))).detail == str(tmp_path / "sqlml-audit.jsonl")
    assert _only(audit(_setup(tmp_path, {"spark.sqlml.audit": "off"}))).status is Status.WARNING
    assert _only(audit(_setup(tmp_path, {"spark.sqlml.audit": "log"}))).status is Status.OK
    assert _only(audit(_setup(tmp_path, {"spark.sqlml.audit": "/etc/hostname/audit.jsonl"}))).status is Status.FAILED


# -- places ------------------------------------------------------------------------------------------------------------


def test_registry_that_does_not_exist_yet(tmp_path: Path) -> None:
    settings = {"spark.sql.warehouse.dir": str(tmp_path / "warehouse")}
    assert "created at first use" in _only(store(_setup(tmp_path, settings))).detail
    assert list(tmp_path.iterdir()) == []


def test_registry_that_is_down(tmp_path: Path) -> None:
    """A port that accepts and never answers: the worst kind."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://someone:secret@127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        found = _only(store(_setup(tmp_path, {"spark.sqlml.registry.uri": uri})))
    assert found.status is Status.FAILED
    assert time.monotonic() - started < 15
    assert "secret" not in found.detail


def test_registry_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "models.db").write_bytes(b"not a database" * 100)
    found = _only(store(_setup(tmp_path, {"spark.sqlml.registry.uri": f"sqlite:///{tmp_path}/models.db"})))
    assert found.status is Status.FAILED


def test_folder(tmp_path: Path) -> None:
    assert _only(folder(_setup(tmp_path / "new" / ".sqlml"))).status is Status.OK
    assert not (tmp_path / "new").exists()


def test_ports(tmp_path: Path) -> None:
    assert {found.status for found in ports(_setup(tmp_path))} <= {Status.OK, Status.WARNING}


# -- the command -------------------------------------------------------------------------------------------------------


def _doctor(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sqlml", "doctor", *arguments],
        cwd=home, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_json(tmp_path: Path) -> None:
    done = _doctor(tmp_path, "--json", JAVA_HOME=str(tmp_path))
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (1, False)
    assert {name for name, _ in CHECKS} == {finding["check"] for finding in report["findings"]}
    (failed,) = [finding for finding in report["findings"] if finding["status"] == "failed"]
    assert failed["check"] == "Java"
    assert "Install a JDK" in failed["remedy"]


def test_text(tmp_path: Path) -> None:
    done = _doctor(tmp_path, SPARK_HOME="")
    assert done.returncode == 0, done.stdout
    assert "✓ Java: " in done.stdout
    assert list(tmp_path.iterdir()) == [], "the doctor changes nothing"
