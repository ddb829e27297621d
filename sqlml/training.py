"""What TRAIN MODEL decides before anything is fitted: columns, task, engine, options. Then it lets the engine work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import CLASSIFICATION, REGRESSION, Estimator, resolve
from sqlml.estimators.job import Fitted, Job
from sqlml.grammar import Call, Column, Option
from sqlml.printing import quote_identifier
from sqlml.session import Session
from sqlml.settings import MAX_ROWS, TRAIN_MEMORY
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, TEXT, Feature, Signature, kind_of

# An integer target with more distinct values than this is a quantity, not a class.
_MOST_INTEGER_CLASSES = 20
_DEFAULT_SEED = 42


@dataclass(frozen=True)
class Request:
    """The clauses of TRAIN MODEL that decide what is learned."""

    query: str
    query_offset: int
    estimator: str | None
    estimator_offset: int | None
    target: Column | None
    features: tuple[Column, ...] | None
    excluded: tuple[Column, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Trained:
    """A fitted model with what it came from: all that the registry keeps."""

    estimator: Estimator
    fitted: Fitted
    job: Job
    source_schema: tuple[tuple[str, str], ...]


def warm_up(estimator: str | None) -> None:
    """Starts importing what the fit will need, in the process that will need it, while the registry is opened."""
    if estimator is None or not estimator.lower().startswith("mllib."):
        from sqlml.estimators import trainer

        trainer.warm()


def train(request: Request, session: Session) -> Trained:
    """Plans and fits. Raises what `TrainModel` documents."""
    most_rows, memory = session.setting(MAX_ROWS), session.setting(TRAIN_MEMORY)
    frame = session.frame(request.query, request.query_offset)
    schema = tuple((name, kind) for name, kind in frame.dtypes)
    target = _target(request, schema)
    features = _features(request, schema, target)
    common, hyperparameters = _split_options(request.options)

    session.progress(f"reading {len(features)} features and the target {target.name}")
    rows, labelled, distinct = _count(frame, target, common)
    _check_rows(rows, labelled, target, request)
    task = common.task or _infer_task(target, distinct, request)
    estimator = _resolve(request, task, "sklearn" if rows <= most_rows else "mllib")
    job = Job(
        estimator=estimator.name,
        signature=Signature(task, features, target.name, target.type if task == CLASSIFICATION else "double"),
        params=_hyperparameters(estimator, hyperparameters),
        seed=common.seed,
        test_fraction=common.test_fraction,
        tolerance=common.tolerance,
    )
    selected = frame.select(*[frame[quote_identifier(name)] for name in (*job.signature.names, target.name)])
    session.progress(f"fitting {estimator.name} to {labelled} rows")
    try:
        fitted = _fit(job, estimator, selected, rows, most_rows, memory, session)
    except SqlmlError as error:
        raise error.at(_place(error, request, hyperparameters)) from error.__cause__
    return Trained(estimator, fitted, job, schema)


def _fit(
    job: Job, estimator: Estimator, frame: Any, rows: int, most_rows: int, memory: int | None, session: Session
) -> Fitted:
    if estimator.engine == "mllib":
        from sqlml.estimators import mllib

        return mllib.fit(job, frame, session.progress, session.cancelled)
    if rows > most_rows:
        raise SqlmlError(
            "SQLML_TOO_MANY_ROWS",
            f"{estimator.name} trains on one machine, and the query has {rows} rows; the limit is {most_rows}.",
            hint=f"Train {estimator.name.replace('sklearn.', 'mllib.')} on the cluster, train on a sample, or have"
            f" {MAX_ROWS.key} raised.",
        )
    from sqlml.estimators import trainer

    return trainer.train(
        job,
        lambda: session.collect(frame),
        progress=session.progress,
        cancelled=session.cancelled,
        memory=memory,
    )


def _place(error: SqlmlError, request: Request, hyperparameters: list[Option]) -> int | None:
    """Where in the user's text an engine's complaint belongs."""
    if error.condition == "SQLML_TARGET_INVALID" and request.target is not None:
        return request.target.offset
    if error.condition == "SQLML_OPTION_INVALID":
        words = set(re.findall(r"\w+", error.message))
        named = [option for option in hyperparameters if option.name in words]
        return (named or hyperparameters)[0].offset if hyperparameters else None
    return request.query_offset if error.condition == "SQLML_FEATURE_UNUSABLE" else None


# -- columns -----------------------------------------------------------------------------------------------------------


def _target(request: Request, schema: tuple[tuple[str, str], ...]) -> Feature:
    if request.target is None:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            "TRAIN MODEL needs the column to predict.",
            hint="Add TARGET column before AS.",
            offset=max(request.query_offset - 3, 0),
        )
    name, kind = _find(request.target, schema)
    if kind_of(kind) is None:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {name} is {kind.upper()}, which cannot be predicted.",
            hint="A target is a number, a text, a boolean, a date or a timestamp.",
            offset=request.target.offset,
        )
    return Feature(name, kind)


def _features(request: Request, schema: tuple[tuple[str, str], ...], target: Feature) -> tuple[Feature, ...]:
    if request.features is not None:
        chosen = [(column.offset, *_find(column, schema)) for column in request.features]
    else:
        left_out = {_find(column, schema)[0] for column in request.excluded}
        chosen = [(None, name, kind) for name, kind in schema if name not in left_out and name != target.name]
    seen: set[str] = set()
    for offset, name, kind in chosen:
        if name == target.name:
            raise SqlmlError("SQLML_FEATURE_UNUSABLE", f"{name} is the target, not a feature.", offset=offset)
        if name.lower() in seen:
            raise SqlmlError(
                "SQLML_AMBIGUOUS_FEATURE",
                f"The query has two columns called {name}.",
                hint="Give each column a name of its own: SELECT t.id AS order_id, …",
                offset=offset or request.query_offset,
            )
        if kind_of(kind) is None:
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"Column {name} is {kind.upper()} and cannot be a feature.",
                hint=f"Leave it out: FEATURES * EXCEPT ({quote_identifier(name)}).",
                offset=offset or request.query_offset,
            )
        seen.add(name.lower())
    if not chosen:
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"No feature is left: the query has only the target {target.name}.",
            hint="Select more columns.",
            offset=request.query_offset,
        )
    return tuple(Feature(name, kind) for _, name, kind in chosen)


def _find(column: Column, schema: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """A column of the query by name, exact first, then without regard to case."""
    found = [pair for pair in schema if pair[0] == column.name] or [
        pair for pair in schema if pair[0].lower() == column.name.lower()
    ]
    if not found:
        raise SqlmlError(
            "SQLML_COLUMN_NOT_FOUND",
            f"The query has no column {column.name}.",
            hint=did_you_mean(column.name, [name for name, _ in schema]),
            offset=column.offset,
        )
    return found[0]


# -- rows and task -----------------------------------------------------------------------------------------------------


def _count(frame: Any, target: Feature, common: _Common) -> tuple[int, int, int]:
    """Rows of the query, rows with a target, and distinct targets (only counted where the task depends on it)."""
    column = quote_identifier(target.name)
    distinct = f"count(DISTINCT {column})" if target.type in INTEGERS and common.task is None else "0L"
    rows, labelled, classes = frame.selectExpr("count(*)", f"count({column})", distinct).first()
    return rows, labelled, classes


def _check_rows(rows: int, labelled: int, target: Feature, request: Request) -> None:
    offset = request.target.offset if request.target else None
    if rows == 0:
        raise SqlmlError("SQLML_TOO_FEW_ROWS", "The query returns no rows to learn from.", offset=request.query_offset)
    if labelled == 0:
        raise SqlmlError("SQLML_TARGET_INVALID", f"The target {target.name} is NULL in all {rows} rows.", offset=offset)


def _infer_task(target: Feature, distinct: int, request: Request) -> str:
    if target.kind in (TEXT, BOOLEAN):
        return CLASSIFICATION
    if target.kind == NUMBER:
        few = target.type in INTEGERS and distinct <= _MOST_INTEGER_CLASSES
        return CLASSIFICATION if few else REGRESSION
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"The target {target.name} is {target.type.upper()}: say what to predict.",
        hint="Select a number instead, such as unix_timestamp(…), or set OPTIONS (task = 'classification').",
        offset=request.target.offset if request.target else None,
    )


def _resolve(request: Request, task: str, engine: str) -> Estimator:
    try:
        return resolve(request.estimator, task, engine)
    except SqlmlError as error:
        raise error.at(request.estimator_offset) from None


# -- options -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Common:
    task: str | None = None
    test_fraction: float = 0.2
    seed: int = _DEFAULT_SEED
    tolerance: float = 1e-6


def _split_options(options: tuple[Option, ...]) -> tuple[_Common, list[Option]]:
    """The options every estimator has, checked, and the rest, which are hyperparameters."""
    common = {option.name.lower(): option for option in options if option.name.lower() in _CHECKS}
    values: dict[str, Any] = {}
    for name, option in common.items():
        holds, needed = _CHECKS[name]
        if not holds(option.value):
            raise SqlmlError(
                "SQLML_OPTION_INVALID", f"{option.name} must be {needed}, not {option.value!r}.", offset=option.offset
            )
        values[name] = option.value.lower() if isinstance(option.value, str) else option.value
    return _Common(**values), [option for option in options if option.name.lower() not in _CHECKS]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_CHECKS: dict[str, tuple[Any, str]] = {
    "task": (lambda value: str(value).lower() in (CLASSIFICATION, REGRESSION), "'classification' or 'regression'"),
    "test_fraction": (lambda value: _is_number(value) and 0 <= value < 1, "a number from 0 to below 1"),
    "seed": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31,
        "an integer from 0",
    ),
    "tolerance": (lambda value: _is_number(value) and value >= 0, "a number from 0"),
}


def _hyperparameters(estimator: Estimator, options: list[Option]) -> dict[str, Any]:
    names = {name.lower(): name for name in estimator.params}
    given = {}
    for option in options:
        if option.name.lower() not in names:
            raise SqlmlError(
                "SQLML_OPTION_NOT_FOUND",
                f"{estimator.name} has no option {option.name}.",
                hint=did_you_mean(option.name, [*estimator.params, *_CHECKS]),
                offset=option.offset,
            )
        if isinstance(option.value, Call):
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option.name} takes a value, not {option.value.name}(…).",
                offset=option.offset,
            )
        given[names[option.name.lower()]] = option.value
    return given
