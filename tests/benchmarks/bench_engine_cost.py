"""What the units of `sqlml.compiler.cost` take on this machine: nanoseconds, to be written into its two tables.

    pytest tests/benchmarks/bench_engine_cost.py -s

Models of several kinds and sizes score few rows and many under each engine, in turns. What a model costs a row is the
slope between the two, less that of a query which only adds up the same columns. The units are then fitted to those
numbers, each model's error relative to its own cost, and none below 0.

These are not the models that the goal for `auto` is about, which are in `benchmarks.workloads`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from helpers.folders import ROOT

from benchmarks.data import Data, folder_of, register
from benchmarks.measuring import measured
from benchmarks.records import Request
from benchmarks.running import session
from sqlml.compiler import cost
from sqlml.compiler.catalyst import program
from sqlml.compiler.feature_usage import used_features
from sqlml.registry import Registry
from sqlml.signature import TEXT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sqlml.registry import ModelVersion

_PLACE = ROOT / ".artifacts" / "benchmarks"
_FEW, _MANY, _TRAINED, _ROUNDS = 50_000, 500_000, 4_000, 4
_NUMBERS, _TEXTS = tuple(f"f{place}" for place in range(40)), tuple(f"t{place}" for place in range(6))
# Below so many nanoseconds a row an error is not relative any more: they drown in those of the query around.
_LEAST = 200.0
# A query may cost that much more under the engine that is chosen than under the other: machines do other things too.
_TOLERATED = 1.3


@dataclass(frozen=True)
class Probe:
    """A model that has much of one kind of work, or two of a kind in other proportions.

    Attributes:
        target: `amount`, `two` or `five` classes.
        numbers, texts: how many columns of each it is given.
    """

    estimator: str
    target: str
    numbers: int
    texts: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        options = "_".join(f"{value}" for value in self.options.values())
        text = f"probe_{self.estimator}_{self.target}_{self.numbers}_{self.texts}_{options}"
        return "".join(letter if letter.isalnum() else "_" for letter in text).rstrip("_")

    @property
    def features(self) -> tuple[str, ...]:
        return (*_NUMBERS[: self.numbers], *_TEXTS[: self.texts])


_PROBES = (
    Probe("sklearn.linear_regression", "amount", 2),
    Probe("sklearn.linear_regression", "amount", 12),
    Probe("sklearn.linear_regression", "amount", 40),
    Probe("sklearn.ridge", "amount", 0, 1),
    Probe("sklearn.ridge", "amount", 0, 6),
    Probe("sklearn.ridge", "amount", 10, 3),
    Probe("sklearn.logistic_regression", "five", 12),
    Probe("sklearn.neural_network", "amount", 12, options={"hidden_layer_sizes": [12]}),
    Probe("sklearn.neural_network", "amount", 12, options={"hidden_layer_sizes": [40]}),
    Probe("sklearn.neural_network", "amount", 12, options={"hidden_layer_sizes": [80], "activation": "tanh"}),
    Probe("sklearn.neural_network", "amount", 6, options={"hidden_layer_sizes": [30, 30]}),
    Probe("sklearn.quadratic_discriminant_analysis", "two", 10),
    Probe("sklearn.quadratic_discriminant_analysis", "two", 20),
    Probe("sklearn.gaussian_naive_bayes", "five", 24),
    Probe("sklearn.k_means", "", 12, options={"n_clusters": 12}),
    Probe("sklearn.decision_tree", "amount", 12, options={"max_depth": 7}),
    Probe("sklearn.random_forest", "five", 12, options={"n_estimators": 30, "max_depth": 10}),
    Probe("sklearn.gradient_boosting", "amount", 40, options={"n_estimators": 100, "max_depth": 4}),
    Probe("lightgbm", "amount", 12, options={"n_estimators": 40, "num_leaves": 15}),
    Probe("lightgbm", "five", 12, options={"n_estimators": 60, "num_leaves": 31}),
    Probe("xgboost", "two", 24, options={"n_estimators": 80, "max_depth": 5}),
)


def _tables(rows: int) -> dict[str, Any]:
    import pyarrow as pa

    random = np.random.default_rng(7)
    columns: dict[str, Any] = {name: random.standard_normal(rows) for name in _NUMBERS}
    columns |= {name: pa.array(np.char.add("value ", random.integers(0, 40, rows).astype(str))) for name in _TEXTS}
    signal = sum(columns[name] for name in _NUMBERS[:12]) + columns["f0"] * columns["f1"]
    signal = signal + random.standard_normal(rows)
    columns |= {"amount": signal, "two": (signal > 0).astype(np.int32)}
    columns["five"] = np.clip(np.round(signal / 3) + 2, 0, 4).astype(np.int32)
    return {"t": pa.table(columns)}


_DATA = Data("probes", _NUMBERS, _TEXTS, {"": "SELECT * FROM {t}"}, _tables)


def test_engine_cost() -> None:
    place = _PLACE
    place.mkdir(parents=True, exist_ok=True)
    spark = session(Request(str(place), 1, (), 0, (), ""))
    try:
        sources = {rows: register(spark, _DATA, folder_of(_DATA, rows, place))[""] for rows in (_FEW, _MANY)}
        train = register(spark, _DATA, folder_of(_DATA, _TRAINED, place))[""]
        found = [_measured(spark, probe, train, sources, place) for probe in _PROBES]
    finally:
        spark.stop()
    (place / "engine_cost.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    report(found)
    for one in found:
        taken = one["compiled"] if one["cheaper"] else one["onnxruntime"]
        least = min(one["compiled"], one["onnxruntime"])
        assert one["floor"] + taken <= _TOLERATED * (one["floor"] + least), one["probe"]


def report(found: list[dict[str, Any]]) -> None:
    """The fitted units beside those in use, and what both say of each model."""
    for engine, costs in (("compiled", cost.COMPILED), ("onnxruntime", cost.ONNXRUNTIME)):
        rows = [one for one in found if one[engine] is not None]
        fitted = fit([(one[f"{engine} work"], one[engine]) for one in rows], tuple(costs))
        print(f"\n{engine}: ns of a unit, measured and in use")
        for unit, nanoseconds in fitted.items():
            print(f"  {unit:10} {nanoseconds:8.2f} {costs[unit]:8.2f}")
        print(f"{'ns a row':68} measured   fitted   in use")
        for one in rows:
            said = [cost.nanoseconds(one[f"{engine} work"], table) for table in (fitted, costs)]
            print(f"  {one['probe']:66} {one[engine]:8.0f} {said[0]:8.0f} {said[1]:8.0f}")


def fit(points: list[tuple[Mapping[str, float], float]], units: tuple[str, ...]) -> dict[str, float]:
    """What each unit costs, so that the relative errors are least."""
    from scipy.optimize import nnls

    weights = [1 / max(total, _LEAST) for _, total in points]
    work = [
        [counts.get(unit, 0) * weight for unit in units] for (counts, _), weight in zip(points, weights, strict=True)
    ]
    found, _ = nnls(np.array(work), [total * weight for (_, total), weight in zip(points, weights, strict=True)])
    return dict(zip(units, found.tolist(), strict=True))


def _measured(spark: SparkSession, probe: Probe, train: str, sources: Mapping[int, str], place: Path) -> dict[str, Any]:
    version = _trained(spark, probe, train)
    labelled = bool(version.signature.labels) and version.signature.probabilities
    function = "predict_proba" if labelled else "predict"
    call = f"PREDICT_PROBA({probe.name}, *)[1]" if labelled else f"PREDICT({probe.name}, *)"
    used = used_features(version.onnx(), version.signature)
    given = [feature.type for feature in version.signature.features]
    made = program(version.onnx(), version.signature, given, used)
    assert made is not None, probe.name
    columns = [
        f"length({feature.name})" if feature.kind == TEXT else feature.name
        for feature, taken in zip(version.signature.features, used, strict=True)
        if taken
    ]
    asked = {"floor": " + ".join(columns), "onnxruntime": call, "compiled": call}
    works: dict[tuple[str, int], Callable[[], Any]] = {}
    for engine, text in asked.items():
        for rows, source in sources.items():
            works[engine, rows] = _query(spark, engine, f"SELECT sum({text}) FROM ({source})")
    found = _seconds(works)
    result: dict[str, Any] = {"probe": probe.name}
    result["floor"] = (found["floor", _MANY][1] - found["floor", _FEW][1]) / (_MANY - _FEW) * 1e9
    for engine in ("onnxruntime", "compiled"):
        few, many = (found[engine, rows][1] - found["floor", rows][1] for rows in (_FEW, _MANY))
        result[engine] = (many - few) / (_MANY - _FEW) * 1e9
        result[f"{engine} a query"] = few - (many - few) / (_MANY - _FEW) * _FEW
        result[f"{engine} once"] = found[engine, _FEW][0] - found[engine, _FEW][1]
    result["compiled work"] = cost.by_program(function, made, version.signature)
    result["onnxruntime work"] = cost.by_onnxruntime(function, version.onnx(), made, version.signature)
    result["cheaper"] = cost.compiled_is_cheaper(function, version.onnx(), made, version.signature)
    print({name: value for name, value in result.items() if "work" not in name}, flush=True)
    return result


def _query(spark: SparkSession, engine: str, text: str) -> Callable[[], Any]:
    def run() -> Any:
        if engine != "floor":
            spark.conf.set("spark.sqlml.engine", engine)
        return spark.sql(text).collect()

    return run


def _seconds(works: Mapping[tuple[str, int], Callable[[], Any]]) -> dict[tuple[str, int], tuple[float, float]]:
    """Processor time of the first time, in which everything is compiled, and the least of the others: what else runs on
    the machine only adds to it."""
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in works}
    for _ in range(_ROUNDS + 1):
        for key, work in works.items():
            spent = measured(work).processor
            assert spent is not None, "this system has no /proc"
            seconds[key].append(spent)
    return {key: (first, min(others)) for key, (first, *others) in seconds.items()}


def _trained(spark: SparkSession, probe: Probe, train: str) -> ModelVersion:
    options = {"split_method": "none", "seed": 1, **probe.options}
    listed = ", ".join(f"{name} = {value!r}" for name, value in options.items())
    target = f"TARGET {probe.target}" if probe.target else ""
    spark.sql(
        f"TRAIN MODEL IF NOT EXISTS {probe.name} USING {probe.estimator} {target}"
        f" FEATURES ({', '.join(probe.features)}) OPTIONS ({listed}) AS {train}"
    ).collect()
    return Registry(spark.conf.get("spark.sqlml.registry.uri")).load(probe.name)
