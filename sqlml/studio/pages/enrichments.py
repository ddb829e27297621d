"""The page that lists enrichments, by SHOW ENRICHMENTS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from sqlml.studio import texts
from sqlml.studio.elements import card, element, grid, heading, link, text
from sqlml.studio.pages import rows
from sqlml.studio.screen import Screen, Studio

_COLUMNS = ("name", "kind", "from", "model", "version", "made")


def page(studio: Studio) -> Callable[[], Awaitable[None]]:
    async def show() -> None:
        screen = Screen(studio)
        lead = "Views, tables and functions that score, and whether there is a newer version of their model."
        with screen.framed("/enrichments", "Enrichments", lead):
            box = element("div", "stack")
        if not await screen.visited():
            return
        answer = await screen.ask(texts.SHOW_ENRICHMENTS, box)
        if answer is None:
            return
        with box:
            if answer.rows:
                with card():
                    _table(answer.dicts())
                return
            with element("div", "empty"):
                heading("No enrichments yet", 2)
                text("Pick a table and a model. The predictions are added to the rows as columns.", "", "p")
                with element("div", "actions"):
                    link("Enrich a table", "/", "button first")

    return show


def _table(enrichments: list[dict[str, Any]]) -> None:
    with grid("Enrichments", _COLUMNS), element("tbody"):
        for row in enrichments:
            with element("tr"):
                _line(row)


def _line(row: dict[str, Any]) -> None:
    with element("td"):
        if row["kind"] == "function":
            text(row["name"])
        else:
            link(row["name"], rows.address(texts.target(row["name"])))
        if row["exists"] is False:
            text("gone", "chip")
    for name in ("kind", "source"):
        with element("td"):
            text(row[name])
    with element("td"):
        link(row["model"], f"/models/{quote(row['model'], safe='')}")
    with element("td"):
        text("follows" if row["follows"] else str(row["version"]))
        if row["is_newest"]:
            text("newest", "chip accent")
        elif row["newest_version"] is not None:
            text(f"{row['newest_version']} is newer", "chip")
    with element("td"):
        text(f"{str(row['created'])[:16]} {row['created_by'] or ''}")
