"""The registry as tables: `SELECT … FROM sqlml.models`. `TABLES` is the one table of them; a table is one file here.

They are a catalog of Spark's, `sqlml` (see org.sqlml.RegistryCatalog), because that alone works behind every door: a
Python data source or a table function would run on executors, which have no way to the registry, and a view over files
would show what the registry was. Each query that is planned reads the registry once, on the driver, without a Spark
job; its filters, joins and aggregates are Spark's own.
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
