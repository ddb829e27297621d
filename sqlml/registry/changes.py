"""The mutable properties of models: aliases, comments, tags and names. Versions themselves are immutable.

Each function makes one change through an MLflow client and returns it as `Change` records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.parser.references import ModelReference
from sqlml.registry import lookup, metric_gates
from sqlml.registry.layout import RENAMED_FROM, is_own

if TYPE_CHECKING:
    from mlflow import MlflowClient

# The tag that lists a model's former names keeps only the last ones.
_MOST_FORMER_NAMES = 10


@dataclass(frozen=True)
class Change:
    """A change of one property of a model or a version; `before` and `after` are None where it was or is not set."""

    model: str
    version: int | None
    property: str
    before: str | None
    after: str | None


def set_alias(
    client: MlflowClient, name: str, alias: str, version: int, conditions: Sequence[metric_gates.Condition]
) -> list[Change]:
    """Points an alias at a version whose metrics meet the conditions."""
    model, found = lookup.find(client, ModelReference(name, version))
    name = model.name
    if conditions:
        measured = lookup.metrics(client, [found.run_id])[found.run_id]
        metric_gates.check(f"Version {version} of model {name}", measured, conditions)
    client.set_registered_model_alias(name, alias, str(version))
    # A concurrent drop of the version removes the aliases it sees, which may not include this one: undo and report it.
    _, left = lookup.versions(client, name)
    if version not in [int(one.version) for one in left]:
        if lookup.aliases(lookup.model(client, name)).get(alias) == version:
            client.delete_registered_model_alias(name, alias)
        raise SqlmlError("SQLML_MODEL_NOT_FOUND", f"Version {version} of model {name} has just been dropped.")
    before = lookup.aliases(model).get(alias)
    return [Change(name, version, f"alias {alias}", None if before is None else str(before), str(version))]


def unset_alias(client: MlflowClient, name: str, alias: str, *, if_exists: bool) -> list[Change]:
    model = lookup.model(client, name)
    before = lookup.aliases(model).get(alias)
    if before is None:
        if if_exists:
            return []
        raise lookup.no_alias(model, alias)
    client.delete_registered_model_alias(model.name, alias)
    return [Change(model.name, before, f"alias {alias}", str(before), None)]


def set_comment(client: MlflowClient, name: str, version: int | None, text: str) -> list[Change]:
    name, found = _of(client, name, version)
    if version is None:
        client.update_registered_model(name, text)
    else:
        client.update_model_version(name, str(version), text)
    return [Change(name, version, "comment", found.description or None, text or None)]


def set_tags(client: MlflowClient, name: str, version: int | None, tags: Mapping[str, str]) -> list[Change]:
    name, found = _of(client, name, version)
    for key, value in tags.items():
        if version is None:
            client.set_registered_model_tag(name, key, value)
        else:
            client.set_model_version_tag(name, str(version), key, value)
    return [Change(name, version, f"tag {key}", found.tags.get(key), value) for key, value in tags.items()]


def unset_tags(
    client: MlflowClient, name: str, version: int | None, keys: Sequence[str], *, if_exists: bool
) -> list[Change]:
    name, found = _of(client, name, version)
    before = {key: value for key, value in found.tags.items() if not is_own(key)}
    missing = [key for key in keys if key not in before]
    if missing and not if_exists:
        what = f"Model {name}" if version is None else f"Version {version} of model {name}"
        raise SqlmlError(
            "SQLML_TAG_NOT_FOUND", f"{what} has no tag {missing[0]!r}.", hint=did_you_mean(missing[0], before)
        )
    there = [key for key in dict.fromkeys(keys) if key in before]
    for key in there:
        if version is None:
            client.delete_registered_model_tag(name, key)
        else:
            client.delete_model_version_tag(name, str(version), key)
    return [Change(name, version, f"tag {key}", before[key], None) for key in there]


def rename(client: MlflowClient, name: str, to: str) -> list[Change]:
    """Renames a model and adds the old name to the tag of its former names."""
    model = lookup.model(client, name)
    if client.search_registered_models(f"name = '{to}'"):
        raise SqlmlError("SQLML_MODEL_ALREADY_EXISTS", f"The model {to} already exists.")
    client.rename_registered_model(model.name, to)
    former = [one for one in model.tags.get(RENAMED_FROM, "").split() if one not in (name, to)]
    if name != to:
        former.append(name)
    client.set_registered_model_tag(to, RENAMED_FROM, " ".join(former[-_MOST_FORMER_NAMES:]))
    return [Change(to, None, "name", model.name, to)]


def _of(client: MlflowClient, name: str, version: int | None) -> tuple[str, Any]:
    """The exact name, and MLflow's record of the model, or of the version where one is given."""
    if version is None:
        model = lookup.model(client, name)
        return model.name, model
    model, found = lookup.find(client, ModelReference(name, version))
    return model.name, found
