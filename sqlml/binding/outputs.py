"""Resolves the named outputs of a model for the table forms of PREDICT.

A model offers these names, in any case:

    prediction, label, <target>, predicted_<target>    the result of PREDICT
    probabilities                                      MAP<label, DOUBLE>, as PREDICT_PROBA
    predicted_<target>_probs                           ARRAY<STRUCT<label, prob>>, the most probable first
    probability_<label>                                the probability of that label
    score, probability                                 with two labels the probability of the second; with more the
                                                       greatest. The score of a regression is its prediction
    <output>, predicted_<output>                       each output of a model with several numbers

Each is offered where the model has it; without a target `prediction` replaces predicted_<target>. A single column of
any other name is the prediction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Signature, kind_of

PREDICTION, RANKED, MAPPED, PROBABILITY, SCORE, COMPONENT = (
    "prediction",
    "ranked",
    "mapped",
    "probability",
    "score",
    "component",
)
_CLUSTERING, _ANOMALY, _REDUCTION = "clustering", "anomaly_detection", "dimensionality_reduction"


@dataclass(frozen=True)
class Output:
    """One column of the outputs.

    Attributes:
        kind: one of the words above.
        index: the index of the label among the probabilities, or of the number among several.
        type: Spark DDL.
    """

    name: str
    kind: str
    type: str
    index: int = 0


@dataclass(frozen=True)
class RequestedOutputs:
    """The outputs that a call asks for: the second argument of PREDICT_OUTPUTS.

    Attributes:
        columns: types (Spark DDL) by name; None for all the outputs there are, under their own names.
        threshold: the second of two labels is predicted where its probability is above it.
    """

    columns: dict[str, str] | None = None
    threshold: float | None = None

    @classmethod
    def parse(cls, text: str) -> RequestedOutputs:
        """Parses the JSON text.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID for a text that is not of the form.
        """
        try:
            raw = json.loads(text)
            columns, threshold = raw.pop("columns", None), raw.pop("threshold", None)
            known = not raw and (columns is None or all(isinstance(kind, str) for kind in columns.values()))
            if known and (threshold is None or 0 <= threshold <= 1):
                return cls(columns, threshold)
        except (ValueError, TypeError, AttributeError):
            known = False
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{text[:60]!r} does not describe the outputs, which must be a JSON object.",
            hint="""Examples are '{}', '{"columns": {"score": "DOUBLE"}}' and '{"threshold": 0.7}'.""",
        )


def chosen(model: str, signature: Signature, requested: RequestedOutputs) -> tuple[Output, ...]:
    """Returns the outputs that a call gets.

    Raises:
        SqlmlError: SQLML_COLUMN_NOT_FOUND for a column that is no output; SQLML_TYPE_MISMATCH for one that does not
            convert to its type, and for a threshold where there are not two probabilities.
    """
    if requested.threshold is not None and not (signature.probabilities and len(signature.labels) == 2):
        raise SqlmlError(
            "SQLML_TYPE_MISMATCH",
            f"A threshold needs a model with two labels and their probabilities, and model {model} does not have them.",
            hint="Leave the threshold out.",
        )
    if requested.columns is None:
        return standard(signature)
    alone = len(requested.columns) == 1
    known = offered(signature)
    return tuple(bind(model, signature, known, name, kind, alone=alone) for name, kind in requested.columns.items())


def bind(model: str, signature: Signature, known: Mapping[str, Output], name: str, kind: str, *, alone: bool) -> Output:
    """Returns the output for a column's name and type; the result has that name.

    Args:
        known: the result of `offered` for the signature.
        alone: whether it is the only column, in which case any name means the prediction.

    Raises:
        SqlmlError: SQLML_COLUMN_NOT_FOUND, SQLML_TYPE_MISMATCH.
    """
    found = known.get(name.lower())
    if found is None and alone and not signature.outputs:
        found = known["prediction"]
    if found is None:
        names = sorted({output.name for output in known.values()})
        close = did_you_mean(name, names)
        all_of_them = f"Its outputs are {', '.join(names[:20])}{', …' if len(names) > 20 else ''}."
        raise SqlmlError(
            "SQLML_COLUMN_NOT_FOUND",
            f"Model {model} has no output {name}.",
            hint=f"{close} {all_of_them}" if close.startswith("Did") else all_of_them,
        )
    _check_type(model, name, found, kind)
    return Output(name, found.kind, found.type, found.index)


_CONVERTS = {
    NUMBER: {NUMBER, BOOLEAN, TEXT},
    BOOLEAN: {NUMBER, BOOLEAN, TEXT},
    TEXT: {TEXT},
    DATE: {DATE, TIMESTAMP, TEXT},
    TIMESTAMP: {DATE, TIMESTAMP, TEXT},
}
# Types that no single value converts to, except that a text converts to BINARY.
_OTHERS = {"ARRAY", "BINARY", "MAP", "STRUCT", "VARIANT"}


def _check_type(model: str, name: str, output: Output, wanted: str) -> None:
    own, kind = kind_of(output.type), kind_of(wanted)
    # A type that is neither known nor one of these does not exist; Spark will report it.
    other = kind is None and wanted.upper().split("<")[0] in _OTHERS - ({"BINARY"} if own == TEXT else set())
    if own is not None and (other or (kind is not None and kind not in _CONVERTS[own])):
        raise SqlmlError(
            "SQLML_TYPE_MISMATCH",
            f"The output {output.name} of model {model} is {output.type.upper()}, but the column {name} is"
            f" {wanted.upper()}.",
            hint=f"Write {name} {'VARCHAR(100)' if own == TEXT else output.type.upper()}, or choose another output.",
        )
    if own is None and (kind is not None or wanted.upper() == "BINARY"):
        raise SqlmlError(
            "SQLML_TYPE_MISMATCH",
            f"The output {output.name} of model {model} is {output.type.upper()}, not a single value.",
            hint="Use probability_<label> or score.",
        )


def check_names(model: str, signature: Signature, requested: RequestedOutputs, columns: Sequence[str | None]) -> None:
    """Raises SqlmlError SQLML_BINDING_MISMATCH where a column of the input has the name of one of all outputs."""
    if requested.columns is not None:
        return  # The outputs are in a relation with an alias of its own.
    names = {name.lower() for name in columns if name is not None}
    twice = [output.name for output in standard(signature) if output.name.lower() in names]
    if twice:
        raise SqlmlError(
            "SQLML_BINDING_MISMATCH",
            f"The input already has a column {twice[0]}, which is also the name of an output of model {model}.",
            hint=f"Leave the column out of the input: (SELECT * EXCEPT ({twice[0]}) FROM …).",
        )


def label_type(signature: Signature) -> str:
    """Returns the Spark type of the prediction: that of the labels, or DOUBLE."""
    return signature.target_type if signature.labels else "double"


def components(signature: Signature) -> tuple[Output, ...]:
    """Returns the outputs of PREDICT where they are several numbers; none where PREDICT returns one value."""
    return tuple(Output(name, COMPONENT, "double", at) for at, name in enumerate(signature.outputs))


def standard(signature: Signature) -> tuple[Output, ...]:
    """Returns all outputs under the names of BigQuery's ML.PREDICT."""
    if signature.outputs:
        title = "principal_component_{}" if signature.task == _REDUCTION else "predicted_{}"
        names = range(1, len(signature.outputs) + 1) if signature.task == _REDUCTION else signature.outputs
        return tuple(Output(title.format(name), COMPONENT, "double", at) for at, name in enumerate(names))
    kind = label_type(signature)
    if signature.task == _CLUSTERING:
        return (Output("CENTROID_ID", PREDICTION, kind),)
    if signature.task == _ANOMALY:
        return (Output("is_anomaly", PREDICTION, kind),)
    # An imported model need not have a target.
    prediction = Output(f"predicted_{signature.target}" if signature.target else "prediction", PREDICTION, kind)
    if not _has_probabilities(signature):
        return (prediction,)
    return (prediction, Output(f"{prediction.name}_probs", RANKED, f"array<struct<label:{kind},prob:double>>"))


def _has_probabilities(signature: Signature) -> bool:
    return bool(signature.labels) and signature.probabilities and signature.task not in (_CLUSTERING, _ANOMALY)


def offered(signature: Signature) -> dict[str, Output]:
    """Returns all outputs by lower-case name; an output's own name has precedence over derived ones."""
    # In the order of precedence; the first output of a name is kept.
    found: list[Output] = []
    for own in components(signature):
        found += [own, replace(own, name=f"predicted_{own.name}")]
    if not signature.outputs:
        kind = label_type(signature)
        names = ["prediction", "label"] if signature.labels else ["prediction"]
        names += [signature.target, f"predicted_{signature.target}"] if signature.target else []
        found += [Output(name, PREDICTION, kind) for name in names]
        if _has_probabilities(signature):
            found += [
                Output("probabilities", MAPPED, f"map<{kind},double>"),
                Output("score", SCORE, "double"),
                Output("probability", SCORE, "double"),
            ]
            found += [
                Output(f"probability_{shown_label(label)}", PROBABILITY, "double", at)
                for at, label in enumerate(signature.labels)
            ]
        elif not signature.labels:
            found.append(Output("score", PREDICTION, kind))
    found += standard(signature)
    known: dict[str, Output] = {}
    for output in found:
        known.setdefault(output.name.lower(), output)
    return known


def shown_label(label: object) -> str:
    """Returns a label as it is part of a column's name."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def struct_of(outputs: tuple[Output, ...]) -> str:
    """Returns the Spark SQL type of a struct of the outputs."""
    fields = ",".join(f"`{output.name.replace('`', '``')}`:{output.type}" for output in outputs)
    return f"struct<{fields}>"
