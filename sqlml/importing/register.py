"""`sqlml.register_model`: registers a model that was trained outside sqlml, so that PREDICT works on it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.parser.references import model_name
from sqlml.system import process

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

    from sqlml.importing import Imported
    from sqlml.importing.limits import Limits
    from sqlml.registry import ModelVersion, Registry


def register_model(
    name: str,
    model: Any,
    *,
    signature: Any = None,
    features: Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    target: str | Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    task: str | None = None,
    activation: str | None = None,
    missing: str = "null",
    outputs: str | Sequence[str] | None = None,
    example: Any = None,
    tolerance: float = 1e-4,
    metrics: Mapping[str, float] | None = None,
    comment: str | None = None,
    tags: Mapping[str, str] | None = None,
    session: SparkSession | None = None,
    registry: str | None = None,
) -> ModelVersion | Row:
    """Registers a model that was trained outside sqlml as a new version; PREDICT then works on it as on any other.

        >>> network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> sqlml.register_model(
        ...     "irises",
        ...     network,
        ...     features=["sepal_length", "sepal_width", "petal_length", "petal_width"],
        ...     target="species",
        ...     labels=["setosa", "versicolor", "virginica"],
        ...     activation="softmax",
        ... )
        >>> spark.sql("SELECT PREDICT(irises, *) AS species FROM flowers")

    A fitted object of scikit-learn, LightGBM or XGBoost needs an example of the rows that it was fitted to:

        >>> sqlml.register_model("churn", pipeline, example=X, target="churned")

    Names and types of the features come from the example, the labels from the object. Its steps are converted to ONNX
    in float64 where possible; then the graph's predictions of the example's rows, and of rows with missing, infinite,
    unseen and extreme values, are compared with the object's own. A feature whose missing values the object does not
    take makes the prediction NULL. A missing text is what it is in the example: None, or NaN as pandas reads it.

    A model of TensorFlow: `model, _ = tf2onnx.convert.from_keras(keras_model, opset=18)`; then as above.

    Nothing is registered before the model has passed every check. First its file is validated: operators that are not
    in `sqlml.importing.operators`, loops, branches, functions, external data and sizes beyond the limits are refused by
    name. Then a process with limits on time and memory runs it on the rows of `example` or on generated ones; a row's
    prediction must not depend on the other rows of its batch.

    A missing feature (NULL, NaN or infinite) makes the prediction NULL, unless `missing` says otherwise; so does a
    number that its integer type cannot hold. An integer is never converted to a float on the way to an integer input,
    and is rounded as usual on the way to a float32 one. A FLOAT, a DOUBLE or a DECIMAL with a scale does not feed an
    integer input without a CAST in the query.

    Where a graph returns a label and scores, the two are compared on those rows and on generated scores, to find the
    order of the classes in the scores. Where they contradict each other, an error asks for `labels`.

    Args:
        name: as in TRAIN MODEL.
        model: a fitted estimator or Pipeline of scikit-learn, or a model of LightGBM or XGBoost (their scikit-learn
            classes or a Booster), which need `example`; a torch.nn.Module; an onnx.ModelProto, its bytes, or the path
            of an ONNX file. The inputs of a module or a graph are tensors [rows], [rows, 1] or [rows, k]. A model with
            a fixed batch size is run on batches of that size.
        signature: the features and their Spark types, in the order of the inputs: `'age double, plan string'`, pairs
            of name and type, an MLflow ModelSignature, or a DataFrame (pandas, Spark, Arrow) with such columns. Without
            it the types and names are those of the graph's inputs, unless one of them takes several columns.
        features: the names alone, where the graph's types suffice. Or a mapping from inputs to features: `{'numbers':
            ['age', 'income'], 'plan': 'plan'}`; for a module a list means a tensor [rows, k], a name one [rows].
        target: the name of the prediction; several names for a multi-output regression, which predicts a STRUCT.
        labels: the classes in the order of the probabilities, as the graph's label output names them or under new
            names. Texts, booleans or numbers, which determine the type of the prediction. By default the names in the
            graph, or 0, 1, ….
        task: `'classification'` or `'regression'`, where the outputs are ambiguous.
        activation: `'softmax'` or `'sigmoid'` for a network that returns logits; `'none'` for scores that are not
            probabilities. A single number per row is the second label's. The label with the largest one is predicted.
        missing: `'nan'` for a model that handles missing numbers: a NULL in a float feature becomes NaN, and NaN and
            infinite numbers are passed unchanged.
        outputs: the graph's outputs to use, where it has more than a label and its probabilities.
        example: rows with the features for the trial run: a pandas, Polars or Spark DataFrame, an Arrow table, a
            dictionary of columns. Fitted objects need it. For others it is useful where generated rows would be unlike
            the model's training data. Without `signature` its types are used.
        tolerance: the largest difference between a module's own predictions of those rows and ONNX Runtime's (relative
            above 1); labels must be equal.
        metrics: metrics measured by the caller, for DESCRIBE MODEL.
        comment: a comment on the model, as in TRAIN MODEL.
        tags: tags of the version.
        session: the Spark session whose registry to use; the active one by default. With one of Spark Connect the model
            is converted here, and the server imports its graph.
        registry: an MLflow tracking URI to use instead, without Spark.

    Returns:
        The registered version, with its number, signature, fidelity and digest; with Spark Connect the row of IMPORT
        MODEL.

    Raises:
        SqlmlError: SQLML_INVALID_NAME; SQLML_MODEL_REFUSED; SQLML_BINDING_MISMATCH and SQLML_FEATURE_UNUSABLE where
            features and inputs do not agree; SQLML_TARGET_INVALID where labels and outputs do not; SQLML_FIDELITY;
            SQLML_OPTION_INVALID; SQLML_MISSING_PACKAGE; SQLML_REGISTRY_UNAVAILABLE.
    """
    from sqlml.conversion import converted
    from sqlml.conversion.routes import route_of
    from sqlml.importing import imported, requested
    from sqlml.importing.limits import DEFAULT
    from sqlml.importing.sending import sent
    from sqlml.registry.store import load_mlflow
    from sqlml.training.imported_model import trained

    name = model_name(name)
    request = requested(
        signature=signature,
        features=features,
        target=target,
        labels=labels,
        task=task,
        activation=activation,
        missing=missing,
        outputs=outputs,
        tolerance=tolerance,
        example=example,
    )
    rank_one = (
        [key for key, named in features.items() if isinstance(named, str)] if isinstance(features, Mapping) else []
    )
    numbers = _numbers(metrics or {})
    texts = {str(key): str(value) for key, value in (tags or {}).items()}
    route = route_of(model)

    def convert(limits: Limits) -> Imported:
        if route is None:
            made = imported(model, request, rank_one=rank_one, example=example, limits=limits)
        else:
            made = converted(model, route, request, example=example, limits=limits, progress=_show)
        return replace(made, metrics=numbers)

    remote = None if registry is not None else _connected(session)
    if remote is not None:
        return sent(remote, name, convert(DEFAULT), comment, texts)
    store, permitted, limits = _store(session, registry, name)
    for key, value in texts.items():
        store.check_tag(key, value)
    with permitted:
        # The registry's clean-up imports MLflow on a thread, and scikit-learn fails on a library that is half imported,
        # such as Polars. This waits for it.
        load_mlflow()
        selected = None
        if registry is None and route is not None and route.library == "Spark MLlib":
            from sqlml.spark.launch import session_of
            from sqlml.spark.sql_transformer import separated

            selected = separated(session_of(session), model, example)
            if selected is not None:
                model, example = selected.model, selected.example
        found = convert(limits)
        with store.training_run(name, "", texts, process.user()) as run:
            transform = None if selected is None else selected.transform(found.signature.features)
            version = run.register(trained(found, transform), comment=comment)
    return store.load(f"{name}/{version}")


def _connected(session: Any) -> Any:
    """The session of Spark Connect that is given, or that is active where none is given; None for any other."""
    module = "pyspark.sql.connect.session"
    if session is not None:
        return session if type(session).__module__ == module else None
    connect = sys.modules.get(module)
    return None if connect is None else connect.SparkSession.getActiveSession()


def _store(
    session: SparkSession | None, uri: str | None, name: str
) -> tuple[Registry, AbstractContextManager[None], Limits]:
    """The registry, a context manager that checks the session's permission and writes the audit record, and the limits
    of imports."""
    if uri is not None:
        from sqlml.importing.limits import DEFAULT
        from sqlml.registry import Registry
        from sqlml.registry.location import locate

        # Without Spark there is no policy: access to the store is the permission.
        return Registry(*locate(uri, "")), nullcontext(), DEFAULT
    from sqlml.policy import IMPORT
    from sqlml.spark.launch import application_of

    registry, policy, limits = application_of(session)
    return registry, policy.permitted(process.user(), IMPORT, (name,), f"sqlml.register_model({name!r}, …)"), limits


def _show(line: str) -> None:
    """Prints a line of progress where a training's lines appear."""
    print(f"sqlml: {line}", file=sys.stderr, flush=True)


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SqlmlError("SQLML_OPTION_INVALID", f"The metric {name} must be a number, not {value!r}.")
    return {str(name): float(value) for name, value in metrics.items()}
