"""The wizard's preview: the SQL from ENRICH … SHOW SQL, its first rows, and the distribution of the predictions."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.element import Element

from sqlml.errors import SqlmlError
from sqlml.studio import texts
from sqlml.studio.elements import NUMBERS, card, element, refused, show_rows, show_sql, text
from sqlml.studio.engine import Answer
from sqlml.studio.screen import Screen
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.steps import Ready

ROWS, SAMPLE = 20, 5_000
_BLUE = "#3b7ddd"


async def fill(screen: Screen, draft: Draft, box: Element, ready: Ready) -> None:
    """Runs SHOW SQL, then its first rows, then a query for the distribution of each prediction."""
    try:
        statement = draft.enrichment().sql(texts.SHOW_SQL)
    except SqlmlError as error:
        with box:
            refused(error)
        return
    answer = await screen.ask(statement, box)
    if answer is None:
        return
    draft.preview = answer.column("sql")[0]
    ready(True)
    with box:
        with card(f"The first {ROWS} rows", "predictions are marked"):
            rows_box = element("div", "stack")
        with card("Distribution of the predictions", f"among the first {SAMPLE:,} rows"):
            chart_box = element("div", "stack")
        with card("The SQL", "plain Spark SQL that you can copy and edit"):
            show_sql(draft.preview)
    first = await screen.ask(texts.first_rows(draft.preview, ROWS), rows_box, ROWS)
    if first is None:
        return
    answers = _answers(first, draft)
    with rows_box:
        show_rows(first, "Scored rows", marked=answers, note=f"{len(first.rows)} rows · {first.seconds:.1f} s")
    if not first.rows:
        with chart_box:
            text("The table is empty.", "note", "p")
        return
    for name in answers:
        kind = first.types[list(first.names).index(name)]
        if not kind.startswith(("map", "struct", "array")):
            await _distribution(screen, chart_box, draft.preview, name, kind)


def _answers(first: Answer, draft: Draft) -> list[str]:
    """The columns that the enrichment adds to the table's own."""
    own = {column["col_name"].lower() for column in draft.columns}
    return [name for name in first.names if name.lower() not in own]


async def _distribution(screen: Screen, box: Element, query: str, name: str, kind: str) -> None:
    """Adds a bar chart: the histogram of a number, or the counts of other values."""
    number = kind.startswith(NUMBERS)
    ask = texts.histogram_of if number else texts.counts_of
    answer = await screen.ask(ask(query, name, SAMPLE), box)
    if answer is None:
        return
    if not answer.rows:
        with box:
            text("All predictions for these rows are NULL.", "note", "p")
        return
    points = [("NULL" if value is None else value, rows) for value, rows in answer.rows]
    # Category labels for both: the labels themselves, or a number's bins in ascending order.
    shown = [
        f"{value:.4g}" if number else str(value).lower() if isinstance(value, bool) else str(value)
        for value, _ in points
    ]
    most = max(points, key=lambda point: point[1])
    with box, element("figure", "chart"):
        chart = ui.echart(_bars(name, shown, [rows for _, rows in points]), renderer="svg")
        told = ", ".join(f"{label}: {rows}" for label, (_, rows) in zip(shown, points, strict=True))
        chart.props("role=img").props["aria-label"] = f"Distribution of {name}. {told}"
        text(
            f"{name}: {len(points)} {'bins' if number else 'values'}, most rows at {shown[points.index(most)]}",
            "note",
            "figcaption",
        )


def _bars(name: str, labels: list[str], counts: list[int]) -> dict[str, Any]:
    grey = "#7a8694"
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 24, "bottom": 8, "containLabel": True},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": labels,
            "axisLabel": {"color": grey, "hideOverlap": True},
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": grey}},
        },
        "yAxis": {
            "type": "value",
            "name": "rows",
            "nameTextStyle": {"color": grey},
            "axisLabel": {"color": grey},
            "splitLine": {"lineStyle": {"color": grey, "opacity": 0.25}},
        },
        "series": [
            {
                "type": "bar",
                "name": name,
                "data": counts,
                "barMaxWidth": 56,
                "itemStyle": {"color": _BLUE, "borderRadius": [3, 3, 0, 0]},
            }
        ],
    }
