"""The wizard's step for the model and its version: SHOW MODELS, SHOW MODEL VERSIONS, DESCRIBE MODEL EXTENDED."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.element import Element

from sqlml.errors import SqlmlError
from sqlml.studio import texts
from sqlml.studio.description import described, show_features, show_metrics
from sqlml.studio.elements import card, element, empty, facts, refused
from sqlml.studio.screen import Screen
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.options import Choice, Options
from sqlml.studio.wizard.steps import Ready

_NEWEST = "newest"


async def fill(screen: Screen, draft: Draft, box: Element, ready: Ready) -> None:
    """Lists the models; `pick` lists the versions and aliases of one, and `pick_version` describes one of those.

    The draft keeps the choices when the user leaves this step and comes back.
    """
    answer = await screen.ask(texts.SHOW_MODELS, box)
    if answer is None:
        return
    if not answer.rows:
        with box:
            empty("No models yet", "Train the first one with this statement, which creates its own rows.", "model")
        return

    async def pick(model: str) -> None:
        ready(False)
        chosen.clear()
        if model != draft.model:
            draft.pick_model(model, None, None)
        try:
            versions = await screen.ask(texts.versions(model), chosen)
        except SqlmlError as error:
            with chosen:
                refused(error)
            return
        if versions is None:
            return
        with chosen:
            meanings = _meanings(versions.dicts())
            version = ui.select({key: title for key, (title, _, _) in meanings.items()}, label="Version")
            version.props("outlined dense").classes("picker")
            told = element("div", "stack")
        picked = next((key for key, (_, *what) in meanings.items() if what == [draft.version, draft.alias]), _NEWEST)

        async def pick_version() -> None:
            ready(False)
            _, number, alias = meanings[version.value]
            if (number, alias) != (draft.version, draft.alias):
                draft.pick_model(model, number, alias)
            told.clear()
            described_rows = await screen.ask(texts.describe_model(draft.reference), told)
            if described_rows is None:
                return
            draft.description = description = described(described_rows)
            with told:
                with element("div", "two"):
                    with card("What it is"):
                        names = ("version", "created", "estimator", "task", "target")
                        facts([(name, description.value(name)) for name in names if description.value(name)])
                    with card("Metrics"):
                        show_metrics(description)
                with card("What it takes"):
                    show_features(description.sections.get("Inputs") or description.sections.get("Features", []))
            ready(True)

        version.on_value_change(pick_version)
        version.value = picked

    with box, element("div", "two uneven"):
        with element("div", "stack"):
            options = Options("Models", pick)
        chosen = element("div", "stack")
    options.fill([_choice(row) for row in answer.dicts()], draft.model)
    if draft.model:
        await pick(draft.model)


def _choice(row: dict[str, Any]) -> Choice:
    note = " · ".join(filter(None, (row["task"], row["estimator"], row["target"] and f"predicts {row['target']}")))
    return Choice(row["model"], row["model"], note)


def _meanings(versions: list[dict[str, Any]]) -> dict[str, tuple[str, int | None, str | None]]:
    """Maps each key of the version picker to its title and to the version or alias that it selects."""
    meanings: dict[str, tuple[str, int | None, str | None]] = {}
    if versions:
        title = f"Newest, version {versions[0]['version']} now"
        meanings[_NEWEST] = (title, None, None)
    for row in versions:
        for alias in filter(None, (row["aliases"] or "").split(", ")):
            meanings[f"@{alias}"] = (f"{alias}, version {row['version']} now", None, alias)
    for row in versions:
        meanings[str(row["version"])] = (f"Version {row['version']}", row["version"], None)
    return meanings
