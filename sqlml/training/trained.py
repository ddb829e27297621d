"""What a training hands to the registry: the fitted model, and all that it came from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.estimators import Estimator
from sqlml.jobs.job import Fitted, Job
from sqlml.lineage import Lineage
from sqlml.parser.cursor import Column, Option
from sqlml.signature import Transform
from sqlml.training.columns import Schema
from sqlml.training.texts import LeftOut
from sqlml.training.tuning import Trial


@dataclass(frozen=True)
class Resolved:
    """What trains the same model again, without search and without what defaults decide: see `options.resolved`."""

    query: str
    target: Column | None
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Trained:
    """A fitted model with what it came from: all that the registry keeps. `trials` are those of a search, the best
    one first; `best` is the one it was fitted after. `resolved` is None for a model that was made elsewhere. `left_out`
    are the columns that are no features though nobody excluded them. `warnings` are sentences for whoever trains: about
    the columns and rows, then those of the fit."""

    estimator: Estimator
    fitted: Fitted
    job: Job
    source_schema: Schema
    lineage: Lineage
    resolved: Resolved | None = None
    transform: Transform | None = None
    trials: tuple[Trial, ...] = ()
    best: Trial | None = None
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()
