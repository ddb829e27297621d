"""The error for a view whose model now predicts another type than the view's column has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion

# How many versions back to look for one that fits the view; each is a request to the registry.
_MOST_VERSIONS = 20


def view_error(
    load: Callable[[str], ModelVersion], model: str, digest: str, view: str, kind: str, now: str
) -> SqlmlError:
    """The error, which names the model, the version that scores, and the newest version that fits the view's column.

    Args:
        load: loads a version by its reference.
        digest: the digest of the version that scores.
        kind: the type of the view's column.
        now: the type that the model predicts.
    """
    newest = load(model).version
    scores: int | None = None
    fits: int | None = None
    for number in range(newest, max(0, newest - _MOST_VERSIONS), -1):
        try:
            version = load(f"{model}/{number}")
        except SqlmlError:
            continue  # the version was dropped
        if scores is None and version.digest == digest:
            scores = number
        elif fits is None and _predicts(version) == kind:
            fits = number
    by = " it" if scores is None else f" version {scores}"
    then = "" if fits is None else f", as version {fits} does"
    name_it = "" if fits is None else f", or use '{model}/{fits}' in its query"
    return SqlmlError(
        "SQLML_TYPE_MISMATCH",
        f"View {view} was created when model {model} predicted {kind.upper()}{then}, but{by} now predicts"
        f" {now.upper()}.",
        hint=f"Recreate the view by CREATE OR REPLACE VIEW{name_it}.",
    )


def _predicts(version: ModelVersion) -> str:
    signature = version.signature
    return signature.target_type if signature.task == "classification" else "double"
