"""ONNX Runtime as a rival would use it by hand: a session a process, columns in, the probability of 1 out.

Executors import this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_sessions: dict[str, Any] = {}


def session(digest: str, onnx: bytes | Callable[[], bytes], threads: int = 1) -> Any:
    """The session of a graph, opened once a process.

    Args:
        threads: 1 in Spark, which runs a task a core.
    """
    key = f"{digest} {threads}"
    if key not in _sessions:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        content = onnx() if callable(onnx) else onnx
        _sessions[key] = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return _sessions[key]


def probability(opened: Any, columns: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """[rows] from one column [rows] for each input of the graph, in their order."""
    inputs = {given.name: column.reshape(-1, 1) for given, column in zip(opened.get_inputs(), columns, strict=True)}
    found: NDArray[np.float64] = opened.run(["probabilities"], inputs)[0][:, 1]
    return found
