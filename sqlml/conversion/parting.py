"""The step of a pipeline at which a graph and its model part, for the message of a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.conversion.routes import Attempt
from sqlml.importing import inputs, outputs
from sqlml.importing.adapter import adapted
from sqlml.importing.request import Request
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Signature

if TYPE_CHECKING:
    import pyarrow as pa

    from sqlml.conversion.example import Example


def parting_step(
    model: Any, example: Example, attempt: Attempt, request: Request, rows: pa.Table, tolerance: float
) -> str:
    """Returns the name of the first step whose intermediate output differs from the pipeline's own; "" if none does.

    Linear search over the prefixes of a Pipeline: `pipeline[:1]`, `pipeline[:2]`, ….

    Args:
        attempt: the way the whole model was converted.
        request: the request of that conversion.
        rows: the compared rows.
    """
    for length in range(1, len(getattr(model, "steps", ()))):
        prefix = model[:length]
        try:
            here = _transformed(prefix, example, attempt, request, rows)
            there = prefix.transform(example.rows(rows))
        except Exception:
            # A prefix may be impossible to convert alone; then nothing is known about it.
            continue
        there = np.asarray(there.toarray() if hasattr(there, "toarray") else there)
        if there.dtype == object or here.shape != there.shape:
            continue
        close = np.isclose(here, there.astype(np.float64), rtol=tolerance, atol=tolerance, equal_nan=True)
        if not close.all():
            name, step = model.steps[length - 1]
            return f"{name} ({type(step).__name__})"
    return ""


def _transformed(prefix: Any, example: Example, attempt: Attempt, request: Request, rows: pa.Table) -> Any:
    """The prefix's output by ONNX Runtime: [rows, columns]."""
    from dataclasses import replace

    graph, fed = attempt.convert(prefix, example)
    slots = inputs.slots(graph, replace(request, inputs=fed))
    features = inputs.features(slots, request)
    (answer,) = outputs.answers(graph, None)
    content = adapted(graph, slots, [answer], None)
    found = Scorer(content, Signature("regression", features, None, "double")).raw(
        [rows.column(feature.name) for feature in features]
    )
    return found["answer_0"]
