"""The ways between Arrow and NumPy that import no pandas give what pyarrow's own give."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sqlml.scoring.arrow import arrow_numbers, arrow_texts, missing, numpy_numbers
from sqlml.scoring.feature_values import NULL_TEXT, values
from sqlml.signature import Feature

_COLUMNS = {
    "doubles": pa.array([1.5, -0.0, float("nan"), float("inf")]),
    "with NULL": pa.array([1.5, None, float("nan"), 2.0]),
    "only NULL": pa.array([None, None], pa.float64()),
    "NULL without a type": pa.nulls(3).cast(pa.float64()),
    "a slice": pa.array([None, 1.0, None, 3.0]).slice(1, 2),
    "a slice without NULL": pa.array([None, 1.0, 3.0]).slice(1),
    "empty": pa.array([], pa.float64()),
    "nothing of nothing": pa.nulls(0).cast(pa.float64()),
    "float32": pa.array([1.5, None], pa.float32()),
    "integers": pa.array([2**62, -1], pa.int64()),
    "indices": pa.array(["a", "b", "a"]).dictionary_encode().indices,
}


@pytest.mark.parametrize("column", _COLUMNS.values(), ids=_COLUMNS)
def test_numbers_to_numpy(column: pa.Array) -> None:
    found, expected = numpy_numbers(column), column.to_numpy(zero_copy_only=False)
    assert found.dtype == expected.dtype
    assert np.array_equal(np.signbit(found), np.signbit(expected))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("column", [*_COLUMNS.values(), pa.array(["a", None]), pa.nulls(2)])
def test_missing(column: pa.Array) -> None:
    assert missing(column).tolist() == column.is_null().to_pylist()


@pytest.mark.parametrize(
    "numbers",
    [
        np.array([1.5, np.nan, -0.0]),
        np.array([[1.0, 2.0], [3.0, 4.0]])[:, 1],
        np.array([[1.0, 2.0], [3.0, 4.0]], order="F").ravel(),
        np.array([], np.float64),
        np.array([1, 2], np.int32),
        np.arange(10)[::-3],
    ],
)
def test_numbers_to_arrow(numbers: np.ndarray[Any, Any]) -> None:
    found = arrow_numbers(numbers)
    found.validate(full=True)
    assert found.null_count == 0
    assert str(found.to_pylist()) == str(pa.array(numbers).to_pylist())
    assert found.type == pa.array(numbers).type


@pytest.mark.parametrize("texts", [[], [""], ["yes", "no"], ["für", "", "\x00NULL", "数", "🙂"]])
def test_texts_to_arrow(texts: list[str]) -> None:
    found = arrow_texts(texts)
    found.validate(full=True)
    assert found.equals(pa.array(texts, pa.string()))


def test_scoring_imports_no_pandas() -> None:
    program = """
import sys
import numpy as np
import pyarrow as pa
from sqlml.scoring.arrow import arrow_numbers, arrow_texts
from sqlml.scoring.feature_values import values
from sqlml.signature import Feature

column = arrow_numbers(np.array([1.0, 2.0]))
values(Feature("a", "double"), column)
values(Feature("a", "boolean"), column.cast(pa.bool_()))
values(Feature("a", "date"), column.cast(pa.int32()).cast(pa.date32()))
values(Feature("a", "timestamp"), column.cast(pa.int64()).cast(pa.timestamp("us")))
values(Feature("a", "decimal(9,2)"), column.cast(pa.decimal128(9, 2)))
values(Feature("a", "string"), arrow_texts(["x", "y"]))
assert "pandas" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("distinct", [1, 1_000, 1_001])
def test_few_texts_and_many_are_the_same(distinct: int) -> None:
    texts = [None if row % 7 == 0 else f"t{row % distinct}" for row in range(3_000)]
    found = values(Feature("a", "string"), pa.array(texts))
    assert found.dtype == object
    assert found.tolist() == [NULL_TEXT if text is None else text for text in texts]
