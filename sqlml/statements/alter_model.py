"""ALTER MODEL"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sqlglot import TokenType

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor, Option
from sqlml.parser.generator import identifier, print_options, print_value, quote_string
from sqlml.policy import ACTIONS, ALTER
from sqlml.registry.metric_gates import Condition
from sqlml.session import Caller, Session
from sqlml.statements.base import Statement
from sqlml.statements.tags import checked

if TYPE_CHECKING:
    from sqlml.registry import Change, Registry


@dataclass(frozen=True)
class AlterModel(Statement):
    """ALTER MODEL [IF EXISTS] name
      { SET ALIAS alias = VERSION n [IF metric {> | >= | < | <= | =} number [AND …]]
      | UNSET ALIAS [IF EXISTS] alias
      | [VERSION n] SET COMMENT 'text'
      | [VERSION n] SET TAGS ( 'key' = 'value', … )
      | [VERSION n] UNSET TAGS [IF EXISTS] ( 'key', … )
      | RENAME TO name }

    Changes the metadata of a model or of one of its versions. The versions themselves never change. MLflow's page and
    API show each change at once.

    SET ALIAS points an alias at a version, for `PREDICT('name@alias', …)`, and removes it from the version that had it.
    With IF, the alias moves only if the metrics of the version's MLflow run meet every condition. Otherwise nothing
    changes, and the error shows the actual values. An empty comment removes the comment. RENAME keeps versions,
    aliases, tags and comments. Views and queries that use the old name do not find the model any more. A rename needs
    the right to alter the model under both names, and it must not give the user a right that they do not have under the
    old name. With IF EXISTS, it is not an error if the model, alias or tag does not exist.

    Returns a row for each change, with the old and the new value.

    Errors: SQLML_GATE_NOT_MET, SQLML_INVALID_NAME, SQLML_METRIC_NOT_FOUND, SQLML_MODEL_ALREADY_EXISTS,
    SQLML_MODEL_NOT_FOUND, SQLML_NOT_SUPPORTED (RENAME in a registry that is a folder), SQLML_OPTION_INVALID,
    SQLML_TAG_NOT_FOUND.
    """

    HEADS: ClassVar = (("ALTER", "MODEL"),)
    ACTION: ClassVar = ALTER
    SCHEMA: ClassVar = "model STRING, version INT, property STRING, before STRING, after STRING"

    name: str
    action: Action
    version: int | None = None
    if_exists: bool = False
    name_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.name, self.action.to) if isinstance(self.action, Rename) else (self.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> AlterModel:
        cursor.expect("ALTER", "MODEL")
        if_exists = cursor.accept("IF", "EXISTS")
        offset = cursor.offset
        name = cursor.model_name()
        version = cursor.positive_integer("a version number") if cursor.accept("VERSION") else None
        actions = [action for action in _ACTIONS if version is None or action.OF_VERSIONS]
        for action in actions:
            if cursor.accept(*action.WORDS):
                return cls(name, action.parse(cursor), version, if_exists, offset)
        known = ", ".join(" ".join(action.WORDS) for action in actions[:-1])
        raise cursor.error(f"{known} or {' '.join(actions[-1].WORDS)}")

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        if isinstance(self.action, Rename):
            self._check_gains(session.caller, self.action.to)
        try:
            changes = self.action.apply(session.registry, self.name, self.version)
        except SqlmlError as error:
            if self.if_exists and error.condition == "SQLML_MODEL_NOT_FOUND" and not session.registry.exists(self.name):
                return []
            raise error.at(self.name_offset) from None
        return [(one.model, one.version, one.property, one.before, one.after) for one in changes]

    def _check_gains(self, caller: Caller, to: str) -> None:
        """Raises SqlmlError SQLML_PERMISSION_DENIED where the user would gain a right by the rename: one that rules
        give under the new name and not under the old one."""
        gained = [one for one in ACTIONS if caller.may(one, to) and not caller.may(one, self.name)]
        if gained:
            raise SqlmlError(
                "SQLML_PERMISSION_DENIED",
                f"User {caller.user or '(unknown)'} may not {gained[0]} model {self.name}, but could after its"
                f" change of name to {to}.",
                offset=self.name_offset,
            )

    def sql(self) -> str:
        words = "ALTER MODEL IF EXISTS" if self.if_exists else "ALTER MODEL"
        version = f" VERSION {self.version}" if self.version is not None else ""
        return f"{words} {self.name}{version} {' '.join(self.action.WORDS)} {self.action.sql()}"


class Action(ABC):
    """What ALTER MODEL does: the words it begins with, and whether it can be done to one version."""

    WORDS: ClassVar[tuple[str, ...]]
    OF_VERSIONS: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def parse(cls, cursor: Cursor) -> Self: ...

    @abstractmethod
    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]: ...

    @abstractmethod
    def sql(self) -> str: ...


@dataclass(frozen=True)
class SetAlias(Action):
    WORDS: ClassVar = ("SET", "ALIAS")

    alias: str
    version: int
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        alias = cursor.alias()
        cursor.expect_symbol(TokenType.EQ, "=")
        cursor.expect("VERSION")
        version = cursor.positive_integer("a version number")
        conditions = []
        if cursor.accept("IF"):
            conditions.append(_condition(cursor))
            while cursor.accept("AND"):
                conditions.append(_condition(cursor))
        return cls(alias, version, tuple(conditions))

    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]:
        return registry.set_alias(name, self.alias, self.version, self.conditions)

    def sql(self) -> str:
        gate = " AND ".join(
            f"{identifier(one.metric)} {one.operator} {print_value(one.bound)}" for one in self.conditions
        )
        return f"{identifier(self.alias)} = VERSION {self.version}" + (f" IF {gate}" if gate else "")


@dataclass(frozen=True)
class UnsetAlias(Action):
    WORDS: ClassVar = ("UNSET", "ALIAS")

    alias: str
    if_exists: bool = False

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        if_exists = cursor.accept("IF", "EXISTS")
        return cls(cursor.alias(), if_exists)

    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]:
        return registry.unset_alias(name, self.alias, if_exists=self.if_exists)

    def sql(self) -> str:
        return ("IF EXISTS " if self.if_exists else "") + identifier(self.alias)


@dataclass(frozen=True)
class SetComment(Action):
    WORDS: ClassVar = ("SET", "COMMENT")
    OF_VERSIONS: ClassVar = True

    text: str

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        return cls(cursor.string())

    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]:
        return registry.set_comment(name, version, self.text)

    def sql(self) -> str:
        return quote_string(self.text)


@dataclass(frozen=True)
class SetTags(Action):
    WORDS: ClassVar = ("SET", "TAGS")
    OF_VERSIONS: ClassVar = True

    tags: tuple[Option, ...]

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        return cls(cursor.options())

    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]:
        return registry.set_tags(name, version, checked(self.tags, registry))

    def sql(self) -> str:
        return print_options(self.tags, keys=quote_string)


@dataclass(frozen=True)
class UnsetTags(Action):
    WORDS: ClassVar = ("UNSET", "TAGS")
    OF_VERSIONS: ClassVar = True

    keys: tuple[str, ...]
    if_exists: bool = False

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        if_exists = cursor.accept("IF", "EXISTS")
        return cls(cursor.keys(), if_exists)

    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]:
        return registry.unset_tags(name, version, self.keys, if_exists=self.if_exists)

    def sql(self) -> str:
        return f"{'IF EXISTS ' if self.if_exists else ''}({', '.join(map(quote_string, self.keys))})"


@dataclass(frozen=True)
class Rename(Action):
    WORDS: ClassVar = ("RENAME", "TO")

    to: str

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        return cls(cursor.model_name())

    def apply(self, registry: Registry, name: str, version: int | None) -> list[Change]:
        return registry.rename(name, self.to)

    def sql(self) -> str:
        return self.to


_ACTIONS: tuple[type[Action], ...] = (SetAlias, UnsetAlias, SetComment, SetTags, UnsetTags, Rename)

_OPERATORS = {
    TokenType.LT: "<",
    TokenType.LTE: "<=",
    TokenType.EQ: "=",
    TokenType.GT: ">",
    TokenType.GTE: ">=",
}


def _condition(cursor: Cursor) -> Condition:
    metric = cursor.column()
    for token, operator in _OPERATORS.items():
        if cursor.accept_symbol(token):
            return Condition(metric.name, operator, cursor.number(), metric.offset)
    raise cursor.error(f"one of {', '.join(_OPERATORS.values())}")
