"""Emitter of a `Preparation`: adds the graph's inputs and the nodes that compute the prepared matrix.

The arithmetic is the same as in `sqlml.jobs.preparation` (numpy) and `sqlml.estimators.mllib.preparation` (Spark), step
by step in float64: floors of quotients for the calendar, subtract then divide for the scaling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import numpy_helper

from sqlml.export.graph import DOUBLE, STRING, Graph
from sqlml.jobs.preparation import CategoryColumn, CodeColumn, NumberColumn, Preparation
from sqlml.scoring.feature_values import SECONDS_A_DAY
from sqlml.signature import DATE, TEXT, Feature


def emit(graph: Graph, features: Sequence[Feature], preparation: Preparation, *, one_hot: bool = True) -> str:
    """Adds an input for every feature and the nodes up to the prepared matrix; returns its name, [rows, width] double.

    Numbers: Concat → Where(|x| < ∞, x, impute) → Sub mean → Div scale. Texts: LabelEncoder
    (https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html) → Equal with the category indices, for one-hot.
    Flags: Not |x| < ∞.

    Args:
        one_hot: True for a one-hot block per text, False for one number.
    """
    inputs = {
        feature.name: graph.input(feature.name, STRING if feature.kind == TEXT else DOUBLE) for feature in features
    }
    kinds = {feature.name: feature.kind for feature in features}
    blocks, flags = [], list[str]()
    if preparation.numbers:
        numbers, present = _numbers(graph, inputs, kinds, preparation.numbers)
        blocks, flags = [numbers], _flags(graph, present, preparation)
    for column in preparation.categories:
        category = _category(graph, inputs[column.feature], column)
        if one_hot:
            category = graph.op("Equal", category, graph.constant([list(range(column.width))], np.int64))
        blocks.append(graph.cast(category))
    blocks += [_code(graph, inputs[code.feature], code) for code in preparation.codes]
    return graph.concat(blocks + flags)


def _numbers(
    graph: Graph, inputs: dict[str, str], kinds: dict[str, str], columns: Sequence[NumberColumn]
) -> tuple[str, str]:
    """The prepared numbers, and a mask of those that are not missing: each [rows, numbers]."""
    parts: dict[str, _Parts] = {}
    values = []
    for column in columns:
        if not column.part:
            values.append(inputs[column.feature])
            continue
        if column.feature not in parts:
            parts[column.feature] = _Parts(graph, inputs[column.feature], kinds[column.feature])
        values.append(parts[column.feature].named(column.part))
    x = graph.concat(values)
    # |x| < ∞ is False for NaN too.
    present = graph.op("Less", graph.op("Abs", x), graph.constant(np.inf))
    x = graph.op("Where", present, x, graph.constant([[_or_nan(column.impute) for column in columns]]))
    if any(column.mean != 0.0 or column.scale != 1.0 for column in columns):
        x = graph.op("Sub", x, graph.constant([[column.mean for column in columns]]))
        x = graph.op("Div", x, graph.constant([[column.scale for column in columns]]))
    return x, present


def _flags(graph: Graph, present: str, preparation: Preparation) -> list[str]:
    """The flag columns, 1 where a feature is missing: an empty list, or one block."""
    if not preparation.flags:
        return []
    # All parts of a date are missing together, so the first one is enough.
    features = [column.feature for column in preparation.numbers]
    indices = graph.constant([features.index(feature) for feature in preparation.flags], np.int64)
    return [graph.cast(graph.op("Not", graph.op("Gather", present, indices, axis=1)))]


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _category(graph: Graph, value: str, column: CategoryColumn) -> str:
    """A LabelEncoder that maps a text to its category index: [rows, 1] in int64."""
    count = len(column.categories)
    return graph.ml(
        "LabelEncoder",
        value,
        keys_strings=list(column.categories),
        values_int64s=list(range(count)),
        default_int64=count if column.other else -1,
    )


def _code(graph: Graph, value: str, column: CodeColumn) -> str:
    """A LabelEncoder that maps a text to its code: [rows, 1] in double."""
    return graph.ml(
        "LabelEncoder",
        value,
        keys_strings=list(column.categories),
        values_tensor=numpy_helper.from_array(np.array(column.codes, dtype=np.float64)),
        default_tensor=numpy_helper.from_array(np.array([column.default], dtype=np.float64)),
    )


class _Parts:
    """The parts of one date or timestamp; common subexpressions are in the graph once."""

    def __init__(self, graph: Graph, value: str, kind: str) -> None:
        self._graph = graph
        self._value = value
        self._kind = kind
        self._day_name = ""
        self._civil_names: dict[str, str] = {}

    def named(self, part: str) -> str:
        """The name of a part, [rows, 1]."""
        if part == "epoch_day":
            return self._day()
        if part == "dayofweek":
            since_sunday = self._add(self._day(), 4.0)
            return self._add(self._remainder(since_sunday, 7.0), 1.0)
        if part == "second_of_day":
            return self._remainder_of(self._value, self._day(), SECONDS_A_DAY)
        if part == "hour":
            return self._quotient(self.named("second_of_day"), 3600.0)
        return self._civil()[part]

    def _day(self) -> str:
        if not self._day_name:
            is_day = self._kind == DATE
            self._day_name = self._value if is_day else self._quotient(self._value, SECONDS_A_DAY)
        return self._day_name

    def _civil(self) -> dict[str, str]:
        """Year, month and day; `sqlml.jobs.preparation._civil` has the formula."""
        if self._civil_names:
            return self._civil_names
        g = self._graph
        shifted = self._add(self._day(), 719_468.0)
        era = self._quotient(shifted, 146_097.0)
        of_era = self._remainder_of(shifted, era, 146_097.0)
        leaps = g.op("Sub", of_era, self._quotient(of_era, 1_460.0))
        leaps = g.op("Add", leaps, self._quotient(of_era, 36_524.0))
        leaps = g.op("Sub", leaps, self._quotient(of_era, 146_096.0))
        year_of_era = self._quotient(leaps, 365.0)
        days = self._add_products(year_of_era)
        of_year = g.op("Sub", of_era, days)
        from_march = self._quotient(self._add(self._times(of_year, 5.0), 2.0), 153.0)
        before = self._quotient(self._add(self._times(from_march, 153.0), 2.0), 5.0)
        next_year = self._quotient(from_march, 10.0)
        month = g.op("Sub", self._add(from_march, 3.0), self._times(next_year, 12.0))
        year = g.op("Add", g.op("Add", year_of_era, self._times(era, 400.0)), next_year)
        self._civil_names = {"year": year, "month": month, "day": self._add(g.op("Sub", of_year, before), 1.0)}
        return self._civil_names

    def _add_products(self, year_of_era: str) -> str:
        """The days in that many years of an era: 365 a year, plus a leap day every 4 years but not every 100."""
        days = self._graph.op("Add", self._times(year_of_era, 365.0), self._quotient(year_of_era, 4.0))
        return self._graph.op("Sub", days, self._quotient(year_of_era, 100.0))

    def _quotient(self, value: str, divisor: float) -> str:
        return self._graph.op("Floor", self._graph.op("Div", value, self._graph.constant(divisor)))

    def _remainder_of(self, value: str, quotient: str, divisor: float) -> str:
        return self._graph.op("Sub", value, self._times(quotient, divisor))

    def _remainder(self, value: str, divisor: float) -> str:
        return self._remainder_of(value, self._quotient(value, divisor), divisor)

    def _add(self, value: str, constant: float) -> str:
        return self._graph.op("Add", value, self._graph.constant(constant))

    def _times(self, value: str, constant: float) -> str:
        return self._graph.op("Mul", value, self._graph.constant(constant))
