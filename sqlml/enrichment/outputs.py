"""The OUTPUT clause: turns the model's outputs into columns of the result.

Outputs have the names of PREDICT's table forms (`sqlml.binding.outputs`). Each column is an expression around a call of
PREDICT or PREDICT_PROBA, in plain SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlml.binding.outputs import (
    COMPONENT,
    MAPPED,
    PREDICTION,
    PROBABILITY,
    RANKED,
    SCORE,
    offered,
    shown_label,
    standard,
)
from sqlml.binding.outputs import Output as ModelOutput
from sqlml.errors import SqlmlError, did_you_mean
from sqlml.parser.cursor import Column, Piece
from sqlml.parser.generator import quote_identifier, quote_string
from sqlml.signature import Signature

PROVENANCE = "provenance"

# Sorted by descending probability, as in ML.PREDICT; ties by ascending label.
_RANKED = (
    "array_sort(transform(map_entries(",
    "), e -> struct(e.key AS label, e.value AS prob)),\n    (a, b) -> CASE WHEN a.prob > b.prob THEN -1"
    " WHEN a.prob < b.prob THEN 1 WHEN a.label < b.label THEN -1 ELSE 1 END)",
)


@dataclass(frozen=True)
class Wanted:
    """One item of OUTPUT: `prediction`, `probability('yes') AS p_yes`, `prediction AS score FLOAT`."""

    name: str
    label: tuple[Any, ...] = ()
    column: Column | None = None
    type: Piece | None = None
    offset: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Output:
    """One column of the result: the call of `function` between the texts `before` and `after`.

    Attributes:
        comment: the column's comment in a view.
        offset: the offset of the item in OUTPUT.
    """

    column: str
    function: str
    comment: str
    before: str = ""
    after: str = ""
    offset: int | None = None

    def expression(self, call: str) -> str:
        return f"{self.before}{call}{self.after}"


def outputs_of(signature: Signature, wanted: Sequence[Wanted], shown: str) -> tuple[Output, ...]:
    """The requested columns; by default the model's prediction or predictions.

    Args:
        shown: the model's name in comments.

    Raises:
        SqlmlError: SQLML_COLUMN_NOT_FOUND for an unknown output; SQLML_COLUMN_ALREADY_EXISTS.
    """
    known = offered(signature)
    if not wanted:
        wanted = tuple(Wanted(name) for name in signature.outputs or (PREDICTION,))
    found = [_output(signature, known, one, shown) for one in wanted]
    seen: set[str] = set()
    for output in found:
        if output.column.lower() in seen:
            raise SqlmlError(
                "SQLML_COLUMN_ALREADY_EXISTS",
                f"OUTPUT has two columns called {output.column}.",
                hint="Rename one of them with AS.",
                offset=output.offset,
            )
        seen.add(output.column.lower())
    return tuple(found)


def _call(signature: Signature, output: ModelOutput, shown: str) -> Output:
    """An output as a column around PREDICT or PREDICT_PROBA, named as in the table forms."""
    by = f"of {signature.target} by {shown}" if signature.target else f"by {shown}"
    if output.kind == COMPONENT:
        name, column = signature.outputs[output.index], standard(signature)[output.index].name
        return Output(column, "PREDICT", f"Prediction of {name} by {shown}", after=f".{quote_identifier(name)}")
    if output.kind == PREDICTION:
        is_score = output.name == "score" and not signature.labels
        return Output("score" if is_score else standard(signature)[0].name, "PREDICT", f"Prediction {by}")
    of_all = f"Each label and its probability {by}"
    if output.kind == MAPPED:
        return Output(output.name, "PREDICT_PROBA", of_all)
    if output.kind == RANKED:
        return Output(output.name, "PREDICT_PROBA", f"{of_all}, the most probable first", *_RANKED)
    if output.kind == SCORE and len(signature.labels) != 2:
        return Output(
            output.name, "PREDICT_PROBA", f"Probability of the prediction {by}", "array_max(map_values(", "))"
        )
    label = signature.labels[1 if output.kind == SCORE else output.index]
    comment = f"Probability of {shown_label(label)} {by}"
    return Output(output.name, "PREDICT_PROBA", comment, after=f"[{_literal(signature, label)}]")


def _output(signature: Signature, known: Mapping[str, ModelOutput], wanted: Wanted, shown: str) -> Output:
    """Resolves an item of OUTPUT, and applies its AS and its type."""
    found = known.get(wanted.name.lower())
    if wanted.label:
        # probability('yes') is for labels that cannot be part of a name
        of_label = found is not None and wanted.name.lower() == PROBABILITY
        found = known.get(f"{PROBABILITY}_{wanted.label[0]}".lower()) if of_label else None
        if of_label and found is None:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The model has no label {wanted.label[0]!r}.",
                hint="Its labels are"
                f" {', '.join(map(str, signature.labels[:8]))}{', …' * (len(signature.labels) > 8)}.",
                offset=wanted.offset,
            )
    if found is None:
        raise SqlmlError(
            "SQLML_COLUMN_NOT_FOUND",
            f"{shown[0].upper()}{shown[1:]} has no output {wanted.name}{'(…)' if wanted.label else ''}.",
            hint=did_you_mean(wanted.name, known),
            offset=wanted.offset,
        )
    output = _call(signature, found, shown)
    if wanted.column is not None:
        output = replace(output, column=wanted.column.name)
    if wanted.type is not None:
        output = replace(output, before=f"CAST({output.before}", after=f"{output.after} AS {wanted.type.text})")
    return replace(output, offset=wanted.offset)


def _literal(signature: Signature, label: Any) -> str:
    """A label as a SQL literal of the type of the probability map's keys."""
    if signature.target_type == "string":
        return quote_string(str(label))
    if isinstance(label, (bool, int)):
        return str(label).lower()
    return f"CAST({quote_string(str(label))} AS {signature.target_type.upper()})"
