"""Names of models and aliases, and references to a version: their syntax and validation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlml.errors import SqlmlError

_NAME_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_REFERENCE = re.compile(
    r"(?P<name>[^/@]+)(?:/(?P<version>[1-9][0-9]{0,8})|@(?P<alias>[A-Za-z_][A-Za-z0-9_-]{0,127}))?\Z"
)
_ALIAS = re.compile(r"(?!(?:latest|v[0-9]+)\Z)[A-Za-z_][A-Za-z0-9_-]{0,127}\Z", re.IGNORECASE)
_MAX_NAME = 255


@dataclass(frozen=True)
class ModelReference:
    """A reference to a model or to one of its versions: `churn`, `churn/3`, `churn@champion`."""

    name: str
    version: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        if self.version is not None:
            return f"{self.name}/{self.version}"
        return f"{self.name}@{self.alias}" if self.alias else self.name

    def sql(self) -> str:
        """Returns the reference as statements write it: `churn VERSION 3`, `churn ALIAS champion`."""
        if self.version is not None:
            return f"{self.name} VERSION {self.version}"
        # An alias with a hyphen is not a bare identifier.
        quote = "`" if self.alias and "-" in self.alias else ""
        return f"{self.name} ALIAS {quote}{self.alias}{quote}" if self.alias else self.name

    @classmethod
    def parse(cls, text: str, offset: int | None = None) -> ModelReference:
        """Parses a reference as functions take it in a string.

        Raises:
            SqlmlError: SQLML_INVALID_NAME.
        """
        found = _REFERENCE.match(text)
        if not found:
            raise _invalid_name(text, offset)
        version = found["version"]
        return cls(model_name(found["name"], offset), int(version) if version else None, found["alias"])


def model_name(text: str, offset: int | None = None) -> str:
    """Returns a model's name as the registry stores it: lower case, dotted parts of letters, digits and underscores.

    Raises:
        SqlmlError: SQLML_INVALID_NAME.
    """
    if len(text) > _MAX_NAME or not all(_NAME_PART.match(part) for part in text.split(".")):
        raise _invalid_name(text, offset)
    return text.lower()


def alias_name(text: str, offset: int | None = None) -> str:
    """Returns a valid alias unchanged: MLflow's aliases are case-sensitive.

    Raises:
        SqlmlError: SQLML_INVALID_NAME, also for names that MLflow reserves: `latest`, `v1`.
    """
    if not _ALIAS.match(text):
        raise SqlmlError(
            "SQLML_INVALID_NAME",
            f"{text[:60]!r} is not a valid alias.",
            hint="An alias has letters, digits, underscores and hyphens, and does not start with a digit. MLflow"
            " reserves latest, v1, v2, and so on.",
            offset=offset,
        )
    return text


def _invalid_name(text: str, offset: int | None) -> SqlmlError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return SqlmlError(
        "SQLML_INVALID_NAME",
        f"{shown!r} is not a valid model name.",
        hint="A name has letters, digits and underscores, and does not start with a digit. Dots separate its parts.",
        offset=offset,
    )


@dataclass(frozen=True)
class TableReference:
    """A table's name in a query, without a time travel clause of its own.

    Attributes:
        parts: the name's identifiers.
        start, end: the offsets of the name and behind it, in code points.
    """

    parts: tuple[str, ...]
    start: int
    end: int
