"""The policy around a statement: checks permissions first, and records changes in the audit log."""

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
        """Runs the block if the user may do the action to all of the models.

        Args:
            recorded: whether to write to the audit log; by default if the action changes the registry.

        Raises:
            SqlmlError: SQLML_READ_ONLY, SQLML_PERMISSION_DENIED, SQLML_AUDIT_UNAVAILABLE; and the block's errors.
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
