"""The export of a PyTorch module to ONNX, together with the module's own outputs on some rows."""

from __future__ import annotations

import copy
import inspect
import io
import itertools
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.errors import SqlmlError
from sqlml.importing import sample_rows
from sqlml.importing.request import Column, Request
from sqlml.scoring.scorer import required_values
from sqlml.signature import BOOLEAN, INTEGERS, NUMBER, Feature, kind_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

# Every ONNX Runtime that sqlml supports runs this opset, and PyTorch's exporter writes it.
_OPSET = 18
_ROWS = "rows"


@dataclass(frozen=True)
class Exported:
    """The exported module.

    Attributes:
        request: the request, completed by the inputs' names and a type for each feature.
        table: the rows that the module has predicted.
        native: its outputs on those rows.
    """

    onnx: bytes
    request: Request
    table: pa.Table
    native: list[NDArray[Any]]


def is_module(model: Any) -> bool:
    """Whether the object is a torch.nn.Module; torch is imported only if one of the class's bases comes from it."""
    if not any(base.__module__.split(".")[0] == "torch" for base in type(model).__mro__):
        return False
    import torch

    return isinstance(model, torch.nn.Module)


def export(module: Any, request: Request, rank_one: Collection[str], example: pa.Table | None) -> Exported:
    """Exports a copy of the module in evaluation mode; the module itself stays as it is.

    Args:
        rank_one: the parameters of `forward` that take [rows] and not [rows, k].
        example: rows to predict; None for generated ones.

    Raises:
        SqlmlError: SQLML_BINDING_MISMATCH if the features of a parameter of `forward` are unknown;
            SQLML_MODEL_REFUSED if the module fails on all rows or cannot be exported.
    """
    import torch

    groups = _groups(module, request)
    frozen = copy.deepcopy(module).to("cpu").eval()
    with torch.no_grad():
        table, columns, tensors, native = _answered(frozen, groups, rank_one, example)
        # Traced with two rows and compared on all of them, which reveals a row count that became a constant.
        content = _exported(frozen, list(groups), [tensor[:2] for tensor in tensors], len(native))
    by_name = {column.name: column for column in columns}
    order = [by_name[column.name] for column in request.columns or columns if column.name in by_name]
    named = {name: tuple(column.name for column in group) for name, group in groups.items()}
    return Exported(content, replace(request, columns=tuple(order), inputs=named), table, native)


def _groups(module: Any, request: Request) -> dict[str, tuple[Column, ...]]:
    """The features of each parameter of `forward`."""
    parameters = [
        parameter.name
        for parameter in inspect.signature(module.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    known = {column.name: column for column in request.columns or ()}
    if request.inputs is not None and set(request.inputs) == set(parameters):
        return {name: tuple(known.get(one, Column(one)) for one in request.inputs[name]) for name in parameters}
    if request.inputs is None and request.columns is not None and len(parameters) == 1:
        return {parameters[0]: request.columns}
    shown = ", ".join(f"'{name}': ['…', …]" for name in parameters)
    raise SqlmlError(
        "SQLML_BINDING_MISMATCH",
        f"The features of the module's forward({', '.join(parameters)}) are not known.",
        hint="Give features=['…', …]."
        if len(parameters) == 1
        else f"Give features={{{shown}}}, with a list for a tensor [rows, k] and a name for a tensor [rows].",
    )


def _answered(
    module: Any, groups: dict[str, tuple[Column, ...]], rank_one: Collection[str], example: pa.Table | None
) -> tuple[pa.Table, list[Column], list[Any], list[NDArray[Any]]]:
    """Runs the module on the first combination of tensor types and table of rows that it accepts."""
    import torch

    floating = next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.float32)
    first: Exception | None = None
    for dtypes in itertools.product(*(_dtypes(group, floating) for group in groups.values())):
        columns = [
            column if column.type else Column(column.name, _type_of(dtype))
            for dtype, group in zip(dtypes, groups.values(), strict=True)
            for column in group
        ]
        features = [Feature(column.name, str(column.type), required=True) for column in columns]
        for table in _tables(features, example):
            tensors = _tensors(table, features, list(groups.items()), dtypes, rank_one)
            try:
                native = [one.detach().numpy() for one in _flat(module(*tensors))]
            except Exception as error:  # a module may raise anything for inputs it does not accept
                first = first or error
                continue
            return table, columns, tensors, native
    raise SqlmlError(
        "SQLML_MODEL_REFUSED",
        f"The module fails on every row: {str(first).splitlines()[0]}",
        hint="Check the number, order and types of its features, or give example=… with rows that it can predict.",
    ) from first


def _dtypes(group: Sequence[Column], floating: Any) -> list[Any]:
    """The tensor types that a group of features can have, the most exact first."""
    import torch

    types = [column.type for column in group]
    kinds = {None if kind is None else kind_of(kind) for kind in types}
    if not kinds <= {None, NUMBER, BOOLEAN}:
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"A PyTorch module takes only numbers, but not all of {', '.join(column.name for column in group)} are"
            " numbers.",
            hint="Convert strings to the numbers that the network was trained with, in the query.",
        )
    if all(kind in INTEGERS for kind in types):
        return [torch.int64, floating]
    if kinds == {BOOLEAN}:
        return [torch.bool, floating]
    return [floating, torch.int64] if kinds == {None} else [floating]


def _type_of(dtype: Any) -> str:
    import torch

    return {torch.int64: "bigint", torch.bool: "boolean", torch.float64: "double"}.get(dtype, "float")


def _tables(features: Sequence[Feature], example: pa.Table | None) -> Iterator[pa.Table]:
    return sample_rows.attempts(features) if example is None else iter([sample_rows.chosen(example, features)])


def _tensors(
    table: pa.Table,
    features: Sequence[Feature],
    groups: Sequence[tuple[str, tuple[Column, ...]]],
    dtypes: Iterable[Any],
    rank_one: Collection[str],
) -> list[Any]:
    """One tensor per parameter of `forward`: [rows, k], or [rows] for those in `rank_one`."""
    import torch

    by_name = {feature.name: feature for feature in features}
    tensors = []
    for (name, group), dtype in zip(groups, dtypes, strict=True):
        arrays = [required_values(by_name[column.name], table.column(column.name))[0] for column in group]
        matrix = torch.from_numpy(np.stack(arrays, axis=1)).to(dtype)
        tensors.append(matrix[:, 0] if name in rank_one else matrix)
    return tensors


def _flat(answer: Any) -> Iterator[Any]:
    """The tensors in a module's output, in the order in which the exporter flattens them."""
    import torch

    if isinstance(answer, torch.Tensor):
        yield answer
    elif isinstance(answer, dict):
        for one in answer.values():
            yield from _flat(one)
    elif isinstance(answer, (tuple, list)):
        for one in answer:
            yield from _flat(one)
    else:
        raise SqlmlError("SQLML_MODEL_REFUSED", f"The module returns a {type(answer).__name__}, which is not a tensor.")


def _exported(module: Any, names: list[str], tensors: list[Any], outputs: int) -> bytes:
    """Exports by torch.onnx.export (the TorchScript exporter), with a dynamic batch axis."""
    import torch

    output_names = ["output"] if outputs == 1 else [f"output_{index}" for index in range(outputs)]
    content = io.BytesIO()
    # The fused fast path of transformers is an operator that ONNX does not have.
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            # The TorchScript exporter needs no further package; it warns that there is a newer one.
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                module,
                tuple(tensors),
                content,
                input_names=names,
                output_names=output_names,
                dynamic_axes={name: {0: _ROWS} for name in [*names, *output_names]},
                opset_version=_OPSET,
                dynamo=False,
            )
    except Exception as error:  # the exporter may raise anything that the module's code does
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"PyTorch cannot export the module: {str(error).splitlines()[0]}",
            hint="Export it with torch.onnx.export(…, dynamo=True) and register the file.",
        ) from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return content.getvalue()
