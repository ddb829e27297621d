"""Says a golden file at a door and compares."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.doors.golden import answer, differences, read_answers, read_statements, write_answers
from helpers.doors.result import Door
from helpers.folders import GOLDEN

FILES = sorted(GOLDEN.rglob("*.sql"))


def check(door: Door, path: Path, update: bool = False) -> None:
    """Asserts that a door answers as the file says; with `update`, the file is to say what the door answers."""
    statements = [statement for statement in read_statements(path) if statement.is_for(door)]
    if not statements:
        pytest.skip(f"{path.name} is not for {door.name}")
    results = door.run([statement.text for statement in statements])
    for statement, result in zip(statements, results, strict=True):
        assert not (statement.included and result.failure), (statement.text, result.failure, result.raw)
    given = [answer(said, got) for said, got in zip(statements, results, strict=True) if not said.included]
    beside = path.with_name(f"{path.name}.out")
    if update:
        write_answers(beside, given)
        return
    asked = {statement.text for statement in statements}
    expected = [wanted for wanted in read_answers(beside) if wanted.query in asked]
    assert [one.query for one in expected] == [one.query for one in given], f"{beside.name} is old: --update-golden"
    wrong = [differences(door, wanted, got) for wanted, got in zip(expected, given, strict=True)]
    assert not any(wrong), f"{path.name} through {door.name}:\n" + "\n".join(filter(None, wrong))
