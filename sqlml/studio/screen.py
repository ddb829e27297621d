"""One visitor's page: its frame (navigation, theme, log of statements), and running its statements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nicegui import ui
from nicegui.element import Element

from sqlml.cli.problem import Problem
from sqlml.studio.background import LeftStatements, goes_on
from sqlml.studio.elements import button, element, enable, heading, show_problem, symbol, text
from sqlml.studio.engine import Answer, Engine, Running, StatementError
from sqlml.studio.pictures import Pictures

# The navigation: path, title, icon.
_PAGES = (
    ("/", "Enrich", "auto_awesome"),
    ("/enrichments", "Enrichments", "table_view"),
    ("/models", "Models", "model_training"),
    ("/sql", "SQL", "terminal"),
)
_THEMES: dict[bool | None, tuple[str, str]] = {
    None: ("as the system has them", "brightness_auto"),
    False: ("light", "light_mode"),
    True: ("dark", "dark_mode"),
}
MOST_ROWS = 500
# The problem of a statement whose page was closed; it is shown to no one.
_CLOSED = Problem("The page was closed.")
# Seconds between two updates of a statement's progress.
_TICK = 0.5


@dataclass
class Studio:
    """The state that all pages share.

    Args:
        dark: the user's colour scheme; None follows the system.
        left: statements that continue after their page was closed.
    """

    engine: Engine
    pictures: Pictures
    dark: bool | None = None
    left: LeftStatements = field(default_factory=LeftStatements)


@dataclass
class Screen:
    """One page in one browser."""

    studio: Studio
    _log: Element = field(init=False)
    _count: ui.label = field(init=False)
    _statements: int = 0

    @contextmanager
    def framed(self, here: str, title: str, lead: str = "") -> Iterator[None]:
        """A block for a page's content inside the frame.

        Args:
            here: the path of the current entry in the navigation.
            lead: a sentence below the title.
        """
        ui.add_head_html('<link rel="stylesheet" href="/studio.css">')
        dark = ui.dark_mode(self.studio.dark)
        ui.query(".nicegui-content").classes("studio")
        with element("a", "skip", href="#content"):
            text("Skip to the content")
        with element("header", "bar"):
            with element("a", "brand", href="/", aria_label="sqlml studio, enrich a table"):
                text("sqlml", "brand-name")
                text("studio", "brand-part")
            with element("nav", "places", aria_label="Pages"):
                for path, name, icon in _PAGES:
                    current = {"aria_current": "page"} if path == here else {}
                    with element("a", "place", href=path, **current):
                        symbol(icon)
                        text(name)
            theme: Any = button("", None, "quiet theme", icon=_THEMES[self.studio.dark][1])
            theme.props(f'aria-label="Colours: {_THEMES[self.studio.dark][0]}"')
            theme.on("click", lambda: self._turn(dark, theme))
        with element("div", "main", id="content", tabindex="-1"):
            with element("div", "headline"):
                heading(title, 1)
                if lead:
                    text(lead, "lead", "p")
            self.studio.left.shown()
            yield
            with element("details", "log"):
                with element("summary"):
                    self._count = text("Statements of this page", "", "span")
                self._log = element("ol", "log-lines")

    async def visited(self) -> bool:
        """Waits for the browser's connection; returns False where it has already closed."""
        client = ui.context.client
        await client.connected()
        return not client.is_deleted

    async def ask(self, sql: str, into: Element, most: int = MOST_ROWS) -> Answer | None:
        """Runs a statement with progress and a cancel button in `into`, and shows an error there.

        When the page is closed a query is cancelled; a statement that changes something continues in the background.
        Returns None after an error, or where `into` was deleted before the end.
        """
        try:
            return await self.answer_of(sql, into, most)
        except StatementError as error:
            if not into.is_deleted:
                with into:
                    show_problem(error.problem, error.text)
            return None

    async def answer_of(self, sql: str, into: Element, most: int = MOST_ROWS) -> Answer:
        """Does the same, but leaves showing the error to the caller.

        Raises:
            StatementError.
        """
        if into.is_deleted:
            raise StatementError(sql, _CLOSED)
        running = self.studio.engine.start(sql)
        client = into.client
        with into:
            waiting, told = _waiting(running)
        error: StatementError | None = None
        working = asyncio.wrap_future(self.studio.engine.submit(running, most))
        try:
            while not (await asyncio.wait({working}, timeout=_TICK))[0]:
                if client.is_deleted and goes_on(sql):
                    self.studio.left.add(running, working)
                    raise StatementError(sql, _CLOSED)
                if client.is_deleted and not running.cancelled:
                    # A long query would keep the session busy for a closed page.
                    await asyncio.to_thread(running.cancel)
                elif not waiting.is_deleted and not running.cancelled:
                    told.set_text(f"{running.progress or 'Working'} … {running.seconds:.0f} s")
            answer = working.result()
        except asyncio.CancelledError:
            error = StatementError(sql, Problem("The server stops."))
            raise error from None
        except StatementError as raised:
            error = raised
            raise
        finally:
            if not waiting.is_deleted:
                waiting.delete()
            self._note(running, error)
        if into.is_deleted:
            raise StatementError(sql, _CLOSED)
        return answer

    async def is_dark(self) -> bool:
        """Whether the page is dark now; needs a connected browser."""
        if self.studio.dark is not None:
            return self.studio.dark
        return bool(await ui.run_javascript("matchMedia('(prefers-color-scheme: dark)').matches"))

    def _note(self, running: Running, error: StatementError | None) -> None:
        """Adds a statement to the page's log."""
        if self._log.is_deleted:
            return
        self._statements += 1
        self._count.set_text(f"Statements of this page ({self._statements})")
        with self._log, element("li", "log-line failed" if error else "log-line"):
            text(f"{running.seconds:.1f} s" + (" · failed" if error else ""), "log-time")
            text(running.text, "log-text", "pre")

    def _turn(self, dark: Any, theme: Any) -> None:
        """Switches the colour scheme: system → light → dark → system."""
        self.studio.dark = dark.value = {None: False, False: True, True: None}[dark.value]
        name, icon = _THEMES[dark.value]
        theme.clear()
        theme.props(f'aria-label="Colours: {name}"')
        with theme:
            symbol(icon)


def _waiting(running: Running) -> tuple[Element, Any]:
    """A line with a running statement's progress, time and a cancel button; returns the line and its label."""
    with element("div", "waiting", role="status") as made:
        ui.spinner(size="1.2em", color=None).props('aria-hidden="true"')
        label = text("Working …", "waiting-text")
        cancel = button("Cancel", None, "quiet small")

        async def end() -> None:
            enable(cancel, False)
            label.set_text("Cancelling …")
            await asyncio.to_thread(running.cancel)

        cancel.on("click", end)
    return made, label
