# SPDX-License-Identifier: GPL-2.0-only
"""Cost against the size of the range: what a call costs, and what a page adds to it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from zapbench.case import Case, size_text
from zapbench.chart.cost import SUBJECT
from zapbench.chart.fit import Line, fit_line
from zapbench.chart.palette import BLUE, GREY, SKY, VERMILION, Paint
from zapbench.chart.scatter import spread
from zapbench.chart.sheet import Sheet, where
from zapbench.error import UsageError
from zapbench.result.bridge import BASELINE
from zapbench.result.stats import Series, interval
from zapbench.result.store import Results
from zapbench.result.table import build

PANELS = 6
OFF = 0.1
"""A line that misses a point by more is said to."""
COLORS = {SUBJECT: VERMILION, BASELINE: BLUE}
_GAP = 0.085  # between labels, in heights of a panel

Place = tuple[str, str, int]  # workload, backing, page size
Curve = list[tuple[int, Series]]  # range size in bytes, ascending


def draw_size(results: Results) -> Figure:
    """Medians with intervals over range sizes, logarithmic, and the line fitted through them.

    Shown are the methods that reach MADV_ZAP's end state, in the first `PANELS` places of the
    matrix that were measured with more than one size.

    Raises:
        UsageError: no place was.
    """
    places = dict(list(curves(results).items())[:PANELS])
    if not places:
        raise UsageError(f"{results.directory} has no case that was measured at several sizes")
    sheet = Sheet(len(places), 2, 2.9, 2.2, left=0.62, right=2.5)
    said = f"{where(results)}; lower is better; lines: fixed cost + cost of a page × pages"
    figure = sheet.figure("Cost against the size of the range, both axes logarithmic", said)
    for index, (place, methods) in enumerate(places.items()):
        _draw_panel(sheet.axes(figure, index), place, methods, results.unit)
    return figure


def curves(results: Results) -> dict[Place, dict[str, Curve]]:
    """The equivalent methods with figures at two sizes or more, by place and method."""
    found: dict[Place, dict[str, Curve]] = defaultdict(lambda: defaultdict(list))
    for group in build(results.recording, figures=results.series).groups:
        for row in group.rows:
            case, series = Case.parse(row.case), results.series[row.case]
            if row.differs is None and not case.axes and series.median > 0:
                place = (case.workload, case.backing, case.page_size)
                found[place][row.method].append((case.range_size, series))
    several = {
        place: {name: curve for name, curve in methods.items() if len(curve) > 1}
        for place, methods in found.items()
    }
    return {place: methods for place, methods in several.items() if methods}


def fitted(curve: Curve) -> Line | None:
    """The line through a curve, over pages; None where an operation is on no page."""
    if any(series.pages_per_op < 1 for _, series in curve):
        return None
    return fit_line(
        [series.pages_per_op for _, series in curve], [series.median for _, series in curve]
    )


def _draw_panel(axes: Axes, place: Place, methods: Mapping[str, Curve], unit: str) -> None:
    workload, backing, page_size = place
    sizes = sorted({size for curve in methods.values() for size, _ in curve})
    ends: list[tuple[float, str, str]] = []
    for method, curve in methods.items():
        line = fitted(curve)
        _draw_curve(axes, curve, line, COLORS.get(method, SKY))
        ends.append((curve[-1][1].median, method, _said(line)))
    axes.set(xscale="log", yscale="log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sizes, [size_text(size) for size in sizes])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: _short(tick)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("range")
    axes.set_ylabel(f"{unit} per operation")
    title = f"{workload}: {backing}, {size_text(page_size)} pages"
    axes.set_title(title, loc="left", weight="bold")
    _draw_labels(axes, ends, sizes[-1])


def _draw_curve(axes: Axes, curve: Curve, line: Line | None, paint: Paint) -> None:
    sizes = [size for size, _ in curve]
    for size, series in curve:
        low, high = interval(series.medians) or (series.median, series.median)
        axes.plot([size, size], [low, high], lw=1, marker="_", ms=4, **paint.look)
    axes.plot(sizes, [series.median for _, series in curve], "o", ms=3, **paint.look)
    if line is not None:
        xs = np.geomspace(sizes[0], sizes[-1], 24)
        per_byte = curve[-1][1].pages_per_op / sizes[-1]
        axes.plot(xs, [line.at(float(x) * per_byte) for x in xs], lw=0.9, **paint.look)


def _said(line: Line | None) -> str:
    if line is None:
        return ""
    off = f" (off by {line.worst:.0%})" if line.worst > OFF else ""
    return f"  {_short(line.fixed)} + {_short(line.marginal)} a page{off}"


def _short(value: float) -> str:
    for factor, letter in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{letter}"
    return f"{value:.3g}"


def _draw_labels(axes: Axes, ends: Sequence[tuple[float, str, str]], last: float) -> None:
    """Names and fits beside the panel, each with a line to the end of its curve."""
    low, high = axes.get_ylim()
    ordered = sorted(ends)
    heights = [float(np.log(value / low) / np.log(high / low)) for value, _, _ in ordered]
    for (value, method, said), height in zip(ordered, spread(heights, _GAP, 0, 1), strict=True):
        axes.annotate(
            f"{method}{said}",
            (last, value),
            (1.06, height),
            textcoords="axes fraction",
            size=6.5,
            va="center",
            weight="bold" if method == SUBJECT else "normal",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "relpos": (0, 0.5), **GREY.look},
        )
