"""One visitor's page: its frame, the statements it has run, and how their rows and errors look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nicegui import run, ui
from nicegui.element import Element

from sqlml.cli.problem import Problem
from sqlml.cli.results import display
from sqlml.errors import SqlmlError, line_and_column
from sqlml.studio.engine import Answer, Engine, Running, StatementError
from sqlml.studio.pictures import Pictures
from sqlml.studio.texts import EXAMPLES

# Pages that the frame leads to: path, title, icon.
_PLACES = (
    ("/", "Enrich", "auto_awesome"),
    ("/enrichments", "Enrichments", "table_view"),
    ("/models", "Models", "model_training"),
    ("/sql", "SQL", "terminal"),
)
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_THEMES: dict[bool | None, tuple[str, str]] = {
    None: ("as the system has them", "brightness_auto"),
    False: ("light", "light_mode"),
    True: ("dark", "dark_mode"),
}
MOST_ROWS = 500


@dataclass
class Studio:
    """What all pages share.

    Args:
        dark: how the user wants the colours; None as the system has them.
    """

    engine: Engine
    pictures: Pictures
    dark: bool | None = None


@dataclass
class Screen:
    """What one page in one browser has on it."""

    studio: Studio
    _log: Element = field(init=False)
    _count: ui.label = field(init=False)
    _said: int = 0

    @contextmanager
    def framed(self, here: str, title: str, lead: str = "") -> Iterator[None]:
        """The frame around a page's own content.

        Args:
            here: the path that the page belongs to among the places it can lead to.
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
                for path, name, icon in _PLACES:
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
            yield
            with element("details", "log"):
                with element("summary"):
                    self._count = text("Statements of this page", "", "span")
                self._log = element("ol", "log-lines")

    async def ask(self, sql: str, into: Element, most: int = MOST_ROWS) -> Answer | None:
        """Runs a statement. While it works `into` shows how far it is and a way to end it; an error stays there.

        None after an error, and where `into` is gone by now: nobody waits for the answer.
        """
        try:
            answer = await self.asked(sql, into, most)
        except StatementError as error:
            if not into.is_deleted:
                with into:
                    show_problem(error.problem, error.text)
            return None
        return None if into.is_deleted else answer

    async def asked(self, sql: str, into: Element, most: int = MOST_ROWS) -> Answer:
        """The same, where the caller shows the error.

        Raises:
            StatementError.
        """
        if into.is_deleted:
            raise StatementError(sql, Problem("The page was closed."))
        running = self.studio.engine.start(sql)
        with into:
            waiting = _waiting(running)
        error: StatementError | None = None
        try:
            answer: Answer | None = await run.io_bound(self.studio.engine.finish, running, most)
            if answer is None:  # NiceGUI's way to say that the server stops
                raise StatementError(sql, Problem("The server stops."))
        except StatementError as raised:
            error = raised
            raise
        finally:
            if not waiting.is_deleted:
                waiting.delete()
            self._note(running, error)
        return answer

    async def is_dark(self) -> bool:
        """Whether the page is dark now; the browser has to be connected."""
        if self.studio.dark is not None:
            return self.studio.dark
        return bool(await ui.run_javascript("matchMedia('(prefers-color-scheme: dark)').matches"))

    def _note(self, running: Running, error: StatementError | None) -> None:
        """Lists a statement among those of the page."""
        if self._log.is_deleted:
            return
        self._said += 1
        self._count.set_text(f"Statements of this page ({self._said})")
        with self._log, element("li", "log-line failed" if error else "log-line"):
            text(f"{running.seconds:.1f} s" + (" · failed" if error else ""), "log-time")
            text(running.text, "log-text", "pre")

    def _turn(self, dark: Any, theme: Any) -> None:
        """As the system has it → light → dark."""
        self.studio.dark = dark.value = {None: False, False: True, True: None}[dark.value]
        name, icon = _THEMES[dark.value]
        theme.clear()
        theme.props(f'aria-label="Colours: {name}"')
        with theme:
            symbol(icon)


def refused(error: SqlmlError, sql: str = "") -> None:
    """Shows an error that comes before any statement: what the user typed makes none."""
    place = line_and_column(sql, error.offset) if sql and error.offset is not None else (None, 0)
    show_problem(Problem(str(error), *place), sql)


# -- elements ----------------------------------------------------------------------------------------------------------


def element(tag: str, classes: str = "", **attributes: str) -> Element:
    """An HTML element; in the attributes' names _ stands for -."""
    made = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        made._props[name.replace("_", "-")] = value
    return made


def text(content: str, classes: str = "", tag: str = "span") -> Any:
    """A text, which is never read as HTML."""
    made = ui.label(content).classes(classes)
    made.tag = tag
    return made


def heading(content: str, level: int, classes: str = "") -> Any:
    return text(content, f"h{level} {classes}", f"h{level}")


def symbol(name: str) -> None:
    ui.icon(name).props('aria-hidden="true"').classes("symbol")


def button(title: str, on_click: Any, classes: str = "", icon: str = "") -> Any:
    """A button; the class `first` is for the one that goes on."""
    made = element("button", f"button {classes}", type="button")
    if on_click is not None:
        made.on("click", on_click)
    with made:
        if icon:
            symbol(icon)
        if title:
            text(title)
    return made


def enable(made: Element, enabled: bool) -> None:
    if enabled:
        made._props.pop("disabled", None)
    else:
        made._props["disabled"] = True
    made.update()


def link(title: str, to: str, classes: str = "") -> Element:
    made = element("a", classes, href=to)
    with made:
        text(title)
    return made


def outside(title: str, to: str) -> None:
    """A link to another server's page, in a window of its own."""
    with element("a", "link", href=to, target="_blank", rel="noreferrer noopener"):
        text(title)
        symbol("open_in_new")


@contextmanager
def card(title: str = "", note: str = "", classes: str = "") -> Iterator[Element]:
    with element("section", f"card {classes}") as made:
        if title:
            with element("div", "card-head"):
                heading(title, 2)
                if note:
                    text(note, "note")
        yield made


def empty(title: str, tells: str, example: str = "") -> None:
    """Nothing is there yet: what to do next.

    Args:
        example: a key of `texts.EXAMPLES`.
    """
    with element("div", "empty"):
        heading(title, 2)
        text(tells, "", "p")
        if example:
            show_sql(EXAMPLES[example])
            with element("div", "actions"):
                link("Open it in the SQL page", f"/sql?example={example}", "button first")


def show_sql(sql: str, label: str = "SQL") -> Any:
    """A statement, with a button that copies it."""
    box = element("div", "sql", role="group", aria_label=label)
    with box:
        ui.code(sql, language="sql").classes("sql-code").copy_button.props('aria-label="Copy"')
    return box


def show_problem(problem: Problem, sql: str) -> None:
    """An error: its message, and its place in the statement."""
    with element("div", "problem", role="alert"):
        symbol("error_outline")
        with element("div", "problem-body"):
            text(problem.message, "problem-message", "p")
            lines = sql.splitlines()
            if problem.line is not None and 0 < problem.line <= len(lines):
                text(f"Line {problem.line}, column {problem.column + 1}", "note")
                shown = lines[problem.line - 1]
                pointer = "".join("\t" if one == "\t" else " " for one in shown[: problem.column]) + "▲"
                text(f"{shown}\n{pointer}", "problem-place", "pre")


def show_rows(answer: Answer, label: str, *, marked: Sequence[str] = (), note: str = "") -> None:
    """A statement's rows as a table that scrolls on its own.

    Args:
        marked: columns that stand out.
        note: below, instead of how many rows there are.
    """
    if not answer.names:
        text("Done. The statement has no result.", "note")
        return
    with element("div", "rows", tabindex="0", role="region", aria_label=label), element("table", "grid"):
        with element("thead"), element("tr"):
            for name, kind in zip(answer.names, answer.types, strict=True):
                with element("th", _classes(name, kind, marked), scope="col"):
                    text(name, "column-name")
                    text(_short(kind), "column-type")
        with element("tbody"):
            for row in answer.rows:
                with element("tr"):
                    for name, kind, value in zip(answer.names, answer.types, row, strict=True):
                        with element("td", _classes(name, kind, marked) + (" null" if value is None else "")):
                            text(display(value))
    count = len(answer.rows)
    many = f"The first {count} rows; there are more." if answer.more else f"{count} row{'s' * (count != 1)}"
    text(note or f"{many} · {answer.seconds:.1f} s", "note")


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, one below the other."""
    with element("dl", "facts"):
        for name, value in pairs:
            text(name, "", "dt")
            text(value, "", "dd")


def _classes(name: str, kind: str, marked: Sequence[str]) -> str:
    return " ".join(filter(None, ["number" if kind.startswith(_NUMBERS) else "", "marked" if name in marked else ""]))


def _short(kind: str) -> str:
    return kind if len(kind) <= 24 else kind[:23] + "…"


def _waiting(running: Running) -> Element:
    """A line that says what is being done, how long already, and ends it."""
    with element("div", "waiting", role="status") as made:
        ui.spinner(size="1.2em", color=None).props('aria-hidden="true"')
        told = text("Working …", "waiting-text")
        cancel = button("Cancel", None, "quiet small")

        def tell() -> None:
            told.set_text(f"{running.progress or 'Working'} … {running.seconds:.0f} s")

        async def end() -> None:
            enable(cancel, False)
            told.set_text("Cancelling …")
            await run.io_bound(running.cancel)

        cancel.on("click", end)
        ui.timer(0.5, tell)
    return made
