"""ONNX Runtime's sessions: the one module that opens and runs a graph, and says what went wrong in sqlml's errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The prefix of the names of the nodes that our own graph writer adds (`sqlml.export.graph`).
_OUR_NODE = "node___"
# ONNX Runtime's messages for exhausted memory.
_NO_MEMORY = ("Failed to allocate memory", "bad allocation", "bad_alloc")
# In the message of an optimization that fails: the folder of its source file.
_IN_OPTIMIZER = re.compile(r"[/\\]core[/\\]optimizer[/\\]")
# The message for an operator that fails.
_FAILURE = re.compile(
    r"while running (?P<operator>\S+) node\. Name:'(?P<name>[^']*)' Status Message: "
    # The position in ONNX Runtime's own source.
    r"(?:\S+\.(?:h|cc):[0-9]+ (?:[^()]*\([^()]*\) )?)?(?P<text>.*?)\.?\s*\Z"
)
# A type of an output, as ONNX Runtime writes it.
_TENSOR = re.compile(r"tensor\((\w+)\)")


def opened(onnx: bytes) -> Any:
    """Returns ONNX Runtime's session for a graph: optimized, or as it is where an optimization fails.

    Some fail on graphs that are valid. That of a Clip after a Relu, say, refuses limits of type double.

    Raises:
        SqlmlError: SQLML_MODEL_CORRUPT for bytes that ONNX Runtime cannot load.
        MemoryError: if the graph does not fit.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # A memory arena per model never returns what its largest batch took: up to 170 MB measured, and no faster.
    options.enable_cpu_mem_arena = False
    try:
        try:
            return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own classes of errors are not public
            if not _IN_OPTIMIZER.search(str(error)):
                raise
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        _check_memory(error)
        reason = _first_line(error)
        raise SqlmlError("SQLML_MODEL_CORRUPT", f"The model's graph cannot be loaded: {reason}") from error


def run(session: Any, outputs: list[str], inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Returns the outputs of those names.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED for an operator that fails.
        MemoryError: if the batch does not fit.
    """
    try:
        found: list[NDArray[Any]] = session.run(outputs, inputs)
    except Exception as error:  # ONNX Runtime's own classes of errors are not public
        _check_memory(error)
        raise _failure(_first_line(error)) from error
    return found


def tensor_types(onnx: bytes) -> dict[str, tuple[str, int]]:
    """The element type (`float`, `int64`, `string` …) and the rank of each output of a graph that is a tensor.

    Raises:
        SqlmlError: SQLML_MODEL_CORRUPT for bytes that ONNX Runtime cannot load.
    """
    found = [(output, _TENSOR.fullmatch(output.type)) for output in opened(onnx).get_outputs()]
    return {output.name: (match[1], len(output.shape)) for output, match in found if match is not None}


def _check_memory(error: Exception) -> None:
    """Raises MemoryError where ONNX Runtime's error is one, or says that memory is exhausted."""
    if isinstance(error, MemoryError):
        raise error
    if any(text in str(error) for text in _NO_MEMORY):
        raise MemoryError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _failure(reason: str) -> SqlmlError:
    """The error for an operator that fails: ONNX Runtime's message without its source positions."""
    found = _FAILURE.search(reason)
    text = f"{found['operator']}: {found['text']}" if found else reason
    if "indices element out of data bounds" not in text:
        return SqlmlError("SQLML_ENGINE_FAILED", f"The model's graph fails on these rows: {text}.")
    if found is not None and found["name"].startswith(_OUR_NODE):
        return SqlmlError("SQLML_ENGINE_FAILED", "The model's graph returned a label that is not among its classes.")
    return SqlmlError(
        "SQLML_ENGINE_FAILED",
        f"The model's graph fails on these rows: {text}.",
        hint="An index is outside of an embedding table. Check the values of the model's integer columns.",
    )
