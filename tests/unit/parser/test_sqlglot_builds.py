"""The grammar and the compiler on every build of sqlglot they may meet: the compiled one, and the oldest we declare.

Another tool in the same environment may install either. sqlglot's compiled classes refuse to be subclassed, which is
why ours subclass none of them; this test is what keeps it so.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers.environments import library
from helpers.folders import ROOT

_TESTS = [
    "tests/unit/compiler/test_compiler.py",
    "tests/unit/parser/test_grammar.py",
    "tests/unit/parser/test_functions.py",
]


@pytest.mark.slow
@pytest.mark.parametrize("requirement", ["sqlglot[c]==30.30.0", "sqlglot==28.10.1"])
def test_grammar_tests_pass_on(requirement: str) -> None:
    folder = library(requirement)
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COVERAGE_PROCESS_START": ""}
    where = "import sqlglot; print(sqlglot.__file__)"
    found = subprocess.run([sys.executable, "-c", where], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(folder))
    if "[c]" in requirement:
        assert any(folder.rglob("parser*.so"))
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:cov", "-o", "addopts=--import-mode=importlib"]
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *_TESTS], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert tests.returncode == 0, tests.stdout[-3000:]
