"""Converts a feature's Arrow column to the numpy array that a graph takes; training uses the same conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.scoring.arrow import arrow_texts, numpy_numbers
from sqlml.signature import BOOLEAN, DATE, TEXT, TIMESTAMP, Feature

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

NULL_TEXT = "\x00NULL"
SECONDS_A_DAY = 86_400.0
_MICROS_A_SECOND = 1e6
# Up to 15 digits, a decimal's digits and the power of ten are exact doubles, so their quotient is rounded correctly.
_EXACT_DIGITS = 15
# Up to here texts are converted in Python; for more of them Arrow's conversion pays, which imports pandas.
_FEW_TEXTS = 1_000


def values(feature: Feature, column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Returns a feature's column as float64 with NaN, or for a text as `str` objects."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if feature.kind == TEXT:
        return _texts(column)
    if feature.kind == TIMESTAMP:
        return _seconds(column)
    if feature.kind == DATE:
        return doubles(column.cast(pa.date32()).cast(pa.int32()))
    numbers = doubles(column)
    return _truth(numbers) if feature.kind == BOOLEAN else numbers


def _truth(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers for a boolean feature: any but 0 is true, as in Spark's CAST."""
    import numpy as np

    return np.where(np.isfinite(numbers), numbers != 0.0, np.nan)


def doubles(column: pa.Array) -> NDArray[np.float64]:
    """Returns a column of numbers as float64, NULL as NaN."""
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        return _decimals(column)
    # Unsafe, because an integer beyond 2^53 may become the nearest double.
    return numpy_numbers(column.cast(pa.float64(), safe=False))


def _decimals(column: pa.Array) -> NDArray[np.float64]:
    """The double nearest to each decimal, as in Spark's CAST; Arrow's cast can be off by one ulp."""
    import pyarrow as pa

    if column.type.precision <= _EXACT_DIGITS and column.type.scale >= 0:
        digits = column.cast(pa.decimal128(38, column.type.scale)).view(pa.decimal128(38, 0)).cast(pa.int64())
        return doubles(digits) / 10.0**column.type.scale
    return doubles(column.cast(pa.string()).cast(pa.float64()))


def _seconds(column: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa

    if pa.types.is_date(column.type):
        return doubles(column.cast(pa.date32()).cast(pa.int32())) * SECONDS_A_DAY
    zone = getattr(column.type, "tz", None)
    micros = column.cast(pa.timestamp("us", tz=zone), safe=False)
    return doubles(micros.cast(pa.int64())) / _MICROS_A_SECOND


def _texts(column: pa.Array) -> NDArray[np.object_]:
    import pyarrow as pa

    # Dictionary-encoded, because one Python string per distinct value is cheaper than one per row.
    encoded = column.cast(pa.string()).fill_null(arrow_texts([NULL_TEXT])[0]).dictionary_encode()
    many = len(encoded.dictionary) > _FEW_TEXTS
    distinct = encoded.dictionary.to_numpy(zero_copy_only=False) if many else _objects(encoded.dictionary.to_pylist())
    return distinct[numpy_numbers(encoded.indices)]


def _objects(texts: list[str]) -> NDArray[np.object_]:
    import numpy as np

    return np.array(texts, object)
