"""The settings of sqlml: static Spark settings, which SQL clients cannot change, and a few session settings.

`SETTINGS` is the one table; the README shows it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlml.errors import SqlmlError

T = TypeVar("T")
_SIZE = re.compile(r"(?P<count>[0-9]+)(?P<unit>[kmgt]?)b?\Z", re.IGNORECASE)
_PATH = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*:/")
_DURATION = re.compile(r"(?P<count>[0-9]{1,9})(?P<unit>[smhd]?)\Z", re.IGNORECASE)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting.

    Attributes:
        read: parses the value; raises ValueError for an invalid text.
        needed: describes valid values in the error.
        session: for a setting that SET changes for one session, the regular expression of valid values, which Spark
            checks at SET; "" for a static setting.
    """

    key: str
    default: str
    read: Callable[[str], T]
    needed: str
    session: str = ""

    def value(self, text: str) -> T:
        """Returns the parsed value of a text, or of the default where the text is empty.

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


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError(text)
    return count


def _size(text: str) -> int:
    """Parses a number of bytes in Spark's notation: 512m, 4g."""
    found = _SIZE.match(text.strip())
    if not found:
        raise ValueError(text)
    size = int(found["count"]) * _UNITS[found["unit"].lower()]
    if size == 0:
        raise ValueError(text)
    return size


def _size_or_none(text: str) -> int | None:
    return _size(text) if text else None


def _seconds(text: str) -> int:
    seconds = int(text.strip().removesuffix("s"))
    if seconds < 1:
        raise ValueError(text)
    return seconds


def _duration(text: str) -> float:
    """Parses a time in Spark's notation, in seconds: 30s, 10m, 1h."""
    found = _DURATION.match(text.strip())
    if not found:
        raise ValueError(text)
    return float(found["count"]) * _SECONDS[found["unit"].lower()]


def _paths(text: str) -> tuple[str, ...]:
    paths = tuple(path.strip() for path in text.split(",") if path.strip())
    if not all(_PATH.match(path) for path in paths):
        raise ValueError(text)
    return paths


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


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


def project_folder() -> Path:
    """The project's folder where no command names another: SQLML_HOME, else `.sqlml` in the working directory."""
    return Path(os.environ.get("SQLML_HOME") or ".sqlml").absolute()


# Where trials of a single-machine library run; `auto` takes the executors if there are any besides the driver.
AUTO, EXECUTORS, DRIVER = "auto", "executors", "driver"
# The scoring engine: `compiled` compiles every model that can be, `auto` only where it is cheaper
# (`sqlml.compiler.cost`).
COMPILED, ONNXRUNTIME = "compiled", "onnxruntime"
_ENGINES = (AUTO, COMPILED, ONNXRUNTIME)

REGISTRY_URI = Setting("spark.sqlml.registry.uri", "", str, "an MLflow tracking URI")
PATIENCE = Setting("spark.sqlml.registry.patience", "10m", _duration, "a time such as 30s, 10m or 1h")
STALENESS = Setting("spark.sqlml.registry.staleness", "0s", _duration, "a time such as 30s, 10m or 1h")
MAX_ROWS = Setting("spark.sqlml.train.maxRows", "1000000", _rows, "a number of rows from 1")
TRAIN_MEMORY = Setting("spark.sqlml.train.memory", "", _size_or_none, "a size such as 4g")
# Drawing takes 0.3 s per training, and one second more the first time.
TRAIN_PLOTS = Setting("spark.sqlml.train.plots", "true", _truth, "true or false")
READ_ONLY = Setting("spark.sqlml.readOnly", "false", _truth, "true or false")
PERMISSIONS = Setting("spark.sqlml.permissions", "", str, "a file.toml of rules or package.module:function")
AUDIT = Setting("spark.sqlml.audit", "", str, "a path, log or off")
TRIALS = Setting("spark.sqlml.train.trials", AUTO, _word(AUTO, EXECUTORS, DRIVER), "auto, executors or driver")
CACHE_SIZE = Setting("spark.sqlml.scoring.cacheSize", "256m", _size, "a size such as 256m")
SCORING_MEMORY = Setting("spark.sqlml.scoring.memory", "4g", _size, "a size such as 4g")
_ANY_ENGINE = f"(?i){'|'.join(_ENGINES)}"
ENGINE = Setting("spark.sqlml.engine", AUTO, _word(*_ENGINES), "auto, compiled or onnxruntime", _ANY_ENGINE)
# Read by org.sqlml.optimizer.FileDomains.
STATISTICS_FILES = Setting("spark.sqlml.fileStatistics.maxFiles", "0", _count, "a number of files", r"\d{1,9}")
WAREHOUSE_SHARED = Setting("spark.sqlml.warehouse.shared", "false", _truth, "true or false")
ALLOWED_PATHS = Setting("spark.sqlml.allowedPaths", "", _paths, "absolute paths or URIs, separated by commas")
IMPORT_SIZE = Setting("spark.sqlml.import.maxSize", "256m", _size, "a size such as 256m")
IMPORT_MEMORY = Setting("spark.sqlml.import.memory", "4g", _size, "a size such as 4g")
IMPORT_SECONDS = Setting("spark.sqlml.import.timeout", "60s", _seconds, "a number of seconds such as 60s")
IMPORT_OPERATORS = Setting("spark.sqlml.import.operators", "", _words, "operators such as Range, com.microsoft.Gelu")
PYTHON = Setting("spark.sqlml.python", "", str, "a Python interpreter")

SETTINGS: tuple[Setting[Any], ...] = (
    REGISTRY_URI,
    PATIENCE,
    STALENESS,
    MAX_ROWS,
    TRAIN_MEMORY,
    TRAIN_PLOTS,
    READ_ONLY,
    PERMISSIONS,
    AUDIT,
    TRIALS,
    CACHE_SIZE,
    SCORING_MEMORY,
    ENGINE,
    STATISTICS_FILES,
    WAREHOUSE_SHARED,
    ALLOWED_PATHS,
    IMPORT_SIZE,
    IMPORT_MEMORY,
    IMPORT_SECONDS,
    IMPORT_OPERATORS,
    PYTHON,
)
