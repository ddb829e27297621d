"""The models: trained by TRAIN MODEL, and the library's own object from the same rows and options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.data import TARGET, folder_of, register
from benchmarks.workloads import Model, Workload

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_SEED = 42


@dataclass(frozen=True)
class Trained:
    """A model in the registry, and what else there is of it.

    Attributes:
        digest, onnx: the graph; it has one input a feature.
        pipeline: scikit-learn's: preparation and estimator, fitted to what sqlml has fitted to.
        used: the features that make a difference.
        rows: what it was fitted to, for rivals that fit their own.
        place: a folder for what rivals make of it.
    """

    model: Model
    name: str
    digest: str
    onnx: bytes
    pipeline: Any
    used: tuple[str, ...]
    rows: DataFrame
    place: Path

    @property
    def features(self) -> tuple[str, ...]:
        return self.model.data.features


def registry_settings(place: Path) -> dict[str, str]:
    """Spark settings of the registry that the models are in."""
    return {"spark.sqlml.registry.uri": f"sqlite:///{place / 'registry.db'}", "spark.sqlml.train.plots": "false"}


def trained(spark: SparkSession, workload: Workload, place: Path) -> tuple[Trained, ...]:
    """A workload's models, trained where the registry has them not yet.

    Raises:
        AssertionError: a model uses a column that the workload says it does not.
    """
    found = tuple(_trained(spark, model, place) for model in workload.models)
    for one in found:
        surplus = set(one.used) & set(workload.unused)
        assert not surplus, f"{workload.name}: the model uses {', '.join(sorted(surplus))}"
    return found


def _trained(spark: SparkSession, model: Model, place: Path) -> Trained:
    import joblib

    from sqlml.registry import Registry

    source = register(spark, model.data, folder_of(model.data, model.rows, place))[""]
    spark.sql(statement(model, source)).collect()
    version = Registry(registry_settings(place)["spark.sqlml.registry.uri"]).load(model.name)
    own = place / "models" / version.digest
    rows = spark.sql(source)
    kept = own / "pipeline.joblib"
    if not kept.exists():
        own.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        joblib.dump(fitted(model, rows.toArrow()), partial)
        partial.rename(kept)
    pipeline = joblib.load(kept)
    used = _used(pipeline, model)
    return Trained(model, model.name, version.digest, version.onnx(), pipeline, used, rows, own)


def statement(model: Model, source: str) -> str:
    """The TRAIN MODEL of a model, from the rows of a query."""
    features = ", ".join(model.data.features)
    options = ", ".join(
        f"{name} = {_literal(value)}"
        for name, value in {"split_method": "none", "seed": _SEED, **model.options}.items()
    )
    return (
        f"TRAIN MODEL IF NOT EXISTS {model.name} USING {model.estimator} TARGET {TARGET} FEATURES ({features})"
        f" OPTIONS ({options}) AS {source}"
    )


def _literal(value: Any) -> str:
    return f"[{', '.join(map(_literal, value))}]" if isinstance(value, (list, tuple)) else repr(value)


def fitted(model: Model, table: pa.Table) -> Any:
    """The pipeline as its user would write it: scaled where the estimator wants that, texts one-hot, nothing else.

    The rows come in the order in which sqlml has learned from them; the last digit of a sum depends on it.
    """
    from sklearn.pipeline import Pipeline

    from sqlml.estimators import resolve
    from sqlml.estimators.sklearn import model as sklearn_model
    from sqlml.estimators.sklearn import rows as sklearn_rows
    from sqlml.jobs.job import NO_SPLIT, Job
    from sqlml.signature import Feature, Signature

    data = model.data
    features = [*(Feature(name, "double") for name in data.numbers), *(Feature(name, "string") for name in data.texts)]
    signature = Signature("classification", tuple(features), TARGET, "int")
    job = Job(model.estimator, signature, dict(model.options), _SEED, 0.0, 1e-6, split_method=NO_SPLIT)
    estimator = resolve(model.estimator, "classification", "sklearn")
    rows = sklearn_rows.read(table, job)
    learned = rows.learned
    inputs: Any = learned.frame.set_axis(list(data.features), axis=1)
    if not data.texts:
        inputs = inputs.to_numpy()
    made = sklearn_model.build(estimator, job, rows)
    pipeline = Pipeline([*_preparation(model, scale=estimator.scale), ("model", made)])
    pipeline.fit(inputs, learned.target)
    if "n_jobs" in made.get_params():
        # Spark has a task for every core already.
        made.set_params(n_jobs=1)
    return pipeline


def _preparation(model: Model, *, scale: bool) -> list[tuple[str, Any]]:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from sqlml.jobs.preparation import MAX_CATEGORIES

    numbers = StandardScaler() if scale else "passthrough"
    if not model.data.texts:
        return [("scale", numbers)] if scale else []
    texts = OneHotEncoder(max_categories=MAX_CATEGORIES + 1, handle_unknown="infrequent_if_exist", sparse_output=False)
    parts = [("numbers", numbers, list(model.data.numbers)), ("texts", texts, list(model.data.texts))]
    return [("prepare", ColumnTransformer(parts))]


def _used(pipeline: Any, model: Model) -> tuple[str, ...]:
    """The features with a weight or a split; all of an estimator that does not say."""
    import numpy as np

    estimator = pipeline["model"]
    if hasattr(estimator, "coef_"):
        weights = np.abs(np.ravel(estimator.coef_))
    elif hasattr(estimator, "feature_importances_"):
        weights = np.ravel(estimator.feature_importances_)
    else:
        return model.data.features
    names = [*model.data.numbers]
    if model.data.texts:
        encoder = pipeline["prepare"].named_transformers_["texts"]
        # A block a text; categories that are rare share one column.
        sizes = [
            len(categories) if rare is None else len(categories) - len(rare) + 1
            for categories, rare in zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
        ]
        names += [text for text, size in zip(model.data.texts, sizes, strict=True) for _ in range(size)]
    seen = {name for name, weight in zip(names, weights, strict=True) if weight > 0}
    return tuple(name for name in model.data.features if name in seen)
