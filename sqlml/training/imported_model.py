"""An adapter for imported models: wraps one as a `Trained`, which is what the registry stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.estimators import Estimator
from sqlml.jobs.job import Fitted, Job
from sqlml.lineage import Lineage, software
from sqlml.registry.model_version import IMPORTED
from sqlml.training.trained import Trained

if TYPE_CHECKING:
    from sqlml.importing import Imported
    from sqlml.signature import Transform


def trained(found: Imported, transform: Transform | None = None) -> Trained:
    """The imported model as if it had been trained here, without rows, hyperparameters and sources.

    Args:
        transform: what computes its features, if they are not the columns themselves.
    """
    fitted = Fitted(
        onnx=found.onnx,
        signature=found.signature,
        preparation=found.preparation,
        metrics=found.metrics,
        fidelity=found.fidelity,
        rows=0,
        held_out=0,
        measured=0,
        params={},
        library=found.library,
    )
    job = Job(IMPORTED, found.signature, params={}, seed=0, test_fraction=0.0, tolerance=0.0)
    schema = tuple((feature.name, feature.type) for feature in found.signature.features)
    lineage = Lineage(software=software(IMPORTED, spark=None))
    return Trained(Estimator(IMPORTED, classes={}, params=()), fitted, job, schema, lineage, transform=transform)
