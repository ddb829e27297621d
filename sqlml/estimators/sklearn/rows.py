"""The training rows of scikit-learn: reads an Arrow table, orders the rows by a hash, splits them and encodes the
labels.

Each row's rank comes from a hash of its content and the seed, so the same rows give the same model in whatever order
the query returned them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.estimators import label_options
from sqlml.estimators.sklearn import split
from sqlml.jobs.job import MOST_CLASSES, Job
from sqlml.jobs.preparation import PARTS, part
from sqlml.scoring.feature_values import values
from sqlml.scoring.scorer import plain_labels
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature, Signature, kind_of

# Rows hashed per batch; a batch of this size stays in the processor's cache.
_ROWS_AT_ONCE = 8_192
# Without held-out rows the metrics are measured on training rows; a sample of this size is representative.
MOST_MEASURED = 50_000


@dataclass(frozen=True)
class Part:
    """The training rows or the held-out rows.

    Attributes:
        frame: [rows] the columns that a ColumnTransformer takes; see `frame`.
        target: [rows] label indices, or the numbers to predict.
        source: [rows] each row's index in the table it was read from.
        weights: [rows] sample weights; None if all rows weigh the same.
    """

    frame: pd.DataFrame
    target: NDArray[Any]
    source: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.target)

    def at(self, places: NDArray[np.int64]) -> Part:
        """A copy of the rows at the given indices."""
        weights = None if self.weights is None else self.weights[places]
        return Part(self.frame.iloc[places], self.target[places], self.source[places], weights)


@dataclass(frozen=True)
class Rows:
    """The training rows and the held-out rows of a job.

    Attributes:
        labels: the classes in ascending order; empty for regression.
    """

    learned: Part
    held_out: Part
    labels: tuple[Any, ...]

    @property
    def counts(self) -> list[int]:
        """The number of rows of each class, training and held-out rows together."""
        targets = np.concatenate([self.learned.target, self.held_out.target])
        return np.bincount(targets, minlength=len(self.labels)).tolist() if self.labels else []

    def measured(self) -> Part:
        """The rows to measure metrics on: the held-out rows, or else the training rows, from which a sample with every
        class is drawn if they are more than `MOST_MEASURED`."""
        if len(self.held_out):
            return self.held_out
        return split.sampled(self.learned, MOST_MEASURED, self.labels)


def number_columns(features: Sequence[Feature]) -> list[tuple[Feature, str, str]]:
    """The numeric columns of `frame` as (feature, part, column name), in the order of the prepared matrix."""
    return [
        (feature, name, f"n{index}_{name}")
        for index, feature in enumerate(features)
        if feature.kind != TEXT
        for name in PARTS.get(feature.kind, ("",))
    ]


def text_columns(features: Sequence[Feature]) -> list[tuple[Feature, str]]:
    """The text columns of `frame` as (feature, column name)."""
    return [(feature, f"t{index}") for index, feature in enumerate(features) if feature.kind == TEXT]


def frame(features: Sequence[Feature], columns: Sequence[pa.ChunkedArray | pa.Array]) -> pd.DataFrame:
    """The features as a pandas DataFrame of float64 columns (missing and infinite values are NaN) and `str` columns,
    under names that cannot collide. The numbers are one column-major matrix, which most libraries take without a
    copy."""
    return _frame(features, *_inputs(features, columns, len(columns[0])))


def _frame(features: Sequence[Feature], numbers: NDArray[np.float64], texts: dict[str, NDArray[Any]]) -> pd.DataFrame:
    found = pd.DataFrame(numbers, columns=[name for _, _, name in number_columns(features)], copy=False)
    return pd.concat([found, pd.DataFrame(texts, copy=False)], axis=1, copy=False) if texts else found


def _inputs(
    features: Sequence[Feature], columns: Iterable[pa.ChunkedArray | pa.Array], rows: int
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """The numbers as a matrix [rows, `number_columns`], and the texts by column name."""
    names, texts, place = dict(text_columns(features)), dict[str, NDArray[Any]](), 0
    numbers = np.empty((rows, len(number_columns(features))), order="F")
    for feature, column in zip(features, columns, strict=True):
        # Columns are converted one at a time: a second copy of all of them would need more memory than most fits.
        found = values(feature, column)
        if feature.kind == TEXT:
            texts[names[feature]] = found
            continue
        for name in PARTS.get(feature.kind, ("",)):
            of_part = part(name, feature.kind, found) if name else found
            numbers[:, place] = np.where(np.isfinite(of_part), of_part, np.nan)
            place += 1
    return numbers, texts


def read(table: pa.Table, job: Job) -> Rows:
    """Splits a table into training and held-out rows; rows without a target are dropped, if there is a target.

    Args:
        table: has the job's columns by name.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS, SQLML_TARGET_INVALID, SQLML_OPTION_INVALID.
    """
    # The steps: drop rows without a target, encode labels, convert columns, order rows by hash, decide which rows are
    # held out, and cut the matrix in two.
    if table.num_rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to train on.")
    signature = job.signature
    labels: tuple[Any, ...] = ()
    usable = np.arange(table.num_rows)
    targets: NDArray[Any] = np.zeros(table.num_rows)
    if signature.target is not None:
        target = _target(table, signature)
        usable = np.flatnonzero(pa.compute.is_valid(target).to_numpy(zero_copy_only=False))
        if not len(usable):
            raise SqlmlError(
                "SQLML_TARGET_INVALID",
                f"The target {signature.target} is NULL in all rows.",
                hint="Choose another target, or check the conditions of the query.",
            )
        if len(usable) < table.num_rows:
            target = target.take(pa.array(usable))
        if signature.task == "classification":
            labels, targets = _classes(target, signature)
        else:
            targets = target.to_numpy(zero_copy_only=False)
    numbers, texts = _inputs(signature.features, (_of(table, name, usable) for name in signature.names), len(usable))
    order = np.argsort(_hashes([*numbers.T, *texts.values()], targets, job.seed), kind="stable")
    targets = targets[order]
    others = pa.table({name: _of(table, name, usable) for name in (job.split_column, job.weight_column) if name})
    held = split.held_out(job, others, order, targets, labels)
    weights = split.weights(job, others, order, targets, labels, held)
    # Arrow's pool keeps the memory of the temporary copies, as much as all columns together.
    pa.default_memory_pool().release_unused()
    both = np.flatnonzero(~held), np.flatnonzero(held)
    learned, held_out = (
        Part(
            _frame(signature.features, matrix, {name: column[order[places]] for name, column in texts.items()}),
            targets[places],
            usable[order[places]],
            None if weights is None else weights[places],
        )
        for matrix, places in zip(_parted(numbers, *(order[places] for places in both)), both, strict=True)
    )
    return Rows(learned, held_out, labels)


def _of(table: pa.Table, name: str, usable: NDArray[np.int64]) -> pa.ChunkedArray:
    """A column of the usable rows. It is copied only if some rows are unusable; one column at a time needs less memory
    than the whole table."""
    column = table.column(name)
    return column if len(usable) == len(column) else column.take(pa.array(usable))


def _parted(
    numbers: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float64], ...]:
    """Splits a column-major matrix by two sets of row indices that together cover all rows. Both results reuse the
    memory of `numbers`, which is overwritten: a second copy of all columns would need more memory than most fits."""
    rows, width = numbers.shape
    memory = numbers.ravel(order="F")
    others = np.empty((len(second), width), order="F")
    for place in range(width):
        column = memory[place * rows : (place + 1) * rows].copy()
        others[:, place] = column[second]
        # In-place compaction is safe: the write offset never passes the end of the column just read, because a part has
        # no more rows than the whole.
        memory[place * len(first) : (place + 1) * len(first)] = column[first]
    memory[len(first) * width :] = others.ravel(order="F")
    matrices = np.split(memory, [len(first) * width])
    return tuple(
        matrix.reshape((len(places), width), order="F")
        for matrix, places in zip(matrices, (first, second), strict=True)
    )


def _hashes(inputs: Sequence[NDArray[Any]], targets: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each row's content and the seed. Equal rows have equal hashes, so their relative order does not
    matter."""
    hashes = np.full(len(targets), seed, dtype=np.uint64)
    columns = [_digests(column) if column.dtype == object else column for column in (*inputs, targets)]
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        for column in columns:
            hashes[some] ^= _bits(column[some])
            _mix(hashes[some])
    return hashes


def _digests(texts: NDArray[Any]) -> NDArray[np.uint64]:
    # pandas.factorize is no option here: it compares texts only up to their first NUL.
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in encoded.dictionary.to_pylist()]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)[encoded.indices.to_numpy()]


def _bits(column: NDArray[Any]) -> NDArray[np.uint64]:
    if column.dtype == np.uint64:
        return column
    # Adding 0.0 turns -0.0 into 0.0; `_inputs` has made all NaNs the same.
    return (column + 0.0).view(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> None:
    """Mixes 64-bit values in place: adds the odd constant of SplitMix64 and applies its finaliser (Steele, Lea, Flood
    2014)."""
    bits += np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)


# -- the target --------------------------------------------------------------------------------------------------------


def _target(table: pa.Table, signature: Signature) -> pa.Array:
    """The target column as numbers or labels; NULL where the row cannot be used."""
    column = table.column(signature.target).combine_chunks()
    if signature.task == "regression":
        if not _is_number(column.type):
            raise SqlmlError(
                "SQLML_TARGET_INVALID",
                f"The target {signature.target} is not a number, so a regression cannot predict it.",
                hint="Convert it to a number in the query, or use an estimator for classification.",
            )
        return _finite(values(Feature(signature.target or "", "double"), column))
    kind = kind_of(signature.target_type)
    if kind == BOOLEAN or (kind == NUMBER and signature.target_type in INTEGERS):
        return column.cast(pa.bool_() if kind == BOOLEAN else pa.int64())
    if signature.target_type in ("float", "double"):
        return _finite(column.cast(pa.float64()).to_numpy(zero_copy_only=False) + 0.0)  # there is no class -0.0
    if pa.types.is_timestamp(column.type):
        zone = column.type.tz
        column = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()).cast(pa.timestamp("us"))
    return column.cast(pa.string())


def _is_number(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
    return any(check(kind) for check in checks)


def _finite(numbers: NDArray[np.float64]) -> pa.Array:
    return pa.array(numbers, mask=~np.isfinite(numbers))


def _classes(target: pa.Array, signature: Signature) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """The labels in ascending order, and each row's label index."""
    labels = tuple(sorted(target.unique().to_pylist()))
    if len(labels) < 2:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} has only one value, {labels[0]!r}, but a classification needs at least"
            " two.",
        )
    if len(labels) > MOST_CLASSES:
        raise label_options.too_many_classes(signature)
    known = plain_labels(Signature(signature.task, (), None, signature.target_type, labels))
    positions = pa.compute.index_in(target.cast(known.type), value_set=known)
    return labels, positions.to_numpy(zero_copy_only=False).astype(np.int64)
