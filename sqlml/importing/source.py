"""The bytes of a model, whatever form it is given in."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.importing.gate import MOST_BYTES, refused

_SKLEARN = (
    "It becomes ONNX by: from skl2onnx import to_onnx; model = to_onnx(model, X[:1].astype('float32')); then give"
    " features=[…]. TRAIN MODEL … USING sklearn.… trains one in SQL."
)
_KERAS = (
    "It becomes ONNX by: import tf2onnx; model, _ = tf2onnx.convert.from_keras(model, opset=18); then give"
    " features=[…]."
)
_FORMS = "It is a torch.nn.Module, an onnx.ModelProto, the bytes of an ONNX file, or its path."


def content_of(model: Any) -> bytes:
    """The bytes of an ONNX model: of a ModelProto, of bytes, or of a file.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for another kind of object, with the lines that make ONNX of it;
            SQLML_MODEL_REFUSED for a file that is too large, or none.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model)
    if isinstance(model, (str, os.PathLike)):
        return _read(Path(model))
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
        "SQLML_OPTION_INVALID", f"A {module} {type(model).__name__} cannot be registered as it is.", hint=hint
    )


def _serialized(model: Any) -> bytes:
    try:
        content: bytes = model.SerializeToString()
    except ValueError as error:  # protobuf writes no more than 2 GiB
        raise refused(f"it cannot be written as one file: {error}") from error
    return content


def _read(path: Path) -> bytes:
    """A plain file's bytes; a pipe or a device would be read for ever."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise refused(f"{path} is no file", "A SavedModel's folder becomes ONNX by tf2onnx.")
            if about.st_size > MOST_BYTES:
                raise refused(f"{path} has {about.st_size} bytes, and the limit is {MOST_BYTES}")
            return file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        raise refused(f"{path} is a folder", "A SavedModel's folder becomes ONNX by tf2onnx.") from None
    except OSError as error:
        raise refused(f"{path} cannot be read: {error.strerror}") from error
