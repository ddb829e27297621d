"""The manual's page of fidelity: what was measured of each estimator, and what scikit-learn's own names mean."""

from __future__ import annotations

from helpers.folders import ROOT
from sqlml.estimators import CLASSIFICATION, ESTIMATORS, REGRESSION, SKLEARN, WITHOUT_TARGET, resolve
from sqlml.estimators.sklearn.by_name import BY_NAME
from sqlml.estimators.sklearn.refused import REFUSED
from sqlml.export.sklearn import has_emitter

_PAGE = ROOT / "sql" / "reference" / "fidelity.md"
_TASKS = (CLASSIFICATION, REGRESSION, *WITHOUT_TARGET)
PAIRS = [(row.name, task) for row in ESTIMATORS for task in _TASKS if task in row.classes]
_HEADER = """# Fidelity

This page shows how close the ONNX graph of each estimator is to the library that trained it. The rows are 3,000
flights of 2013 with numbers, strings, decimals, booleans, timestamps and NULLs, and hard rows that were made of them:
NULL, NaN, infinities, unseen categories, the ends of ranges and calendars, and values on and next to the splits of
trees. The difference is that of probabilities, scores or predictions, relative above 1. A label mismatch is a tie
that was decided differently. Any other mismatch would refuse the model.

Written by `pytest tests/conformance --update-golden`.

| estimator | task | rows compared | largest difference | label mismatches |
|---|---|---|---|---|
"""
_NAMES = """
## Names of scikit-learn

`USING sklearn.<name>` takes the name of every classifier, regressor, clusterer and detector of scikit-learn in snake
case. It means the estimator in the third column. The graph is written by sqlml's own emitters, or by skl2onnx in
float64 where there is none. [Converters](converters.md) shows what skl2onnx does otherwise than scikit-learn.

Written by `pytest tests/unit/estimators/test_sklearn_by_name.py --update-golden` too.

| name | task | estimator | written by, or why it is refused | largest difference |
|---|---|---|---|---|
"""


def lines() -> dict[tuple[str, str], str]:
    """The lines of the first table by estimator and task."""
    found = text().partition(_NAMES.splitlines()[1])[0].splitlines(keepends=True)
    measured = [line for line in found if line.startswith("| `")]
    return {(_cells(line)[0], _cells(line)[1]): line for line in measured}


def text() -> str:
    return _PAGE.read_text(encoding="utf-8")


def write(measured: dict[tuple[str, str], str]) -> None:
    _PAGE.write_text(page(measured), encoding="utf-8")


def page(measured: dict[tuple[str, str], str]) -> str:
    """The whole page with these lines in its first table."""
    names = "".join(_name(name, measured) for name in BY_NAME)
    return _HEADER + "".join(measured[pair] for pair in PAIRS if pair in measured) + _NAMES + names


def _name(name: str, measured: dict[tuple[str, str], str]) -> str:
    """A line of the second table."""
    task, path = BY_NAME[name]
    if name in REFUSED:
        return f"| `sklearn.{name}` | {task} | refused | {path.rpartition('.')[2]} {REFUSED[name]} | |\n"
    row = resolve(f"{SKLEARN}.{name}", task, SKLEARN)
    writer = "sqlml" if has_emitter(row.class_name(task)) else "skl2onnx"
    difference = _cells(measured[row.name, task])[3] if (row.name, task) in measured else ""
    return f"| `sklearn.{name}` | {task} | `{row.name}` | {writer} | {difference} |\n"


def _cells(line: str) -> list[str]:
    return [cell.strip(" `") for cell in line.split("|")[1:-1]]
