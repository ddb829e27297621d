"""The rows scikit-learn learns from: read from Arrow, put in an order of their own, split, labelled by value.

The same rows give the same model in whatever order the query returned them: a row's place comes from a hash of its
content and the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.estimators import label_options, sklearn_split
from sqlml.estimators.job import MOST_CLASSES, Job
from sqlml.estimators.preparation import PARTS, part
from sqlml.scoring import plain_labels, values
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature, Signature, kind_of

# Hashed together, because so many stay in the processor's cache.
_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True)
class Rows:
    """What is learned and what is held out.

    Attributes:
        frame: [rows] the columns that a ColumnTransformer takes; see `frame`.
        target: [rows] positions of labels, or the numbers to predict.
        source: [rows] where each row stands in the table it was read from.
        held: [rows] whether it is held out.
        weights: [rows] how much each counts; None where all count the same.
        labels: the classes in the order of their values; empty for regression.
    """

    frame: pd.DataFrame
    target: NDArray[Any]
    source: NDArray[np.int64]
    held: NDArray[np.bool_]
    labels: tuple[Any, ...]
    weights: NDArray[np.float64] | None = None

    @property
    def learned(self) -> pd.DataFrame:
        """The columns of the rows that are not held out."""
        return _some(self.frame, ~self.held)

    @property
    def measured(self) -> pd.DataFrame:
        """The columns of the rows that metrics are measured on."""
        return _some(self.frame, self.measured_on)

    @property
    def measured_on(self) -> NDArray[np.bool_]:
        """[rows] those that are held out; where none are, all."""
        return self.held if self.held.any() else ~self.held


def _some(frame: pd.DataFrame, chosen: NDArray[np.bool_]) -> pd.DataFrame:
    """Some rows; a view where they stand together, as they do once `read` has put what is held out last."""
    places = np.flatnonzero(chosen)
    if len(places) and places[-1] - places[0] + 1 == len(places):
        return frame.iloc[places[0] : places[-1] + 1]
    return frame[chosen]


def number_columns(features: Sequence[Feature]) -> list[tuple[Feature, str, str]]:
    """Feature, part and column name in `frame` of every number, in the order of the prepared matrix."""
    return [
        (feature, name, f"n{index}_{name}")
        for index, feature in enumerate(features)
        if feature.kind != TEXT
        for name in PARTS.get(feature.kind, ("",))
    ]


def text_columns(features: Sequence[Feature]) -> list[tuple[Feature, str]]:
    """Feature and column name in `frame` of every text."""
    return [(feature, f"t{index}") for index, feature in enumerate(features) if feature.kind == TEXT]


def frame(features: Sequence[Feature], columns: Sequence[pa.ChunkedArray | pa.Array]) -> pd.DataFrame:
    """The features as float64 (missing and infinite are NaN) and `str` columns, under names that cannot collide."""
    return pd.DataFrame(_inputs(features, columns), copy=False)


def _inputs(features: Sequence[Feature], columns: Sequence[pa.ChunkedArray | pa.Array]) -> dict[str, NDArray[Any]]:
    by_name = {feature.name: values(feature, column) for feature, column in zip(features, columns, strict=True)}
    found: dict[str, NDArray[Any]] = {}
    for feature, name, column_name in number_columns(features):
        numbers = part(name, feature.kind, by_name[feature.name]) if name else by_name[feature.name]
        found[column_name] = np.where(np.isfinite(numbers), numbers, np.nan)
        if name in ("", PARTS.get(feature.kind, ("",))[-1]):
            # Nobody needs it as it was: two of all columns at once would be more memory than most fits take.
            del by_name[feature.name]
    for feature, column_name in text_columns(features):
        found[column_name] = by_name[feature.name]
    return found


def read(table: pa.Table, job: Job) -> Rows:
    """The rows that have a target; all rows, where nothing is predicted.

    Args:
        table: has the job's columns by name.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS, SQLML_TARGET_INVALID, SQLML_OPTION_INVALID.
    """
    if table.num_rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to learn from.")
    signature = job.signature
    labels: tuple[Any, ...] = ()
    usable = np.arange(table.num_rows)
    answers: NDArray[Any] = np.zeros(table.num_rows)
    if signature.target is not None:
        target = _target(table, signature)
        usable = np.flatnonzero(pa.compute.is_valid(target).to_numpy(zero_copy_only=False))
        if not len(usable):
            raise SqlmlError(
                "SQLML_TARGET_INVALID",
                f"The target {signature.target} is NULL in all rows.",
                hint="Choose another column, or look at the query's conditions.",
            )
        if len(usable) < table.num_rows:
            table, target = table.take(usable), target.take(pa.array(usable))
        if signature.task == "classification":
            labels, answers = _classes(target, signature)
        else:
            answers = target.to_numpy(zero_copy_only=False)
    inputs = _inputs(signature.features, [table.column(name) for name in signature.names])
    order = np.argsort(_hashes(list(inputs.values()), answers, job.seed), kind="stable")
    answers = answers[order]
    held = sklearn_split.held_out(job, table, order, answers, labels)
    # What is held out goes last, so that neither it nor the others need a copy of their own.
    last = np.argsort(held, kind="stable")
    order, answers, held = order[last], answers[last], held[last]
    weights = sklearn_split.weights(job, table, order, answers, labels, held)
    for name in inputs:
        # One after another: the memory of the column as it was serves the next one.
        inputs[name] = inputs[name].take(order)
    # Arrow keeps what its copies took, as much as all columns.
    pa.default_memory_pool().release_unused()
    return Rows(pd.DataFrame(inputs, copy=False), answers, usable[order], held, labels, weights)


def _hashes(inputs: Sequence[NDArray[Any]], answers: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """64 bits of each row's content. Equal rows have equal hashes, and their order makes no difference."""
    hashes = np.full(len(answers), seed, dtype=np.uint64)
    columns = [_digests(column) if column.dtype == object else column for column in (*inputs, answers)]
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        for column in columns:
            hashes[some] ^= _bits(column[some])
            _mix(hashes[some])
    return hashes


def _digests(texts: NDArray[Any]) -> NDArray[np.uint64]:
    # Not by pandas.factorize, which takes texts for equal that are so up to their first NUL.
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in encoded.dictionary.to_pylist()]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)[encoded.indices.to_numpy()]


def _bits(column: NDArray[Any]) -> NDArray[np.uint64]:
    if column.dtype == np.uint64:
        return column
    # One zero and one NaN, whatever their bits were.
    plain = np.where(np.isnan(column), np.nan, column + 0.0)
    return plain.astype(np.float64).view(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> None:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014), after adding its odd constant; in place."""
    bits += np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)


# -- the target --------------------------------------------------------------------------------------------------------


def _target(table: pa.Table, signature: Signature) -> pa.Array:
    """The target as numbers to predict or as labels; NULL where the row cannot be used."""
    column = table.column(signature.target).combine_chunks()
    if signature.task == "regression":
        if not _is_number(column.type):
            raise SqlmlError(
                "SQLML_TARGET_INVALID",
                f"The target {signature.target} is not a number, so a regression cannot predict it.",
                hint="Convert it in the query, or set OPTIONS (task = 'classification').",
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
    """The labels in the order of their values, and each row's position among them."""
    labels = tuple(sorted(target.unique().to_pylist()))
    if len(labels) < 2:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {signature.target} has only one value, {labels[0]!r}: there is nothing to tell apart.",
        )
    if len(labels) > MOST_CLASSES:
        raise label_options.too_many_classes(signature)
    known = plain_labels(Signature(signature.task, (), None, signature.target_type, labels))
    positions = pa.compute.index_in(target.cast(known.type), value_set=known)
    return labels, positions.to_numpy(zero_copy_only=False).astype(np.int64)
