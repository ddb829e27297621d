"""What can be done with a model, as rules name it. Every statement is one of these; PREDICT is `predict`."""

from __future__ import annotations

READ = "read"  # SHOW and DESCRIBE, and the registry's tables
PREDICT = "predict"
TRAIN = "train"  # a new version, of a new model or of one that is there
ALTER = "alter"  # aliases, comments, tags, names
DROP = "drop"
IMPORT = "import"
EXPORT = "export"

ACTIONS = (READ, PREDICT, TRAIN, ALTER, DROP, IMPORT, EXPORT)

# What a server that only scores refuses, and what the audit log tells of: the registry changes, or a model leaves it.
CHANGES = frozenset({TRAIN, ALTER, DROP, IMPORT, EXPORT})
