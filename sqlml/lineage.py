"""Lineage of a model version: the sources of its training rows, a fingerprint of the rows, the software versions."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# The distributions that affect a library's result; `_ALL` are common to all libraries.
_LIBRARIES = {
    "catboost": ("catboost", "scikit-learn"),
    "lightgbm": ("lightgbm", "scikit-learn"),
    "mllib": (),
    "onnx": (),
    "sklearn": ("scikit-learn", "scipy"),
    "xgboost": ("xgboost", "scikit-learn"),
}
# The current database, qualified by its catalog, in `Lineage.settings`.
DATABASE = "database"
_ALL = ("numpy", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Source:
    """Something that a training query reads.

    Attributes:
        name: `catalog.database.table`, the files' paths, the name of the view that holds the rows, `model/version`.
        kind: `table`, `files`, `relation` for a connector's, `view` and `temporary view` for rows inside a view, `rows`
            for rows inside the query, `model`.
        format: parquet, delta, …
        version: the version of a format that has versions: Delta's version, Iceberg's snapshot, or that of any table
            of Spark's data source API.
        files, bytes, digest: of the files that Spark has listed, for a partitioned table those of the partitions that
            are read; the digest is SHA-256 of their paths, sizes and modification times.
        views: the views through which it is read, the outermost one first.
    """

    name: str
    kind: str
    format: str | None = None
    version: str | None = None
    files: int | None = None
    bytes: int | None = None
    digest: str | None = None
    views: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lineage:
    """The provenance of a model version.

    Attributes:
        rows: the number of rows of the training query; 0 for a version that no query has trained.
        fingerprint: of those rows, see `Fingerprint`; None likewise.
        settings: what else affects the query's result: the current database, and settings of Spark.
        software: versions by name.
    """

    sources: tuple[Source, ...] = ()
    rows: int = 0
    fingerprint: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Returns the lineage as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, raw: dict[str, Any]) -> Lineage:
        """Returns the lineage of the values of `to_plain`."""
        return cls(**{**_known(cls, raw), "sources": sources(raw["sources"])})


def sources(raw: Sequence[dict[str, Any]]) -> tuple[Source, ...]:
    """Returns the sources of their JSON values."""
    return tuple(Source(**{**_known(Source, one), "views": tuple(one["views"])}) for one in raw)


def _known(kind: type[Source | Lineage], raw: dict[str, Any]) -> dict[str, Any]:
    """The values for which this release has fields; a later release may have written more."""
    return {one.name: raw[one.name] for one in fields(kind) if one.name in raw}


class Fingerprint:
    """An order-independent hash of rows: equal multisets of rows have the same fingerprint in every session.

    It combines the number of rows, the exclusive or of their 64-bit hashes (xxHash64), the sum of the hashes' upper 28
    bits, and the columns' names and types. The sum detects duplicate rows, which cancel out in the exclusive or. It is
    no cryptographic hash: somebody can construct another table with the same fingerprint.

    Args:
        schema: names and types of the columns that are read.
    """

    def __init__(self, schema: Sequence[tuple[str, str]]) -> None:
        self._schema = list(schema)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self._schema]

    def hash(self, quoted: Sequence[str]) -> str:
        """Returns the expression of a row's hash in Spark SQL.

        Args:
            quoted: the columns, as SQL.
        """
        # xxhash64 skips NULL, so without isnull the rows (1, NULL) and (NULL, 1) would have the same hash.
        return f"xxhash64({', '.join(f'{column}, isnull({column})' for column in quoted)})"

    def aggregates(self, quoted: Sequence[str]) -> list[str]:
        """Returns the two aggregates in Spark SQL, the exclusive or and the sum; see `hash`."""
        hashed = self.hash(quoted)
        # The sum of 28-bit numbers overflows only beyond 2^35 rows.
        return [f"bit_xor({hashed})", f"try_sum(shiftrightunsigned({hashed}, 36))"]

    def of(self, rows: int, exclusive_or: int | None, total: int | None) -> str:
        """Returns 32 hexadecimal digits from the number of rows and the values of the aggregates."""
        text = f"{self._schema!r} {rows} {exclusive_or} {total}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def of_hashes(self, hashes: pa.ChunkedArray) -> str:
        """Returns the same from the hashes of all rows."""
        import numpy as np

        found = hashes.to_numpy()
        if not len(found):
            return self.of(0, None, None)
        total = np.sum(found.view(np.uint64) >> np.uint64(36))
        return self.of(len(found), int(np.bitwise_xor.reduce(found)), int(total))


def software(engine: str, spark: str | None) -> dict[str, str]:
    """Returns the versions of Python, sqlml, Spark and the libraries that took part.

    Args:
        spark: its version; None where it took no part.
    """
    import sqlml

    found = {"python": platform.python_version(), "sqlml": sqlml.__version__}
    if spark is not None:
        found["spark"] = spark
    for name in (*_ALL, *_LIBRARIES[engine]):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
