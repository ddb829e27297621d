"""Where a version comes from: the sources of its rows, a fingerprint of the rows themselves, the software."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# The distributions that decide what an engine learns; those below are the same for all.
_LIBRARIES = {
    "lightgbm": ("lightgbm", "scikit-learn"),
    "mllib": (),
    "onnx": (),
    "sklearn": ("scikit-learn", "scipy"),
    "xgboost": ("xgboost", "scikit-learn"),
}
_ALL = ("numpy", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Source:
    """Something that a training query reads.

    Attributes:
        name: `catalog.database.table`, the files' paths, the name of the view that rows stand in, `model/version`.
        kind: `table`, `files`, `relation` for what a connector reads, `view` and `temporary view` for rows that stand
            in one, `rows` for rows of the query's own, `model`.
        format: parquet, delta, …
        version: of a format that has versions: Delta's, Iceberg's snapshot, what any table of Spark's API calls so.
        files, bytes, digest: of the files as Spark has listed them, of a partitioned table those of the partitions that
            are read; the digest is SHA-256 of their paths, sizes and times of change.
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
    """Where a version comes from.

    Attributes:
        rows: how many the training query gave; 0 for a version that no query has trained.
        fingerprint: of those rows, see `Fingerprint`; None likewise.
        settings: what else decides what the query means: the current database, and settings of Spark.
        software: names and versions.
    """

    sources: tuple[Source, ...] = ()
    rows: int = 0
    fingerprint: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """As values of JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, raw: dict[str, Any]) -> Lineage:
        return cls(**{**_known(cls, raw), "sources": sources(raw["sources"])})


def sources(raw: Sequence[dict[str, Any]]) -> tuple[Source, ...]:
    return tuple(Source(**{**_known(Source, one), "views": tuple(one["views"])}) for one in raw)


def _known(kind: type[Source | Lineage], raw: dict[str, Any]) -> dict[str, Any]:
    """What this release has fields for: a later one may have written more."""
    return {one.name: raw[one.name] for one in fields(kind) if one.name in raw}


class Fingerprint:
    """A number for the content of rows, whatever their order: the same rows have the same one in every session.

    It is made of the number of rows and, over the 64-bit hashes (xxHash64) of all of them, the exclusive or and the sum
    of the upper 28 bits; with the columns' names and types. The sum tells rows that stand there twice, which cancel out
    in the exclusive or. It tells two tables apart, and is no defence against one who makes another table of the same
    fingerprint on purpose.

    Args:
        schema: names and types of the columns that are read.
    """

    def __init__(self, schema: Sequence[tuple[str, str]]) -> None:
        self._schema = list(schema)

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [name for name, _ in self._schema]

    def hash(self, quoted: Sequence[str]) -> str:
        """A row's hash as Spark SQL.

        Args:
            quoted: the columns, as SQL.
        """
        # A NULL leaves a hash as it is, so that (1, NULL) and (NULL, 1) would be the same.
        return f"xxhash64({', '.join(f'{column}, isnull({column})' for column in quoted)})"

    def aggregates(self, quoted: Sequence[str]) -> list[str]:
        """The two aggregates as Spark SQL, see `hash`."""
        hashed = self.hash(quoted)
        # 28 bits of as many rows as there can be are no overflow.
        return [f"bit_xor({hashed})", f"try_sum(shiftrightunsigned({hashed}, 36))"]

    def of(self, rows: int, exclusive_or: int | None, total: int | None) -> str:
        """32 hexadecimal digits, from the values of the aggregates."""
        text = f"{self._schema!r} {rows} {exclusive_or} {total}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def of_hashes(self, hashes: pa.ChunkedArray) -> str:
        """The same from the hashes of all rows."""
        import numpy as np

        found = hashes.to_numpy()
        if not len(found):
            return self.of(0, None, None)
        total = np.sum(found.view(np.uint64) >> np.uint64(36))
        return self.of(len(found), int(np.bitwise_xor.reduce(found)), int(total))


def software(engine: str, spark: str | None) -> dict[str, str]:
    """The versions of what took part.

    Args:
        spark: its version; None where none took part.
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
