"""The registry's tables in SQL, `SELECT … FROM sqlml.models`: one file per table; `TABLES` lists them.

They form a Spark catalog, `sqlml` (org.sqlml.RegistryCatalog), because only a catalog works for every client: a Python
data source or a table function would run on executors, which cannot reach the registry, and a view over files would be
stale. Each planned query reads the registry once, on the driver, without a Spark job; filters, joins and aggregates are
Spark's own.
"""

from __future__ import annotations

from sqlml.tables.enrichments import ENRICHMENTS
from sqlml.tables.metrics import METRICS
from sqlml.tables.model_versions import MODEL_VERSIONS
from sqlml.tables.models import MODELS
from sqlml.tables.table import Table
from sqlml.tables.training_runs import TRAINING_RUNS

TABLES: tuple[Table, ...] = (ENRICHMENTS, METRICS, MODEL_VERSIONS, MODELS, TRAINING_RUNS)

__all__ = ["TABLES", "Table"]
