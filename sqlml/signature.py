"""The contract between a model and SQL: names and Spark types of its features, its target, labels and outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

NUMBER, BOOLEAN, TEXT, DATE, TIMESTAMP = "number", "boolean", "text", "date", "timestamp"
INTEGERS = ("tinyint", "smallint", "int", "bigint")

Fold = Callable[[str], str]
"""Makes names equal that Spark takes for one."""

_KINDS = {
    "tinyint": NUMBER,
    "smallint": NUMBER,
    "int": NUMBER,
    "bigint": NUMBER,
    "float": NUMBER,
    "double": NUMBER,
    "decimal": NUMBER,
    "boolean": BOOLEAN,
    "string": TEXT,
    "varchar": TEXT,
    "char": TEXT,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "timestamp_ntz": TIMESTAMP,
}


def fold_of(settings: Mapping[str, str]) -> Fold:
    """Returns how a session compares names by its settings: case-insensitively, unless it was told otherwise."""
    return str if settings["spark.sql.caseSensitive"].lower() == "true" else str.lower


def kind_of(spark_type: str) -> str | None:
    """Returns the kind of feature that a Spark SQL type can be (`"decimal(38,10)"` → `"number"`), or None."""
    return _KINDS.get(spark_type.split("(")[0].split(" ")[0].lower())


def collation_of(spark_type: str) -> str | None:
    """Returns a text type's collation (`"string collate UTF8_LCASE"` → `"UTF8_LCASE"`); None for comparison by
    bytes."""
    words = spark_type.split()
    collates = len(words) == 3 and words[1].lower() == "collate" and words[2].upper() != "UTF8_BINARY"
    return words[2] if collates else None


def without_collations(spark_type: str) -> str:
    """Returns a Spark SQL type, nested or not, whose texts are compared by their bytes."""
    return re.sub(r" collate \w+", "", spark_type, flags=re.IGNORECASE)


def is_padded(spark_type: str) -> bool:
    """Returns whether a type ignores trailing blanks of its texts, as `char(5)` does."""
    return spark_type.lower().startswith("char(")


@dataclass(frozen=True)
class Feature:
    """One model input: the column's name in training and its Spark SQL type as `simpleString()` prints it.

    `required`: the graph has no answer where the value is missing, so the prediction is NULL; see
    `sqlml.scoring.scorer`.
    """

    name: str
    type: str
    required: bool = False

    @property
    def whole(self) -> bool:
        """True if the graph's input is int64, which has no missing value."""
        return self.required and self.type.lower() in INTEGERS

    @property
    def kind(self) -> str:
        """The kind of its type: a number, boolean, text, date or timestamp."""
        kind = kind_of(self.type)
        assert kind is not None, f"{self.name}: {self.type} is not a type of a feature"
        return kind


def components(count: int) -> tuple[str, ...]:
    """Returns the default names of a dimensionality reduction's outputs."""
    return tuple(f"component_{number}" for number in range(1, count + 1))


def struct_type(outputs: Sequence[str]) -> str:
    """Returns the Spark type of a prediction of several numbers."""
    return f"struct<{','.join(f'{name}:double' for name in outputs)}>"


@dataclass(frozen=True)
class Signature:
    """The contract between a model's graph and SQL.

    `labels` are the classes in the order of the probabilities' columns, as Python values of the target's type (`str`,
    `int`, `float`, `bool`; a decimal, date or timestamp is kept as text and cast back by SQL). The labels of clusters
    are 0, 1, …; those of an anomaly detector False and True. Empty for regression.

    `probabilities` tells whether the graph returns any; without them PREDICT_PROBA is refused.

    `outputs` are the names of the numbers where there are several, in a regression or a reduction of dimensions; else
    empty.
    """

    task: str
    features: tuple[Feature, ...]
    target: str | None
    target_type: str
    labels: tuple[Any, ...] = ()
    probabilities: bool = True
    outputs: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    def to_json(self) -> str:
        """Returns the signature as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """Returns the signature of the text of `to_json`."""
        raw = json.loads(text)
        raw["features"] = tuple(Feature(**feature) for feature in raw["features"])
        raw["labels"] = tuple(raw["labels"])
        raw["outputs"] = tuple(raw.get("outputs", ()))
        return cls(**raw)


@dataclass(frozen=True)
class Transform:
    """The TRANSFORM clause as a version stores it: a select list over the training query's columns.

    Attributes:
        select_list: as the user wrote it.
        columns: all columns of the training query, with their types.
        inputs: the columns that the features are computed from: the inputs of PREDICT.
        settings: the Spark settings of the training that affect the value of expressions.
    """

    select_list: str
    columns: tuple[Feature, ...]
    inputs: tuple[Feature, ...]
    settings: dict[str, str]

    def to_plain(self) -> dict[str, Any]:
        """Returns the transform as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, raw: dict[str, Any]) -> Transform:
        """Returns the transform of the values of `to_plain`."""

        def features(name: str) -> tuple[Feature, ...]:
            return tuple(Feature(**feature) for feature in raw[name])

        return cls(raw["select_list"], features("columns"), features("inputs"), raw["settings"])
