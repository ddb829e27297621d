"""The plots of a training for its MLflow run, drawn from the data of `sqlml.estimators.curves`.

Each plot is a PNG by matplotlib; all of them together are one HTML page by plotly that needs no network. Figures are
made without pyplot, whose state is shared by all threads of the driver.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

Trace = dict[str, Any]
_SIZE, _DPI = (6.0, 4.5), 100
# The left margin of the axes; the wide one has room for names.
_LEFT, _WIDE_LEFT, _WITH_NAMES = 0.13, 0.36, ("confusion_matrix", "feature_importance")
_DOTTED = {"line": {"dash": "dot", "color": "grey"}, "name": "", "showlegend": False, "hoverinfo": "skip"}
# Light to dark, as in matplotlib; plotly's own Blues are reversed.
_BLUES = [[0.0, "#f7fbff"], [0.5, "#6baed6"], [1.0, "#08306b"]]
_INSTALL = "pip install 'sqlml[plots]'"


def draw(curves: dict[str, Any], title: str, folder: Path) -> list[str]:
    """Writes `<name>.png` for each plot, and `plots.html`; returns the plots' names.

    Raises:
        ModuleNotFoundError: matplotlib or plotly is missing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    pages: list[dict[str, Any]] = []
    names: list[str] = []
    for name, heading, png, traces, layout in _pictures(curves):
        figure = Figure(figsize=_SIZE, dpi=_DPI)
        # Fixed margins: matplotlib's automatic layouts take longer than the drawing.
        figure.subplots_adjust(left=_WIDE_LEFT if name in _WITH_NAMES else _LEFT, right=0.96, bottom=0.13, top=0.92)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        figure.suptitle(f"{title}: {heading}", fontsize="medium")
        png(axes)
        figure.savefig(folder / f"{name}.png")
        pages.append({"data": traces, "layout": {**layout, "title": {"text": heading}, "width": 640, "height": 480}})
        names.append(name)
    (folder / "plots.html").write_text(_page(title, pages, _library()), encoding="utf-8")
    return names


def missing(error: ModuleNotFoundError) -> str:
    """The message for a missing package."""
    return f"no plots: the Python package {error.name} is missing. Install it where the driver runs: {_INSTALL}"


@functools.cache
def _library() -> str:
    """Plotly's JavaScript, gzipped from 4.8 MB to two fifths, because each run has a page of its own."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


_STYLE = "body { font-family: sans-serif } .plots { display: flex; flex-wrap: wrap }"
_UNPACK = """
  const packed = Uint8Array.from(atob(document.getElementById("library").textContent), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.appendChild(script);"""


def _page(title: str, figures: list[dict[str, Any]], library: str) -> str:
    """The HTML page: plotly's packed library, and a figure for each plot."""
    # `</script` in a label would end the script element.
    data = json.dumps(figures, ensure_ascii=False).replace("</", "<\\/")
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><h1>{escape(title)}</h1><div class="plots"></div>
<script id="library" type="text/plain">{library}</script>
<script>
(async () => {{{_UNPACK}
  for (const figure of {data}) {{
    const place = document.createElement("div");
    document.querySelector(".plots").appendChild(place);
    Plotly.newPlot(place, figure.data, figure.layout, {{displaylogo: false}});
  }}
}})().catch((error) => {{ document.querySelector(".plots").textContent = error; }});
</script></body></html>
"""


Picture = tuple[str, str, Callable[[Any], None], list[Trace], dict[str, Any]]
"""File name, heading, what draws it on matplotlib's axes, plotly's traces and layout."""


def _pictures(curves: dict[str, Any]) -> Iterator[Picture]:
    """Yields a plot for each curve that there is data for."""
    if curves.get("roc"):
        named = [(f"{one['label']} (area {one['area']:.3f})", one) for one in curves["roc"]]
        yield _lines("roc", "ROC curve", "false positive rate", "true positive rate", named, [0, 1])
    if "precision_recall" in curves:
        one = curves["precision_recall"]
        named = [(f"{one['label']} (average precision {one['area']:.3f})", one)]
        yield _lines("precision_recall", "precision and recall", "recall", "precision", named, None)
    if "calibration" in curves:
        one = curves["calibration"]
        named = [(one["label"], one)]
        yield _lines("calibration", "calibration", "mean probability", "share of rows", named, [0, 1], marker="o")
    if "confusion" in curves:
        yield _confusion(**curves["confusion"])
    if "points" in curves:
        actual, predicted = curves["points"]["actual"], curves["points"]["predicted"]
        ends = [min(*actual, *predicted), max(*actual, *predicted)] if actual else [0, 1]
        yield _points(
            "predicted_vs_actual", "predicted and actual", "actual", "predicted", actual, predicted, ends, ends
        )
        residuals = [a - p for a, p in zip(actual, predicted, strict=True)]
        sides = [min(predicted, default=0), max(predicted, default=1)]
        yield _points("residuals", "residuals", "predicted", "actual - predicted", predicted, residuals, sides, [0, 0])
    if "importance" in curves:
        yield _bars(**curves["importance"])


def _lines(
    name: str,
    heading: str,
    x: str,
    y: str,
    named: list[tuple[str, dict[str, Any]]],
    diagonal: list[int] | None,
    marker: str | None = None,
) -> Picture:
    """A plot of curves, with the diagonal for comparison where `diagonal` is given."""

    def png(axes: Any) -> None:
        for label, one in named:
            axes.plot(one["x"], one["y"], label=label, marker=marker)
        if diagonal:
            axes.plot(diagonal, diagonal, linestyle=":", color="grey")
        axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.legend(fontsize="small")

    traces: list[Trace] = [
        {"type": "scatter", "mode": "lines+markers" if marker else "lines", "name": label, "x": one["x"], "y": one["y"]}
        for label, one in named
    ]
    if diagonal:
        traces.append({"type": "scatter", "mode": "lines", "x": diagonal, "y": diagonal, **_DOTTED})
    layout = {"showlegend": True, "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0}}
    return name, heading, png, traces, {**layout, **_titles(x, y, range=[-0.02, 1.02])}


def _confusion(labels: list[str], counts: list[list[int]]) -> Picture:
    """A heat map of the confusion matrix, with the counts where there are at most 12 labels."""

    def png(axes: Any) -> None:
        axes.imshow(counts, cmap="Blues")
        ticks = range(len(labels))
        axes.set_xticks(ticks, labels, rotation=45 if len(labels) > 4 else 0)
        axes.set_yticks(ticks, labels)
        axes.set(xlabel="predicted", ylabel="actual")
        most = max(map(max, counts))
        for row in ticks if len(labels) <= 12 else ():
            for column in ticks:
                count = counts[row][column]
                color = "white" if count > most / 2 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=color)

    trace = {"type": "heatmap", "x": labels, "y": labels, "z": counts, "colorscale": _BLUES, "texttemplate": "%{z}"}
    layout = _titles("predicted", "actual", type="category", automargin=True)
    layout["yaxis"]["autorange"] = "reversed"
    return "confusion_matrix", "confusion matrix", png, [trace], layout


def _points(
    name: str,
    heading: str,
    x: str,
    y: str,
    xs: list[float],
    ys: list[float],
    line_x: list[float],
    line_y: list[float],
) -> Picture:
    """A scatter plot with a dotted reference line."""

    def png(axes: Any) -> None:
        axes.scatter(xs, ys, s=8, alpha=0.5)
        axes.plot(line_x, line_y, linestyle=":", color="grey")
        axes.set(xlabel=x, ylabel=y)

    traces: list[Trace] = [
        {"type": "scatter", "mode": "markers", "x": xs, "y": ys, "name": "rows", "marker": {"opacity": 0.5}},
        {"type": "scatter", "mode": "lines", "x": line_x, "y": line_y, **_DOTTED},
    ]
    return name, heading, png, traces, {"showlegend": False, **_titles(x, y)}


def _bars(kind: str, features: list[str], values: list[float]) -> Picture:
    upwards = list(range(len(features)))[::-1]

    def png(axes: Any) -> None:
        axes.barh(upwards, values)
        axes.set_yticks(upwards, [feature[:30] for feature in features], fontsize="small")
        axes.set(xlabel=kind)

    trace = {"type": "bar", "orientation": "h", "x": values[::-1], "y": features[::-1]}
    return "feature_importance", "feature importance", png, [trace], _titles(kind, "", automargin=True)


def _titles(x: str, y: str, **both: Any) -> dict[str, Any]:
    """Plotly's layout of both axes."""
    return {"xaxis": {"title": {"text": x}, **both}, "yaxis": {"title": {"text": y}, **both}}
