"""What a model says, as columns: the OUTPUT clause, and what stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.grammar import Column, Piece
from sqlml.printing import quote_identifier, quote_string
from sqlml.signature import Signature

PREDICTION, PROBABILITIES, PROBABILITY = "prediction", "probabilities", "probability"
PROVENANCE = "provenance"

# The most probable label first, as ML.PREDICT has them; between equals the smaller label.
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
    """One column of the result: `before` a call of a function, the call, `after` it.

    Attributes:
        comment: what the column of a view says of itself.
        offset: where the user asks for it.
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
    """The columns asked for; without any, what the model predicts.

    Args:
        shown: the model, as comments call it.

    Raises:
        SqlmlError: SQLML_COLUMN_NOT_FOUND for what the model does not say; SQLML_COLUMN_ALREADY_EXISTS.
    """
    if not wanted:
        names = signature.outputs or (PREDICTION,)
        wanted = tuple(Wanted(name) for name in names)
    found = [_output(signature, one, shown) for one in wanted]
    seen: set[str] = set()
    for output in found:
        if output.column.lower() in seen:
            raise SqlmlError(
                "SQLML_COLUMN_ALREADY_EXISTS",
                f"OUTPUT makes two columns called {output.column}.",
                hint="Give one another name with AS.",
                offset=output.offset,
            )
        seen.add(output.column.lower())
    return tuple(found)


def names_of(signature: Signature) -> list[str]:
    """All that OUTPUT can ask of a model, as it is written."""
    names = list(signature.outputs) or [PREDICTION]
    if signature.labels and signature.probabilities:
        names += [PROBABILITIES, *(f"{PROBABILITY}({_literal(signature, label)})" for label in signature.labels[:4])]
    return names


def _output(signature: Signature, wanted: Wanted, shown: str) -> Output:
    target = signature.target
    predicted = f"predicted_{target}" if target else PREDICTION
    name = wanted.name.lower()
    of = f"{target} by" if target else "by"
    probable = bool(signature.labels) and signature.probabilities
    several = {one.lower(): one for one in signature.outputs}
    if name in (PREDICTION, predicted.lower()) and not wanted.label:
        output = Output(predicted, "PREDICT", f"Prediction of {of} {shown}")
    elif name in several and not wanted.label:
        one = several[name]
        column = f"predicted_{one}" if target else one
        output = Output(column, "PREDICT", f"Prediction of {one} by {shown}", after=f".{quote_identifier(one)}")
    elif probable and name in (PROBABILITIES, f"{predicted.lower()}_probs") and not wanted.label:
        comment = f"Each label of {target or 'it'} and its probability by {shown}"
        output = Output(f"{predicted}_probs", "PREDICT_PROBA", comment, *_RANKED)
    elif probable and name == PROBABILITY and wanted.label:
        label = _label(signature, wanted)
        comment = f"Probability of {label} {of} {shown}"
        output = Output(f"probability_{label}", "PREDICT_PROBA", comment, after=f"[{_literal(signature, label)}]")
    else:
        asked = wanted.name if not wanted.label else f"{wanted.name}(…)"
        raise SqlmlError(
            "SQLML_COLUMN_NOT_FOUND",
            f"{shown[0].upper()}{shown[1:]} has no output {asked}.",
            hint=did_you_mean(wanted.name, names_of(signature)),
            offset=wanted.offset,
        )
    column = wanted.column.name if wanted.column else output.column
    before, after = output.before, output.after
    if wanted.type is not None:
        before, after = f"CAST({before}", f"{after} AS {wanted.type.text})"
    return Output(column, output.function, output.comment, before, after, wanted.offset)


def _label(signature: Signature, wanted: Wanted) -> Any:
    """The label that the user means; a number may be written as text and the other way round."""
    for label in signature.labels:
        if str(label).lower() == str(wanted.label[0]).lower():
            return label
    raise SqlmlError(
        "SQLML_COLUMN_NOT_FOUND",
        f"The model knows no label {wanted.label[0]!r}.",
        hint=f"Its labels: {', '.join(map(str, signature.labels[:8]))}{', …' * (len(signature.labels) > 8)}.",
        offset=wanted.offset,
    )


def _literal(signature: Signature, label: Any) -> str:
    """A label as SQL, in the type that the map of probabilities has."""
    if signature.target_type == "string":
        return quote_string(str(label))
    if isinstance(label, (bool, int)):
        return str(label).lower()
    return f"CAST({quote_string(str(label))} AS {signature.target_type})"
