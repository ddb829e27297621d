"""The wizard's step for the table: SHOW CATALOGS, SHOW DATABASES, SHOW TABLES, DESCRIBE TABLE."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.element import Element

from sqlml.studio import texts
from sqlml.studio.elements import card, element, empty, show_rows, text
from sqlml.studio.screen import Screen
from sqlml.studio.texts import TableName
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.options import Choice, Options
from sqlml.studio.wizard.steps import Ready

# Longer lists get a search field.
_MANY = 8


async def fill(screen: Screen, draft: Draft, box: Element, ready: Ready) -> None:
    """Draws pickers for catalog and database, starting with the current ones, and lists the tables there."""
    current = await screen.ask(texts.CURRENT_PLACE, box)
    catalogs = await screen.ask(texts.SHOW_CATALOGS, box) if current else None
    if current is None or catalogs is None:
        return
    here = draft.table.parts if draft.table is not None and len(draft.table.parts) > 1 else None
    first = (here[0], ".".join(here[1:-1])) if here else tuple(current.rows[0])
    with box:
        with element("div", "fields"):
            catalog = ui.select(catalogs.column("catalog"), value=first[0], label="Catalog").props("outlined dense")
            database = ui.select([], label="Database").props("outlined dense")
            search = ui.input("Search tables").props('outlined dense clearable type="search"')
        with element("div", "two uneven"):
            tables = element("div", "stack")
            columns = element("div", "stack")
    state = _Tables(screen, draft, tables, columns, ready, search)

    async def pick_catalog() -> None:
        answer = await screen.ask(texts.show_databases(catalog.value), tables)
        if answer is None:
            return
        names = answer.column("namespace")
        wanted = first[1] if catalog.value == first[0] else ""
        value = wanted if wanted in names else next(iter(names), None)
        unchanged = database.value == value
        database.set_options(names, value=value)
        if unchanged:
            await pick_database()

    async def pick_database() -> None:
        if database.value:
            await state.show(catalog.value, database.value)

    catalog.on_value_change(pick_catalog)
    database.on_value_change(pick_database)
    search.on_value_change(lambda: state.filter())
    await pick_catalog()


class _Tables:
    """The list of one database's tables, and the columns of the chosen one."""

    def __init__(self, screen: Screen, draft: Draft, box: Element, columns: Element, ready: Ready, search: Any) -> None:
        self._screen, self._draft, self._box, self._columns = screen, draft, box, columns
        self._ready, self._search = ready, search
        self._options: Options | None = None

    async def show(self, catalog: str, database: str) -> None:
        self._box.clear()
        self._columns.clear()
        answer = await self._screen.ask(texts.show_tables(catalog, database), self._box, 10_000)
        if answer is None:
            return
        choices = []
        for row in answer.dicts():
            inside = (catalog, *row["namespace"].split(".")) if row["namespace"] else ()
            note = "temporary view" if row.get("isTemporary") else ""
            choices.append(Choice(TableName((*inside, row["tableName"])), row["tableName"], note))
        self._search.set_visibility(len(choices) > _MANY)
        with self._box:
            if not choices:
                empty("No tables here", "Pick another database, or create a table with this statement.", "table")
                return
            self._options = Options("Tables", self.pick)
            self._options.fill(choices, self._draft.table)
            self._none = text("No table has this text in its name.", "note")
        self.filter()
        if self._draft.table in [choice.key for choice in choices]:
            await self.pick(self._draft.table)

    def filter(self) -> None:
        if self._options is not None:
            self._none.set_visibility(self._options.filter(self._search.value or "") == 0)

    async def pick(self, table: Any) -> None:
        self._ready(False)
        self._columns.clear()
        answer = await self._screen.ask(texts.describe_table(table), self._columns)
        if answer is None:
            return
        # DESCRIBE TABLE lists partitions and clustering below an empty line or a heading: those are not columns.
        rows = answer.dicts()
        stop = next((at for at, row in enumerate(rows) if not row["col_name"] or row["col_name"][0] == "#"), len(rows))
        if table != self._draft.table:
            self._draft.pick_table(table, rows[:stop])
        with self._columns, card(table.sql(), f"{stop} columns"):
            show_rows(answer, f"Columns of {table.sql()}", note=" ")
        self._ready(True)
