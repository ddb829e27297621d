"""The permission check: asks the administrator's rules or function whether a user may do something with a model."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path

from sqlml.errors import SqlmlError
from sqlml.policy.actions import CHANGES
from sqlml.policy.rules import Rules

# The check's arguments: a user, an action and a model's name.
Check = Callable[[str, str, str], bool]

ASK = "Ask the administrator of this Spark application."


class Permissions:
    """The permissions in one Spark application.

    Args:
        read_only: whether the application only scores.
        check: the value of spark.sqlml.permissions: a path that ends in .toml, `package.module:function`, or "" to
            allow everything to all users.
    """

    def __init__(self, read_only: bool, check: str) -> None:
        self._read_only = read_only
        self._setting = check
        self._lock = threading.Lock()
        # The loaded check and the file's state; a changed file is read again, a function is imported once.
        self._seen: tuple[tuple[int, ...], Check] | None = None

    def require(self, user: str, action: str, model: str) -> None:
        """Raises unless the user may do the action.

        Raises:
            SqlmlError: SQLML_READ_ONLY, SQLML_PERMISSION_DENIED.
        """
        if self._read_only and action in CHANGES:
            raise SqlmlError(
                "SQLML_READ_ONLY",
                f"This server can only score, so it refuses to {action} {model}. The setting is spark.sqlml.readOnly.",
            )
        if not self.allow(user, action, model):
            raise SqlmlError(
                "SQLML_PERMISSION_DENIED", f"User {user or '(unknown)'} may not {action} model {model}.", hint=ASK
            )

    def allow(self, user: str, action: str, model: str) -> bool:
        """Whether the check allows the action; read-only mode is not considered.

        Raises:
            SqlmlError: SQLML_PERMISSION_DENIED where the check itself fails: it fails closed.
        """
        if not self._setting:
            return True
        try:
            # Names are case-insensitive in SQL; a model registered through MLflow's API may have capital letters.
            return bool(self._check()(user, action, model.lower()))
        except Exception as error:
            raise SqlmlError(
                "SQLML_PERMISSION_DENIED",
                f"Nobody may {action} model {model}, because the check {self._setting!r} of spark.sqlml.permissions"
                f" fails ({_line(error)}).",
                hint=ASK,
            ) from error

    def _check(self) -> Check:
        file = self._setting.endswith(".toml")
        with self._lock:
            if file:
                # Modification time, change time and size: an edit within one clock tick that keeps the size is missed.
                status = Path(self._setting).stat()
                state: tuple[int, ...] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
            else:
                state = ()
            if self._seen is None or self._seen[0] != state:
                self._seen = (state, self._rules() if file else self._function())
            return self._seen[1]

    def _rules(self) -> Check:
        return Rules.parse(Path(self._setting).read_text(encoding="utf-8")).allows

    def _function(self) -> Check:
        module, colon, name = self._setting.partition(":")
        if not colon:
            raise ValueError("it is neither a TOML file nor package.module:function")
        function: Check = getattr(importlib.import_module(module), name)
        return function


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: {text}"
