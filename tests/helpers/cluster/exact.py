"""A model whose predictions are small integers, so that sums over any number of rows in any order are exact."""

from __future__ import annotations

ROWS = 1_000_000
ENGINES = ("compiled", "onnxruntime")
_FEATURES, _TARGET = "id % 8 AS a, id % 5 AS b", "3.0D * (id % 8) + id % 5"
# Every pair of values is in the rows that are learned from, several times.
_LEARNED = 2000


def train(name: str, estimator: str = "decision_tree", *, seconds: float = 0.0) -> str:
    """The statement that trains it.

    Args:
        seconds: how much longer executors read the rows, each time.
    """
    rows = f"SELECT {_FEATURES}, {_TARGET} AS y FROM range({_LEARNED}){_slowly(_LEARNED, seconds)}"
    # MLlib's trees are too small without it.
    depth = " OPTIONS (maxDepth = 12)" if estimator.startswith("mllib.") else ""
    return f"TRAIN MODEL {name} USING {estimator} TARGET y{depth} AS {rows}"


def score(name: str, rows: int = ROWS, *, seconds: float = 0.0, partitions: int = 8) -> str:
    """The query that `expected` is the answer to.

    Args:
        seconds: how much longer its tasks take, all of them together.
    """
    called = f"PREDICT({name}, id % 8, id % 5)"
    sums = f"CAST(sum({called}) AS BIGINT), count(*), count_if({called} <> {_TARGET})"
    return f"SELECT {sums} FROM range(0, {rows}, 1, {partitions}){_slowly(rows, seconds)}"


def expected(rows: int = ROWS) -> tuple[tuple[str, ...], ...]:
    """The sum of all predictions, how many there are, and how many are wrong."""
    return ((str(sum(3 * (one % 8) + one % 5 for one in range(rows))), str(rows), "0"),)


def _slowly(rows: int, seconds: float) -> str:
    """A filter that all rows pass; one of a hundred parts of them waits at its first row."""
    if not seconds:
        return ""
    waits = f"java_method('java.lang.Thread', 'sleep', {round(seconds * 10)}L)"
    return f" WHERE IF(id % {rows // 100} = 0, {waits}, 'null') = 'null'"
