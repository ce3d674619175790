# SPDX-License-Identifier: GPL-2.0-only
"""The bridge as a picture: counted against timed ratios, and where they agree."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from zapbench import text
from zapbench.case import Case, size_text
from zapbench.chart.labels import Label, draw_labels
from zapbench.chart.palette import BAND, BLUE, GREY, LEADER, SKY, VERMILION, add_legend
from zapbench.kernel.words import short
from zapbench.result.bridge import BASELINE, Agreement, Bridge, NativeEstimate, Point

SIZE = (10.4, 5.0)  # inches
_PANELS = ((0.055, 0.19, 0.265, 0.64), (0.57, 0.19, 0.265, 0.64))  # left, bottom, width, height
_MARGIN = 1.18  # factor that is left free beyond the outermost points
_GAP, _HIGHEST = 0.038, 0.95  # of labels, in heights of a panel
_DENSE = (0.5, 0.6, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_SPARSE = tuple(digit * 10.0**power for power in range(-6, 7) for digit in (1, 3))


def draw_scatter(bridge: Bridge) -> Figure:
    """Each point a method at one place of the matrix, both axes logarithmic.

    On the line, counting predicts time.  Left the methods of the same end state, whose spread
    about the line (the band) is the residual of the estimates; right all methods.
    """
    figure = Figure(figsize=SIZE)
    _title(figure, bridge)
    fair = [point for point in bridge.points if point.equivalent]
    for box, name, points, agreement, estimates in (
        (_PANELS[0], "same end state", fair, bridge.equivalent, bridge.estimates),
        (_PANELS[1], "all methods", bridge.points, bridge.all, ()),
    ):
        axes = figure.add_axes(box)
        axes.set_title(f"{name}: {_agreement_text(agreement)}", loc="left", weight="bold")
        axes.set_xlabel(f"counted: instructions, ratio to {BASELINE}")
        axes.set_ylabel(f"timed: ns, ratio to {BASELINE}", labelpad=2)
        _draw_panel(axes, points, estimates, agreement.factor)
    _legend(figure)
    return figure


def _title(figure: Figure, bridge: Bridge) -> None:
    title = f"Do counted instructions predict time? Methods related to {BASELINE}"
    figure.text(
        0.01, 0.985, f"{title}, workload {bridge.workload}", size=12, weight="bold", va="top"
    )
    said = (
        f"counted: Linux {short(bridge.icount)}, icount (a virtual machine), "
        f"{bridge.icount_boots} boots; timed: Linux {bridge.native}, native, "
        f"{bridge.native_boots} processes; with 95 % intervals of boot medians"
    )
    figure.text(0.01, 0.94, textwrap.fill(said, 160), size=8, va="top", **GREY.look)


def _agreement_text(agreement: Agreement) -> str:
    said = text.number(agreement.points, "point")
    if agreement.rank_correlation is not None:
        said += f", ρ = {text.ratio(agreement.rank_correlation)}"
    if agreement.factor is not None:
        said += f", residual ×/÷ {text.ratio(agreement.factor)}"
    return said


def _draw_panel(
    axes: Axes, points: Sequence[Point], estimates: Sequence[NativeEstimate], factor: float | None
) -> None:
    values = [1.0, *(v for p in points for v in (p.icount.value, p.native.value))]
    values += [each.ratio.value for each in estimates]
    low, high = min(values) / _MARGIN, max(values) * _MARGIN
    line = np.geomspace(low / 10, high * 10, 2)
    axes.plot(line, line, lw=0.8, ls="--", zorder=1, **GREY.look)
    if factor is not None:
        axes.fill_between(line, line / factor, line * factor, lw=0, zorder=0, **BAND.look)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    ticks = [t for t in (_DENSE if high / low < 10 else _SPARSE) if low <= t <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
        axis.set_minor_locator(NullLocator())
    for point in points:
        _draw_point(axes, point)
    for estimate in estimates:
        axes.plot(estimate.ratio.value, estimate.ratio.value, **_STAR)
    labels = [Label(p.native.value, p.icount.value, _label(p.case)) for p in points]
    labels += [
        Label(e.ratio.value, e.ratio.value, f"{_label(e.case)}, estimated") for e in estimates
    ]
    draw_labels(axes, _thinned(points, labels), _GAP, high=_HIGHEST, line=_LEADER)


_STAR: dict[str, Any] = {"marker": "*", "ms": 8, "ls": "none", "zorder": 4, **VERMILION.hollow}
_DOT: dict[str, Any] = {"marker": "o", "ms": 4, "ls": "none", "zorder": 3, **BLUE.look}
_RING: dict[str, Any] = {"marker": "o", "ms": 4, "ls": "none", "zorder": 3, **GREY.hollow}
_LEADER: dict[str, Any] = {"shrinkA": 1, "shrinkB": 2, **LEADER.look}


def _draw_point(axes: Axes, point: Point) -> None:
    x, y = point.icount, point.native
    if x.low is not None and x.high is not None:
        axes.plot([x.low, x.high], [y.value, y.value], lw=0.8, zorder=2, **SKY.look)
    if y.low is not None and y.high is not None:
        axes.plot([x.value, x.value], [y.low, y.high], lw=0.8, zorder=2, **SKY.look)
    axes.plot(x.value, y.value, **(_DOT if point.equivalent else _RING))


def _thinned(points: Sequence[Point], labels: Sequence[Label]) -> list[Label]:
    """What is labelled: everything, or only what differs where the rest is labelled next to it."""
    if all(point.equivalent for point in points):
        return list(labels)
    return [label for point, label in zip(points, labels, strict=True) if not point.equivalent]


def _label(case: Case) -> str:
    sizes = f"{size_text(case.page_size)}/{size_text(case.range_size)}"
    axes = "".join(f" {key}={value}" for key, value in case.axes)
    return f"{case.method} {case.backing} {sizes}{axes}"


def _legend(figure: Figure) -> None:
    add_legend(
        figure,
        [
            Line2D([], [], **_DOT, label="same end state"),
            Line2D([], [], **_RING, label="another end state"),
            Line2D([], [], **_STAR, label="not timed: estimated from the count"),
            Line2D([], [], **GREY.look, lw=0.8, ls="--", label="counted = timed"),
            Patch(**BAND.look, label="×/÷ residual: holds 95 %"),
        ],
        loc="lower left",
        bbox_to_anchor=(0.005, 0.0),
        ncols=5,
        fontsize=7.5,
    )
