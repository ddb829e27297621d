"""Statements that continue in the background after their page was closed; every page shows their progress."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from nicegui import ui
from nicegui.element import Element

from sqlml.cli.problem import Problem
from sqlml.cli.script import statements
from sqlml.parser.leading_words import first_words
from sqlml.studio.elements import button, element, enable, show_problem, text
from sqlml.studio.engine import Answer, Running, StatementError

# First words of statements that only read; these are cancelled with their page.
_QUERIES = frozenset(("DESC", "DESCRIBE", "EXPLAIN", "FROM", "LIST", "SELECT", "SHOW", "TABLE", "VALUES", "WITH"))
# Seconds between two updates of the progress.
_TICK = 0.5
# The most finished statements that are kept.
_MOST = 20


def goes_on(sql: str) -> bool:
    """Whether a statement continues when its page is closed: it makes or changes something, as TRAIN MODEL does."""
    found = next(statements(sql), None)
    words = first_words(found.body, 1) if found else ()
    return bool(words) and words[0] not in _QUERIES


@dataclass(eq=False)
class Left:
    """A statement whose page was closed.

    Attributes:
        outcome: its answer or its problem; None while it runs.
    """

    running: Running
    outcome: Answer | Problem | None = None


@dataclass
class LeftStatements:
    """All such statements of a studio, the oldest first."""

    _all: list[Left] = field(default_factory=list)
    # Strong references: the event loop holds tasks only weakly.
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self, running: Running, working: asyncio.Future[Answer]) -> None:
        """Takes a running statement over from its page."""
        left = Left(running)
        ended = [one for one in self._all if one.outcome is not None][:-_MOST]
        self._all = [one for one in (*self._all, left) if one not in ended]

        async def wait() -> None:
            try:
                left.outcome = await working
            except StatementError as error:
                left.outcome = error.problem

        task = asyncio.ensure_future(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def shown(self) -> None:
        """Adds a live list of the statements to the current page."""
        region = element("div", "left", aria_live="polite")
        seen: list[tuple[Left, bool]] = []

        def look() -> None:
            now = [(left, left.outcome is not None) for left in self._all]
            if now != seen:
                seen[:] = now
                region.clear()
                with region:
                    labels.clear()
                    labels.update({left: self._row(left) for left in self._all})
            for left, label in labels.items():
                if left.outcome is None and not left.running.cancelled:
                    label.set_text(f"{left.running.progress or 'Working'} … {left.running.seconds:.0f} s")

        labels: dict[Left, ui.label] = {}
        look()
        ui.timer(_TICK, look)

    def _row(self, left: Left) -> ui.label:
        with element("section", "left-statement", aria_label="A statement of a page that was left"):
            text(left.running.text, "mono note", "p")
            if isinstance(left.outcome, Problem):
                show_problem(left.outcome, left.running.text)
            with element("div", "actions"):
                state = "Done." if isinstance(left.outcome, Answer) else "" if left.outcome else "Working …"
                label: ui.label = text(state, "note")
                if left.outcome is None:
                    button("Cancel", None, "quiet small").on("click", lambda event: self._cancel(left, event.sender))
                else:
                    button("Dismiss", lambda: self._dismiss(left), "quiet small")
        return label

    def _dismiss(self, left: Left) -> None:
        self._all = [one for one in self._all if one is not left]

    async def _cancel(self, left: Left, pressed: Element) -> None:
        enable(pressed, False)
        await asyncio.to_thread(left.running.cancel)
