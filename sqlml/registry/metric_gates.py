"""Metric gates: conditions on a version's metrics, such as `roc_auc >= 0.8`, all of which have to hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlml.errors import SqlmlError

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """The condition `metric operator bound`. NaN meets none. `offset` is for messages and not part of equality."""

    metric: str
    operator: str
    bound: float
    offset: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.bound!r}"

    def holds(self, value: float) -> bool:
        return OPERATORS[self.operator](value, self.bound)


def check(what: str, metrics: Mapping[str, float], conditions: Sequence[Condition]) -> None:
    """Checks that metrics meet all conditions.

    Args:
        what: the subject of messages: `Version 4 of model churn`.

    Raises:
        SqlmlError: SQLML_METRIC_NOT_FOUND; SQLML_GATE_NOT_MET with the values of all metrics that fail.
    """
    found = [(condition, _value(what, metrics, condition)) for condition in conditions]
    failed = [(condition, value) for condition, value in found if not condition.holds(value)]
    if failed:
        values = "; ".join(f"{one.metric} is {value!r}, not {one.operator} {one.bound!r}" for one, value in failed)
        raise SqlmlError(
            "SQLML_GATE_NOT_MET", f"{what} does not meet the condition: {values}.", offset=failed[0][0].offset
        )


def _value(what: str, metrics: Mapping[str, float], condition: Condition) -> float:
    """A metric by its name; case is ignored where that is unambiguous, as names in SQL are case-insensitive."""
    if condition.metric in metrics:
        return metrics[condition.metric]
    alike = [value for name, value in metrics.items() if name.lower() == condition.metric.lower()]
    if len(alike) == 1:
        return alike[0]
    raise SqlmlError(
        "SQLML_METRIC_NOT_FOUND",
        f"{what} has no metric {condition.metric}.",
        hint=f"Its metrics are {', '.join(sorted(metrics))}." if metrics else "It has no metrics.",
        offset=condition.offset,
    )
