"""The features of a fitted model, and the example's rows in the form that its library takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.signature import BOOLEAN, NUMBER, TEXT, Feature, kind_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_KINDS = (NUMBER, BOOLEAN, TEXT)


@dataclass(frozen=True)
class Example:
    """The rows of an example that a model predicts.

    Attributes:
        features: the model's features in its order, with the types of the example's columns.
        table: their columns; texts are plain strings.
        categories: the values of each column that pandas calls categorical.
        missing: what a missing text is in the example: None, or NaN.
        named: True if the model was fitted to a data frame, False if to an array without names.
    """

    features: tuple[Feature, ...]
    table: pa.Table
    categories: dict[str, tuple[Any, ...]]
    missing: Any
    named: bool

    def rows(self, table: pa.Table) -> Any:
        """Returns rows as the library takes them: a pandas data frame, or a numpy array for a model without names."""
        import pandas as pd

        frame = pd.DataFrame(
            {feature.name: self._column(feature, table.column(feature.name)) for feature in self.features}
        )
        return frame if self.named else frame.to_numpy()

    def required(self, names: set[str]) -> Example:
        """Returns the example with these features marked as required: the model has no prediction without them."""
        marked = tuple(replace(feature, required=feature.name in names) for feature in self.features)
        return replace(self, features=marked)

    def _column(self, feature: Feature, column: pa.ChunkedArray) -> pd.Series[Any]:
        import pandas as pd

        values = column.to_pandas()
        if feature.name in self.categories:
            return values.astype(pd.CategoricalDtype(list(self.categories[feature.name])))
        if feature.kind != TEXT:
            return values
        # pandas 3 reads texts into a type of its own; models were fitted to objects.
        values = values.astype(object)
        return values.where(values.notna(), self.missing)


def example_of(model: Any, table: pa.Table, types: dict[str, str], target: tuple[str, ...], missing: Any) -> Example:
    """Returns the example's columns that are the model's features.

    Args:
        table: the example's rows.
        types: the Spark type of each column.
        missing: what a missing text is, see `missing_of`.
        target: columns that are no features, where the model does not name its features.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS for an empty example; SQLML_COLUMN_NOT_FOUND for a feature that it lacks;
            SQLML_BINDING_MISMATCH for another number of columns; SQLML_FEATURE_UNUSABLE for a type that models of
            these libraries do not take.
    """
    import pyarrow as pa

    if not len(table):
        raise SqlmlError(
            "SQLML_TOO_FEW_ROWS",
            "The example has no rows.",
            hint="Give some rows that the model predicts; their predictions by the graph must be the same.",
        )
    named = names_of(model)
    names = named or tuple(name for name in table.column_names if name not in target)
    _check_names(model, names, table.column_names, named is not None)
    features, columns, categories = [], {}, {}
    for name in names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            pieces = column.combine_chunks()
            dictionary = pieces.dictionary if isinstance(pieces, pa.DictionaryArray) else pieces.chunk(0).dictionary
            categories[name] = tuple(dictionary.to_pylist())
            column = column.cast(column.type.value_type)
        if kind_of(types[name]) not in _KINDS:
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The feature {name} is {types[name].upper()}, but the model's library takes numbers, booleans and"
                " texts.",
                hint="Convert it to a number before the model is fitted, and in the query: unix_timestamp(…).",
            )
        features.append(Feature(name, types[name]))
        columns[name] = column
    return Example(tuple(features), pa.table(columns), categories, missing, named is not None)


def missing_of(example: Any) -> Any:
    """Returns what a missing text is in a frame: None if it has that, else NaN, as pandas reads it."""
    if type(example).__module__.partition(".")[0] != "pandas":
        return None if hasattr(example, "schema") else float("nan")
    for _, column in example.items():
        if str(column.dtype) == "object" and any(value is None for value in column):
            return None
    return float("nan")


def names_of(model: Any) -> tuple[str, ...] | None:
    """Returns the names of the columns that a model was fitted to, or None for an array without names."""
    for attribute in ("feature_names_in_", "feature_names_"):
        found = getattr(model, attribute, None)
        if found is not None and len(found):
            return tuple(str(name) for name in found)
    return None


def _check_names(model: Any, names: tuple[str, ...], columns: list[str], named: bool) -> None:
    for name in names:
        if name not in columns:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The example has no column {name}, which is a feature of the model.",
                hint=did_you_mean(name, columns),
            )
    count = getattr(model, "n_features_in_", None)
    if not named and count is not None and count != len(names):
        raise SqlmlError(
            "SQLML_BINDING_MISMATCH",
            f"The model has {count} features without names, and the example has {len(names)} columns besides the"
            " target.",
            hint="Give an example with the features alone, in the order in which the model was fitted, and"
            " target='…' if the target is among them.",
        )
