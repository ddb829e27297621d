"""What has been made of tables and models: SHOW ENRICHMENTS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from sqlml.studio import texts
from sqlml.studio.screen import Screen, Studio, card, element, link, show_rows, text


def page(studio: Studio) -> Callable[[], Awaitable[None]]:
    async def show() -> None:
        screen = Screen(studio)
        lead = "Views, tables and functions that score, and whether a newer version of their model is there."
        with screen.framed("/enrichments", "Enrichments", lead):
            box = element("div", "stack")
        await ui.context.client.connected()
        answer = await screen.ask(texts.SHOW_ENRICHMENTS, box)
        if answer is None:
            return
        with box:
            if answer.rows:
                with card():
                    show_rows(answer, "Enrichments")
                return
            with element("div", "empty"):
                text("No enrichments yet", "h2", "h2")
                text("Pick a table and a model, and the rows get the model's answers as columns.", "", "p")
                with element("div", "actions"):
                    link("Enrich a table", "/", "button first")

    return show
