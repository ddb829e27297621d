"""The conversion of fitted models to ONNX: objects of scikit-learn, boosted trees and pipelines of MLlib.

skl2onnx walks through a pipeline. Where sqlml has an emitter of its own, which computes in the library's precision, the
emitter writes that step; skl2onnx writes the others. A graph that is made is a candidate only: it is run beside the
model, and the next candidate is tried where the two differ.

    routes               which object is converted by what: the table ROUTES
    candidates           the graphs to try for a model, the best first
    example              the features of a model, and its rows as the library takes them
    parting              the step of a pipeline at which a graph and its model part
    predictions          the model's own predictions, which the graph must repeat
    own_emitters         the emitters of `sqlml.export` as converters of skl2onnx
    parsers, thresholds,
    categories           models inside of models, thresholds and category codes, for skl2onnx
    pipelines            conversion by skl2onnx
    boosters             adapters for boosters without scikit-learn's interface
    catboost_models      conversion by onnxmltools
    mllib_models         conversion by the emitters of `sqlml.export.mllib` alone
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.importing import columns, sample_rows, sandbox
from sqlml.importing.limits import DEFAULT, Limits
from sqlml.importing.request import Imported, Request

if TYPE_CHECKING:
    from sqlml.conversion.routes import Route

# Conditions of a candidate's refusal; others end the search.
_OF_THE_GRAPH = ("SQLML_FIDELITY", "SQLML_MODEL_REFUSED", "SQLML_TARGET_INVALID")


def converted(
    model: Any,
    route: Route,
    request: Request,
    *,
    example: Any = None,
    limits: Limits = DEFAULT,
    progress: Callable[[str], None],
) -> Imported:
    """Converts a fitted model and returns the first graph that predicts as the model does.

    Args:
        route: the model's row of ROUTES.
        example: rows that the model predicts, in any form that `columns.table` takes.
        limits: those of the sandbox in which the graph is compared.
        progress: gets a line per step.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED with the reason of each converter; SQLML_FIDELITY if a graph can be made, but
            predicts otherwise; SQLML_MISSING_PACKAGE; the errors of `candidates`.
    """
    try:
        return _converted(model, route, request, example, limits, progress)
    except ModuleNotFoundError as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"Registering a model of {route.library} needs the Python package {error.name}.",
            hint=f"Install it: pip install 'sqlml[{route.extra}]'.",
        ) from error


def _converted(
    model: Any, route: Route, request: Request, example: Any, limits: Limits, progress: Callable[[str], None]
) -> Imported:
    from sqlml.conversion import predictions
    from sqlml.conversion.candidates import candidates
    from sqlml.conversion.example import missing_of

    table = None if example is None else columns.table(example, sample_rows.MOST)
    refusals: list[SqlmlError] = []
    step = ""
    for candidate in candidates(model, route, request, table, missing_of(example), progress):
        if isinstance(candidate, SqlmlError):
            refusals.append(candidate)
            continue
        progress(f"comparing {len(candidate.table)} predictions")
        try:
            found = sandbox.tried(candidate.onnx, candidate.request, candidate.table, candidate.native, limits=limits)
        except SqlmlError as error:
            if error.condition not in _OF_THE_GRAPH:
                raise
            refusals.append(SqlmlError(error.condition, f"{candidate.converter}: {error.message}", hint=error.hint))
            if error.condition == "SQLML_FIDELITY" and not step:
                step = candidate.parting()
            continue
        signature = predictions.signature_of(candidate.answers, found.signature)
        return replace(found, signature=signature, library=f"{_version(route)}, converted by {candidate.converter}")
    # A graph that was made says more than a converter that gave up.
    told = next((one for one in refusals if one.condition == "SQLML_FIDELITY"), refusals[0])
    reasons = {one.message.partition(": ")[2]: one.message for one in refusals if one.message != told.message}
    reasons.pop(told.message.partition(": ")[2], None)
    others = f" Also tried: {' '.join(reasons.values())}" if reasons else ""
    where = f" They part at the step {step}." if step else ""
    raise SqlmlError(
        told.condition,
        f"The {type(model).__name__} cannot be converted by {told.message}{where}{others}",
        hint=told.hint,
    )


def _version(route: Route) -> str:
    """The name and version of a route's library."""
    import importlib

    return f"{route.library} {importlib.import_module(route.modules[0]).__version__}"
