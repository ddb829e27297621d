"""The TRANSFORM clause as a version keeps it: how the model's features are made of the columns of a query."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlml.signature import Feature


@dataclass(frozen=True)
class Transform:
    """A select list over the training query's columns.

    Attributes:
        select_list: as the user wrote it.
        columns: all columns of the training query, with their types.
        inputs: those that the features are made of, which is what PREDICT takes.
        settings: of Spark, as they were in training; they decide what an expression means.
    """

    select_list: str
    columns: tuple[Feature, ...]
    inputs: tuple[Feature, ...]
    settings: dict[str, str]

    def to_plain(self) -> dict[str, Any]:
        """As values of JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, raw: dict[str, Any]) -> Transform:
        def features(name: str) -> tuple[Feature, ...]:
            return tuple(Feature(**feature) for feature in raw[name])

        return cls(raw["select_list"], features("columns"), features("inputs"), raw["settings"])
