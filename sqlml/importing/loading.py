"""The steps of an import inside the sandbox: validates the file, runs it, and adapts the graph for scoring.

They run in a child process (`sqlml.importing.sandbox_main`), because ONNX's checker and ONNX Runtime are native code
that works on an untrusted file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper

from sqlml.errors import SqlmlError
from sqlml.estimators import REGRESSION
from sqlml.export.metadata import properties_of
from sqlml.importing import exported_file, inputs, label_probes, outputs, sample_rows, validation
from sqlml.importing.adapter import adapted
from sqlml.importing.comparison import compared
from sqlml.importing.limits import DEFAULT, Limits
from sqlml.importing.request import DEFAULT_TOLERANCE, Column, Imported, Request
from sqlml.importing.validation import refused
from sqlml.jobs.job import Fidelity
from sqlml.scoring.onnx_session import tensor_types
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

# The number of rows that are also scored one by one.
_ALONE = 8
_LONGEST_LIBRARY = 200


def opened(
    content: bytes,
    request: Request,
    example: pa.Table | None,
    native: Sequence[NDArray[Any]],
    limits: Limits = DEFAULT,
    suggested: tuple[Column, ...] = (),
) -> Imported:
    """Imports the model and adapts its graph to what `Scorer` expects. Arguments and errors as in `sandbox.tried`."""
    model = validation.read(content, limits)
    _type_outputs(model, content)
    try:
        checker.check_model(model)
    except checker.ValidationError as error:
        raise refused(f"it is not valid ONNX: {str(error).strip().splitlines()[0]}") from error
    known = exported_file.exported(content, model) if request.is_default else None
    found = _foreign(model, request, example, native, suggested) if known is None else _reopened(known, model, example)
    return replace(found, sources=exported_file.digests(content, model))


def _type_outputs(model: ModelProto, content: bytes) -> None:
    """Gives the outputs without a type the one that ONNX Runtime infers.

    skl2onnx's `select_model_inputs_outputs` writes such outputs. ONNX's checker refuses them, and its own shape
    inference knows only some of the operators of ONNX-ML.
    """
    untyped = [output for output in model.graph.output if output.type.WhichOneof("value") is None]
    if untyped:
        types = tensor_types(content)
        for output in untyped:
            if output.name in types:
                name, rank = types[output.name]
                output.type.CopyFrom(
                    helper.make_tensor_type_proto(TensorProto.DataType.Value(name.upper()), [None] * rank)
                )


def _foreign(
    model: ModelProto,
    request: Request,
    example: pa.Table | None,
    native: Sequence[NDArray[Any]],
    suggested: tuple[Column, ...],
) -> Imported:
    """Imports an ordinary ONNX model: its outputs are interpreted from the request and from a trial run."""
    if suggested and request.columns is None and request.inputs is None and properties_of(model) is None:
        request = replace(request, columns=suggested)
    filled = inputs.slots(model, request)
    features = inputs.features(filled, request)
    answers = outputs.answers(model, request.outputs)
    table, values = _trial_run(adapted(model, filled, answers, None), features, example)
    by_name = {answer.name: array for answer, array in zip(answers, values, strict=True)}
    reading = outputs.read(answers, by_name, features, request, partial(label_probes.probed, model))
    adaptation = adapted(model, filled, answers, reading)
    _check_alone(adaptation, reading.signature, table, request.tolerance)
    names = [output.name for output in model.graph.output]
    expected = dict(zip(names, native, strict=True)) if native else {}
    fidelity = compared(adaptation, reading, table, expected, request.tolerance)
    made_by = " ".join(f"{model.producer_name} {model.producer_version}".split())
    library = made_by[:_LONGEST_LIBRARY] or "an unnamed tool"
    return Imported(adaptation, reading.signature, fidelity, library)


def _reopened(known: exported_file.Exported, model: ModelProto, example: pa.Table | None) -> Imported:
    """Imports a file that EXPORT MODEL wrote: its metadata give the signature, as it was at the export."""
    exported_file.check_inputs(known, model)
    table, values = _answered(_scorer(known.onnx, known.signature), known.signature.features, example)
    exported_file.check_answers(known, values, len(table))
    _check_alone(known.onnx, known.signature, table, DEFAULT_TOLERANCE)
    return Imported(
        known.onnx, known.signature, Fidelity(0, 0.0, 0), known.library, known.preparation, known.metrics, known.title
    )


def _trial_run(
    content: bytes, features: tuple[Feature, ...], example: pa.Table | None
) -> tuple[pa.Table, list[NDArray[Any]]]:
    """The rows of the trial run, and each output on them, in the graph's order."""
    table, values = _answered(_scorer(content, _provisional_signature(features)), features, example)
    return table, list(values.values())


def _scorer(content: bytes, signature: Signature) -> Scorer:
    try:
        return Scorer(content, signature)
    except SqlmlError as error:
        hint = (
            "Install the locale on the driver and on the executors: locale-gen."
            if "construct locale" in error.message
            else ""
        )
        raise refused(error.message, hint) from error


def _answered(
    scorer: Scorer, features: tuple[Feature, ...], example: pa.Table | None
) -> tuple[pa.Table, dict[str, NDArray[Any]]]:
    """The first table of rows that the model can predict, and each of its outputs on them by name."""
    tables: Iterable[pa.Table] = (
        sample_rows.attempts(features) if example is None else [sample_rows.chosen(example, features)]
    )
    failure: SqlmlError | None = None
    for table in tables:
        try:
            values = scorer.raw(table.columns)
        except SqlmlError as error:
            failure = error
            continue
        for array in values.values():
            if len(array) != len(table):
                raise refused(
                    f"it returned {len(array)} results for {len(table)} rows", "Export it with a dynamic batch axis."
                )
        return table, values
    assert failure is not None
    hint = "Pass example=… with rows that it can predict." if example is None else ""
    raise refused(
        f"it fails on every generated row. {failure.message}"
        if example is None
        else f"it fails on the rows of the example. {failure.message}",
        hint,
    )


def _provisional_signature(features: tuple[Feature, ...]) -> Signature:
    """A provisional signature for the trial run, before the outputs are interpreted."""
    return Signature(REGRESSION, features, None, "double")


def _squeezes(content: bytes) -> str:
    """A hint for a graph that cannot score one row alone: Squeeze without axes removes the batch axis then."""
    for node in ModelProto.FromString(content).graph.node:
        if node.op_type == "Squeeze" and len(node.input) < 2 and not node.attribute:
            return (
                "It uses Squeeze without axes, which also removes the dimension of the rows where its length is 1."
                " Name the axes: x.squeeze(1) in PyTorch."
            )
    return "Export it with a dynamic batch axis."


def _check_alone(content: bytes, signature: Signature, table: pa.Table, tolerance: float) -> None:
    """Raises SQLML_MODEL_REFUSED where a row's prediction depends on the other rows of its batch."""
    scorer = Scorer(content, signature)
    together = scorer.raw(table.columns)
    for row in range(min(_ALONE, len(table))):
        try:
            alone = scorer.raw(table.slice(row, 1).columns)
        except SqlmlError as error:
            raise refused(
                f"it can predict {len(table)} rows together but not a single one of them. {error.message}",
                _squeezes(content),
            ) from error
        for name, array in together.items():
            one, other = array[row : row + 1], alone[name]
            if len(together) > 1 and name == "label":
                continue  # where two scores differ only by rounding, either label is right
            if one.dtype.kind == "f":
                same = np.isclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True).all()
            else:
                same = (one == other).all()
            if not same:
                raise refused(
                    "its prediction for a row depends on the other rows of the batch",
                    "Export it for inference with model.eval(), and without a softmax or a mean over the rows.",
                )
