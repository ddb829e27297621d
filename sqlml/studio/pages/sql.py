"""The SQL page: an editor that runs the statements of its text in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

from sqlml.cli.problem import Problem
from sqlml.cli.script import Statement, statements
from sqlml.studio.elements import button, card, element, enable, show_problem, show_rows, text
from sqlml.studio.engine import StatementError
from sqlml.studio.screen import MOST_ROWS, Screen, Studio
from sqlml.studio.texts import EXAMPLES

_FIRST = "SHOW MODELS"


def page(studio: Studio) -> Callable[[str], Awaitable[None]]:
    async def show(example: str = "") -> None:
        screen = Screen(studio)
        lead = "Runs any SQL of Spark and sqlml, in the session of the other pages."
        with screen.framed("/sql", "SQL", lead):
            with card():
                editor = ui.codemirror(
                    EXAMPLES.get(example, _FIRST), language="SQL", theme="githubLight", line_wrapping=True
                )
                editor.classes("editor").props('aria-label="SQL"')
                with element("div", "actions"):
                    go = button("Run", None, "first", icon="play_arrow")
                    text("Ctrl+Enter runs · Esc, then Tab leaves the editor", "note")
            results = element("div", "stack", aria_live="polite")

        async def work() -> None:
            enable(go, False)
            try:
                await _run(screen, editor, results)
            finally:
                if not go.is_deleted:
                    enable(go, True)

        go.on("click", work)
        editor.map_key("Mod-Enter", work)
        if not await screen.visited():
            return
        if await screen.is_dark():
            editor.theme = "githubDark"

    return show


async def _run(screen: Screen, editor: Any, results: Element) -> None:
    """Runs the editor's statements in order, each into a card; stops at the first error and marks it."""
    results.clear()
    editor.decorations = []
    script = list(statements(editor.value))
    if not script:
        with results:
            text("There is no statement to run.", "note", "p")
    for statement in script:
        with results, card(classes="result"):
            if len(script) > 1:
                text(_first_line(statement.body), "mono note")
            box = element("div", "stack")
        try:
            answer = await screen.answer_of(statement.text, box)
        except StatementError as error:
            if not box.is_deleted:
                with box:
                    show_problem(_in_script(error.problem, statement), editor.value)
                _mark(editor, _in_script(error.problem, statement))
            return
        with box:
            note = f"The first {MOST_ROWS:,} rows; use LIMIT and WHERE to see others." if answer.more else ""
            show_rows(answer, "Result", note=note)


def _first_line(sql: str) -> str:
    line = sql.strip().splitlines()[0]
    return line if len(line) <= 80 else line[:79] + "…"


def _in_script(found: Problem, statement: Statement) -> Problem:
    """The same error, with its position counted from the start of the whole text."""
    if found.line is None:
        return found
    column = found.column + (statement.column if found.line == 1 else 0)
    return Problem(found.message, statement.line + found.line - 1, column)


def _mark(editor: Any, found: Problem) -> None:
    """Underlines the word at an error's position, and tints its line."""
    lines = editor.value.split("\n")
    if found.line is None or found.line > len(lines):
        return
    before = sum(len(line) + 1 for line in lines[: found.line - 1])
    line = lines[found.line - 1]
    start = min(found.column, max(len(line) - 1, 0))
    stop = start
    while stop < len(line) and (line[stop].isalnum() or line[stop] in "_."):
        stop += 1
    marks: list[dict[str, Any]] = [{"kind": "line", "line": found.line, "class": "wrong-line"}]
    if line:
        marks.append({"kind": "mark", "from": before + start, "to": before + max(stop, start + 1), "class": "wrong"})
    editor.decorations = marks
    editor.reveal_line(found.line)
