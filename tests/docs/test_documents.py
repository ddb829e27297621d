"""The documents for contributors name files, functions and pages that exist, and so does all that names a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from helpers.folders import ROOT, TESTS

_DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
# What paths in the documents are relative to.
_JAVA = ROOT / "sqlml" / "spark" / "java" / "org" / "sqlml"
_BASES = (ROOT, ROOT / "sqlml", _JAVA)
_LINK = re.compile(r"\]\((?P<target>[^)#]+)(?:#(?P<heading>[^)]*))?\)")
# `spark/bridge.py`, `spark/bridge.py:Bridge.run`, `tests/golden/`
_NAMED = re.compile(r"`(?P<path>[\w./-]+(?:\.(?:py|java|sql|md|txt)|/))(?::(?P<name>[\w.]+))?`")


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _found(path: str) -> Path | None:
    return next((base / path for base in _BASES if (base / path).exists()), None)


@cache
def _names(path: Path) -> frozenset[str]:
    """The functions, classes, methods and constants of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".java":
        # Declarations: a type, a name and its parameters.
        return frozenset(re.findall(r"^ +(?!return\b|throw\b|else\b)[\w<>\[\],.?@ ]+ (\w+)\(", text, re.MULTILINE))
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        if isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names)


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_files_and_functions_exist(document: str) -> None:
    missing = []
    for named in _NAMED.finditer(_text(document)):
        path = _found(named["path"])
        if path is None or (named["name"] is not None and named["name"] not in _names(path)):
            missing.append(named[0])
    assert missing == []


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    missing = []
    for link in _LINK.finditer(_text(document)):
        if "://" in link["target"]:
            continue
        path = ROOT / link["target"]
        if not path.exists() or (link["heading"] and link["heading"] not in _headings(path)):
            missing.append(link[0])
    assert missing == []


def _headings(path: Path) -> set[str]:
    """As GitHub writes the headings of a page in addresses."""
    found = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


# `tests/golden/tables.sql`, or a test by its name alone.
_OF_TESTS = re.compile(r"\btests/[\w./-]*\w|(?<![\w/])test_\w+\.py\b")
_TEXTS = ("*.md", "*.py", "*.toml", "Makefile", ".ci/run", "sqlml/**/*.*", "sql/**/*.*", "examples/**/*.*")


def test_what_is_said_of_tests_exists() -> None:
    """In documents and the manual, in comments and in commands."""
    names = {path.name for path in TESTS.rglob("test_*.py")}
    paths = [path for pattern in _TEXTS for path in ROOT.glob(pattern) if path.suffix not in (".jar", ".pyc")]
    paths += [*TESTS.rglob("*.py"), *(TESTS / "benchmarks").rglob("*.md")]
    missing = []
    for path in filter(Path.is_file, paths):
        for said in _OF_TESTS.findall(path.read_text(encoding="utf-8")):
            if not ((ROOT / said).exists() if said.startswith("tests/") else said in names):
                missing.append(f"{path.relative_to(ROOT)}: {said}")
    assert missing == []


def test_every_rule_is_in_the_architecture_in_its_order() -> None:
    extensions = (_JAVA / "SqlmlExtensions.java").read_text(encoding="utf-8")
    injected = re.findall(r"\.inject(?:PostHocResolutionRule|OptimizerRule|PreCBORule|Columnar)\((.*)\);", extensions)
    rules = [re.findall(r"([A-Z]\w+)(?:::|\()", rule)[-1] for rule in injected]
    section = _text("ARCHITECTURE.md").partition("## Rules")[2].partition("\n## ")[0]
    assert re.findall(r"`\w+/(\w+)\.java`", section) == rules
