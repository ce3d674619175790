# SPDX-License-Identifier: GPL-2.0-only
"""Costs over kernels, oldest first, and where they stepped."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zapbench.chart.palette import BLUE, GREY, VERMILION
from zapbench.chart.sheet import Sheet
from zapbench.error import UsageError

PANELS = 9


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One kernel, or commit: its name, and the cost there with its 95 % interval, if known."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From the point named ``label`` on the cost is ``ratio`` times what it was before."""

    label: str
    ratio: float


@dataclass(frozen=True, slots=True)
class History:
    """One case over kernels; costs in ``unit`` per operation."""

    case: str
    unit: str
    points: tuple[HistoryPoint, ...]
    steps: tuple[Step, ...] = ()


def draw_history(histories: Sequence[History], said: str) -> Figure:
    """A panel for each of the first `PANELS` cases; the axis starts at 0.

    ``said`` is how they were measured.

    Raises:
        UsageError: there is nothing with two points.
    """
    shown = [history for history in histories if len(history.points) > 1][:PANELS]
    if not shown:
        raise UsageError("a history needs two kernels: measure the same cases on another")
    sheet = Sheet(len(shown), 3, 2.6, 1.5, left=0.75, right=0.25, above=0.35, below=0.55)
    figure = sheet.figure("Cost over kernels; steps are marked", said)
    for index, history in enumerate(shown):
        _draw_panel(sheet.axes(figure, index), history)
    return figure


def _draw_panel(axes: Axes, history: History) -> None:
    points = history.points
    xs = range(len(points))
    axes.plot(xs, [point.value for point in points], lw=1, marker="o", ms=3, **BLUE.look)
    for x, point in zip(xs, points, strict=True):
        if point.low is not None and point.high is not None:
            axes.plot([x, x], [point.low, point.high], lw=1, marker="_", ms=5, **BLUE.look)
    top = 1.35 * max(max(point.value, point.high or 0) for point in points)
    axes.set(xlim=(-0.4, len(points) - 0.6), ylim=(0, top))
    places = {point.label: x for x, point in enumerate(points)}
    for step in history.steps:
        if step.label in places:
            _mark(axes, places[step.label], step, top)
    axes.set_xticks(xs, [point.label for point in points])
    if sum(len(point.label) for point in points) > 30:
        axes.tick_params(axis="x", labelrotation=30)
    axes.set_ylabel(history.unit)
    axes.set_title(history.case, loc="left", weight="bold", size=8)


def _mark(axes: Axes, x: int, step: Step, top: float) -> None:
    axes.axvline(x - 0.5, lw=0.8, ls="--", **VERMILION.look)
    text = f"{step.ratio - 1:+.1%}"
    axes.text(x - 0.46, 0.97 * top, text, size=7, va="top", color="black", weight="bold")
    axes.axhline(0, lw=0.5, **GREY.look)
