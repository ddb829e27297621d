"""FORMAT csv: the ONNX file as one line of hexadecimal digits, as COPY INTO reads it into a VARBINARY column.

In Azure Synapse: `COPY INTO Models (Model) FROM '…' WITH (FILE_TYPE = 'CSV')`, then `PREDICT(MODEL = (SELECT Model …`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.formats import onnx_file

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion
    from sqlml.system.file_export import Existing

_LINE = re.compile(rb"[0-9A-F]+\n\Z")
_MOST_BYTES = 2**31


def write(version: ModelVersion, options: Mapping[str, Any], path: Path) -> None:
    path.write_text(onnx_file.content(version).hex().upper() + "\n", encoding="ascii")


def earlier(existing: Existing) -> bool:
    content = existing.read(_MOST_BYTES + 1)
    return content is not None and len(content) <= _MOST_BYTES and _LINE.match(content) is not None
