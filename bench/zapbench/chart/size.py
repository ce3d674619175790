# SPDX-License-Identifier: GPL-2.0-only
"""Cost against the size of the range: what a call costs, and what a page adds to it."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from zapbench import text
from zapbench.case import size_text
from zapbench.chart.cost import SUBJECT
from zapbench.chart.fit import Fit, fit_line
from zapbench.chart.labels import Label, draw_labels
from zapbench.chart.palette import BLUE, SKY, VERMILION, Paint
from zapbench.chart.sheet import Sheet, where
from zapbench.error import UsageError
from zapbench.result.bridge import BASELINE
from zapbench.result.store import Results
from zapbench.result.timings import Timings

PANELS = 6
OFF = 0.1
"""A line that misses a point by more is said to."""
COLORS = {SUBJECT: VERMILION, BASELINE: BLUE}
_GAP = 0.085  # between labels, in heights of a panel

PanelKey = tuple[str, str, int]  # workload, backing, page size
Curve = list[Timings]  # over range sizes, ascending


def draw_size(results: Results) -> Figure:
    """Medians with intervals over range sizes, logarithmic, and the line fitted through them.

    Shown are the methods that reach MADV_ZAP's end state, in the first `PANELS` places of the
    matrix that were measured with more than one size.

    Raises:
        UsageError: no place was.
    """
    panels = dict(list(curves(results).items())[:PANELS])
    if not panels:
        raise UsageError(f"{results.directory} has no case that was measured at several sizes")
    sheet = Sheet(len(panels), 2, 2.9, 2.2, left=0.62, right=2.5)
    said = f"{where(results)}; lower is better; lines: fixed cost + cost of a page × pages"
    figure = sheet.figure("Cost against the size of the range, both axes logarithmic", said)
    for index, (panel, methods) in enumerate(panels.items()):
        _draw_panel(sheet.axes(figure, index), panel, methods, results.unit)
    return figure


def curves(results: Results) -> dict[PanelKey, dict[str, Curve]]:
    """The equivalent methods with figures at two sizes or more, by place and method."""
    found: dict[PanelKey, dict[str, Curve]] = defaultdict(lambda: defaultdict(list))
    for group in results.table.groups:
        for row in group.rows:
            case = row.case
            if row.differs is None and not case.axes and row.p50 > 0:
                panel = (case.workload, case.backing, case.page_size)
                found[panel][row.method].append(results.timings[case])
    several = {
        panel: {name: curve for name, curve in methods.items() if len(curve) > 1}
        for panel, methods in found.items()
    }
    return {panel: methods for panel, methods in several.items() if methods}


def fitted(curve: Curve) -> Fit | None:
    """The line through a curve, over pages; None where an operation is on no page."""
    if any(each.pages_per_op < 1 for each in curve):
        return None
    return fit_line([each.pages_per_op for each in curve], [each.median for each in curve])


def _draw_panel(axes: Axes, panel: PanelKey, methods: Mapping[str, Curve], unit: str) -> None:
    workload, backing, page_size = panel
    sizes = sorted({each.case.range_size for curve in methods.values() for each in curve})
    ends = []
    for method, curve in methods.items():
        line = fitted(curve)
        _draw_curve(axes, curve, line, COLORS.get(method, SKY))
        weight = "bold" if method == SUBJECT else "normal"
        label = f"{method}{_said(line)}"
        ends.append(Label(curve[-1].median, sizes[-1], label, weight=weight))
    axes.set(xscale="log", yscale="log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sizes, [size_text(size) for size in sizes])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: text.short(tick)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("range")
    axes.set_ylabel(f"{unit} per operation")
    title = f"{workload}: {backing}, {size_text(page_size)} pages"
    axes.set_title(title, loc="left", weight="bold")
    draw_labels(axes, ends, _GAP)


def _draw_curve(axes: Axes, curve: Curve, line: Fit | None, paint: Paint) -> None:
    sizes = [each.case.range_size for each in curve]
    for size, each in zip(sizes, curve, strict=True):
        low, high = each.interval or (each.median, each.median)
        axes.plot([size, size], [low, high], lw=1, marker="_", ms=4, **paint.look)
    axes.plot(sizes, [each.median for each in curve], "o", ms=3, **paint.look)
    if line is not None:
        xs = np.geomspace(sizes[0], sizes[-1], 24)
        per_byte = curve[-1].pages_per_op / sizes[-1]
        axes.plot(xs, [line.at(float(x) * per_byte) for x in xs], lw=0.9, **paint.look)


def _said(line: Fit | None) -> str:
    if line is None:
        return ""
    off = f" (off by {text.share(line.worst, 0)})" if line.worst > OFF else ""
    return f"  {text.short(line.fixed)} + {text.short(line.marginal)} a page{off}"
