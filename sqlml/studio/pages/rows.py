"""The page with the rows of a table or view; an enrichment's view is scored as it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from sqlml.studio import texts
from sqlml.studio.elements import card, element, show_rows, show_sql
from sqlml.studio.screen import Screen, Studio

_MOST = 100


def page(studio: Studio) -> Callable[[list[str]], Awaitable[None]]:
    from fastapi import Query

    async def show(part: list[str] = Query(default=[])) -> None:  # noqa: B008  FastAPI's way
        screen = Screen(studio)
        name = texts.TableName(tuple(part))
        with screen.framed("/enrichments", ".".join(part) or "Rows"):
            box = element("div", "stack")
        if not await screen.visited():
            return
        if not part:
            return
        query = texts.rows_of(name)
        with box:
            show_sql(query)
        answer = await screen.ask(query, box, _MOST)
        if answer is not None:
            with box, card():
                show_rows(answer, f"Rows of {name.sql()}")

    return show


def address(name: texts.TableName) -> str:
    """The URL of the page with a table's rows."""
    return "/rows?" + urlencode([("part", part) for part in name.parts])
