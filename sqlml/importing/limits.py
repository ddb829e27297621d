"""The limits of an import: the size, memory and time that a foreign model may take, and the operators it may use."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlml.importing.operators import operators, setting_name
from sqlml.settings import IMPORT_MEMORY, IMPORT_OPERATORS, IMPORT_SECONDS, IMPORT_SIZE, Setting


@dataclass(frozen=True)
class Limits:
    """The limits that the settings `spark.sqlml.import.…` change; the defaults are the settings' own.

    Attributes:
        size: bytes of the file.
        memory: bytes of data of the sandbox process.
        seconds: CPU seconds of the sandbox process; wall-clock time may be up to twice as long.
        operators: operators allowed in addition to the known ones: `Range`, `ai.onnx.ml.Scaler`, `com.microsoft.Gelu`.
    """

    size: int = 256 * 1024**2
    memory: int = 4 * 1024**3
    seconds: int = 60
    operators: frozenset[str] = frozenset()

    @classmethod
    def of(cls, setting: Callable[[Setting[Any]], Any]) -> Limits:
        """The limits of a Spark application; `setting` returns the value of one setting."""
        return cls(setting(IMPORT_SIZE), setting(IMPORT_MEMORY), setting(IMPORT_SECONDS), setting(IMPORT_OPERATORS))

    def allows(self, domain: str, operator: str) -> bool:
        row = operators(domain).get(operator)
        return (row is not None and not row.refused) or setting_name(domain, operator) in self.operators

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "operators": sorted(self.operators)})

    @classmethod
    def from_json(cls, text: str) -> Limits:
        raw = json.loads(text)
        return cls(**{**raw, "operators": frozenset(raw["operators"])})


DEFAULT = Limits()
