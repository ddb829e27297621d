"""Binds the arguments of a PREDICT call to a model's features: by name or by position, refused where that is
ambiguous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Feature, Fold, kind_of


@dataclass(frozen=True)
class Argument:
    """One argument.

    Attributes:
        name: the column's name, or None for any other expression.
        type: its Spark SQL type.
        explicit: whether the caller wrote the name, `name => expression`, so that it must be a feature's.
    """

    name: str | None
    type: str
    explicit: bool = False


# Feature kind → kinds of arguments that convert implicitly. Text becomes a number or a date only by the user's own
# CAST, because a conversion that fails for some rows would be a silent NULL.
_CONVERTS: dict[str, frozenset[str]] = {
    NUMBER: frozenset({NUMBER, BOOLEAN}),
    BOOLEAN: frozenset({BOOLEAN, NUMBER}),
    TEXT: frozenset({TEXT}),
    DATE: frozenset({DATE}),
    TIMESTAMP: frozenset({TIMESTAMP, DATE}),
}
_UNTYPED_NULL = "void"
_MOST_SHOWN = 20


def bind(model: str, features: Sequence[Feature], arguments: Sequence[Argument], by_name: bool) -> list[int]:
    """Returns for each feature, in order, the index of the argument that feeds it.

    Args:
        model: the model's name in messages.
        features: the inputs of PREDICT: the model's features, or the columns that its TRANSFORM reads.
        by_name: the arguments came from `*` or `name => expression`: all have names. Extra columns of `*` are ignored.

    Raises:
        SqlmlError: SQLML_BINDING_MISMATCH, SQLML_COLUMN_NOT_FOUND, SQLML_AMBIGUOUS_FEATURE, SQLML_TYPE_MISMATCH.
    """
    order = _by_name(model, features, arguments) if by_name else _as_given(model, features, arguments)
    for feature, index in zip(features, order, strict=True):
        _check_type(model, feature, arguments[index])
    return order


def needed_casts(
    features: Sequence[Feature], arguments: Sequence[Argument], order: Sequence[int], *, read_by_sql: bool
) -> list[str | None]:
    """Returns for each feature the type that its argument must be cast to, or None.

    DATE, TIMESTAMP and TIMESTAMP_NTZ convert to each other in the session's time zone, which only Spark's CAST knows.

    Args:
        read_by_sql: expressions of a TRANSFORM read the arguments, so that a boolean for a number, and a text with
            another type, are cast too. Otherwise the engines convert those.
    """
    types = [arguments[index].type for index in order]
    needs = _needs_cast_for_sql if read_by_sql else _changes_zone
    return [feature.type if needs(feature.type, kind) else None for feature, kind in zip(features, types, strict=True)]


def _changes_zone(wanted: str, actual: str) -> bool:
    return kind_of(wanted) == TIMESTAMP and wanted.lower() != actual


def _needs_cast_for_sql(wanted: str, actual: str) -> bool:
    kind = kind_of(wanted)
    return kind_of(actual) != kind or actual == _UNTYPED_NULL or (kind in (TEXT, TIMESTAMP) and wanted != actual)


def _fold(features: Sequence[Feature]) -> Fold:
    """The comparison of names: case-insensitive, unless two features differ in case alone."""
    lowered = {feature.name.lower() for feature in features}
    return str.lower if len(lowered) == len(features) else str


def _as_given(model: str, features: Sequence[Feature], arguments: Sequence[Argument]) -> list[int]:
    """Binds plain arguments: by name if all are names of features, else by position.

    A column by position that has the name of another feature is refused as ambiguous.
    """
    fold = _fold(features)
    known = [fold(feature.name) for feature in features]
    names = [fold(argument.name) if argument.name is not None else None for argument in arguments]
    if names and all(name in known for name in names) and len(set(names)) == len(names):
        return _by_name(model, features, arguments)
    if len(arguments) != len(features):
        count = "1 argument was given" if len(arguments) == 1 else f"{len(arguments)} arguments were given"
        raise SqlmlError(
            "SQLML_BINDING_MISMATCH",
            f"Model {model} has {len(features)} features, but {count}.",
            hint=f"Its features are, in this order: {', '.join(feature.name for feature in features)}.",
        )
    for position, name in enumerate(names):
        if name in known and known[position] != name:
            by_position = ", ".join(
                f"{feature.name} <- {argument.name or 'expression'}"
                for feature, argument in zip(features, arguments, strict=True)
            )
            raise SqlmlError(
                "SQLML_BINDING_MISMATCH",
                f"Argument {position + 1} of PREDICT({model}, …) is the column {arguments[position].name}, which has"
                f" the name of a feature, but feature {position + 1} is {features[position].name}.",
                hint=f"By position, the features would be {by_position}. Write every argument as name => expression.",
            )
    return list(range(len(features)))


def _by_name(model: str, features: Sequence[Feature], arguments: Sequence[Argument]) -> list[int]:
    """Binds by name: an exact match has precedence over a case-insensitive one."""
    exact: dict[str, list[int]] = {}
    folded: dict[str, list[int]] = {}
    fold = _fold(features)
    for index, argument in enumerate(arguments):
        if argument.name is not None:
            exact.setdefault(argument.name, []).append(index)
            folded.setdefault(fold(argument.name), []).append(index)
    _check_explicit(model, features, arguments, fold)
    order = []
    for feature in features:
        found = exact.get(feature.name) or folded.get(fold(feature.name), [])
        if not found:
            missing = [feature.name for feature in features if fold(feature.name) not in folded]
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"Model {model} needs {_listed(missing)}, which {'is' if len(missing) == 1 else 'are'} missing.",
                hint=did_you_mean(missing[0], [argument.name for argument in arguments if argument.name]),
            )
        if len(found) > 1:
            raise SqlmlError(
                "SQLML_AMBIGUOUS_FEATURE",
                f"{len(found)} columns are called {feature.name}, but model {model} needs one.",
                hint=f"Write which one: PREDICT({model}, {feature.name} => t.{feature.name}, …).",
            )
        order.append(found[0])
    return order


def _check_explicit(model: str, features: Sequence[Feature], arguments: Sequence[Argument], fold: Fold) -> None:
    """Raises SqlmlError SQLML_COLUMN_NOT_FOUND for a name in `name => expression` that no feature has."""
    names = [feature.name for feature in features]
    known = {fold(name) for name in names}
    for argument in arguments:
        if argument.explicit and argument.name is not None and fold(argument.name) not in known:
            close = did_you_mean(argument.name, names, limit=0)
            shown = f"Its features are {', '.join(names[:_MOST_SHOWN])}{', …' if len(names) > _MOST_SHOWN else ''}."
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"Model {model} has no feature {argument.name}.",
                hint=f"{close} {shown}" if close.startswith("Did") else shown,
            )


def fits(feature: Feature, actual: str) -> bool:
    """Returns whether a value of a Spark SQL type can feed a feature without a cast."""
    kind = kind_of(feature.type)
    if feature.whole and _has_fractions(actual):
        return False  # Truncating 3.7 to 3 silently would give another row's answer.
    # Types that only a TRANSFORM can read, such as arrays and structs, must match exactly.
    converts = actual == feature.type if kind is None else kind_of(actual) in _CONVERTS[kind]
    return actual == _UNTYPED_NULL or converts


def _has_fractions(kind: str) -> bool:
    """Returns whether values of a Spark SQL type may have a fraction."""
    name, _, arguments = kind.lower().rstrip(")").partition("(")
    return name in ("float", "double") or (name == "decimal" and not arguments.endswith(",0"))


def _check_type(model: str, feature: Feature, argument: Argument) -> None:
    if fits(feature, argument.type):
        return
    shown = argument.name or "the expression"
    raise SqlmlError(
        "SQLML_TYPE_MISMATCH",
        f"Feature {feature.name} of model {model} is {feature.type.upper()}, but {shown} is {argument.type.upper()}.",
        hint=f"Write CAST({argument.name or '…'} AS {feature.type.upper()}) or use TRY_CAST.",
    )


def _listed(names: Sequence[str], limit: int = 8) -> str:
    shown = ", ".join(names[:limit]) + (", …" if len(names) > limit else "")
    return f"the column {shown}" if len(names) == 1 else f"the columns {shown}"
