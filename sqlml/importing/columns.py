"""The parser of feature declarations: DDL text, pairs of name and type, an MLflow signature, or a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.importing.request import Column
from sqlml.signature import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMN = re.compile(
    r"\s*(?:`(?P<quoted>(?:[^`]|``)+)`|(?P<plain>[^\s,:`]+))(?:\s*:\s*|\s+)"
    r"(?P<type>[A-Za-z_]+(?:\s*\(\s*[0-9]+\s*(?:,\s*[0-9]+\s*)?\))?)\s*(?:,|\Z)"
)
_ALIASES = {
    "byte": "tinyint",
    "short": "smallint",
    "integer": "int",
    "long": "bigint",
    "real": "float",
    "dec": "decimal",
}
# The Spark types of MLflow's column types, and of Arrow's.
_MLFLOW = {"integer": "int", "long": "bigint", "datetime": "timestamp"}
_ARROW = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "date32[day]": "date",
}
_FORMS = (
    "A signature is DDL such as 'age double, plan string', pairs of name and type, an MLflow ModelSignature, or"
    " a DataFrame."
)


def declared(signature: Any) -> tuple[Column, ...]:
    """Parses a signature in any of its forms.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for any other object; SQLML_FEATURE_UNUSABLE for a type no feature can have.
    """
    if isinstance(signature, str):
        columns = _of_ddl(signature)
    elif hasattr(signature, "inputs") and hasattr(signature, "outputs"):
        columns = _of_mlflow(signature)
    elif is_table(signature):
        columns = _of_table(signature)
    else:
        columns = _of_pairs(signature)
    for column in columns:
        if column.type is not None and kind_of(column.type) is None:
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The feature {column.name} has the type {column.type.upper()}, which no model supports.",
            )
    return columns


def is_table(value: Any) -> bool:
    """Returns whether the value is a pandas, Polars or Spark DataFrame, or an Arrow table."""
    return hasattr(value, "schema") or (hasattr(value, "columns") and hasattr(value, "dtypes"))


def table(value: Any, most_rows: int) -> pa.Table:
    """The first rows of a table of any kind, as an Arrow table.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for an object that is not a table.
    """
    import pyarrow as pa

    if isinstance(value, pa.Table):
        return value.slice(0, most_rows)
    if hasattr(value, "toArrow"):
        return value.limit(most_rows).toArrow()
    if hasattr(value, "to_arrow"):
        return value.head(most_rows).to_arrow()
    if isinstance(value, dict):
        return pa.table(value).slice(0, most_rows)
    if not is_table(value):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            "example must be a pandas, Polars or Spark DataFrame, an Arrow table or a dictionary of columns, not"
            f" {type(value).__name__}.",
        )
    return pa.Table.from_pandas(value.head(most_rows), preserve_index=False)


def _of_ddl(text: str) -> tuple[Column, ...]:
    columns, at = [], 0
    while at < len(text):
        found = _COLUMN.match(text, at)
        if not found:
            raise SqlmlError(
                "SQLML_OPTION_INVALID", f"The signature cannot be parsed at {text[at : at + 40]!r}.", hint=_FORMS
            )
        name = found["plain"] or found["quoted"].replace("``", "`")
        columns.append(Column(name, spark_type(found["type"])))
        at = found.end()
    return tuple(columns)


def spark_type(text: str) -> str:
    """A type as Spark's `simpleString()` prints it."""
    plain = re.sub(r"\s", "", text.lower())
    return _ALIASES.get(plain, plain)


def _of_mlflow(signature: Any) -> tuple[Column, ...]:
    columns = []
    for found in getattr(signature.inputs, "inputs", ()):
        kind = getattr(found.type, "name", "")
        if not found.name or not kind:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                "The MLflow signature describes tensors, so it does not name columns.",
                hint="Give features=['…', …] instead.",
            )
        columns.append(Column(found.name, of_mlflow_type(kind)))
    return tuple(columns)


def of_mlflow_type(kind: str) -> str:
    """The Spark SQL type of one of MLflow's column types."""
    return _MLFLOW.get(kind, kind)


def _of_table(value: Any) -> tuple[Column, ...]:
    if hasattr(value, "toArrow"):
        return tuple(Column(name, kind) for name, kind in value.dtypes)
    found = table(value, 1_000).schema
    return tuple(Column(name, _spark_type(kind)) for name, kind in zip(found.names, found.types, strict=True))


def _spark_type(arrow: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(arrow):
        return _spark_type(arrow.value_type)
    if pa.types.is_timestamp(arrow):
        return "timestamp"
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    return _ARROW.get(str(arrow), str(arrow))


def _of_pairs(signature: Any) -> tuple[Column, ...]:
    pairs: Iterable[Any] = signature.items() if isinstance(signature, dict) else signature
    columns = []
    try:
        for name, kind in pairs:
            columns.append(Column(str(name), spark_type(str(kind))))
    except (TypeError, ValueError) as error:
        raise SqlmlError(
            "SQLML_OPTION_INVALID", f"A signature cannot be a {type(signature).__name__}.", hint=_FORMS
        ) from error
    return tuple(columns)
