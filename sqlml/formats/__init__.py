"""The formats of EXPORT MODEL, one file each; `FORMATS` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.formats import hex_csv, mlflow_folder, onnx_file, sql_text

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion
    from sqlml.system.file_export import Existing


@dataclass(frozen=True)
class Format:
    """One row of `FORMATS`.

    Attributes:
        suffix: the required ending of its files' names, so that no statement overwrites files of other kinds; "" for a
            folder.
        write: writes a version to a path that does not exist yet; takes the statement's options.
        earlier: whether the existing file or folder was written by `write`, and may be overwritten.
        options: the names of its options besides `overwrite`.
    """

    suffix: str
    write: Callable[[ModelVersion, Mapping[str, Any], Path], None]
    earlier: Callable[[Existing], bool]
    options: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "csv": Format(".csv", hex_csv.write, hex_csv.earlier),
    "mlflow": Format("", mlflow_folder.write, mlflow_folder.earlier),
    "onnx": Format(".onnx", onnx_file.write, onnx_file.earlier),
    "sql": Format(".sql", sql_text.write, sql_text.earlier, (sql_text.DIALECT, sql_text.TABLE, sql_text.COLUMNS)),
}
# Synonyms of formats.
ALIASES = {"hex": "csv"}
