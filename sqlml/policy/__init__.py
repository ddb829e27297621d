"""Who may do what with which model, and the record of what was done.

    actions        what can be done: one table
    rules          a TOML file of rules, the check that comes with sqlml
    permissions    a server that only scores, the check that an administrator chose, and the error of a refusal
    policy         both around one statement
    audit          every change in a file of JSON lines

Everything here is read from static Spark settings, so that no SQL client can change it. It guards SQL: whoever reaches
MLflow's store or its server without Spark is MLflow's to let in.
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
