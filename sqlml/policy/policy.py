"""What stands around every statement: the check of who may, and the record of what changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlml.policy.actions import CHANGES
from sqlml.policy.audit import AuditLog
from sqlml.policy.permissions import Permissions


@dataclass(frozen=True)
class Policy:
    """The policy of one Spark application."""

    permissions: Permissions
    audit: AuditLog

    @contextmanager
    def permitted(
        self, user: str, action: str, models: tuple[str, ...], statement: str, *, recorded: bool | None = None
    ) -> Iterator[None]:
        """Lets the block run where the user may do the action to all of the models.

        Args:
            recorded: whether the audit log tells of it; by default, of what changes the registry.

        Raises:
            SqlmlError: SQLML_READ_ONLY, SQLML_PERMISSION_DENIED, SQLML_AUDIT_UNAVAILABLE; and what the block raises.
        """
        if not (action in CHANGES if recorded is None else recorded):
            self._require(user, action, models)
            yield
            return
        with self.audit.recording(user, action, models, statement):
            self._require(user, action, models)
            yield

    def _require(self, user: str, action: str, models: tuple[str, ...]) -> None:
        for model in models:
            self.permissions.require(user, action, model)
