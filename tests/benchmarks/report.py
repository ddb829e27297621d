"""What was measured, as a table and a chart for people and as JSON for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.goals import AT_MOST, GOALS, Goal
from benchmarks.measuring import Cost
from benchmarks.rivals import AUTO_ENGINE, FLOOR, ONNX_ENGINE, WITHOUT_PREDICT
from benchmarks.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from benchmarks.records import Measurement

_ENGINES = (AUTO_ENGINE, ONNX_ENGINE)
_NOTHING = "–"


@dataclass(frozen=True)
class Run:
    """Everything that a run knows.

    Attributes:
        header: the machine, the versions, the load before and after, the command.
    """

    header: dict[str, Any]
    measurements: Sequence[Measurement]


def write(run: Run, folder: Path, name: str) -> Path:
    """`<name>.json`, `<name>.svg` and `<name>.md`; returns the last."""
    folder.mkdir(parents=True, exist_ok=True)
    from dataclasses import asdict

    raw = {"header": run.header, "measurements": [asdict(one) for one in run.measurements]}
    (folder / f"{name}.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _chart(run, folder / f"{name}.svg")
    target = folder / f"{name}.md"
    target.write_text(markdown(run, f"{name}.svg"), encoding="utf-8")
    return target


def markdown(run: Run, chart: str) -> str:
    """The whole page."""
    lines = ["# PREDICT and what else there is", "", *_header(run.header), "", f"![ratios to the floor]({chart})", ""]
    lines += _goals(run)
    for workload in WORKLOADS:
        for rows, cores in _sizes(run, workload):
            lines += _table(run, workload, rows, cores)
    lines += _growth(run)
    return "\n".join(lines) + "\n"


def _header(header: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in header["versions"].items())
    return [
        f"{header['processor']}, {header['cores']} cores, {header['memory_gib']} GiB, {header['system']};"
        f" Python {header['python']}, {versions}.",
        f"Begun {header['begun']}, ended {header['ended']}, with a load average of {header['load_at_begin']:.1f} and"
        f" {header['load_at_end']:.1f}. `{header['command']}`",
        "",
        "Times are medians of interleaved rounds with the smallest and the largest; the DataFrame is built anew for"
        " each. CPU is the processor time of the process tree: JVM, Python's daemon, its workers. The first round is"
        " cold and counted apart. On a machine that does other work as well, read CPU and not wall clock.",
        "Before anything is timed every rival's rows are compared with those of sqlml's ONNX Runtime engine: labels"
        " identical, probabilities within 1e-5; mlflow gives the label. A rival that disagrees is not timed. MLlib and"
        " xgboost.spark fit models of their own to the same rows.",
        "Raw ONNX Runtime runs in one process without Spark on arrays that are there already, and on a million rows at"
        " most: what is more is extrapolated. Nothing else is.",
    ]


# -- tables ------------------------------------------------------------------------------------------------------------


def _table(run: Run, workload: Workload, rows: int, cores: int) -> list[str]:
    found = [one for one in _of(run, workload.name) if (one.rows, one.cores) == (rows, cores)]
    floor = _only(found, FLOOR if workload.group in ("main", "choice") else WITHOUT_PREDICT)
    ours = _our(found)
    lines = [f"## {workload.title}: {rows:,} rows, {cores} {'core' if cores == 1 else 'cores'}", ""]
    lines.append("| | wall s | CPU s | CPU s per 1 M rows | × floor | × sqlml | cold: wall s, CPU s | plan | rows |")
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    for one in found:
        if one.refused:
            lines.append(f"| {one.rival} | not timed: {_cell(one.refused)} | | | | | | | {_cell(one.agreement)} |")
            continue
        cpu = _processor(one)
        cells = [
            one.rival,
            _spread([cost.wall for cost in _costs(one)]),
            _spread([cost.processor for cost in _costs(one) if cost.processor is not None]),
            _NOTHING if cpu is None else f"{cpu / rows * 1e6:.2f}",
            _ratio(one, floor),
            _ratio(one, ours),
            _cold(one.cold),
            _plan(one),
            _cell(one.agreement),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _goals(run: Run) -> list[str]:
    """Each goal with what was reached at the most rows and cores of the run."""
    lines = ["## Goals", "", "| workload | goal | by CPU | by wall clock | at |", "| --- | --- | ---: | ---: | --- |"]
    asked = {(one.workload, one.rival) for one in run.measurements}
    left = 0
    for goal in GOALS:
        if not all((goal.workload, other) in asked for other in goal.others):
            left += 1
            continue
        reached = reach(run, goal)
        what = f"{'≤' if goal.kind == AT_MOST else '≥'} {goal.limit:g} × {_others(goal)}"
        what += f" + {goal.plus:g} s" if goal.plus else ""
        workload = next(one for one in WORKLOADS if one.name == goal.workload)
        lines.append(f"| {workload.title} | {what} | {' | '.join(reached)} |")
    return [*lines, "", *([f"{left} other goals were not asked about in this run.", ""] if left else [])]


def reach(run: Run, goal: Goal) -> tuple[str, str, str]:
    """The ratio by CPU and by wall clock, each with a mark, and the size it was measured at."""
    workload = next(one for one in WORKLOADS if one.name == goal.workload)
    sizes = _sizes(run, workload)
    if not sizes:
        return (_NOTHING, _NOTHING, "not run")
    rows, cores = max(sizes)
    found = [one for one in _of(run, goal.workload) if (one.rows, one.cores) == (rows, cores)]
    ours = _only(found, goal.ours) or _our(found)
    others = [_only(found, name) for name in goal.others]
    if ours is None or None in others:
        return (_NOTHING, _NOTHING, "not timed")
    combine = min if goal.best else sum
    marks = []
    for kind in ("processor", "wall"):
        mine, theirs = _median(ours, kind), [_median(one, kind) for one in others if one is not None]
        if mine is None or None in theirs:
            marks.append(_NOTHING)
            continue
        total = combine(time for time in theirs if time is not None)
        value = (mine - goal.plus) / total if goal.kind == AT_MOST else total / mine
        reached = value <= goal.limit if goal.kind == AT_MOST else value >= goal.limit
        marks.append(f"{value:.2f} {'✓' if reached else '✗'}")
    where = f"{rows:,} rows, {cores} {'core' if cores == 1 else 'cores'}, {ours.rival}"
    return (marks[0], marks[1], where)


def _growth(run: Run) -> list[str]:
    """CPU-seconds per million rows by the number of rows: a line that does not fall flat is not linear."""
    main = {workload.name for workload in WORKLOADS if workload.group == "main"}
    sizes = sorted({one.rows for one in run.measurements if one.workload in main})
    if len(sizes) < 2:
        return []
    lines = ["## Growth: CPU s per 1 M rows", ""]
    lines.append(f"| workload | | {' | '.join(f'{rows:,} rows' for rows in sizes)} |")
    lines.append("| --- | --- |" + " ---: |" * len(sizes))
    for workload in WORKLOADS:
        found = _of(run, workload.name)
        cores = max((one.cores for one in found), default=0)
        for rival in (FLOOR, *_ENGINES):
            times = []
            for rows in sizes:
                one = _only([one for one in found if (one.rows, one.cores) == (rows, cores)], rival)
                cpu = None if one is None else _processor(one)
                times.append(_NOTHING if cpu is None else f"{cpu / rows * 1e6:.2f}")
            if workload.name in main and set(times) != {_NOTHING}:
                lines.append(f"| {workload.title} | {rival} | {' | '.join(times)} |")
    return [*lines, ""]


# -- the chart ---------------------------------------------------------------------------------------------------------


def _chart(run: Run, target: Path) -> None:
    """Each rival's processor time over the floor's: a panel a workload, at the most rows and cores of the run."""
    import matplotlib

    matplotlib.use("svg")
    # Words as words: as outlines they would be most of the file. The same numbers give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "sqlml"})
    from matplotlib import pyplot

    panels = []
    for workload in WORKLOADS:
        sizes = _sizes(run, workload)
        if workload.group != "main" or not sizes:
            continue
        found = [one for one in _of(run, workload.name) if (one.rows, one.cores) == max(sizes)]
        floor = _only(found, FLOOR)
        base = None if floor is None else _processor(floor)
        bars = [(one.rival, cpu / base) for one in found if base and (cpu := _processor(one)) is not None]
        if bars:
            panels.append((workload.title, sorted(bars, key=lambda bar: bar[1])))
    heights = [len(bars) + 2 for _, bars in panels] or [1]
    figure, axes = pyplot.subplots(
        len(heights), 1, figsize=(8, 0.22 * sum(heights)), squeeze=False, height_ratios=heights, layout="constrained"
    )
    for (title, bars), axis in zip(panels, axes[:, 0], strict=False):
        colours = ["#c2410c" if name.startswith("sqlml") else "#94a3b8" for name, _ in bars]
        axis.barh([name for name, _ in bars], [ratio for _, ratio in bars], color=colours)
        axis.axvline(1, color="black", linewidth=0.8)
        axis.invert_yaxis()
        axis.tick_params(labelsize=7)
        axis.set_title(f"{title}: CPU time, floor = 1", fontsize=8, loc="left")
    figure.savefig(target, metadata={"Date": None})
    pyplot.close(figure)


# -- numbers -----------------------------------------------------------------------------------------------------------


def _of(run: Run, workload: str) -> list[Measurement]:
    return [one for one in run.measurements if one.workload == workload]


def _sizes(run: Run, workload: Workload) -> list[tuple[int, int]]:
    return sorted({(one.rows, one.cores) for one in _of(run, workload.name)})


def _only(found: Iterable[Measurement], rival: str) -> Measurement | None:
    return next((one for one in found if one.rival == rival and not one.refused and _costs(one)), None)


def _our(found: Sequence[Measurement]) -> Measurement | None:
    return next((one for name in _ENGINES if (one := _only(found, name))), None)


def _costs(one: Measurement) -> list[Cost]:
    return one.rounds


def _median(one: Measurement, kind: str) -> float | None:
    values = [getattr(cost, kind) for cost in _costs(one)]
    return None if not values or None in values else statistics.median(values)


def _processor(one: Measurement) -> float | None:
    return _median(one, "processor")


def _ratio(one: Measurement, other: Measurement | None) -> str:
    mine, theirs = _processor(one), None if other is None else _processor(other)
    return f"{mine / theirs:.2f}" if mine is not None and theirs else _NOTHING


def _spread(values: Sequence[float]) -> str:
    if not values:
        return _NOTHING
    # Of milliseconds hundredths of a second say nothing.
    digits = 2 if max(values) >= 0.1 else 4
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def _cold(cost: Cost | None) -> str:
    if cost is None:
        return _NOTHING
    return f"{cost.wall:.2f}" + ("" if cost.processor is None else f", {cost.processor:.2f}")


def _plan(one: Measurement) -> str:
    """What the query does besides: columns read from files, joins, the way to Python."""
    if one.columns is None:
        return _NOTHING
    joins = f", {one.joins} joins" if one.joins else ""
    return f"{one.columns} columns{joins}" + (", Python" if one.python else "")


def _others(goal: Goal) -> str:
    return f"the better of {' and '.join(goal.others)}" if goal.best else f"({' + '.join(goal.others)})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
