"""The result of a training, as the registry stores it: the fitted model and its origin."""

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
    """A query, target and options that reproduce the model without a search and without defaults: see
    `options.resolved`."""

    query: str
    target: Column | None
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Trained:
    """A fitted model and its origin. `trials` are those of a search, best first; `best` is the trial whose
    hyperparameters the model has. `resolved` is None for an imported model. `left_out` are columns that were left out
    of the features automatically. `warnings` are sentences for the user: about columns and rows first, then those of
    the fit."""

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
