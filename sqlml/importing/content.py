"""The ONNX bytes of a model that is given as a ModelProto, as bytes or as a path."""

from __future__ import annotations

import os
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.importing.limits import DEFAULT
from sqlml.importing.validation import refused
from sqlml.system import allowed_paths

_SKLEARN = (
    "Convert it to ONNX: from skl2onnx import to_onnx; model = to_onnx(model, X[:1].astype('float32')); then"
    " give features=[…]. To train such a model in SQL, use TRAIN MODEL … USING sklearn.…."
)
_KERAS = (
    "Convert it to ONNX: import tf2onnx; model, _ = tf2onnx.convert.from_keras(model, opset=18); then give"
    " features=[…]."
)
_FORMS = "A model must be a torch.nn.Module, an onnx.ModelProto, the bytes of an ONNX file, or its path."


def content_of(model: Any, most_bytes: int = DEFAULT.size) -> bytes:
    """Returns the bytes of an ONNX model.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for another kind of object, with the code that converts it; the errors of
            `allowed_paths.read`.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model)
    if isinstance(model, (str, os.PathLike)):
        return allowed_paths.read(model, most_bytes)
    if hasattr(model, "SerializeToString") and hasattr(model, "opset_import"):
        return _serialized(model)
    module = type(model).__module__.split(".")[0]
    if module in ("keras", "tensorflow", "tf_keras"):
        hint = _KERAS
    elif hasattr(model, "get_params") and hasattr(model, "fit"):
        hint = _SKLEARN
    else:
        hint = _FORMS
    raise SqlmlError(
        "SQLML_OPTION_INVALID", f"An object of type {module}.{type(model).__name__} cannot be registered.", hint=hint
    )


def _serialized(model: Any) -> bytes:
    try:
        content: bytes = model.SerializeToString()
    except ValueError as error:  # protobuf writes no more than 2 GiB
        raise refused(f"it cannot be written as one file: {error}") from error
    return content
