"""scikit-learn's estimators that predict, as the installed release lists them."""

from __future__ import annotations

import importlib

from sklearn.base import BiclusterMixin, ClassifierMixin, ClusterMixin, DensityMixin, OutlierMixin, RegressorMixin
from sklearn.utils import all_estimators

from sqlml.estimators import ANOMALY_DETECTION, CLASSIFICATION, CLUSTERING, REGRESSION
from sqlml.estimators.estimator import snake_case


def listed() -> dict[str, tuple[str, str]]:
    """Name in snake case → task and class with its public module, sorted by name."""
    found = {}
    for name, kind in all_estimators():
        task = _task(kind)
        if task:
            found[snake_case(name)] = (task, f"{_public_module(kind)}.{name}")
    return dict(sorted(found.items()))


def _task(kind: type) -> str:
    """By the class's base; a mixture, which estimates a density, predicts a cluster."""
    if issubclass(kind, OutlierMixin):
        return ANOMALY_DETECTION
    if issubclass(kind, ClassifierMixin):
        return CLASSIFICATION
    if issubclass(kind, RegressorMixin):
        return REGRESSION
    mixture = issubclass(kind, DensityMixin) and hasattr(kind, "predict")
    return CLUSTERING if mixture or issubclass(kind, ClusterMixin | BiclusterMixin) else ""


def _public_module(kind: type) -> str:
    """The module that offers a class: that which defines it, up to a part that begins with an underscore."""
    parts: list[str] = []
    for part in kind.__module__.split("."):
        if part.startswith("_"):
            break
        parts.append(part)
    module = ".".join(parts)
    assert getattr(importlib.import_module(module), kind.__name__) is kind
    return module


def written(names: dict[str, tuple[str, str]]) -> str:
    """The source of `sqlml/estimators/sklearn/by_name.py`."""
    rows = "".join(_row(*pair) for pair in names.items())
    return f"{_HEAD}BY_NAME: dict[str, tuple[str, str]] = {{\n{rows}}}\n{_FOOT}"


def _row(name: str, value: tuple[str, str]) -> str:
    """One row as ruff formats it."""
    line = f'    "{name}": ("{value[0]}", "{value[1]}"),\n'
    if len(line) <= _WIDTH:
        return line
    return f'    "{name}": (\n        "{value[0]}",\n        "{value[1]}",\n    ),\n'


# Of a line, with its end.
_WIDTH = 121
_HEAD = '''"""scikit-learn's classifiers, regressors, clusterers and detectors by their names in snake case.

Generated from `sklearn.utils.all_estimators()` by `pytest tests/unit/estimators/test_sklearn_by_name.py
--update-golden`. USING looks a name up here and in ESTIMATORS; nothing is imported by a name that came from SQL.
"""

from __future__ import annotations

'''
_FOOT = '''"""Name → task, class with its module. A name has a row of ESTIMATORS or a reason in `refused.REFUSED`."""
'''
