"""What a process is asked to measure, and what it has measured: plain values that travel as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from benchmarks.measuring import Cost


@dataclass(frozen=True)
class Request:
    """What a process is asked to measure.

    Attributes:
        place: where data, models and the registry are.
        rounds: after the first, which is cold.
        rivals: names; all where it is empty.
        goals: whether of these only those are wanted that a goal of the workload compares.
        result: the file that gets the measurements, one JSON object a line.
    """

    place: str
    cores: int
    rows: tuple[int, ...]
    rounds: int
    workloads: tuple[str, ...]
    result: str
    rivals: tuple[str, ...] = ()
    goals: bool = False


@dataclass
class Measurement:
    """One rival in one workload.

    Attributes:
        refused: why it was not timed; "" where it was.
        agreement: what the comparison said.
        python: whether the plan goes through Python; None where there is no plan.
        joins, columns: how many joins the plan has, and how many columns it reads from files.
    """

    workload: str
    rival: str
    rows: int
    cores: int
    refused: str = ""
    agreement: str = ""
    python: bool | None = None
    joins: int | None = None
    columns: int | None = None
    cold: Cost | None = None
    rounds: list[Cost] = field(default_factory=list)

    @classmethod
    def from_json(cls, text: str) -> Measurement:
        raw = json.loads(text)
        cold = raw["cold"] and Cost(**raw["cold"])
        return cls(**{**raw, "cold": cold, "rounds": [Cost(**cost) for cost in raw["rounds"]]})
