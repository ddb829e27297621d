"""Asks whether a user may do something with a model."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path

from sqlml.errors import SqlmlError
from sqlml.policy.actions import CHANGES
from sqlml.policy.rules import Rules

# Of a user, an action and a model's name.
Check = Callable[[str, str, str], bool]

ASK = "Ask who administers this Spark application."


class Permissions:
    """The policy of one Spark application.

    Args:
        read_only: whether the application only scores.
        check: the value of spark.sqlml.permissions: a path that ends in .toml, `package.module:function`, or "" where
            everybody may do everything.
    """

    def __init__(self, read_only: bool, check: str) -> None:
        self._read_only = read_only
        self._setting = check
        self._lock = threading.Lock()
        # A file that is changed is read again; a function is imported once.
        self._seen: tuple[tuple[int, ...], Check] | None = None

    def require(self, user: str, action: str, model: str) -> None:
        """Returns where the user may.

        Raises:
            SqlmlError: SQLML_READ_ONLY, SQLML_PERMISSION_DENIED.
        """
        if self._read_only and action in CHANGES:
            raise SqlmlError(
                "SQLML_READ_ONLY", f"This server only scores: spark.sqlml.readOnly refuses to {action} {model}."
            )
        if not self.allow(user, action, model):
            raise SqlmlError(
                "SQLML_PERMISSION_DENIED", f"User {user or '(unknown)'} may not {action} model {model}.", hint=ASK
            )

    def allow(self, user: str, action: str, model: str) -> bool:
        """Whether the check, read-only or not, lets a user do something.

        Raises:
            SqlmlError: SQLML_PERMISSION_DENIED where the check itself fails: what cannot be asked is not allowed.
        """
        if not self._setting:
            return True
        try:
            # A name knows no case in SQL; one that MLflow's own API has registered may have capital letters.
            return bool(self._check()(user, action, model.lower()))
        except Exception as error:
            raise SqlmlError(
                "SQLML_PERMISSION_DENIED",
                f"Nobody may {action} model {model}: the check {self._setting!r} of spark.sqlml.permissions fails"
                f" ({_line(error)}).",
                hint=ASK,
            ) from error

    def _check(self) -> Check:
        file = self._setting.endswith(".toml")
        with self._lock:
            if file:
                # The size and two times: an edit within one tick of the clock that keeps the length is not seen.
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
            raise ValueError("it is neither a file.toml nor package.module:function")
        function: Check = getattr(importlib.import_module(module), name)
        return function


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: {text}"
