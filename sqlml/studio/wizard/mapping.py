"""The wizard's step for the mapping: ENRICH … SHOW MAP proposes it, and checks it again after each edit."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.element import Element

from sqlml.cli.problem import Problem
from sqlml.errors import SqlmlError
from sqlml.studio import texts
from sqlml.studio.elements import button, element, show_problem, show_sql, text
from sqlml.studio.engine import StatementError
from sqlml.studio.screen import Screen
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.steps import Ready

# Debounce: seconds after the last keystroke before the mapping is checked.
_PAUSE = 0.5
_METHODS = {"given": "yours", "exact": "same name", "similar": "similar name", "none": "nothing found"}


async def fill(screen: Screen, draft: Draft, box: Element, ready: Ready) -> None:
    """Draws the features' lines and the picker of a label's probability, and runs the first check."""
    with box:
        fields = element("div", "mapping")
        checking = element("div", "stack", aria_live="polite")
        labels = draft.description.labels if draft.description is not None else []
        probability = ui.select({"": "none", **{label: label for label in labels}}, value=draft.label)
        probability.props('outlined dense label="Also the probability of"').classes("picker")
        probability.set_visibility(bool(labels))
        shown = element("div", "stack")
    step = _Mapping(screen, draft, fields, checking, shown, ready)

    async def pick() -> None:
        draft.label = probability.value
        await step.check()

    probability.on_value_change(pick)
    await step.check()


class _Mapping:
    """The list of features, one `_Line` each; the lines stay while their verdicts change."""

    def __init__(
        self, screen: Screen, draft: Draft, fields: Element, checking: Element, shown: Element, ready: Ready
    ) -> None:
        self._screen, self._draft, self._ready = screen, draft, ready
        self._fields, self._checking, self._shown = fields, checking, shown
        self._lines: dict[str, _Line] = {}
        self._request = 0

    async def check(self, edited: str | None = None) -> None:
        """Runs SHOW MAP for the current mapping. The result of an older check is dropped when a newer one was started.

        Args:
            edited: the feature whose expression was edited.
        """
        self._request += 1
        mine = self._request
        self._draft.changed()
        self._ready(False)
        self._checking.clear()
        enrichment = self._draft.enrichment()
        try:
            statement = enrichment.sql(texts.SHOW_MAP)
        except SqlmlError as error:
            self._fail(edited, Problem(str(error)), "")
            return
        self._shown.clear()
        with self._shown:
            show_sql(statement, "The statement that proposes and checks")
        try:
            answer = await self._screen.answer_of(statement, self._checking)
        except StatementError as error:
            if mine == self._request and not self._checking.is_deleted:
                self._fail(enrichment.feature_at(error.problem.line), error.problem, error.text)
            return
        if mine != self._request or self._checking.is_deleted:
            return
        rows = answer.dicts()
        if list(self._lines) != [row["feature"] for row in rows]:
            self._draw(rows)
        for row in rows:
            self._lines[row["feature"]].tell(row, edited=row["feature"] in self._draft.mapping)
        self._draft.mapped = all(row["accepted"] and not row["problem"] for row in rows)
        self._ready(self._draft.mapped)

    def _draw(self, rows: list[dict[str, Any]]) -> None:
        self._fields.clear()
        self._lines = {}
        with self._fields:
            names = f"columns-{self._fields.id}"
            with element("datalist", "", id=names):
                for column in self._draft.columns:
                    element("option", "", value=texts.column(column["col_name"]))
            for row in rows:
                self._lines[row["feature"]] = _Line(row, names, self._edit)

    async def _edit(self, feature: str, expression: str) -> None:
        if expression.strip():
            self._draft.mapping[feature] = expression
        else:
            self._draft.mapping.pop(feature, None)
        await self.check(feature)

    def _fail(self, feature: str | None, problem: Problem, sql: str) -> None:
        """Shows an error beside the expression that caused it, or else below all of them."""
        line = self._lines.get(feature or "")
        if line is not None:
            line.fail(problem)
            return
        with self._checking:
            show_problem(problem, sql)


class _Line:
    """One feature: its expression, the method that proposed it, and the problem with it."""

    def __init__(self, row: dict[str, Any], names: str, on_edit: Any) -> None:
        self._feature, self._on_edit = row["feature"], on_edit
        self._silent = True
        with element("div", "line", role="group", aria_label=f"Feature {self._feature}"):
            with element("div", "line-feature"):
                text(self._feature, "line-name")
                text((row["feature_type"] or "").lower(), "column-type")
            self._field = ui.input(on_change=self._edited, value=row["expression"] or "")
            self._field.props(f'outlined dense list="{names}" debounce={_PAUSE * 1000:.0f} autocomplete="off"')
            self._field.props('spellcheck="false"').props["aria-label"] = f"Expression for {self._feature}"
            self._field.classes("line-field")
            self._says = element("div", "line-says")

    def tell(self, row: dict[str, Any], *, edited: bool) -> None:
        if not edited and (self._field.value or "") != (row["expression"] or ""):
            self._silent = True
            self._field.value = row["expression"] or ""
        self._silent = False
        good = row["accepted"] and not row["problem"]
        self._says.clear()
        with self._says:
            with element("div", "line-method"):
                _verdict(good)
                score = f" {row['score']:.2f}" if row["method"] == "similar" and row["score"] is not None else ""
                text(_METHODS.get(row["method"], row["method"] or "") + score, "chip")
                if row["source_type"]:
                    text(row["source_type"].lower(), "column-type")
            if row["problem"]:
                text(row["problem"], "line-problem", "p")
            if not good and row["candidates"]:
                with element("div", "chips"):
                    text("Take", "note")
                    for candidate in row["candidates"][:4]:
                        self._candidate(candidate["column"], candidate["score"])

    def fail(self, problem: Problem) -> None:
        """Shows that the statement rejects the expression."""
        self._says.clear()
        with self._says:
            _verdict(False)
            text(problem.message, "line-problem", "p").props("role=alert")

    def _candidate(self, name: str, score: float) -> None:
        async def take() -> None:
            self._silent = True
            self._field.value = texts.column(name)
            self._silent = False
            await self._on_edit(self._feature, texts.column(name))

        button(f"{name} {score:.2f}", take, "small")

    async def _edited(self, event: Any) -> None:
        if not self._silent:
            await self._on_edit(self._feature, event.value or "")


def _verdict(good: bool) -> None:
    made = ui.icon("check_circle" if good else "error").classes("good" if good else "bad")
    made.props(f'role="img" aria-label="{"accepted" if good else "not accepted"}"')
