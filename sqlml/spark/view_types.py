"""Views whose model has come to predict another type than their column has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion

# So far back a version is looked for that fits the view: each is a question for the registry.
_MOST_VERSIONS = 20


def view_error(load: Callable[[str], ModelVersion], model: str, digest: str, view: str, kind: str) -> SqlmlError:
    """The error that names the model, the version that scores and the newest one that the view's column fits.

    Args:
        load: a version of a reference.
        digest: of the version that scores.
        kind: the type of the view's column.
    """
    newest = load(model).version
    scores: int | None = None
    fits: int | None = None
    for number in range(newest, max(0, newest - _MOST_VERSIONS), -1):
        try:
            version = load(f"{model}/{number}")
        except SqlmlError:
            continue  # It was dropped.
        if scores is None and version.digest == digest:
            scores = number
        elif fits is None and _predicts(version) == kind:
            fits = number
    by = "" if scores is None else f" version {scores}"
    then = "" if fits is None else f", as version {fits} does"
    name_it = "" if fits is None else f", or say '{model}/{fits}' in its text"
    return SqlmlError(
        "SQLML_TYPE_MISMATCH",
        f"View {view} was made when model {model} predicted {kind.upper()}{then}; by now{by} predicts STRING.",
        hint=f"Make the view anew by CREATE OR REPLACE VIEW{name_it}.",
    )


def _predicts(version: ModelVersion) -> str:
    signature = version.signature
    return signature.target_type if signature.task == "classification" else "double"
