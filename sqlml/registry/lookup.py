"""Finding models and versions in MLflow, and saying so where they are not there."""

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
# What MLflow says of a name that nothing has, or that nothing could have.
_UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def model(client: MlflowClient, name: str) -> Any:
    """MLflow's record of a model. Names in SQL have small letters only; where no model has exactly that name, one that
    MLflow's own API has given capital letters is meant too: use the record's name from here on.

    Raises:
        SqlmlError: SQLML_MODEL_NOT_FOUND, with the name it has now where it was renamed.
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
    """A model and its versions, newest first. An unknown model is an error; a model without versions is not."""
    found = model(client, name)
    records = all_pages(
        lambda page_token: client.search_model_versions(f"name = '{found.name}'", page_token=page_token)
    )
    return found, sorted(records, key=lambda version: -int(version.version))


def find(client: MlflowClient, wanted: ModelReference) -> tuple[Any, Any]:
    """A model and the version of it that a reference means. Every PREDICT asks: it takes few requests."""
    from mlflow.exceptions import MlflowException

    found = model(client, wanted.name)
    if wanted.alias is not None:
        try:
            return found, client.get_model_version_by_alias(found.name, wanted.alias)
        except MlflowException:
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
    # One of each stage comes with the model's record, but not from every server.
    known = found.latest_versions or versions(client, found.name)[1]
    if not known:
        raise SqlmlError("SQLML_MODEL_NOT_FOUND", f"Model {wanted.name} has no versions.")
    return found, max(known, key=lambda version: int(version.version))


def metrics(client: MlflowClient, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """The metrics of runs as they are now; empty for a run that is gone."""
    found = runs(client, run_ids)
    return {run_id: dict(found[run_id].data.metrics) if run_id in found else {} for run_id in run_ids}


def runs(client: MlflowClient, run_ids: Iterable[str]) -> dict[str, Any]:
    """Runs by their ids, in whatever experiment they are; without those that are gone."""
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
    """LIKE of the SHOW statements, as in SHOW TABLES: `*` for any characters, `|` between alternatives."""
    if pattern is None:
        return re.compile("")
    alternatives = [_alternative(alternative.strip()) for alternative in pattern.split("|")]
    return re.compile(rf"(?:{'|'.join(alternatives)})\Z", re.IGNORECASE | re.DOTALL)


def _alternative(text: str) -> str:
    """Stars as a regular expression. The first place where a piece fits is as good as any, so that no other is tried:
    a few stars would take longer than anybody waits."""
    first, *others = (re.escape(piece) for piece in text.split("*"))
    if not others:
        return first
    *between, last = others
    return first + "".join(f"(?>.*?{piece})" for piece in between) + f".*{last}"
