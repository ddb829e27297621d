"""Look-ups of models, versions and runs in MLflow, with SQL's errors where they do not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlml.errors import ModelNotFoundError, SqlmlError, did_you_mean
from sqlml.parser.references import ModelReference
from sqlml.registry.layout import RENAMED_FROM
from sqlml.registry.store import all_pages

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MOST_AT_ONCE = 500
# MLflow's error codes for a name that does not exist or is invalid.
_UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def model(client: MlflowClient, name: str) -> Any:
    """Returns MLflow's record of a model.

    Names in SQL are lower case. Where no model has exactly that name, one that differs only in case (registered through
    MLflow's API) is returned: use the record's name from here on.

    Raises:
        SqlmlError: SQLML_MODEL_NOT_FOUND, with the new name of a renamed model.
    """
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code not in _UNKNOWN:
            raise
    known = all_pages(client.search_registered_models)
    alike = [other for other in known if other.name.lower() == name]
    if len(alike) == 1:
        return alike[0]
    renamed = [other.name for other in known if name in other.tags.get(RENAMED_FROM, "").split()]
    raise ModelNotFoundError(name, [other.name for other in known], renamed)


def versions(client: MlflowClient, name: str) -> tuple[Any, list[Any]]:
    """A model and its versions, newest first; the list may be empty."""
    found = model(client, name)
    records = all_pages(
        lambda page_token: client.search_model_versions(f"name = '{found.name}'", page_token=page_token)
    )
    return found, sorted(records, key=lambda version: -int(version.version))


def find(client: MlflowClient, wanted: ModelReference) -> tuple[Any, Any]:
    """A model and the version that a reference means. Every PREDICT calls it, so it makes few requests."""
    from mlflow.exceptions import MlflowException

    found = model(client, wanted.name)
    if wanted.alias is not None:
        try:
            return found, client.get_model_version_by_alias(found.name, wanted.alias)
        except MlflowException as error:
            if error.error_code not in _UNKNOWN:
                raise
            raise no_alias(found, wanted.alias) from None
    if wanted.version is not None:
        try:
            return found, client.get_model_version(found.name, str(wanted.version))
        except MlflowException as error:
            if error.error_code not in _UNKNOWN:
                raise
            raise SqlmlError(
                "SQLML_MODEL_NOT_FOUND",
                f"Model {wanted.name} has no version {wanted.version}.",
                hint=f"SHOW MODEL VERSIONS {wanted.name} lists them.",
            ) from None
    # The record has the newest version of each stage, though not from every server.
    known = found.latest_versions or versions(client, found.name)[1]
    if not known:
        raise SqlmlError("SQLML_MODEL_NOT_FOUND", f"Model {wanted.name} has no versions.")
    return found, max(known, key=lambda version: int(version.version))


def metrics(client: MlflowClient, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """The current metrics of runs; empty for a deleted run."""
    found = runs(client, run_ids)
    return {run_id: dict(found[run_id].data.metrics) if run_id in found else {} for run_id in run_ids}


def runs(client: MlflowClient, run_ids: Iterable[str]) -> dict[str, Any]:
    """Runs by their ids, from all experiments; deleted ones are left out."""
    wanted = sorted({run_id for run_id in run_ids if run_id})
    experiments = [one.experiment_id for one in all_pages(client.search_experiments)] if wanted else []
    found: dict[str, Any] = {}
    for start in range(0, len(wanted), _MOST_AT_ONCE):
        listed = ", ".join(f"'{run_id}'" for run_id in wanted[start : start + _MOST_AT_ONCE])
        for run in client.search_runs(experiments, f"attributes.run_id IN ({listed})", max_results=_MOST_AT_ONCE):
            found[run.info.run_id] = run
    return found


def no_alias(model: Any, alias: str) -> SqlmlError:
    return SqlmlError(
        "SQLML_MODEL_NOT_FOUND", f"Model {model.name} has no alias {alias}.", hint=did_you_mean(alias, aliases(model))
    )


def aliases(model: Any) -> dict[str, int]:
    return {alias: int(version) for alias, version in sorted(dict(model.aliases).items())}


def like_pattern(pattern: str | None) -> re.Pattern[str]:
    """Compiles the LIKE of SHOW statements, as in SHOW TABLES: `*` for any characters, `|` between alternatives."""
    if pattern is None:
        return re.compile("")
    alternatives = [_alternative(alternative.strip()) for alternative in pattern.split("|")]
    return re.compile(rf"(?:{'|'.join(alternatives)})\Z", re.IGNORECASE | re.DOTALL)


def _alternative(text: str) -> str:
    """A pattern with stars as a regular expression. Each piece between stars is an atomic group, so
    that the regex cannot backtrack exponentially: the first match of a piece is as good as any other."""
    first, *others = (re.escape(piece) for piece in text.split("*"))
    if not others:
        return first
    *between, last = others
    return first + "".join(f"(?>.*?{piece})" for piece in between) + f".*{last}"
