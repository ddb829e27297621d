"""A training job and its result: plain values that travel between processes as JSON, plus the ONNX graph's bytes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlml.jobs.preparation import ONE_HOT, Preparation
from sqlml.signature import TEXT, Feature, Signature

# A target with more distinct values than this is a quantity or a key, not a class.
MOST_CLASSES = 1_000
# Split methods: by a hash of the content, by a boolean column, the last rows of an order, or no split.
SPLIT_METHODS = RANDOM, BY_COLUMN, SEQUENTIAL, NO_SPLIT = ("random", "column", "sequential", "none")
BALANCED = "balanced"
# With fewer rows than this none are held out: two or three rows would measure nothing.
LEAST_ROWS_TO_SPLIT = 10
# The share of rows a trial is measured on, without cross-validation.
SHARE_OF_ONE_FOLD = 0.2


@dataclass(frozen=True)
class Job:
    """A training job.

    Attributes:
        estimator: a name of `ESTIMATORS`.
        signature: features, target and task; its labels are still unknown and empty.
        params: hyperparameters under the library's own names, only those the user has set.
        seed: the seed of the split and of the estimator.
        test_fraction: the share of rows held out for metrics, from 0 to below 1.
        tolerance: the largest difference allowed between the library's scores and the graph's, relative above 1.
        split_method: one of `SPLIT_METHODS`.
        split_column: a boolean that is true for held-out rows, or the column by which the last rows are held out.
        weight_column: the column of sample weights.
        censor_column: true or 1 if the end of a time was observed, false or 0 if it was still going on (censored).
        impute: feature → strategy or number for missing values; the mean if a feature is not named.
        missing_flag: features with an additional column that flags missing values.
        encode: feature → encoding of its texts; one-hot, or category sets, if it is not named.
        class_weights: label → weight of its rows, times the row's own weight; or `BALANCED`.
        curves: True to compute plots.
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
        """The features that get a column that flags missing values.

        Args:
            missing: True if the estimator handles missing numbers itself; then only imputed features need a flag.
        """
        named = set(self.missing_flag) & (set(self.impute) if missing else set(self.signature.names))
        return tuple(feature for feature in self.signature.features if feature.name in named)

    def _is_text(self, feature: Feature, *, coded: bool) -> bool:
        return feature.kind == TEXT and coded == (self.encode.get(feature.name, ONE_HOT) != ONE_HOT)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the query that are read, each once."""
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
    """The difference between the fitted model and its ONNX graph, measured on `rows` rows.

    `max_abs_diff` is of probabilities, or of predictions (relative for those above 1). `label_mismatches` counts rows
    whose two best classes have scores equal to nine digits but were ranked differently; any other mismatch refuses the
    model.
    """

    rows: int
    max_abs_diff: float
    label_mismatches: int


@dataclass(frozen=True)
class Fitted:
    """A fitted model and its metrics.

    Attributes:
        onnx: the serialized ONNX graph; `sqlml.scoring.scorer` describes its inputs and outputs.
        signature: the job's signature, completed with labels and outputs.
        metrics: measured on held-out rows, or on training rows if none were held out.
        rows: the number of training rows.
        held_out: the number of held-out rows.
        measured: the number of rows the metrics are measured on; of many training rows only a sample.
        params: all hyperparameters with the values used.
        library: the library's name and version.
        curves: plots, see `sqlml.estimators.curves`; or {"error": text} if they could not be computed.
        warnings: sentences for the user; see `sqlml.estimators.fit_warnings`.
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
        """All but the ONNX graph."""
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
