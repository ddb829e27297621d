"""The wizard's step for the destination: the kind of object, its name, and a preview of the statement."""

from __future__ import annotations

from nicegui import ui
from nicegui.element import Element

from sqlml.errors import SqlmlError
from sqlml.studio.elements import element, refused, show_sql, text
from sqlml.studio.screen import Screen
from sqlml.studio.texts import KINDS
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.options import Choice, Options
from sqlml.studio.wizard.steps import Ready


async def fill(screen: Screen, draft: Draft, box: Element, ready: Ready) -> None:
    """Draws the form (kind, name, options) and, below it, the statement.

    Every change of a field runs `show`, which stores the choices in the draft and redraws the statement.
    """
    assert draft.table is not None
    if not draft.name:
        draft.name = f"{'_'.join(draft.table.parts[-1:])}_{draft.model.rpartition('.')[2]}"

    def pick(kind: str) -> None:
        draft.kind = kind
        show()

    def show() -> None:
        draft.name = name.value or ""
        draft.replace, draft.provenance = replace.value, provenance.value
        replace.set_visibility(KINDS[draft.kind].made != KINDS[draft.kind].replaced)
        provenance.set_visibility(draft.kind != "function")
        ready(False)
        shown.clear()
        with shown:
            if not draft.name.strip():
                text("Enter a name.", "note", "p")
                return
            try:
                statement = draft.enrichment()
                show_sql(statement.sql(statement.creates()), "The statement that will run")
            except SqlmlError as error:
                refused(error, draft.name)
                return
        ready(True)

    with box:
        options = Options("What to create", pick, "wide")
        options.fill([Choice(key, kind.title, kind.tells) for key, kind in KINDS.items()], draft.kind)
        with element("div", "fields"):
            name = ui.input("Name", value=draft.name).props('outlined dense autocomplete="off" spellcheck="false"')
        with element("div", "checks"):
            replace = ui.checkbox("Replace it if it exists", value=draft.replace)
            provenance = ui.checkbox("Provenance in each row: model, version, digest, time", value=draft.provenance)
        text("This will run", "h3", "h3")
        shown = element("div", "stack")
    for field in (name, replace, provenance):
        field.on_value_change(show)
    show()
