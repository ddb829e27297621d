"""The page of one model: its versions, a version's description and plots, and the form that sets an alias."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import run, ui
from nicegui.element import Element

from sqlml.errors import SqlmlError
from sqlml.studio import pictures, texts
from sqlml.studio.description import described, show_description
from sqlml.studio.elements import card, element, grid, outside, refused, text
from sqlml.studio.engine import Answer
from sqlml.studio.pages.promotion import promotion
from sqlml.studio.screen import Screen, Studio


def page(studio: Studio) -> Callable[[str], Awaitable[None]]:
    async def show(name: str) -> None:
        screen = Screen(studio)
        with screen.framed("/models", name):
            box = element("div", "stack")
        if not await screen.visited():
            return
        try:
            statement = texts.versions(name)
        except SqlmlError as error:
            with box:
                refused(error)
            return
        await _fill(screen, box, name, statement)

    return show


async def _fill(screen: Screen, box: Element, name: str, statement: str) -> None:
    """Draws the versions' grid, a picker for the version to describe, and the form that sets an alias."""
    answer = await screen.ask(statement, box)
    if answer is None:
        return
    versions = answer.dicts()

    async def show(version: int) -> None:
        chosen.clear()
        await _version(screen, chosen, name, version)

    async def again() -> None:
        box.clear()
        await _fill(screen, box, name, statement)

    with box:
        with card("Versions", "the newest first"):
            _versions(answer)
        numbers = [row["version"] for row in versions]
        if not numbers:
            return
        picker = ui.select(
            {number: f"Version {number}" for number in numbers},
            value=numbers[0],
            label="Show version",
            on_change=lambda event: show(event.value),
        )
        picker.props("outlined dense").classes("picker")
        chosen = element("div", "stack")
        promotion(screen, name, versions, again)
    await show(numbers[0])


def _versions(answer: Answer) -> None:
    """A grid of the versions with one column per metric."""
    rows = answer.dicts()
    metrics = sorted({metric for row in rows for metric in row["metrics"] or {}})
    titles = ("version", "aliases", "estimator", "created")
    with grid("Versions", titles, metrics), element("tbody"):
        for row in rows:
            with element("tr"):
                _cell(str(row["version"]))
                with element("td"):
                    for alias in filter(None, (row["aliases"] or "").split(", ")):
                        text(alias, "chip accent")
                _cell(row["estimator"] or "not by sqlml")
                _cell(str(row["created"])[:16])
                for metric in metrics:
                    value = (row["metrics"] or {}).get(metric)
                    _cell("" if value is None else f"{value:.4g}", "number")


def _cell(content: str, classes: str = "") -> None:
    with element("td", classes):
        text(content)


async def _version(screen: Screen, box: Element, name: str, version: int) -> None:
    """Describes one version in cards, with a link to its MLflow run and its plots."""
    answer = await screen.ask(texts.describe_model(texts.reference(name, version)), box)
    if answer is None:
        return
    description = described(answer)
    with box:
        show_description(description)
        with card("MLflow run"):
            run_id = description.value("run_id")
            text(run_id or "This version has no run.", "mono wrap")
            uri = screen.studio.pictures.tracking_uri
            if run_id and uri.startswith(("http://", "https://")):
                outside("Open it in MLflow", f"{uri.rstrip('/')}/#/runs/{run_id}")
            elif run_id and uri:
                text(f"In {uri}; `sqlml ui` opens MLflow's page on it.", "note wrap", "p")
        seen = element("div", "stack")
    await _pictures(screen.studio, seen, name, version)


async def _pictures(studio: Studio, box: Element, name: str, version: int) -> None:
    try:
        names = await run.io_bound(studio.pictures.names, name, version)
    except SqlmlError as error:
        with box:
            refused(error)
        return
    if not names or box.is_deleted:
        return
    with box, card("Plots", "drawn when it was trained"):
        with element("div", "plots"):
            for one in names:
                if one.endswith(".png"):
                    _picture(pictures.address(name, version, one), one.removesuffix(".png").replace("_", " "))
        if pictures.PAGE in names:
            outside("All plots on one page with zoom", pictures.address(name, version, pictures.PAGE))


def _picture(address: str, title: str) -> Any:
    with element("figure", "plot"):
        element("img", "", src=address, alt=f"Plot: {title}")
        text(title, "note", "figcaption")
