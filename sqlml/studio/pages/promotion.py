"""The form that promotes a version: ALTER MODEL … SET ALIAS … IF …"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from sqlml.errors import SqlmlError
from sqlml.parser.references import alias_name
from sqlml.studio import texts
from sqlml.studio.elements import button, card, element, enable, refused, show_rows, show_sql, text
from sqlml.studio.screen import Screen

_NO_GATE = "no condition"


def promotion(
    screen: Screen, name: str, versions: Sequence[dict[str, Any]], changed: Callable[[], Awaitable[None]]
) -> None:
    """Adds the form, a preview of its statement, and the result.

    Args:
        versions: rows of SHOW MODEL VERSIONS.
        changed: reloads the model.
    """
    numbers = [row["version"] for row in versions]
    metrics = sorted({metric for row in versions for metric in row["metrics"] or {}})
    with card("Promote a version", "PREDICT('name@alias', …) scores with the version of the alias."):
        with element("div", "fields"):
            alias = ui.input("Alias", value="champion").props("outlined dense")
            version = ui.select(numbers, value=numbers[0], label="Version").props("outlined dense")
            metric = ui.select([_NO_GATE, *metrics], value=_NO_GATE, label="Only if").props("outlined dense")
            operator = ui.select(list(texts.OPERATORS), value=">=", label="Comparison").props("outlined dense")
            number = ui.number("Number", value=0.8, format="%.6g", step=0.01).props("outlined dense")
        shown = element("div", "stack")
        with element("div", "actions"):
            promote = button("Promote", None, "first")
        result = element("div", "stack")

    # Each change of a field redraws the statement (`show`); the button runs it (`run`).
    def statement() -> str:
        gate = [] if metric.value == _NO_GATE else [(metric.value, operator.value, float(number.value or 0))]
        return texts.set_alias(name, alias_name(alias.value or ""), version.value, gate)

    def show() -> None:
        for one in (operator, number):
            one.set_visibility(metric.value != _NO_GATE)
        shown.clear()
        with shown:
            try:
                show_sql(statement(), "The statement that promotes")
            except SqlmlError as error:
                refused(error)
                enable(promote, False)
                return
        enable(promote, True)

    async def run() -> None:
        result.clear()
        enable(promote, False)
        answer = await screen.ask(statement(), result)
        if result.is_deleted:
            return
        enable(promote, True)
        if answer is not None:
            with result:
                text("Done.", "good", "p")
                show_rows(answer, "What has changed")
                button("Show the model as it is now", changed, "")

    promote.on("click", run)
    for field in (alias, version, metric, operator, number):
        field.on_value_change(show)
    show()
