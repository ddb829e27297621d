"""The actions on models that permissions distinguish. Every statement is one of them; PREDICT calls are `predict`."""

from __future__ import annotations

READ = "read"  # SHOW and DESCRIBE, and the registry's tables
PREDICT = "predict"
TRAIN = "train"  # adds a version, to a new or an existing model
ALTER = "alter"  # aliases, comments, tags, names
DROP = "drop"
IMPORT = "import"
EXPORT = "export"

ACTIONS = (READ, PREDICT, TRAIN, ALTER, DROP, IMPORT, EXPORT)

# Actions that read-only mode refuses and the audit log records: they change the registry, or take a model out of it.
CHANGES = frozenset({TRAIN, ALTER, DROP, IMPORT, EXPORT})
