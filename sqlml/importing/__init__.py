"""The import of ONNX models: validates a foreign graph, runs it in a sandbox, and rewrites it into sqlml's own layout.

An imported graph ends with one input per feature and the outputs that `sqlml.scoring.scorer` expects, or it is refused.

    options                 parses the OPTIONS of IMPORT MODEL into a request
    statement_source        reads the bytes that IMPORT MODEL … FROM names
    content, pytorch        turn a Python object into ONNX bytes
    validation, operators   static checks: the allowed operators, and the sizes of tensors and the file
    limits                  the limits on size, memory and time, and the operators an administrator adds
    exported_file           reads back a file that EXPORT MODEL wrote
    sandbox, sandbox_main   the child process with limits, and its entry point; in it, `loading` runs:
      inputs, columns         map features to input tensors
      sample_rows             makes rows for a trial run
      outputs, classes,
      column_outputs          interpret the outputs
      label_order             matches the columns of the scores to classes
      label_probes            proves that match by running the end of the graph alone
      adapter                 adds sqlml's nodes before and after the model's own
      comparison              compares the graph's predictions with the native model's
    unregistered_model      a model given as bytes in the query that scores it
    register                `sqlml.register_model`

Only `register` knows Spark and MLflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.importing.limits import DEFAULT, Limits
from sqlml.importing.request import ACTIVATIONS, LONGEST_NAME, MISSING, Column, Imported, Request

__all__ = ["Imported", "Request", "imported", "requested"]

_TASKS = ("classification", "regression")
# protobuf needs some 70 times the size of a file of empty messages: larger files are parsed only in the sandbox, which
# has a memory limit.
_MOST_READ_HERE = 4 * 1024**2
_CONSTANTS = (
    "Values that forward() computes with Python numbers, such as len(x), become constants in the export. Use"
    " x.shape[0], or export with torch.onnx.export(…, dynamo=True) and register the file."
)


def requested(
    *,
    signature: Any = None,
    features: Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    target: str | Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    task: str | None = None,
    activation: str | None = None,
    missing: str = "null",
    outputs: str | Sequence[str] | None = None,
    tolerance: float = Request.tolerance,
    example: Any = None,
) -> Request:
    """Turns the keyword arguments of `sqlml.register_model` into a checked `Request`.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for an invalid value.
    """
    _one_of("task", task, _TASKS)
    _one_of("activation", activation, ACTIVATIONS)
    _one_of("missing", missing, MISSING)
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < float("inf"):
        raise SqlmlError("SQLML_OPTION_INVALID", f"tolerance must be a number from 0, not {tolerance!r}.")
    columns, inputs = _columns(signature, features, example)
    return Request(
        columns=columns,
        inputs=inputs,
        target=_names("target", target),
        labels=tuple(labels or ()),
        task=task,
        activation=activation,
        missing=missing,
        outputs=_names("outputs", outputs) or None,
        tolerance=float(tolerance),
    )


def imported(
    model: Any,
    request: Request,
    *,
    rank_one: Sequence[str] = (),
    example: Any = None,
    suggested: tuple[Column, ...] = (),
    limits: Limits = DEFAULT,
    cancelled: Callable[[], bool] = lambda: False,
) -> Imported:
    """Imports a model: converts, validates and tries it, and returns it in sqlml's layout.

    Args:
        model: a torch.nn.Module, an onnx.ModelProto, bytes, or a path.
        rank_one: for a torch module, the parameters of `forward` that take a tensor [rows].
        example: rows for the trial run, in any form that `columns.table` takes; None for generated ones.
        suggested: the features to assume where neither the request nor the file names them.
        cancelled: polled during the trial run; True ends it.

    Raises:
        SqlmlError: SQLML_CANCELLED, SQLML_MODEL_REFUSED, SQLML_BINDING_MISMATCH, SQLML_FEATURE_UNUSABLE,
            SQLML_TARGET_INVALID, SQLML_FIDELITY, SQLML_OPTION_INVALID, SQLML_MISSING_PACKAGE.
    """
    try:
        return _imported(model, request, rank_one, example, suggested, limits, cancelled)
    except ModuleNotFoundError as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"Registering a model needs the Python package {error.name}.",
            hint="Install it: pip install 'sqlml[driver]'.",
        ) from error


def _imported(
    model: Any,
    request: Request,
    rank_one: Sequence[str],
    example: Any,
    suggested: tuple[Column, ...],
    limits: Limits,
    cancelled: Callable[[], bool],
) -> Imported:
    """Turns the model into ONNX bytes, validates small files at once, and runs the import in the sandbox."""
    from sqlml.importing import columns, pytorch, sample_rows, sandbox, validation
    from sqlml.importing.content import content_of

    table = None if example is None else columns.table(example, sample_rows.MOST)
    native: Sequence[Any] = ()
    if pytorch.is_module(model):
        made = pytorch.export(model, request, rank_one, table)
        content, request, table, native = made.onnx, made.request, made.table, made.native
    else:
        content = content_of(model, limits.size)
    if len(content) <= _MOST_READ_HERE:
        validation.read(content, limits)  # refuses early, without a process; the sandbox validates again
    try:
        return sandbox.tried(content, request, table, native, suggested=suggested, limits=limits, cancelled=cancelled)
    except SqlmlError as error:
        if not native or error.condition not in ("SQLML_MODEL_REFUSED", "SQLML_FIDELITY"):
            raise
        # The module itself can predict these rows, so the export to ONNX is at fault.
        raise SqlmlError(error.condition, error.message, hint=_CONSTANTS) from error


def _columns(
    signature: Any, features: Any, example: Any
) -> tuple[tuple[Column, ...] | None, dict[str, tuple[str, ...]] | None]:
    """The features' names and types from signature and features; types that neither gives come from the example."""
    from sqlml.importing.columns import declared, table

    columns = None if signature is None else declared(signature)
    inputs: dict[str, tuple[str, ...]] | None = None
    if isinstance(features, Mapping):
        inputs = {name: _names("features", given) for name, given in features.items()}
        names: tuple[str, ...] | None = tuple(name for given in inputs.values() for name in given)
    else:
        names = None if features is None else _names("features", features)
    if names is None:
        return columns, None
    if columns is None:
        types = {} if example is None else {one.name: one.type for one in declared(table(example, 1_000))}
        return tuple(Column(name, types.get(name)) for name in names), inputs
    known = {column.name: column for column in columns}
    for name in names:
        if name not in known:
            raise SqlmlError("SQLML_OPTION_INVALID", f"features names {name}, which is not in the signature.")
    if inputs is None:
        return tuple(known[name] for name in names), None
    return tuple(column for column in columns if column.name in names), inputs


def _names(what: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    names = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_NAME for name in names):
        raise SqlmlError("SQLML_OPTION_INVALID", f"{what} must be a name or a list of names, not {repr(value)[:200]}.")
    return names


def _one_of(what: str, value: str | None, known: Sequence[str]) -> None:
    if value is not None and value not in known:
        raise SqlmlError("SQLML_OPTION_INVALID", f"{what} must be one of {', '.join(known)}, not {value!r}.")
