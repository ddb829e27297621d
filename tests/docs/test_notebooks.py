"""The example notebooks that need nothing but sqlml: their cells run from the first to the last."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.folders import ROOT


def _cells(name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((ROOT / "examples" / name).read_text(encoding="utf-8"))["cells"]
    return found


@pytest.mark.slow
def test_bring_your_model(tmp_path: Path) -> None:
    cells = _cells("bring_your_model.ipynb")
    # Kept without outputs, so that a change of it can be read.
    assert [cell for cell in cells if cell.get("outputs")] == []
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")  # type: ignore[arg-type]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    accuracy = re.search(r"held-out flights: ([\d.]+)", done.stdout)
    assert accuracy and float(accuracy[1]) > 0.85
    difference = re.search(r"largest difference: (\S+)", done.stdout)
    assert difference and float(difference[1]) < 1e-12
    assert re.search(r"\| +EV\| +\d+\|0\.\d+\|", done.stdout)
    assert "predicted_late" in done.stdout
