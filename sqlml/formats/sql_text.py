"""FORMAT sql: one SELECT that scores the model on an engine that never heard of it (`sqlml.compiler`).

OPTIONS (dialect = 'postgres', table = 'customers'): which engine, and the table that the SELECT reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion
    from sqlml.system.file_export import Existing

DIALECT, TABLE, COLUMNS = "dialect", "table", "columns"
_HEADING = "-- Written by sqlml: "


def write(version: ModelVersion, options: Mapping[str, Any], place: Path) -> None:
    from sqlml.compiler import select

    columns = options.get(COLUMNS)
    if columns is not None and not (
        isinstance(columns, (tuple, list)) and all(isinstance(name, str) for name in columns)
    ):
        raise SqlmlError("SQLML_OPTION_INVALID", f"{COLUMNS} is a list of names, not {columns!r}.")
    text = select(
        version.onnx(),
        version.signature,
        version.transform,
        dialect=_text(options, DIALECT, "'postgres', 'duckdb', …: the engine that is to run it"),
        table=_text(options, TABLE, "the table that the SELECT reads"),
        columns=columns,
        estimator=version.estimator,
    )
    heading = f"{_HEADING}model {version.name} version {version.version}, SHA-256 {version.digest}"
    place.write_text(f"{heading}\n{text}\n", encoding="utf-8")


def earlier(existing: Existing) -> bool:
    return existing.read(len(_HEADING)) == _HEADING.encode()


def _text(options: Mapping[str, Any], name: str, what: str) -> str:
    value = options.get(name)
    if not isinstance(value, str) or not value:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"FORMAT sql needs OPTIONS ({name} = …): {what}." if value is None else f"{name} is a text: {what}.",
        )
    return value
