"""The faults of skl2onnx and onnxmltools that the manual lists: each is still there. Where one is repaired, its test
fails: take it out of `sql/reference/converters.md`, and allow what is refused because of it."""

from __future__ import annotations

import re

import pytest
from helpers.folders import ROOT

_PAGE = ROOT / "sql" / "reference" / "converters.md"
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def _programs() -> dict[str, str]:
    """Heading → the program below it."""
    parts = re.split(r"^### ", _PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.splitlines()[0]: _CODE.findall(part)[0] for part in parts[1:]}


@pytest.mark.parametrize("heading", _programs())
def test_the_fault_is_still_there(heading: str) -> None:
    start = _CODE.findall(_PAGE.read_text(encoding="utf-8"))[0]
    exec(compile(start + _programs()[heading], f"{_PAGE.name}: {heading}", "exec"), {})


def test_each_fault_has_one_program() -> None:
    parts = re.split(r"^### ", _PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [len(_CODE.findall(part)) for part in parts] == [1] * len(parts)
    assert all("assert " in program or "pytest.raises" in program for program in _programs().values())
