"""Conversions between Arrow and NumPy without pandas.

pyarrow's own conversions import pandas, which a worker needs for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def arrow_numbers(numbers: NDArray[Any]) -> pa.Array:
    """Returns a column of the Arrow type of the array's dtype, zero-copy for a contiguous array. NaN stays NaN."""
    import numpy as np
    import pyarrow as pa

    kept = np.ascontiguousarray(numbers)
    return pa.Array.from_buffers(pa.from_numpy_dtype(kept.dtype), len(kept), [None, pa.py_buffer(kept)])


def arrow_doubles(numbers: NDArray[Any]) -> pa.Array:
    """Returns a column of doubles."""
    import numpy as np

    return arrow_numbers(numbers.astype(np.float64, copy=False))


def arrow_offsets(rows: int, each: int) -> pa.Array:
    """Returns the offsets of a list column whose lists all have `each` elements."""
    import numpy as np

    return arrow_numbers(np.arange(rows + 1, dtype=np.int32) * np.int32(each))


def arrow_texts(texts: Sequence[str]) -> pa.Array:
    """Returns a column of texts."""
    import numpy as np
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    ends = np.array([0, *accumulate(map(len, encoded))], np.int32)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def numpy_numbers(column: pa.Array) -> NDArray[Any]:
    """Returns a column of numbers as a NumPy array, read-only where that takes no copy.

    NULL is NaN in an array of floats, and undefined in one of integers.
    """
    import numpy as np
    import pyarrow as pa

    if not column.null_count:
        return np.from_dlpack(column)
    plain = pa.Array.from_buffers(column.type, len(column), [None, column.buffers()[1]], offset=column.offset)
    found: NDArray[Any] = np.from_dlpack(plain)
    return np.where(missing(column), np.nan, found) if pa.types.is_floating(column.type) else found


def missing(column: pa.Array) -> NDArray[np.bool_]:
    """Returns a mask of the rows in which a column is NULL."""
    import numpy as np
    import pyarrow as pa

    return np.from_dlpack(column.is_null().cast(pa.int8())).astype(np.bool_)
