"""The page that lists models, by SHOW MODELS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from sqlml.studio import texts
from sqlml.studio.elements import element, empty, text
from sqlml.studio.screen import Screen, Studio


def page(studio: Studio) -> Callable[[], Awaitable[None]]:
    async def show() -> None:
        screen = Screen(studio)
        with screen.framed("/models", "Models", "Models that were trained or imported, and the versions in use."):
            box = element("div", "stack")
        if not await screen.visited():
            return
        answer = await screen.ask(texts.SHOW_MODELS, box)
        if answer is None:
            return
        with box:
            if not answer.rows:
                empty("No models yet", "Train the first one with this statement, which creates its own rows.", "model")
                return
            with element("ul", "cards"):
                for row in answer.dicts():
                    _card(row)

    return show


def _card(row: dict[str, Any]) -> None:
    with element("li"), element("a", "card tile", href=f"/models/{quote(row['model'], safe='')}"):
        with element("div", "tile-head"):
            text(row["model"], "tile-title")
            if row["newest"] is not None:
                text(f"version {row['newest']}", "chip")
        facts = [row["task"] or "not by sqlml", row["estimator"], row["target"] and f"predicts {row['target']}"]
        text(" · ".join(filter(None, facts)), "note")
        if row["comment"]:
            text(row["comment"], "", "p")
        if row["aliases"]:
            with element("div", "chips"):
                for alias in row["aliases"].split(", "):
                    text(alias.replace(" = ", " → "), "chip accent")
