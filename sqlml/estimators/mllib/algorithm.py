"""Factory of MLlib estimators: builds the estimator of a job, checks and fits it, and reads back the hyperparameters it
used."""

from __future__ import annotations

import re
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import IllegalArgumentException, PySparkException
from pyspark.ml import classification, feature
from pyspark.sql import DataFrame

from sqlml.errors import SqlmlError
from sqlml.estimators import label_options
from sqlml.estimators.estimator import Estimator
from sqlml.estimators.library_classes import library_class
from sqlml.estimators.mllib import xgboost
from sqlml.jobs.job import Job
from sqlml.signature import Signature

_PCA = "PCA"
_NETWORK, _REST = "MultilayerPerceptronClassifier", "OneVsRest"
# These have the parameter weightCol, but Spark 4.3 ignores it.
_WEIGHTLESS = ("FMClassifier", "FMRegressor")
# MLlib's explanation inside of a longer error message.
_REASON = re.compile(r"requirement failed: ([^\n]+)|(Vector values MUST[^\n]+)|(Labels MUST[^\n]+)")


def check_executors(estimator: Estimator, task: str, context: SparkContext) -> None:
    """Raises SqlmlError SQLML_MISSING_PACKAGE if an executor lacks a library that runs there."""
    if xgboost.builds(estimator.class_name(task)):
        xgboost.check_executors(context, estimator)


def build(estimator: Estimator, job: Job) -> Any:
    """MLlib's estimator with the job's hyperparameters, which MLlib itself validates.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID.
    """
    name = estimator.class_name(job.signature.task)
    if xgboost.builds(name):
        return xgboost.build(estimator, job)
    kind = library_class(estimator, job.signature.task)
    if name == _PCA:
        return _reduction(kind, job, {**estimator.defaults, **job.params})
    # OneVsRest wraps a logistic regression, which takes the options.
    algorithm = (classification.LogisticRegression if name == _REST else kind)()
    params = {key: _listed(value) for key, value in {**estimator.defaults, **job.params}.items()}
    # The layers' sizes depend on features and classes; `run` sets them.
    if name == _NETWORK:
        _check_layers(params.pop("layers"))
    if algorithm.hasParam("seed"):
        params.setdefault("seed", job.seed)
    if algorithm.hasParam("labelCol"):
        params["labelCol"] = "label"
    if estimator.censored:
        params["censorCol"] = "censor"
    thresholds = params.pop("thresholds", None)
    try:
        algorithm.setParams(featuresCol="x", **params)
        if thresholds is not None:
            _set_thresholds(algorithm, name, thresholds)
        algorithm._transfer_params_to_java()
    except (IllegalArgumentException, TypeError, ValueError) as error:
        raise _invalid(error) from error
    if name == _REST:
        algorithm = kind().setParams(classifier=algorithm, featuresCol="x", labelCol="label")
    if job.weight_column is not None or job.class_weights is not None:
        if name in _WEIGHTLESS or not algorithm.hasParam("weightCol"):
            raise label_options.counts_all_the_same(job, name)
        algorithm.set(algorithm.weightCol, "weight")
    return algorithm


def _reduction(kind: Any, job: Job, params: dict[str, Any]) -> Any:
    """PCA, whose input and output columns have other parameters than those of predictors."""
    if job.weight_column is not None:
        raise label_options.counts_all_the_same(job, _PCA)
    try:
        return kind(inputCol="x", outputCol="prediction", **params)
    except (IllegalArgumentException, TypeError, ValueError) as error:
        raise _invalid(error) from error


def check_classes(estimator: Estimator, job: Job, signature: Signature) -> None:
    """Raises SqlmlError before the fit if the estimator does not support this number of classes."""
    count = len(signature.labels)
    if estimator.two_classes and count > 2:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"{estimator.name} supports only two classes, but {signature.target} has {count}.",
            hint="Use mllib.random_forest, mllib.logistic_regression or sklearn.gradient_boosting, which support any"
            " number of classes.",
        )
    thresholds = job.params.get("thresholds")
    if isinstance(thresholds, (list, tuple)) and len(thresholds) != count:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"thresholds has {len(thresholds)} values, but {signature.target} has {count} classes:"
            f" {', '.join(map(repr, signature.labels[:10]))}{', …' if count > 10 else ''}.",
        )


def ready(vectors: DataFrame, fitting: Any) -> DataFrame:
    """The vectors `x` as the estimator or model expects them. Bernoulli naive Bayes needs 0 and 1, so numbers are
    binarized at 0, as in scikit-learn."""
    if fitting.hasParam("num_workers"):
        return xgboost.ready(vectors)
    if not fitting.hasParam("modelType") or fitting.getOrDefault("modelType") != "bernoulli":
        return vectors
    others = [name for name in vectors.columns if name != "x"]
    bits = feature.Binarizer(threshold=0.0, inputCol="x", outputCol="bits").transform(vectors)
    return bits.select(*others, bits["bits"].alias("x"))


def run(
    algorithm: Any, train: DataFrame, estimator: Estimator, job: Job, *, rows: int, width: int, classes: int
) -> Any:
    """Fits the estimator to `rows` rows. `width` and `classes` are the sizes of a network's first and last layer."""
    name = estimator.class_name(job.signature.task)
    if xgboost.builds(name):
        xgboost.share_out(algorithm, train.sparkSession.sparkContext, job, rows)
    if name == _NETWORK:
        hidden = _listed(job.params.get("layers", estimator.defaults["layers"]))
        algorithm.setLayers([width, *hidden, classes])
    try:
        return algorithm.fit(train)
    except (Py4JJavaError, PySparkException) as error:
        found = _REASON.search(str(error))
        if isinstance(error, IllegalArgumentException) and job.params:
            # Some combinations are refused only in the fit, such as a depth that MLlib's trees cannot have.
            raise _invalid(error) from error
        # An executor's error comes with its stack trace; the first line says what it is.
        lines = str(getattr(error, "java_exception", None) or error).strip().splitlines() or [repr(error)]
        message = next(filter(None, found.groups())) if found else lines[0]
        raise SqlmlError("SQLML_ENGINE_FAILED", f"{name} cannot learn from these rows: {message.strip()}") from error


def effective(algorithm: Any, model: Any, estimator: Estimator) -> dict[str, Any]:
    """All hyperparameters with the values used, defaults included."""
    if xgboost.builds(type(algorithm).__name__):
        return xgboost.effective(model, algorithm, estimator)
    one = algorithm.getClassifier() if algorithm.hasParam("classifier") else algorithm
    names = [*estimator.params, "seed"]
    found = {name: one.getOrDefault(name) for name in names if one.hasParam(name) and one.isDefined(one.getParam(name))}
    if "layers" in found:
        found["layers"] = found["layers"][1:-1]
    return found


def _listed(value: Any) -> Any:
    """A list for a tuple: SQL's lists are tuples here, but MLlib expects lists."""
    return list(value) if isinstance(value, tuple) else value


def _set_thresholds(algorithm: Any, name: str, thresholds: Any) -> None:
    """Sets thresholds by their setter, because `setParams` of some classifiers does not accept them."""
    if not hasattr(algorithm, "setThresholds"):
        raise SqlmlError("SQLML_OPTION_INVALID", f"thresholds is not an option of {name}.")
    algorithm.setThresholds(thresholds)


def _check_layers(layers: Any) -> None:
    sizes = layers if isinstance(layers, list) else [None]
    if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"layers must be a list with the sizes of the hidden layers, such as [16, 8], not {layers!r}.",
            hint="Leave out the first and the last layer, which follow from the features and the classes.",
        )


def _invalid(error: Exception) -> SqlmlError:
    """An SqlmlError with MLlib's message in one line, without the generated uid of the estimator."""
    first = re.sub(r"(\w+?)_[0-9a-f]{12,}", r"\1", (str(error).strip() or repr(error)).splitlines()[0])
    return SqlmlError("SQLML_OPTION_INVALID", first.removeprefix("requirement failed: "))
