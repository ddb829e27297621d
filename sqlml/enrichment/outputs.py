"""What a model says, as columns: the OUTPUT clause, and what stands for it. The names are those of the table forms of
PREDICT; what they are made of is a call of PREDICT or PREDICT_PROBA that anybody can read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.grammar import Column, Piece
from sqlml.printing import quote_identifier, quote_string
from sqlml.signature import Signature

PROVENANCE = "provenance"
_PREDICTION, _PROBABILITY = "prediction", "probability"
_CLUSTERING, _ANOMALY, _REDUCTION = "clustering", "anomaly_detection", "dimensionality_reduction"

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
    offered = _offered(signature, shown)
    if not wanted:
        wanted = tuple(Wanted(name) for name in signature.outputs or (_PREDICTION,))
    found = [_output(signature, offered, one, shown) for one in wanted]
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


def _offered(signature: Signature, shown: str) -> dict[str, Output]:
    """All that OUTPUT can name, in small letters."""
    target = signature.target
    by = f"of {target} by {shown}" if target else f"by {shown}"
    found: dict[str, Output] = {}
    for at, name in enumerate(signature.outputs, 1):
        column = f"principal_component_{at}" if signature.task == _REDUCTION else f"predicted_{name}"
        one = Output(column, "PREDICT", f"Prediction of {name} by {shown}", after=f".{quote_identifier(name)}")
        found |= {name.lower(): one, column.lower(): one}
    if signature.outputs:
        return found
    titles = {_CLUSTERING: "CENTROID_ID", _ANOMALY: "is_anomaly"}
    said = Output(
        titles.get(signature.task) or (f"predicted_{target}" if target else _PREDICTION), "PREDICT", f"Prediction {by}"
    )
    names = [_PREDICTION, said.column, *([target] if target else []), *(["label"] if signature.labels else [])]
    found |= {name.lower(): said for name in names}
    if not signature.labels:
        found["score"] = replace(said, column="score")
    if not signature.labels or not signature.probabilities or not target:
        return found
    for label in signature.labels:
        one = _probability(signature, label, by)
        found.setdefault(one.column.lower(), one)
    of_all = f"Each label and its probability {by}"
    found["probabilities"] = Output("probabilities", "PREDICT_PROBA", of_all)
    ranked = f"{said.column}_probs"
    found[ranked.lower()] = Output(ranked, "PREDICT_PROBA", f"{of_all}, the most probable first", *_RANKED)
    if len(signature.labels) == 2:
        score = _probability(signature, signature.labels[1], by)
    else:
        score = Output("", "PREDICT_PROBA", f"Probability of the prediction {by}", "array_max(map_values(", "))")
    return {"score": replace(score, column="score"), _PROBABILITY: replace(score, column=_PROBABILITY)} | found


def _probability(signature: Signature, label: Any, by: str) -> Output:
    shown = str(label).lower() if isinstance(label, bool) else str(label)
    literal = _literal(signature, label)
    return Output(f"{_PROBABILITY}_{shown}", "PREDICT_PROBA", f"Probability of {shown} {by}", after=f"[{literal}]")


def _output(signature: Signature, offered: dict[str, Output], wanted: Wanted, shown: str) -> Output:
    output = offered.get(wanted.name.lower())
    if wanted.label:
        # probability('yes'), for labels that are no part of a name
        known = output is not None and wanted.name.lower() == _PROBABILITY
        output = offered.get(f"{_PROBABILITY}_{wanted.label[0]}".lower()) if known else None
        if known and output is None:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The model knows no label {wanted.label[0]!r}.",
                hint=f"Its labels: {', '.join(map(str, signature.labels[:8]))}{', …' * (len(signature.labels) > 8)}.",
                offset=wanted.offset,
            )
    if output is None:
        raise SqlmlError(
            "SQLML_COLUMN_NOT_FOUND",
            f"{shown[0].upper()}{shown[1:]} has no output {wanted.name}{'(…)' if wanted.label else ''}.",
            hint=did_you_mean(wanted.name, offered),
            offset=wanted.offset,
        )
    if wanted.column is not None:
        output = replace(output, column=wanted.column.name)
    if wanted.type is not None:
        output = replace(output, before=f"CAST({output.before}", after=f"{output.after} AS {wanted.type.text})")
    return replace(output, offset=wanted.offset)


def _literal(signature: Signature, label: Any) -> str:
    """A label as SQL, in the type that the map of probabilities has."""
    if signature.target_type == "string":
        return quote_string(str(label))
    if isinstance(label, (bool, int)):
        return str(label).lower()
    return f"CAST({quote_string(str(label))} AS {signature.target_type.upper()})"
