"""Search spaces of a hyperparameter: `hparam_range(a, b)` and `hparam_candidates([…])`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.parser.cursor import Option
from sqlml.parser.literals import Call

# A range whose end is at least this many times its start is searched on a logarithmic scale.
_WIDE = 100


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`; integers if both are."""

    low: float
    high: float

    def suggest(self, trial: Any, name: str) -> Any:
        """A value suggested by an Optuna trial."""
        log = self.low > 0 and self.high / self.low >= _WIDE
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=log)
        return trial.suggest_float(name, self.low, self.high, log=log)

    @property
    def size(self) -> int | None:
        """None: a range is not enumerated."""
        return None


@dataclass(frozen=True)
class Candidates:
    """A list of values."""

    values: tuple[Any, ...]

    def suggest(self, trial: Any, name: str) -> Any:
        """A value suggested by an Optuna trial."""
        # By index, because Optuna does not accept lists as values.
        return self.values[trial.suggest_categorical(name, list(range(len(self.values))))]

    @property
    def size(self) -> int | None:
        """The number of values."""
        return len(self.values)


Search = Range | Candidates


def search(option: Option) -> Search:
    """The search space of an option's call.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID.
    """
    call: Call = option.value
    if call.name == "hparam_range":
        numbers = [value for value in call.arguments if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if len(call.arguments) == len(numbers) == 2 and numbers[0] < numbers[1]:
            return Range(*numbers)
        raise _invalid(
            option, "hparam_range must have two numbers, the smaller one first, such as hparam_range(1, 10)."
        )
    if call.name == "hparam_candidates":
        if len(call.arguments) == 1 and isinstance(call.arguments[0], tuple) and call.arguments[0]:
            return Candidates(call.arguments[0])
        raise _invalid(option, "hparam_candidates must have a list, such as hparam_candidates([1, 2, 3]).")
    known = did_you_mean(call.name, ["hparam_range", "hparam_candidates"])
    raise _invalid(option, f"{option.name} must be a value, a range or candidates, not {call.name}(…).", known)


def _invalid(option: Option, message: str, hint: str = "") -> SqlmlError:
    return SqlmlError("SQLML_OPTION_INVALID", message, hint=hint, offset=option.offset)
