"""The settings of sqlml: static Spark settings, so that no SQL client can change them.

`SETTINGS` is the one table of them; the README shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlml.errors import SqlmlError

T = TypeVar("T")
_SIZE = re.compile(r"(?P<count>[0-9]+)(?P<unit>[kmgt]?)b?\Z", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting.

    Attributes:
        read: makes the value of the text; a ValueError means that the text is none.
        needed: what the text has to be, for the error.
    """

    key: str
    default: str
    read: Callable[[str], T]
    needed: str

    def value(self, text: str) -> T:
        """The value of a text; the default's where the text is empty.

        Raises:
            SqlmlError: SQLML_OPTION_INVALID.
        """
        try:
            return self.read(text or self.default)
        except ValueError:
            raise SqlmlError(
                "SQLML_OPTION_INVALID", f"The setting {self.key} must be {self.needed}, not {text!r}."
            ) from None


def _rows(text: str) -> int:
    count = int(text.replace("_", ""))
    if count < 1:
        raise ValueError(text)
    return count


def _size(text: str) -> int:
    """Bytes, written as Spark writes sizes: 512m, 4g."""
    found = _SIZE.match(text.strip())
    if not found:
        raise ValueError(text)
    size = int(found["count"]) * _UNITS[found["unit"].lower()]
    if size == 0:
        raise ValueError(text)
    return size


def _size_or_none(text: str) -> int | None:
    return _size(text) if text else None


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _word(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return read


# Where trials of a library of one machine run; `auto` takes the executors where there are any beside the driver.
AUTO, EXECUTORS, DRIVER = "auto", "executors", "driver"

REGISTRY_URI = Setting("spark.sqlml.registry.uri", "", str, "an MLflow tracking URI")
MAX_ROWS = Setting("spark.sqlml.train.maxRows", "1000000", _rows, "a number of rows from 1")
TRAIN_MEMORY = Setting("spark.sqlml.train.memory", "", _size_or_none, "a size such as 4g")
# Drawing takes 0.3 s a training, and the first time a second more.
TRAIN_PLOTS = Setting("spark.sqlml.train.plots", "true", _truth, "true or false")
READ_ONLY = Setting("spark.sqlml.readOnly", "false", _truth, "true or false")
PERMISSIONS = Setting("spark.sqlml.permissions", "", str, "a file.toml of rules or package.module:function")
AUDIT = Setting("spark.sqlml.audit", "", str, "a path")
TRIALS = Setting("spark.sqlml.train.trials", AUTO, _word(AUTO, EXECUTORS, DRIVER), "auto, executors or driver")
CACHE_SIZE = Setting("spark.sqlml.scoring.cacheSize", "256m", _size, "a size such as 256m")
PYTHON = Setting("spark.sqlml.python", "", str, "a Python interpreter")

SETTINGS: tuple[Setting[str] | Setting[int] | Setting[int | None] | Setting[bool], ...] = (
    REGISTRY_URI,
    MAX_ROWS,
    TRAIN_MEMORY,
    TRAIN_PLOTS,
    READ_ONLY,
    PERMISSIONS,
    AUDIT,
    TRIALS,
    CACHE_SIZE,
    PYTHON,
)
