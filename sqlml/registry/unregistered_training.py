"""Saves a finished model as files when it cannot be registered; IMPORT MODEL can register it later."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError
from sqlml.export import metadata
from sqlml.parser.generator import quote_string
from sqlml.registry.layout import DOCUMENT, GRAPH
from sqlml.settings import project_folder

if TYPE_CHECKING:
    from sqlml.training.trained import Trained


def kept(name: str, run_id: str, trained: Trained, document: bytes, cause: Exception) -> SqlmlError:
    """Writes the model's graph and document; returns the error to raise, whose hint is the IMPORT MODEL statement.

    The graph's file has the same metadata as one of EXPORT MODEL. The folder is `.sqlml/unregistered`, below the
    working directory, from which IMPORT MODEL may read by default; SQLML_HOME replaces `.sqlml`.
    """
    if not isinstance(cause, SqlmlError):
        cause = SqlmlError(
            "SQLML_ENGINE_FAILED", f"Model {name} cannot be registered: {cause or type(cause).__name__}."
        )
    fitted = trained.fitted
    folder = project_folder() / "unregistered" / f"{re.sub(r'[^a-z0-9_.]', '_', name)}-{run_id[:8]}"
    described = metadata.Described(
        name, "unregistered", hashlib.sha256(fitted.onnx).hexdigest(), fitted.signature, trained.estimator.name,
        fitted.library, fitted.metrics, fitted.preparation, trained.transform,
    )  # fmt: skip
    try:
        # The files may hold values of the training rows.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / DOCUMENT).write_bytes(document)
        (folder / GRAPH).write_bytes(metadata.appended(fitted.onnx, described.properties()))
    except OSError as error:
        return SqlmlError(
            cause.condition,
            f"{cause.message} The finished model is lost, because {folder} cannot be written: {error.strerror}.",
            hint=cause.hint,
        )
    path = folder / GRAPH
    without = " The import does not apply its TRANSFORM." if trained.transform is not None else ""
    return SqlmlError(
        cause.condition,
        f"{cause.message} The finished model is kept in {folder}.",
        hint=f"Once the registry answers: IMPORT MODEL {name} FROM {quote_string(str(path))}.{without}",
    )
