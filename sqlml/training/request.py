"""What TRAIN MODEL asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sqlml.grammar import Column, Option


@dataclass(frozen=True)
class Request:
    """The clauses of TRAIN MODEL that decide what is learned, and when the statement began, on the monotonic clock."""

    query: str
    query_offset: int
    estimator: str | None
    estimator_offset: int | None
    target: Column | None
    features: tuple[Column, ...] | None
    excluded: tuple[Column, ...]
    options: tuple[Option, ...]
    started: float = field(default_factory=time.monotonic, compare=False)
