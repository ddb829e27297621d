"""Permission rules in a TOML file: which users may do which actions on which models.

    [groups]
    scientists = ["ann", "bob"]

    [[rule]]
    allow = ["read", "predict"]            # or "*", for all actions

    [[rule]]
    allow = "*"
    users = ["@scientists"]                # without it, all users
    models = ["sales.*", "churn"]          # without it, all models

    [[rule]]
    deny = ["drop"]
    models = ["*_production"]

An action that no rule allows is refused, and a denying rule overrides all allowing ones. In the names of users and
models `*` stands for any characters and `?` for one. A malformed file allows nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sqlml.errors import did_you_mean
from sqlml.policy.actions import ACTIONS

_EVERYTHING = "*"
_KEYS = ("allow", "deny", "users", "models")


@dataclass(frozen=True)
class Rule:
    """One rule. `users` has groups replaced by their members."""

    allows: bool
    actions: frozenset[str]
    users: tuple[str, ...]
    models: tuple[str, ...]

    def applies(self, user: str, action: str, model: str) -> bool:
        return (
            action in self.actions
            and any(fnmatchcase(user, pattern) for pattern in self.users)
            and any(fnmatchcase(model, pattern) for pattern in self.models)
        )


@dataclass(frozen=True)
class Rules:
    rules: tuple[Rule, ...]

    def allows(self, user: str, action: str, model: str) -> bool:
        applying = [rule.allows for rule in self.rules if rule.applies(user, action, model)]
        return bool(applying) and all(applying)

    @classmethod
    def parse(cls, text: str) -> Rules:
        """Parses the rules of a file.

        Raises:
            ValueError: the text is not TOML or has an invalid entry; the message names the place.
        """
        content = tomllib.loads(text)
        _known(content, ("groups", "rule"), "the file")
        groups = content.get("groups", {})
        if not isinstance(groups, dict):
            raise ValueError("groups must be a table of lists of users")
        members = {name: _names(users, f"group {name}") for name, users in groups.items()}
        rules = content.get("rule", [])
        if not isinstance(rules, list):
            raise ValueError("rules must be written as [[rule]], with two brackets")
        return cls(tuple(_rule(raw, f"rule {number}", members) for number, raw in enumerate(rules, 1)))


def _rule(raw: Mapping[str, Any], where: str, groups: Mapping[str, tuple[str, ...]]) -> Rule:
    """Parses one [[rule]], and replaces groups by their members."""
    _known(raw, _KEYS, where)
    if ("allow" in raw) == ("deny" in raw):
        raise ValueError(f"{where} needs either allow or deny")
    listed = raw["allow"] if "allow" in raw else raw["deny"]
    actions = ACTIONS if listed in (_EVERYTHING, [_EVERYTHING]) else _names(listed, where)
    _known(actions, ACTIONS, where)
    users: list[str] = []
    for user in _names(raw.get("users", [_EVERYTHING]), where):
        if user.startswith("@"):
            _known([user[1:]], tuple(groups), f"the groups, for {where}")
            users += groups[user[1:]]
        else:
            users.append(user)
    models = tuple(model.lower() for model in _names(raw.get("models", [_EVERYTHING]), where))
    return Rule("allow" in raw, frozenset(actions), tuple(users), models)


def _names(value: Any, where: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{where} has {value!r} instead of a list of names")
    return tuple(names)


def _known(names: Any, known: tuple[str, ...], where: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{where} has no {name!r}. {did_you_mean(name, known)}".strip())
