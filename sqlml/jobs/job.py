"""What an engine is asked for and what it gives back: plain values that travel as JSON, and the graph's bytes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlml.jobs.preparation import ONE_HOT, Preparation
from sqlml.signature import TEXT, Feature, Signature

# More different values than this are a quantity or a key, whatever the task says.
MOST_CLASSES = 1_000
# How rows are held out: by a hash of their content, by a column that says so, the last ones of an order, not at all.
SPLIT_METHODS = RANDOM, BY_COLUMN, SEQUENTIAL, NO_SPLIT = ("random", "column", "sequential", "none")
BALANCED = "balanced"
# Below this nothing is held out: the two or three rows left would measure nothing.
LEAST_ROWS_TO_SPLIT = 10
# What a trial is measured on, where there is no cross-validation.
SHARE_OF_ONE_FOLD = 0.2


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        estimator: a name of `ESTIMATORS`.
        signature: what to learn from and what to predict; its labels are still unknown and empty.
        params: hyperparameters under the library's own names, only those that the user gave.
        seed: of everything random: the split, the estimator.
        test_fraction: the share of rows held out for the metrics, 0 to below 1.
        tolerance: the largest difference allowed between the library's scores and the graph's, relative above 1.
        split_method: one of `SPLIT_METHODS`.
        split_column: a boolean that is true for held-out rows, or the order whose last rows are held out.
        weight_column: how much each row counts in fitting.
        censor_column: true or 1 where the end of a time was observed, false or 0 where it was still going on.
        impute: feature → what its missing numbers count as; the mean where it is not named.
        missing_flag: features that get one more column where they have gaps: whether the value is missing.
        encode: feature → how its texts become numbers; one-hot, or category sets, where it is not named.
        class_weights: how much each label's rows count, on top of that; or `BALANCED`.
        curves: whether to compute what plots show.
    """

    estimator: str
    signature: Signature
    params: dict[str, Any]
    seed: int
    test_fraction: float
    tolerance: float
    split_method: str = RANDOM
    split_column: str | None = None
    weight_column: str | None = None
    class_weights: str | dict[str, float] | None = None
    censor_column: str | None = None
    impute: dict[str, str | float] = field(default_factory=dict)
    missing_flag: tuple[str, ...] = ()
    encode: dict[str, str] = field(default_factory=dict)
    curves: bool = False

    @property
    def texts(self) -> tuple[Feature, ...]:
        """The text features that are not encoded as one number."""
        return tuple(feature for feature in self.signature.features if self._is_text(feature, coded=False))

    @property
    def coded(self) -> tuple[Feature, ...]:
        """The text features that are encoded as one number."""
        return tuple(feature for feature in self.signature.features if self._is_text(feature, coded=True))

    def flagged(self, *, missing: bool) -> tuple[Feature, ...]:
        """The features that get a flag where they have gaps.

        Args:
            missing: whether the estimator takes missing numbers itself: then only what is imputed needs a flag.
        """
        named = set(self.missing_flag) & (set(self.impute) if missing else set(self.signature.names))
        return tuple(feature for feature in self.signature.features if feature.name in named)

    def _is_text(self, feature: Feature, *, coded: bool) -> bool:
        return feature.kind == TEXT and coded == (self.encode.get(feature.name, ONE_HOT) != ONE_HOT)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the query that is read, once."""
        others = (self.signature.target, self.split_column, self.weight_column, self.censor_column)
        return tuple(dict.fromkeys([*self.signature.names, *filter(None, others)]))

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "signature": json.loads(self.signature.to_json())}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Job:
        raw = json.loads(text)
        raw["signature"] = Signature.from_json(json.dumps(raw["signature"]))
        raw["missing_flag"] = tuple(raw["missing_flag"])
        return cls(**raw)


@dataclass(frozen=True)
class Fidelity:
    """How close the graph is to the fitted model, measured on `rows` rows.

    `max_abs_diff` is of probabilities, or of predictions (relative to those above 1). `label_mismatches` counts rows
    where the two best classes have the same score to nine digits and were taken in a different order; any other
    mismatch refuses the model.
    """

    rows: int
    max_abs_diff: float
    label_mismatches: int


@dataclass(frozen=True)
class Fitted:
    """A model as an engine hands it over.

    Attributes:
        onnx: the graph; inputs and outputs as `sqlml.scoring.scorer` describes them.
        signature: with the labels.
        metrics: measured on the held-out rows, or on the training rows where nothing was held out.
        rows: how many it learned from.
        held_out: how many were held out.
        measured: how many the metrics are of: of many training rows a sample.
        params: every hyperparameter with the value that was used.
        library: name and version.
        curves: what plots show, see `sqlml.estimators.curves`; or {"error": text} where that could not be computed.
        warnings: sentences for whoever trains; see `sqlml.estimators.fit_warnings`.
    """

    onnx: bytes
    signature: Signature
    preparation: Preparation
    metrics: dict[str, float]
    fidelity: Fidelity
    rows: int
    held_out: int
    measured: int
    params: dict[str, Any]
    library: str
    curves: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Everything but the graph."""
        raw: dict[str, Any] = {name: value for name, value in vars(self).items() if name != "onnx"}
        raw["signature"] = json.loads(self.signature.to_json())
        raw["preparation"] = json.loads(self.preparation.to_json())
        raw["fidelity"] = asdict(self.fidelity)
        return json.dumps(raw, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, onnx: bytes) -> Fitted:
        raw = json.loads(text)
        raw["signature"] = Signature.from_json(json.dumps(raw["signature"]))
        raw["preparation"] = Preparation.from_json(json.dumps(raw["preparation"]))
        raw["fidelity"] = Fidelity(**raw["fidelity"])
        raw["warnings"] = tuple(raw["warnings"])
        return cls(onnx=onnx, **raw)
