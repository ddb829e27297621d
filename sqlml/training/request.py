"""The parsed TRAIN MODEL statement, as far as the training needs it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sqlml.parser.cursor import Column, Option, Piece


@dataclass(frozen=True)
class PreviousVersion:
    """The version being retrained: its features, and the nearly unique text columns left out of it."""

    features: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """The clauses of TRAIN MODEL that determine the model, and the model's name for progress messages. `started` is on
    the monotonic clock: a registry that has to be created first does not use up the time budget."""

    model: str
    query: str
    query_offset: int
    estimator: str | None
    estimator_offset: int | None
    target: Column | None
    features: tuple[Column, ...] | None
    excluded: tuple[Column, ...]
    options: tuple[Option, ...]
    transform: Piece | None = None
    before: PreviousVersion | None = None
    started: float = field(default_factory=time.monotonic, compare=False)
