"""The scorer: runs a model's graph on Arrow columns and turns the outputs into predictions.

The graphs sqlml exports have one input per feature, named like the feature and of shape [rows, 1]:

    number     double, the value                                  boolean    double, 0 or 1
    date       double, days since 1970-01-01                      text       string; NULL is NULL_TEXT
    timestamp  double, seconds since the epoch in UTC, with fraction

A missing number of any kind is NaN. A regressor has the output `prediction` [rows], a reduction of dimensions
`prediction` [rows, components]. Every other model has `label` [rows] (string, int64 or double; a boolean is 0 or 1)
and, in the order of `Signature.labels`, `probabilities` [rows, classes]; or, where the library knows no probabilities,
`scores` [rows, classes], where a larger score speaks for the class.

An imported model (`sqlml.importing`) may differ in three points. A row in which a `required` feature is missing does
not reach the graph, and its prediction is NULL; missing means NULL, NaN, infinite, and for an integer also out of its
type's range. A required integer is an int64 input. `prediction` may be [rows, numbers], and a classifier may have no
output but `label`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.scoring import onnx_session
from sqlml.scoring.arrow import arrow_doubles, arrow_numbers, arrow_offsets, arrow_texts, numpy_numbers
from sqlml.scoring.arrow import missing as missing_in
from sqlml.scoring.feature_values import NULL_TEXT, doubles, values
from sqlml.signature import INTEGERS, TEXT, Feature, Signature

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

# Metadata of a graph: the largest batch it should be run on, because it compares each row with many training rows.
MOST_ROWS = "sqlml.most_rows"
# Metadata of a graph whose batch size is fixed: the only number of rows it can be run on.
EXACT_ROWS = "sqlml.exact_rows"
# The output that `sqlml.compiler.optimized_graph` adds: the index of the label in the signature's labels, [rows] int64.
POSITION = "label (position)"
# The names of a graph's outputs, which no input may have.
OUTPUTS = ("label", "prediction", "probabilities", "scores")


class Scorer:
    """An ONNX Runtime session for one model. Thread-safe; each call runs on the thread that makes it."""

    def __init__(self, onnx: bytes, signature: Signature, used: Sequence[bool] | None = None) -> None:
        """Loads the graph.

        Args:
            used: for each feature, whether columns are passed for it; None means all features. At least one is true.

        Raises:
            SqlmlError: SQLML_MODEL_CORRUPT for bytes that ONNX Runtime cannot load.
        """
        self._session = onnx_session.opened(onnx)
        self._signature = signature
        used = used or [True] * len(signature.features)
        pairs = list(zip(signature.features, used, strict=True))
        self._features = [feature for feature, taken in pairs if taken]
        self._unused = [feature for feature, taken in pairs if not taken]
        self._blanks: dict[str, NDArray[Any]] = {}
        self._outputs = [output.name for output in self._session.get_outputs()]
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._most_rows = int(metadata[MOST_ROWS]) if MOST_ROWS in metadata else None
        self._exact_rows = int(metadata[EXACT_ROWS]) if EXACT_ROWS in metadata else None

    def label(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the predictions in the target's own type.

        They are doubles for a regressor, and structs of doubles for one with several outputs.
        """
        name = self.says
        found, indices = self.run([name], columns)
        if name == "prediction":
            return placed(_predictions(self._signature, found[name]), indices)
        return placed(labels_of(self._signature, found), indices)

    def shares(self, columns: Sequence[pa.Array]) -> pa.ListArray:
        """Returns the probabilities of every row as a list, in the order of the labels."""
        found, indices = self.run(["probabilities"], columns)
        return placed(_lists(found["probabilities"]), indices)

    def probabilities(self, columns: Sequence[pa.Array]) -> pa.MapArray:
        """Returns a map from label to probability for every row."""
        found, indices = self.run(["probabilities"], columns)
        return placed(probability_maps(self._signature, found["probabilities"]), indices)

    @property
    def says(self) -> str:
        """The graph output behind PREDICT: `prediction`, or the label's index where the graph has it, or `label`."""
        return next(name for name in ("prediction", POSITION, "label") if name in self._outputs)

    def run(
        self, outputs: Sequence[str], columns: Sequence[pa.Array]
    ) -> tuple[dict[str, NDArray[Any]], pa.Array | None]:
        """Runs the graph once; returns the named outputs, and for each row its index in them (see `placed`)."""
        inputs, indices = self._inputs(columns)
        return dict(zip(outputs, self._run(list(outputs), inputs), strict=True)), indices

    def raw(self, columns: Sequence[pa.Array], outputs: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Returns the graph's outputs by name, all or those named, without the rows that lack a required feature.

        Args:
            columns: one for each feature that is used, in the signature's order, of any Arrow type that converts to its
                kind.
        """
        inputs, _ = self._inputs(columns)
        wanted = list(outputs or self._outputs)
        return dict(zip(wanted, self._run(wanted, inputs), strict=True))

    def _inputs(self, columns: Sequence[pa.Array]) -> tuple[dict[str, NDArray[Any]], pa.Array | None]:
        """Returns the graph's inputs without the rows that lack a required feature, and each row's index in them.

        The index is NULL for a row that is left out; None stands for "no row is left out".
        """
        import numpy as np
        import pyarrow as pa

        inputs, missing = {}, None
        for feature, column in zip(self._features, columns, strict=True):
            if feature.required:
                array, gone = required_values(feature, column)
                missing = gone if missing is None else missing | gone
            else:
                array = values(feature, column)
            inputs[input_name(feature.name)] = array.reshape(-1, 1)
        for feature in self._unused:
            inputs[input_name(feature.name)] = self._blank(feature, len(columns[0]))
        if missing is None or not missing.any():
            return inputs, None
        indices = pa.array(np.cumsum(~missing) - 1, mask=missing)
        return {name: array[~missing] for name, array in inputs.items()}, indices

    def _blank(self, feature: Feature, rows: int) -> NDArray[Any]:
        """Returns a neutral column [rows, 1] for a feature that cannot change any output; cached per kind."""
        import numpy as np

        kept = self._blanks.get(feature.kind)
        if kept is None or len(kept) < rows:
            blank: Any = np.array(NULL_TEXT, object) if feature.kind == TEXT else 0.0
            kept = self._blanks[feature.kind] = np.full((rows, 1), blank)
        return kept[:rows]

    def _run(self, outputs: list[str], inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Runs the graph in batches of `MOST_ROWS` or `EXACT_ROWS` where its metadata asks for them, else at once."""
        rows = len(next(iter(inputs.values())))
        step = self._exact_rows or self._most_rows or rows
        short = -rows % step if self._exact_rows else 0
        if rows == 0:
            # Not every graph accepts an empty batch, so it gets a dummy row, whose result is dropped.
            short = self._exact_rows or 1
        if short:
            inputs = {name: _lengthened(column, short) for name, column in inputs.items()}
        length = rows + short
        step = step or length
        batches = (slice(start, start + step) for start in range(0, length, step))
        parts = [
            onnx_session.run(self._session, outputs, {name: column[batch] for name, column in inputs.items()})
            for batch in batches
        ]
        if len(parts) == 1 and not short:
            return parts[0]
        import numpy as np

        return [np.concatenate(pieces)[:rows] for pieces in zip(*parts, strict=True)]


def _predictions(signature: Signature, numbers: NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    if not signature.outputs:
        return arrow_doubles(numbers)
    return pa.StructArray.from_arrays([arrow_numbers(column) for column in numbers.T], names=list(signature.outputs))


def labels_of(signature: Signature, found: dict[str, NDArray[Any]]) -> pa.Array:
    """Returns the labels in the target's own type, from the graph's output `label` or `POSITION`."""
    import pyarrow as pa

    if POSITION in found:
        positions = arrow_numbers(found[POSITION] % len(signature.labels))  # ONNX's Gather allows negative indices
    else:
        plain = plain_labels(signature)
        positions = pa.compute.index_in(pa.array(found["label"], plain.type), value_set=plain)
    return typed_labels(signature).take(positions)


def _lists(found: NDArray[Any]) -> pa.ListArray:
    import pyarrow as pa

    return pa.ListArray.from_arrays(arrow_offsets(*found.shape), arrow_doubles(found.ravel()))


def probability_maps(signature: Signature, found: NDArray[Any]) -> pa.MapArray:
    """Turns probabilities [rows, classes] into a map from label to probability for every row."""
    import numpy as np
    import pyarrow as pa

    rows, classes = found.shape
    keys = typed_labels(signature).take(arrow_numbers(np.tile(np.arange(classes), rows)))
    return pa.MapArray.from_arrays(arrow_offsets(rows, classes), keys, arrow_numbers(found.ravel()))


def placed(answers: pa.Array, indices: pa.Array | None) -> pa.Array:
    """Returns one answer per input row, NULL for the rows that did not reach the graph.

    Args:
        indices: for each input row its index in `answers` or NULL; None where every row reached the graph.
    """
    return answers if indices is None else answers.take(indices)


def _lengthened(column: NDArray[Any], rows: int) -> NDArray[Any]:
    """The column padded with repetitions of its last row."""
    import numpy as np

    blank: Any = "" if column.dtype == object else 0
    last = column[-1:] if len(column) else np.full((1, 1), blank, column.dtype)
    return np.concatenate([column, np.repeat(last, rows, axis=0)])


# -- columns -----------------------------------------------------------------------------------------------------------


def input_name(feature: str) -> str:
    """Returns the name of a feature's graph input: the feature's own, unless an output has that name."""
    return f"{feature} (feature)" if feature in OUTPUTS else feature


def required_values(feature: Feature, column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Returns a required feature's column as the graph takes it, and a mask of the rows in which it is missing."""
    import numpy as np

    if feature.whole:
        return _whole(feature, column)
    found = values(feature, column)
    return found, found == NULL_TEXT if feature.kind == TEXT else ~np.isfinite(found)


def _whole(feature: Feature, column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """An integer feature as int64 and a mask of missing or out-of-range values; never converted through a float.

    Raises:
        SqlmlError: SQLML_TYPE_MISMATCH for a number that is not whole. In a query `sqlml.binding.arguments` has refused
            such a type before.
    """
    import numpy as np
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    limit = 2 ** (8 * 2 ** INTEGERS.index(feature.type.lower()) - 1)
    if pa.types.is_decimal(column.type):
        items = column.to_pylist()
        _check_whole(feature, [number for number in items if number is not None and number % 1 != 0])
        numbers = [None if number is None else int(number) for number in items]
        fits = [number is not None and -limit <= number < limit for number in numbers]
        kept = [number if fit else 0 for number, fit in zip(numbers, fits, strict=True)]
        return np.array(kept, np.int64), ~np.array(fits, np.bool_)
    if pa.types.is_floating(column.type):
        floats = doubles(column)
        _check_whole(feature, floats[np.isfinite(floats) & (floats != np.trunc(floats))])
        fits = (floats >= -limit) & (floats < limit)  # exact, as both limits are powers of two; false for NaN
        return np.where(fits, floats, 0.0).astype(np.int64), ~fits
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    missing = missing_in(column)
    found = np.where(missing, 0, numpy_numbers(column.cast(pa.int64())))
    return found, missing | (found < -limit) | (found > limit - 1)


def _check_whole(feature: Feature, fractions: Sequence[Any]) -> None:
    if len(fractions):
        raise SqlmlError(
            "SQLML_TYPE_MISMATCH",
            f"The feature {feature.name} takes integers, and {fractions[0]} is not an integer.",
            hint=f"Write CAST(… AS {feature.type.upper()}) to remove the fraction.",
        )


# -- labels ------------------------------------------------------------------------------------------------------------


def plain_labels(signature: Signature) -> pa.Array:
    """Returns the labels in the type of the graph's `label` output: strings, int64 (also for booleans) or doubles."""
    import numpy as np

    if isinstance(signature.labels[0], str):
        return arrow_texts([str(label) for label in signature.labels])
    kind = np.int64 if isinstance(signature.labels[0], (bool, int)) else np.float64
    return arrow_numbers(np.array(signature.labels, kind))


def typed_labels(signature: Signature) -> pa.Array:
    """Returns the labels in the target's own Arrow type."""
    import pyarrow as pa

    name, _, arguments = signature.target_type.lower().rstrip(")").partition("(")
    if name == "decimal":
        precision, scale = (int(digit) for digit in arguments.split(","))
        return plain_labels(signature).cast(pa.decimal128(precision, scale))
    if name == "timestamp":
        return plain_labels(signature).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    return plain_labels(signature).cast(_ARROW_TYPES.get(name, "string"))


_ARROW_TYPES = {
    "boolean": "bool",
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int32",
    "bigint": "int64",
    "float": "float",
    "double": "double",
    "date": "date32",
    "timestamp_ntz": "timestamp[us]",
}
