"""The building blocks of pages: texts, buttons, cards, grids of rows, highlighted statements and errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from nicegui import ui
from nicegui.element import Element
from pygments.lexers.sql import SqlLexer
from pygments.token import Token

from sqlml.cli.problem import Problem
from sqlml.cli.results import display
from sqlml.errors import SqlmlError, line_and_column
from sqlml.studio.engine import Answer
from sqlml.studio.texts import EXAMPLES

_LEXER = SqlLexer(stripnl=False)
# Pygments' token types and the CSS class of each.
_COLOURED = ((Token.Keyword, "k"), (Token.Literal.String.Symbol, ""), (Token.Literal.String, "s"), (Token.Comment, "c"))
# Keywords of sqlml, which Pygments does not know.
_OWN_WORDS = frozenset(
    ("ENRICH", "ENRICHMENTS", "FEATURES", "MODEL", "MODELS", "PROVENANCE", "RETRAIN", "TRAIN", "VERSIONS")
)
# The browser copies the text from the page, so that no text becomes part of a script.
_COPY = "event => navigator.clipboard.writeText(event.currentTarget.parentElement.querySelector('code').innerText)"
NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


def refused(error: SqlmlError, sql: str = "") -> None:
    """Shows an error in the user's input, from which no statement can be built."""
    position = line_and_column(sql, error.offset) if sql and error.offset is not None else (None, 0)
    show_problem(Problem(str(error), *position), sql)


def element(tag: str, classes: str = "", **attributes: str) -> Element:
    """An HTML element; "_" in an attribute's name becomes "-"."""
    made = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        made._props[name.replace("_", "-")] = value
    return made


def text(content: str, classes: str = "", tag: str = "span") -> Any:
    """A text element, whose content is never read as HTML."""
    made = ui.label(content).classes(classes)
    made.tag = tag
    return made


def heading(content: str, level: int, classes: str = "") -> Any:
    return text(content, f"h{level} {classes}", f"h{level}")


def symbol(name: str) -> None:
    ui.icon(name).props('aria-hidden="true"').classes("symbol")


def button(title: str, on_click: Any, classes: str = "", icon: str = "") -> Any:
    """A button; the class `first` marks the primary one."""
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
    """A link to another server's page, which opens in a new window."""
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
    """A placeholder where there is nothing yet, with the next thing to do.

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
    """A highlighted statement with a copy button."""
    with element("div", "sql", role="group", aria_label=label) as box:
        with element("pre"), element("code"):
            words = groupby(_LEXER.get_tokens(sql.strip()), key=lambda pair: _colour(*pair))
            for colour, pairs in words:
                text("".join(word for _, word in pairs), colour)
        copy = button("", None, "quiet small copy", icon="content_copy")
        copy._props["aria-label"] = "Copy"
        copy.on("click", js_handler=_COPY)
    return box


def _colour(kind: Any, word: str) -> str:
    if word in _OWN_WORDS:
        return "k"
    return next((colour for family, colour in _COLOURED if kind in family), "")


def show_problem(problem: Problem, sql: str) -> None:
    """An error with its message, and its position in the statement."""
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
    """A statement's rows as a grid.

    Args:
        marked: columns to highlight.
        note: shown below instead of the number of rows.
    """
    if not answer.names:
        text("Done. The statement has no result.", "note")
        return
    with grid(label):
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


@contextmanager
def grid(label: str, titles: Sequence[str] = (), numbers: Sequence[str] = ()) -> Iterator[None]:
    """A table in a box that scrolls.

    Args:
        titles: the titles of the head row; empty leaves the head to the caller.
        numbers: further titles, of columns with numbers.
    """
    with element("div", "rows", tabindex="0", role="region", aria_label=label), element("table", "grid"):
        if titles:
            with element("thead"), element("tr"):
                for title in (*titles, *numbers):
                    with element("th", "number" if title in numbers else "", scope="col"):
                        text(title, "column-name")
        yield


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """A description list of names and values."""
    with element("dl", "facts"):
        for name, value in pairs:
            text(name, "", "dt")
            text(value, "", "dd")


def _classes(name: str, kind: str, marked: Sequence[str]) -> str:
    return " ".join(filter(None, ["number" if kind.startswith(NUMBERS) else "", "marked" if name in marked else ""]))


def _short(kind: str) -> str:
    return kind if len(kind) <= 24 else kind[:23] + "…"
