"""How columns become numbers: the calendar, imputation, categories, in numpy and in the graph alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from sqlml.export import preparation as export
from sqlml.export.graph import DOUBLE, Graph
from sqlml.jobs.preparation import PARTS, CategoryColumn, NumberColumn, Preparation, part
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.signature import TEXT, Feature

_EPOCH = dt.datetime(1970, 1, 1)
_CLOCK = {
    "epoch_day": lambda moment: (moment.date() - _EPOCH.date()).days,
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "dayofweek": lambda moment: moment.isoweekday() % 7 + 1,
    "hour": lambda moment: moment.hour,
    "second_of_day": lambda moment: (
        moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)
    ).total_seconds(),
}


def _moments() -> list[dt.datetime]:
    """The ends of years, of leap days and of the calendar, and moments spread over it."""
    years = [1, 4, 100, 400, 1582, 1600, 1899, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 2400, 9999]
    days = [(1, 1), (2, 28), (3, 1), (12, 31)]
    times = [(0, 0, 0), (11, 59, 59), (12, 0, 0), (23, 59, 59)]
    found = [dt.datetime(year, *day, *time) for year in years for day in days for time in times]
    found += [dt.datetime(year, 2, 29, 13, 30) for year in (4, 400, 1600, 2000, 2024)]
    dice = np.random.default_rng(0)
    return found + [_EPOCH + dt.timedelta(seconds=int(s)) for s in dice.integers(-62e9, 253e9, 2_000)]


def _run(
    features: tuple[Feature, ...], preparation: Preparation, *, one_hot: bool = True, **inputs: Sequence[object]
) -> NDArray[np.float64]:
    """The prepared matrix of some columns, by the graph."""
    widths = [column.width if one_hot else 1 for column in preparation.categories]
    graph = Graph()
    x = export.emit(graph, features, preparation, one_hot=one_hot)
    graph.output("x", x, DOUBLE, len(preparation.numbers) + sum(widths))
    session = onnxruntime.InferenceSession(graph.model().SerializeToString(), providers=["CPUExecutionProvider"])
    texts = {feature.name for feature in features if feature.kind == TEXT}
    columns = {name: np.array(column, dtype=object if name in texts else float) for name, column in inputs.items()}
    (x,) = session.run(None, {name: column.reshape(-1, 1) for name, column in columns.items()})
    return x


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_parts_are_those_of_the_calendar(kind: str) -> None:
    moments = _moments()
    seconds = np.array([(moment - _EPOCH).total_seconds() for moment in moments])
    values = np.floor(seconds / 86_400.0) if kind == "date" else seconds
    for name in PARTS[kind]:
        expected = [float(_CLOCK[name](moment)) for moment in moments]
        np.testing.assert_array_equal(part(name, kind, values), expected, err_msg=name)


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_the_graph_takes_dates_apart_as_numpy_does(kind: str) -> None:
    dice = np.random.default_rng(1)
    values = np.concatenate([[0.0, -0.0, -1.0, np.nan, np.inf, -np.inf], dice.integers(-7e5, 2.9e6, 5_000)])
    if kind == "timestamp":
        values = values * 86_400.0 + dice.random(len(values)) * 86_400.0
        values = np.concatenate([values, np.arange(-5, 5) * 86_400.0 - 1e-6])
    columns = tuple(NumberColumn("when", name, -7.0, 0.0, 1.0) for name in PARTS[kind])
    x = _run((Feature("when", kind),), Preparation(columns, ()), when=list(values))
    for index, name in enumerate(PARTS[kind]):
        with np.errstate(invalid="ignore"):
            expected = part(name, kind, values)
        np.testing.assert_array_equal(x[:, index], np.where(np.isfinite(expected), expected, -7.0), err_msg=name)


def test_a_number_that_is_missing_or_infinite_is_imputed_then_scaled() -> None:
    columns = (NumberColumn("a", "", 5.0, 1.0, 4.0), NumberColumn("b", "", 0.1, 0.1, 0.3))
    x = _run(
        (Feature("a", "double"), Feature("b", "bigint")),
        Preparation(columns, ()),
        a=[np.nan, np.inf, -np.inf, 9.0],
        b=[0.7, 1e308, np.nan, -0.0],
    )
    np.testing.assert_array_equal(x[:, 0], [1.0, 1.0, 1.0, 2.0])
    np.testing.assert_array_equal(x[:, 1], [(0.7 - 0.1) / 0.3, (1e308 - 0.1) / 0.3, 0.0, -0.1 / 0.3])


_TEXTS = ["a", "é☃", "", NULL_TEXT, "\x00", "NULL", "A", "never seen"]


def test_categories_are_one_hot() -> None:
    column = CategoryColumn("t", (NULL_TEXT, "", "a", "é☃"), other=False)
    x = _run((Feature("t", "string"),), Preparation((), (column,)), t=_TEXTS)
    assert x.tolist() == [
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        *[[0, 0, 0, 0]] * 4,
    ]


@pytest.mark.parametrize(("other", "unseen"), [(False, -1.0), (True, 4.0)])
def test_categories_are_one_number_for_trees_that_split_by_sets(other: bool, unseen: float) -> None:
    column = CategoryColumn("t", (NULL_TEXT, "", "a", "é☃"), other=other)
    x = _run((Feature("t", "string"),), Preparation((), (column,)), one_hot=False, t=_TEXTS)
    assert x.ravel().tolist() == [2.0, 3.0, 1.0, 0.0, *[unseen] * 4]


def test_other_has_a_column_of_its_own() -> None:
    column = CategoryColumn("t", ("a", "b"), other=True)
    x = _run((Feature("t", "string"),), Preparation((), (column,)), t=["b", "", "a"])
    assert x.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_numbers_come_before_categories() -> None:
    features = (Feature("t", "string"), Feature("n", "double"))
    preparation = Preparation((NumberColumn("n", "", 0.0, 0.0, 1.0),), (CategoryColumn("t", ("a",), other=False),))
    assert _run(features, preparation, t=["a"], n=[7.0]).tolist() == [[7.0, 1.0]]


def test_json_keeps_everything() -> None:
    preparation = Preparation(
        (NumberColumn("n", "", 0.1, 1 / 3, 1e-300), NumberColumn("d", "year", 1970.0, 0.0, 1.0)),
        (CategoryColumn("t", (NULL_TEXT, "", "é☃"), other=True),),
    )
    assert Preparation.from_json(preparation.to_json()) == preparation


def test_describe() -> None:
    preparation = Preparation(
        (
            NumberColumn("n", "", 0.5, 0.0, 1.0),
            NumberColumn("s", "", 0.5, 1.0, 2.0),
            *(NumberColumn("d", name, 1.0, 0.0, 1.0) for name in PARTS["date"]),
        ),
        (CategoryColumn("t", (NULL_TEXT, "a"), other=False), CategoryColumn("u", ("a",), other=True)),
    )
    assert {name: preparation.describe(name) for name in "nsdtu"} == {
        "n": "NULL counts as 0.5",
        "s": "NULL counts as 0.5; scaled: (x - 1) / 2",
        "d": "parts in UTC: epoch_day, year, month, day, dayofweek; NULL counts as their means",
        "t": "2 categories; NULL is a category; other values count as unknown",
        "u": "1 category; NULL counts as another value; other values are one category",
    }
