"""How much a model made elsewhere may take while it is looked at, and what it may be made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlml.importing.operators import ONNX, OPERATORS, known_domain
from sqlml.settings import IMPORT_MEMORY, IMPORT_OPERATORS, IMPORT_SECONDS, IMPORT_SIZE, Setting


@dataclass(frozen=True)
class Limits:
    """What an administrator may change by `spark.sqlml.import.…`; the defaults are those settings' own.

    Attributes:
        size: bytes of the file.
        memory: bytes of data of the process that first opens it.
        seconds: of its work; on a busy machine they take longer.
        operators: allowed beside those of `OPERATORS`: `Range`, `ai.onnx.ml.Scaler`, `com.microsoft.Gelu`.
    """

    size: int = 256 * 1024**2
    memory: int = 4 * 1024**3
    seconds: int = 60
    operators: frozenset[str] = frozenset()

    @classmethod
    def of(cls, setting: Callable[[Setting[Any]], Any]) -> Limits:
        """Those of a Spark application, of whose settings one is asked at a time."""
        return cls(setting(IMPORT_SIZE), setting(IMPORT_MEMORY), setting(IMPORT_SECONDS), setting(IMPORT_OPERATORS))

    def allows(self, domain: str, operator: str) -> bool:
        domain = known_domain(domain)
        name = operator if domain == ONNX else f"{domain}.{operator}"
        return operator in OPERATORS.get(domain, ()) or name in self.operators

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "operators": sorted(self.operators)})

    @classmethod
    def from_json(cls, text: str) -> Limits:
        raw = json.loads(text)
        return cls(**{**raw, "operators": frozenset(raw["operators"])})


DEFAULT = Limits()
