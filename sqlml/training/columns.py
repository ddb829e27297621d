"""Column resolution for TRAIN MODEL: finds the target, the features and the columns that options name in the query's
schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import WITHOUT_TARGET, Estimator, tasks_of
from sqlml.parser.cursor import Column
from sqlml.parser.generator import quote_identifier
from sqlml.signature import BOOLEAN, NUMBER, TEXT, Feature, Fold, is_padded, kind_of
from sqlml.training.request import Request

Schema = tuple[tuple[str, str], ...]
"""Names and Spark types of the query's columns."""


# The metadata key under which Spark keeps the declared type of a CHAR column, whose own type is STRING.
_DECLARED = "__CHAR_VARCHAR_TYPE_STRING"


def schema_of(frame: Any) -> Schema:
    """Names and types of a Spark DataFrame's columns. A CHAR column is `char(n)`, because its trailing blanks do not
    count."""
    declared = [str((field.metadata or {}).get(_DECLARED, "")) for field in frame.schema.fields]
    return tuple(
        (name, declared_as if is_padded(declared_as) else kind)
        for (name, kind), declared_as in zip(frame.dtypes, declared, strict=True)
    )


def target(request: Request, schema: Schema, fold: Fold) -> Feature | None:
    """The column to predict; None for an estimator that needs none."""
    if request.target is None:
        if set(tasks_of(request.estimator)) & set(WITHOUT_TARGET) and request.estimator is not None:
            return None
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            "TRAIN MODEL needs a target, the column to predict.",
            hint="Add TARGET column before AS.",
            offset=max(request.query_offset - 3, 0),
        )
    name, kind = _only(request.target, schema, fold)
    if kind_of(kind) is None:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The target {name} is {kind.upper()}, which cannot be predicted.",
            hint="A target must be a number, a string, a boolean, a date or a timestamp.",
            offset=request.target.offset,
        )
    return Feature(name, kind)


def option(name: str | None, offset: int | None, schema: Schema, fold: Fold) -> Feature | None:
    """The column that an option names; None if the option is not set."""
    return None if name is None else Feature(*_only(Column(name, offset), schema, fold))


def features(
    request: Request, schema: Schema, target: Feature | None, set_aside: Sequence[Feature | None], fold: Fold
) -> tuple[Feature, ...]:
    """The feature columns: those listed, or all but the target, the excluded ones and those that options set aside."""
    predicted = target.name if target else None
    # Candidates first: the listed columns, or all others. The loop below then refuses unusable, repeated and ambiguous
    # ones.
    if request.features is not None:
        chosen = [(column.offset, *_only(column, schema, fold)) for column in request.features]
    else:
        left_out = {_find(column, schema)[0] for column in request.excluded}
        left_out |= {column.name for column in set_aside if column}
        chosen = [(None, name, kind) for name, kind in schema if name not in left_out and name != predicted]
    names: dict[str, list[str]] = {}
    for name, _ in schema:
        names.setdefault(fold(name), []).append(name)
    seen: set[str] = set()
    for offset, name, kind in chosen:
        if name == predicted:
            raise SqlmlError("SQLML_FEATURE_UNUSABLE", f"{name} is the target, not a feature.", offset=offset)
        if any(column is not None and column.name == name for column in set_aside):
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"{name} cannot be a feature, because an option uses it to split, weight or censor the rows.",
                offset=offset,
            )
        # Ambiguous even if the other one is excluded: Spark cannot refer to either.
        if len(names[fold(name)]) > 1:
            raise _ambiguous(names[fold(name)], offset or request.query_offset)
        if name in seen:
            raise SqlmlError("SQLML_AMBIGUOUS_FEATURE", f"FEATURES lists {name} twice.", offset=offset)
        if kind_of(kind) is None:
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The column {name} is {kind.upper()}, which cannot be a feature.",
                hint=f"Leave it out: FEATURES * EXCEPT ({quote_identifier(name)}).",
                offset=offset or request.query_offset,
            )
        seen.add(name)
    if not chosen:
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"There is no feature, because the query has only the target {predicted}."
            if target
            else "The query has no columns.",
            hint="Select more columns.",
            offset=request.query_offset,
        )
    return tuple(Feature(name, kind) for _, name, kind in chosen)


def _only(column: Column, schema: Schema, fold: Fold) -> tuple[str, str]:
    """The column with this name, which must be unambiguous."""
    found = _find(column, schema)
    alike = [name for name, _ in schema if fold(name) == fold(found[0])]
    if len(alike) > 1:
        raise _ambiguous(alike, column.offset)
    return found


def _ambiguous(names: Sequence[str], offset: int | None) -> SqlmlError:
    """The error for columns whose names Spark cannot tell apart."""
    if len(set(names)) == 1:
        return SqlmlError(
            "SQLML_AMBIGUOUS_FEATURE",
            f"The query has two columns called {names[0]}.",
            hint="Give each column its own name, such as SELECT t.id AS order_id, …",
            offset=offset,
        )
    return SqlmlError(
        "SQLML_AMBIGUOUS_FEATURE",
        f"The columns {' and '.join(names)} differ only in case, so Spark cannot tell them apart.",
        hint="SET spark.sql.caseSensitive = true, or give all columns new names in the query: SELECT * FROM t AS t(a,"
        " b, …).",
        offset=offset,
    )


def check_one_number(
    request: Request, estimator: Estimator, features: Sequence[Feature], coded: Sequence[str], flags: Sequence[str]
) -> None:
    """Raises SqlmlError SQLML_FEATURE_UNUSABLE if an estimator of a single number gets more.

    Args:
        coded: the texts that are encoded as one number.
        flags: the features with an additional column for missing values.
    """
    if not estimator.one_number:
        return
    offset = request.features[-1].offset if request.features else request.estimator_offset
    if len(features) > 1:
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"{estimator.name} takes only one feature, but there are {len(features)}.",
            hint=f"Name one of them: FEATURES ({quote_identifier(features[0].name)}).",
            offset=offset,
        )
    (feature,) = features
    if feature.kind in (NUMBER, BOOLEAN) or feature.name in coded:
        if flags:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"missing_flag is not supported by {estimator.name}, which takes only one number.",
                offset=next(option.offset for option in request.options if option.name.lower() == "missing_flag"),
            )
        return
    raise SqlmlError(
        "SQLML_FEATURE_UNUSABLE",
        f"{estimator.name} takes only a number, but {feature.name} is {feature.type.upper()}.",
        hint="Set OPTIONS (encode = 'ordinal')." if feature.kind == TEXT else "Convert it to a number in the query.",
        offset=offset,
    )


def _find(column: Column, schema: Schema) -> tuple[str, str]:
    """A column by name: an exact match first, then ignoring case."""
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
