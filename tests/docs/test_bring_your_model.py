"""The tutorial of the manual's page runs from its first block to its last."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.folders import ROOT

from sqlml.conversion.routes import ROUTES

_PAGE = (ROOT / "sql" / "reference" / "bring_your_model.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_tutorial(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "converted by skl2onnx" in done.stdout
    assert re.search(r"\| +S\|0\.\d", done.stdout)


def test_the_table_has_every_route() -> None:
    for route in ROUTES:
        (row,) = re.findall(rf"^\| {route.library} \|.*$", _PAGE, re.MULTILINE)
        assert f"`{route.extra}` |" in row
        assert all(converter in row for converter in route.converters)
