"""The error class of sqlml and its error conditions, `CONDITIONS`, the one table.

Every deliberate error has a condition, an SQLSTATE, a one-line message, and where possible an offset in the user's text
and a hint. Conditions are named like Spark's; their SQLSTATEs are the SQL standard's classes as Spark uses them (42xxx:
the statement is wrong; 22xxx: the data is; 23xxx: a condition of the user's does not hold; 2Bxxx: something still
depends on it; 0A000: not supported; 58xxx: a system that the statement needs failed; XX000: a defect of ours).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence

CONDITIONS: dict[str, str] = {
    "SQLML_AMBIGUOUS_FEATURE": "42702",
    "SQLML_AUDIT_UNAVAILABLE": "58030",
    "SQLML_BINDING_MISMATCH": "42K09",
    "SQLML_CANCELLED": "57014",
    "SQLML_COLUMN_ALREADY_EXISTS": "42711",
    "SQLML_COLUMN_NOT_FOUND": "42703",
    "SQLML_ENGINE_FAILED": "58000",
    "SQLML_ESTIMATOR_NOT_FOUND": "42704",
    "SQLML_FEATURE_UNUSABLE": "42K09",
    "SQLML_FIDELITY": "22000",
    "SQLML_GATE_NOT_MET": "23001",
    "SQLML_INTERNAL_ERROR": "XX000",
    "SQLML_INVALID_NAME": "42602",
    "SQLML_MAPPING_UNSURE": "42K09",
    "SQLML_METRIC_NOT_FOUND": "42704",
    "SQLML_MISSING_PACKAGE": "58030",
    "SQLML_MODEL_ALREADY_EXISTS": "42710",
    "SQLML_MODEL_CORRUPT": "58030",
    "SQLML_MODEL_NOT_FOUND": "42704",
    "SQLML_MODEL_NOT_SQL": "0A000",
    "SQLML_MODEL_REFUSED": "0A000",
    "SQLML_NOT_SUPPORTED": "0A000",
    "SQLML_OPTION_INVALID": "22023",
    "SQLML_OPTION_NOT_FOUND": "42704",
    "SQLML_PATH_ALREADY_EXISTS": "42K04",
    "SQLML_PATH_NOT_ALLOWED": "42501",
    "SQLML_PATH_NOT_FOUND": "42K03",
    "SQLML_PERMISSION_DENIED": "42501",
    "SQLML_READ_ONLY": "25006",
    "SQLML_REGISTRY_DENIED": "28000",
    "SQLML_REGISTRY_UNAVAILABLE": "08001",
    "SQLML_STATEMENT_TOO_LONG": "54001",
    "SQLML_SYNTAX_ERROR": "42601",
    "SQLML_TAG_NOT_FOUND": "42704",
    "SQLML_TARGET_INVALID": "22023",
    "SQLML_TOO_FEW_ROWS": "22000",
    "SQLML_TOO_MANY_ROWS": "54000",
    "SQLML_TRANSFORM_INVALID": "42K09",
    "SQLML_TYPE_MISMATCH": "42K09",
    "SQLML_VERSION_IN_USE": "2BP01",
}


class SqlmlError(Exception):
    """An error that a user can act on.

    Args:
        condition: a key of `CONDITIONS`.
        message: what is wrong, in one line, naming the thing.
        hint: what would work, one sentence; printed after the message.
        offset: index into the user's own SQL text where the problem starts, when there is one.
    """

    def __init__(self, condition: str, message: str, *, hint: str = "", offset: int | None = None) -> None:
        self.condition = condition
        self.sqlstate = CONDITIONS[condition]
        self.message = message
        self.hint = hint
        self.offset = offset
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"[{self.condition}] {self.message}"
        return f"{text} {self.hint}" if self.hint else text

    def at(self, offset: int | None) -> SqlmlError:
        """Sets the offset unless there is one already; returns the error itself."""
        if self.offset is None:
            self.offset = offset
        return self


class ParseError(SqlmlError):
    """A text that starts like one of our statements but does not follow its grammar."""

    def __init__(self, message: str, *, offset: int, hint: str = "") -> None:
        super().__init__("SQLML_SYNTAX_ERROR", message, hint=hint, offset=offset)


class ModelNotFoundError(SqlmlError):
    """No model has the name. The hint names other models, so it is rebuilt for each user's permissions: `for_eyes`.

    Args:
        known: the names of all models.
        renamed: the new names of models that were renamed from this one.
    """

    def __init__(self, name: str, known: Sequence[str], renamed: Sequence[str] = ()) -> None:
        self._name, self._known, self._renamed = name, tuple(known), tuple(renamed)
        super().__init__("SQLML_MODEL_NOT_FOUND", f"There is no model {name}.", hint=self._hint(lambda one: True))

    def for_eyes(self, allowed: Callable[[str], bool]) -> ModelNotFoundError:
        """Returns the same error with a hint that names only models that the user may know of."""
        self.hint = self._hint(allowed)
        return self

    def _hint(self, allowed: Callable[[str], bool]) -> str:
        renamed = [one for one in self._renamed if allowed(one)]
        if renamed:
            return f"It was renamed to {' and '.join(renamed)}."
        close = did_you_mean(self._name, filter(allowed, self._known))
        return close or "Train the first one with TRAIN MODEL."


def did_you_mean(wrong: str, known: Iterable[str], *, limit: int = 8) -> str:
    """Returns a hint with the closest known name, or with a few names where none is close; '' without known names."""
    names = sorted(set(known))
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wrong.lower(), lowered, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {lowered[close[0]]}?"
    if not names:
        return ""
    more = ", …" if len(names) > limit else ""
    return f"Known: {', '.join(names[:limit])}{more}."


def blank(text: str) -> str:
    """Returns blanks with the same length and line breaks, so that positions of a text appended to them stay right."""
    return "".join("\n" if character == "\n" else " " for character in text)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Returns the 1-based line and 0-based column of an offset, as Spark's own parser counts them."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1)
