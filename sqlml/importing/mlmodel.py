"""The reader of models in MLflow's layout: finds the ONNX file that the YAML file `MLmodel` names.

Nothing else of the model is read, and nothing is loaded: every other flavour is code.
https://mlflow.org/docs/latest/ml/model/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.export.metadata import GRAPH
from sqlml.importing.columns import of_mlflow_type
from sqlml.importing.request import Column
from sqlml.importing.validation import refused
from sqlml.signature import kind_of

FILE = "MLmodel"
_MOST_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,127}\Z")


@dataclass(frozen=True)
class Source:
    """A model's bytes, and the features that MLflow's signature names."""

    content: bytes
    columns: tuple[Column, ...] = ()


# How a model of each flavour is converted to ONNX after `model = mlflow.<flavour>.load_model(uri)`; X holds some rows.
CONVERSIONS: dict[str, str] = {
    "sklearn": "import skl2onnx; onnx = skl2onnx.to_onnx(model, X[:1].astype('float32'))",
    "xgboost": "import onnxmltools; from skl2onnx.common.data_types import FloatTensorType;"
    " onnx = onnxmltools.convert_xgboost(model, initial_types=[('x', FloatTensorType([None, X.shape[1]]))])",
    "lightgbm": "import onnxmltools; from skl2onnx.common.data_types import FloatTensorType;"
    " onnx = onnxmltools.convert_lightgbm(model, initial_types=[('x', FloatTensorType([None, X.shape[1]]))])",
    "catboost": "model.save_model('model.onnx', format='onnx'); onnx = 'model.onnx'",
    "pytorch": "onnx = model.eval()",
    "tensorflow": "import tf2onnx; onnx, _ = tf2onnx.convert.from_keras(model, opset=18)",
    "keras": "import tf2onnx; onnx, _ = tf2onnx.convert.from_keras(model, opset=18)",
}


def read(read_file: Callable[[str, int], bytes], most_bytes: int, uri: str, name: str) -> Source:
    """Reads the ONNX file of a model in MLflow's layout.

    Args:
        read_file: reads a file beside `MLmodel`; takes its name and the most bytes it may have.
        uri: the model as the user named it, for messages.
        name: the name under which the model is imported, for the hint's code.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for another flavour, with the code that converts it; the errors of `read_file`.
    """
    content = _parsed(read_file(FILE, _MOST_BYTES))
    flavors = content.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        raise refused(f"the file {FILE} of {uri} does not name a flavour")
    onnx = flavors.get("onnx")
    if onnx is not None and not isinstance(onnx, dict):
        raise refused(f"the file {FILE} of {uri} does not name the ONNX file")
    if onnx is None:
        raise _other_flavour([str(flavor) for flavor in flavors], uri, name)
    own = content.get("metadata")
    file = own[GRAPH] if isinstance(own, dict) and GRAPH in own else onnx.get("data", "model.onnx")
    if not isinstance(file, str) or not _NAME.match(file):
        # Any value but a text is shown by its type: repr of nested lists with YAML aliases can grow exponentially.
        shown = repr(file[:60]) if isinstance(file, str) else f"a {type(file).__name__}"
        raise refused(f"the file {FILE} of {uri} names the graph {shown}, which is not a file beside it")
    return Source(read_file(file, most_bytes), _columns(content.get("signature")))


def _parsed(text: bytes) -> dict[str, Any]:
    import yaml

    try:
        # BaseLoader makes only texts, lists and mappings. The safe loader would also merge mappings (`<<`), with which
        # a short file can exhaust the memory.
        content = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise refused(f"its file {FILE} cannot be read: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise refused(f"its file {FILE} is not a mapping")
    return content


def _other_flavour(flavors: list[str], uri: str, name: str) -> SqlmlError:
    known = next((flavor for flavor in CONVERSIONS if flavor in flavors), None)
    shown = known or next((flavor for flavor in flavors if flavor != "python_function"), flavors[0])
    reason = f"{uri} is a model of the flavour {shown[:40]}, and loading it would run code that comes with it"
    if known is None:
        return refused(
            reason,
            "If its library can write ONNX, register the file: sqlml.register_model(name, 'model.onnx', features=[…]).",
        )
    return refused(
        reason,
        f"If you trust it, convert it in Python: import mlflow, sqlml; model = mlflow.{known}.load_model({uri!r});"
        f" {CONVERSIONS[known]}; sqlml.register_model({name!r}, onnx, features=[…])",
    )


def _columns(signature: Any) -> tuple[Column, ...]:
    """The columns in MLflow's signature; empty for a signature of tensors or with types that no feature can have."""
    text = signature.get("inputs") if isinstance(signature, dict) else None
    try:
        inputs = json.loads(text) if isinstance(text, str) else []
    except (ValueError, RecursionError):
        return ()
    if not isinstance(inputs, list):
        return ()
    columns = []
    for one in inputs:
        name, kind = (one.get("name"), one.get("type")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not name or not isinstance(kind, str):
            return ()
        kind = of_mlflow_type(kind)
        if kind_of(kind) is None:
            return ()
        columns.append(Column(name, kind))
    return tuple(columns)
