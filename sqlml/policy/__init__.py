"""Access control and auditing of SQL statements on models.

    actions        the actions that permissions distinguish
    rules          the built-in check: a TOML file of rules
    permissions    applies the administrator's check and read-only mode, and raises the error of a refusal
    policy         wraps a statement in the check and the audit record
    audit          the audit log, a file of JSON lines

All settings are static Spark settings, which no SQL client can change. Only SQL is guarded: access to MLflow's store or
server without Spark is MLflow's to control.
"""

from sqlml.policy.actions import ACTIONS, ALTER, CHANGES, DROP, EXPORT, IMPORT, PREDICT, READ, TRAIN
from sqlml.policy.audit import AuditLog
from sqlml.policy.permissions import ASK, Permissions
from sqlml.policy.policy import Policy

__all__ = [
    "ACTIONS",
    "ALTER",
    "ASK",
    "CHANGES",
    "DROP",
    "EXPORT",
    "IMPORT",
    "PREDICT",
    "READ",
    "TRAIN",
    "AuditLog",
    "Permissions",
    "Policy",
]
