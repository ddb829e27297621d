"""The mapping from a model's features to expressions over a table: given, by exact name, by similar name, or open.

A feature takes the user's expression, else the column of the same name (ignoring case), else one with a similar name
(`similarity`). A similar name is accepted only without a rival within `MARGIN`: no other column for the feature, and no
other feature for the column. Each column feeds at most one feature by similarity, types must convert as in PREDICT
(`sqlml.binding.arguments`), and everything else is left to the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlml.binding.arguments import fits
from sqlml.enrichment.similarity import LEAST, MARGIN, THRESHOLD, shared_prefixes, similarity, unit_differs
from sqlml.errors import SqlmlError
from sqlml.parser.generator import identifier, reference
from sqlml.signature import Feature

GIVEN, EXACT, SIMILAR, NONE = "given", "exact", "similar", "none"
_MOST_CANDIDATES = 5


@dataclass(frozen=True)
class MapEntry:
    """An item of MAP: the expression for one feature. `column` is set where the expression is a bare column; `reads`
    lists all columns that it reads."""

    expression: str
    type: str
    column: str | None = None
    reads: tuple[str, ...] = ()
    offset: int | None = None


@dataclass(frozen=True)
class Mapped:
    """One feature and the expression that feeds it.

    Attributes:
        expression: over the table; None without any candidate.
        source_type: the expression's Spark SQL type.
        method: `given`, `exact`, `similar` or `none`.
        score: the similarity of the names, 0 to 1; None for a given expression.
        accepted: whether it is used without asking the user.
        problem: the reason why not.
        candidates: possible columns with their scores, best first.
    """

    feature: Feature
    expression: str | None = None
    source_column: str | None = None
    source_type: str | None = None
    method: str = NONE
    score: float | None = None
    accepted: bool = False
    problem: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    offset: int | None = None

    @property
    def suggestion(self) -> str:
        """The feature's item for a MAP clause; `?` stands for a missing expression."""
        shown = "?" if self.expression is None else self.expression
        if self.method == EXACT and self.problem:
            shown = f"CAST({shown} AS {self.feature.type.upper()})"
        return f"{identifier(self.feature.name)} = {shown}"


@dataclass(frozen=True)
class Proposal:
    """The expressions for all features of a model, in the features' order."""

    model: str
    source: str
    mapped: tuple[Mapped, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about accepted matches that the user should check."""
        return tuple(
            f"{one.feature.name} is fed by {one.source_column}: only one of the names has a unit"
            for one in self.mapped
            if one.method == SIMILAR and one.source_column and unit_differs(one.feature.name, one.source_column)
        )

    def check(self, offset: int | None) -> None:
        """Checks that every feature is accepted.

        Args:
            offset: the offset of the model's name in the statement.

        Raises:
            SqlmlError: SQLML_TYPE_MISMATCH for a given expression; SQLML_MAPPING_UNSURE with the candidates and a MAP
                clause to paste.
        """
        for one in self.mapped:
            if one.method == GIVEN and one.problem:
                raise SqlmlError(
                    "SQLML_TYPE_MISMATCH",
                    f"{one.problem}.",
                    hint=f"Write CAST(… AS {one.feature.type.upper()}) or use TRY_CAST.",
                    offset=one.offset,
                )
        unsure = [one for one in self.mapped if not one.accepted]
        if not unsure:
            return
        raise SqlmlError(
            "SQLML_MAPPING_UNSURE",
            f"{len(unsure)} of the {len(self.mapped)} features of model {self.model} cannot be matched with certainty"
            f" to columns of {self.source}: {'; '.join(map(_shown, unsure))}.",
            hint=f"Write MAP ({', '.join(one.suggestion for one in unsure)}).",
            offset=offset,
        )


def propose(
    model: str,
    source: str,
    features: Sequence[Feature],
    columns: Sequence[tuple[str, str]],
    given: Mapping[str, MapEntry],
    alias: str | None = None,
) -> Proposal:
    """Proposes an expression for each feature.

    Args:
        source: the table's name for messages; its last part is also a meaningless prefix of columns.
        columns: the table's columns and their Spark SQL types.
        given: the items of MAP by the feature's name in the model.
        alias: the qualifier of columns in the expressions.
    """
    found = {name: _of_map(_feature(features, name), one) for name, one in given.items()}
    for feature in features:
        if feature.name not in found and (exact := _exact(feature, columns, alias)) is not None:
            found[feature.name] = exact
    # Columns that already feed a feature, alone or within an expression, are not matched by similarity.
    taken = {one.source_column for one in found.values()} | {name for one in given.values() for name in one.reads}
    opened = [feature for feature in features if feature.name not in found]
    free = [(name, kind) for name, kind in columns if name not in taken]
    found |= _similar(opened, free, shared_prefixes(source.split(".")[-1], [name for name, _ in columns]), alias)
    return Proposal(model, source, tuple(found[feature.name] for feature in features))


def _feature(features: Sequence[Feature], name: str) -> Feature:
    return next(feature for feature in features if feature.name == name)


def _of_map(feature: Feature, given: MapEntry) -> Mapped:
    problem = None if fits(feature, given.type) else _mismatch(feature, "its expression", given.type)
    return Mapped(
        feature, given.expression, given.column, given.type, GIVEN, None, problem is None, problem, offset=given.offset
    )


def _exact(feature: Feature, columns: Sequence[tuple[str, str]], alias: str | None) -> Mapped | None:
    """The match by equal name, ignoring case; an exactly equal name wins, several others are ambiguous."""
    alike = [(name, kind) for name, kind in columns if name.lower() == feature.name.lower()]
    same = [(name, kind) for name, kind in alike if name == feature.name]
    if not alike:
        return None
    if len(alike) > 1 and len(same) != 1:
        return Mapped(
            feature,
            method=NONE,
            problem=f"{len(alike)} columns are called so",
            candidates=tuple((name, 1.0) for name, _ in alike),
        )
    name, kind = (same or alike)[0]
    problem = None if fits(feature, kind) else _mismatch(feature, name, kind)
    return Mapped(
        feature, reference(name, alias), name, kind, EXACT, 1.0, problem is None, problem, candidates=((name, 1.0),)
    )


def _mismatch(feature: Feature, what: str, kind: str) -> str:
    return f"Feature {feature.name} is {feature.type.upper()}, but {what} is {kind.upper()}"


def _similar(
    features: Sequence[Feature], columns: Sequence[tuple[str, str]], context: frozenset[str], alias: str | None
) -> dict[str, Mapped]:
    """The matches by similar name: scores all pairs of fitting types, accepts the certain ones, lists candidates."""
    scores = {
        (feature.name, name): score
        for feature in features
        for name, kind in columns
        if fits(feature, kind) and (score := round(similarity(feature.name, name, context), 4)) >= LEAST
    }
    types = dict(columns)
    pairs = _certain(scores)
    found: dict[str, Mapped] = {}
    for feature in features:
        candidates = _ranked({name: score for (wanted, name), score in scores.items() if wanted == feature.name})
        name = pairs.get(feature.name) or next((name for name, _ in candidates), None)
        if name is None:
            found[feature.name] = Mapped(feature, problem="no column of a type that fits has a name like it")
            continue
        score = scores[feature.name, name]
        one = Mapped(feature, reference(name, alias), name, types[name], SIMILAR, score, candidates=candidates)
        if feature.name in pairs:
            found[feature.name] = replace(one, accepted=True)
        else:
            below = f"the most similar name, {name}, scores {score:g}, below {THRESHOLD:g}"
            found[feature.name] = replace(one, problem=below if score < THRESHOLD else "others are as near")
    return found


def _certain(scores: Mapping[tuple[str, str], float]) -> dict[str, str]:
    """The pairs above the threshold without a rival within MARGIN. Each accepted pair removes its rivals: it loops."""
    left = dict(scores)
    pairs: dict[str, str] = {}
    while True:
        certain = [
            pair
            for pair, score in left.items()
            if score >= THRESHOLD
            and all(
                score - other >= MARGIN
                for rival, other in left.items()
                if rival != pair and (rival[0] == pair[0] or rival[1] == pair[1])
            )
        ]
        if not certain:
            return pairs
        pairs |= dict(certain)
        columns = set(pairs.values())
        left = {pair: score for pair, score in left.items() if pair[0] not in pairs and pair[1] not in columns}


def _ranked(scores: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:_MOST_CANDIDATES])


def _shown(one: Mapped) -> str:
    if one.method == EXACT and one.problem:
        return one.problem
    near = ", ".join(f"{name} {score:.2f}" for name, score in one.candidates)
    return f"{one.feature.name}: {near or 'no column of a type that fits has a name like it'}"
