# SPDX-License-Identifier: GPL-2.0-only
"""The headline chart: what each method costs, by what is mapped.

The costs at one place of the matrix span a factor of 100 where a method loses the data and
has to copy it back, and 1.02 between the methods that matter.  So each place is a panel with
an axis of its own, from zero to what the equivalent methods need; a bar of another method
that would go beyond it is cut, visibly, and says its figure.
"""

import textwrap
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zapbench import text
from zapbench.case import NO_METHOD, Case, backings, grid, methods, view
from zapbench.chart.palette import BLUE, GREY, PAPER, SKY, VERMILION, add_legend
from zapbench.error import UsageError
from zapbench.kernel.words import short
from zapbench.result.bridge import BASELINE
from zapbench.result.store import Results
from zapbench.result.table import TIER_NOTES, Group, Row, place_text

SUBJECT = "madv_zap"
"""The method that the comparison is made for."""
COLUMNS = 3
CUT = 1.25  # bars end here, in units of what the equivalent methods need; labels follow
AXIS = 2.05
_NAMES, _CELL, _GAP, _ROW, _HEAD = 1.15, 2.7, 0.18, 0.185, 0.6  # inches
_TOP, _KEY, _LINE = 0.62, 0.92, 0.145  # the title, the legend's key, a line of its text
_WRAP = 50


@dataclass(frozen=True, slots=True)
class Bar:
    """One method at one place; ``value``, ``low`` and ``high`` in the record's unit.

    ``ratio`` is to `BASELINE` at the same place, ``differs`` says why the method is not
    equivalent there.
    """

    value: float
    low: float | None
    high: float | None
    ratio: float | None
    differs: str | None


@dataclass(frozen=True, slots=True)
class Panel:
    """The bars of one place by method; ``absent`` has a word for those without a figure.

    ``case`` is one of those that are there.
    """

    case: Case
    bars: dict[str, Bar]
    absent: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Cells in rows, tall enough for the methods; the last row also for the remarks."""

    cells: int
    methods: int
    remarks: int

    @property
    def columns(self) -> int:
        return min(COLUMNS, self.cells)

    @property
    def _cell(self) -> float:
        return self.methods * _ROW + _HEAD

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        above = (self.cells - 1) // self.columns * self._cell
        last = max(self._cell, _KEY + self.remarks * _LINE + 0.3)
        return _NAMES + self.columns * (_CELL + _GAP), _TOP + above + last

    def axes(self, figure: Figure, index: int) -> Axes:
        line, column = divmod(index, self.columns)
        width, height = self.size
        tall = self.methods * _ROW
        left = _NAMES + column * (_CELL + _GAP)
        bottom = height - _TOP - line * self._cell - 0.2 - tall
        return figure.add_axes((left / width, bottom / height, _CELL / width, tall / height))


def draw_cost(results: Results, workload: str) -> Figure:
    """Bars with intervals: methods of one workload, a panel for each place of the matrix.

    Shown are the places of the quick grid where userfaultfd has a minor mode or, if the
    result has none of them, all places that it has.

    Raises:
        UsageError: the result has no figure of the workload.
    """
    panels = _panels(results, workload)
    rows = _order(panels)
    remarks = _remarks(panels, _lacking(results, workload, rows))
    sheet = _Sheet(len(panels) + 1, len(rows), len(remarks))
    figure = Figure(figsize=sheet.size)
    _title(figure, results, workload, sheet.size)
    for index, panel in enumerate(panels):
        axes = sheet.axes(figure, index)
        _draw_panel(axes, panel, rows, results.unit, named=index % sheet.columns == 0)
    _legend(sheet.axes(figure, len(panels)), rows, remarks)
    return figure


def _panels(results: Results, workload: str) -> list[Panel]:
    groups = results.table.of(workload)
    if not groups:
        raise UsageError(
            f"{results.directory} has no {workload} figures: {_why_none(results, workload)}"
        )
    headline = {
        _place(cell.case)
        for cell in grid(quick=True)
        if cell.case.workload == workload and backings()[cell.case.backing].uffd_minor
    }
    shown = [group for group in groups if _place(group.case) in headline] or groups
    return [_panel(results, group) for group in shown]


def _why_none(results: Results, workload: str) -> str:
    for lacks, word in ((results.failed, "failed"), (results.skipped, "skipped")):
        reasons = {case: reason for case, reason in lacks if case.workload == workload}
        if reasons:
            return f"{len(reasons)} cases {word} ({next(iter(reasons.values()))})"
    return "no such case was run; `zapbench run --quick` does"


def _place(case: Case) -> Case:
    """What a case has in common with those of other methods."""
    return replace(case, method=NO_METHOD)


def _panel(results: Results, group: Group) -> Panel:
    bars = {row.method: _bar(results, row) for row in group.rows}
    cases = {name: replace(group.case, method=name) for name in methods() if name not in bars}
    absent = {name: _word(results, case) for name, case in cases.items()}
    return Panel(group.case, bars, absent)


def _word(results: Results, case: Case) -> str:
    """Why a case has no figure."""
    for lacks, word in ((results.failed, "failed"), (results.skipped, "skipped")):
        if any(lack.case == case for lack in lacks):
            return f"{word}, see the table"
    return "not possible here" if case.excluded else "not measured"


def _bar(results: Results, row: Row) -> Bar:
    each = results.timings[row.case]
    base = results.timings.get(replace(row.case, method=BASELINE))
    low, high = each.interval or (None, None)
    found = each.relative_to(base) if base is not None else None
    return Bar(each.median, low, high, found.value if found is not None else None, row.differs)


def _order(panels: Iterable[Panel]) -> dict[str, bool]:
    """Methods with a figure somewhere, in the order of the C table, and whether one differs.

    Those that differ anywhere come last, so that none of them ever leads.
    """
    differs: dict[str, bool] = defaultdict(bool)
    for panel in panels:
        for method, bar in panel.bars.items():
            differs[method] |= bar.differs is not None
    known = [*methods(), *differs]  # what this zapbench does not know comes last
    order = sorted(differs, key=lambda name: (differs[name], known.index(name)))
    return {method: differs[method] for method in order}


def _title(figure: Figure, results: Results, workload: str, size: tuple[float, float]) -> None:
    kernel, release = short(results.kernel), results.contexts[0].uname.release
    name = kernel if kernel == release else f"{kernel} ({release})"
    processes = "processes" if results.tier == "native" else "boots"
    note = TIER_NOTES.get(results.tier, results.tier)
    said = f"Linux {name}; {results.tier}: {note}; {results.boots} {processes}; lower is better"
    if results.recording.truncated:
        said += "; incomplete: the measurement was cut off"
    left = 0.1 / size[0]
    top = 1 - 0.08 / size[1]
    figure.text(
        left, top, view(workload).title or f"Cost of {workload}", size=12, weight="bold", va="top"
    )
    wrapped = textwrap.fill(said, int(size[0] * 15.3))
    figure.text(left, top - 0.24 / size[1], wrapped, size=8, va="top", **GREY.look)


def _draw_panel(axes: Axes, panel: Panel, rows: dict[str, bool], unit: str, *, named: bool) -> None:
    fair = [bar for bar in panel.bars.values() if bar.differs is None]
    limit = max((_reach(bar) for bar in fair or panel.bars.values()), default=0) or 1.0
    factor, label = text.axis_scale(limit, unit)
    limit /= factor
    for y, method in enumerate(rows):
        if method in panel.bars:
            _draw_bar(axes, y, method, panel.bars[method], factor=factor, limit=limit)
        else:
            word = panel.absent.get(method, "not measured")
            axes.text(0.02 * limit, y, word, size=6.5, va="center", style="italic", **GREY.look)
    axes.set(xlim=(0, AXIS * limit), ylim=(len(rows) - 0.4, -0.6))
    axes.set_xlabel(label, loc="left", labelpad=1)
    axes.set_title(place_text(panel.case), loc="left", weight="bold", pad=3)
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= CUT * limit])
    axes.set_yticks(range(len(rows)), [f"≠ {m}" if d else m for m, d in rows.items()])
    axes.tick_params(axis="y", length=0, labelleft=named)
    axes.spines["bottom"].set_bounds(0, CUT * limit)
    first = list(rows.values()).index(True) if True in rows.values() else 0
    if first:
        axes.axhline(first - 0.5, linewidth=0.5, linestyle=":", **GREY.look)


def _reach(bar: Bar) -> float:
    """How far a bar with its interval goes; an interval of few boots may be absurdly long."""
    return max(bar.value, min(bar.high or bar.value, 1.3 * bar.value))


def _draw_bar(axes: Axes, y: int, method: str, bar: Bar, *, factor: float, limit: float) -> None:
    value, end = bar.value / factor, CUT * limit
    axes.barh(y, min(value, end), 0.72, **_look(method, bar.differs), zorder=2)
    reach = min(value, end)
    if value > end:
        for x in (0.955, 0.98):  # a torn end: the bar goes on
            axes.plot(
                [x * end, (x + 0.02) * end], [y + 0.48, y - 0.48], lw=1.6, zorder=3, **PAPER.look
            )
    elif bar.low is not None and bar.high is not None:
        low, high = bar.low / factor, min(bar.high / factor, end)
        axes.plot([low, high], [y, y], color="black", lw=1.1, marker="|", ms=4, zorder=4)
        reach = max(value, high)
    said = text.bar(value)
    if method == BASELINE:
        said += " (base)"
    elif bar.ratio is not None:
        said += f"  {text.bar(bar.ratio)}×"
    weight = "bold" if method == SUBJECT else "normal"
    axes.text(reach + 0.03 * limit, y, said, size=7, va="center", weight=weight, zorder=5)


def _look(method: str, differs: str | None) -> dict[str, Any]:
    if differs is not None:
        return {"hatch": "/////", "linewidth": 0.6, **GREY.outline}
    return {SUBJECT: VERMILION, BASELINE: BLUE}.get(method, SKY).look


def _legend(axes: Axes, rows: Collection[str], remarks: Sequence[str]) -> None:
    axes.set_axis_off()
    handles: list[Patch | Line2D] = [
        *([Patch(**_look(SUBJECT, None), label=SUBJECT)] if SUBJECT in rows else []),
        Patch(**_look(BASELINE, None), label=f"{BASELINE}: ratios (×) are to it"),
        Patch(**_look("", None), label="other methods with the same end state"),
        Patch(**_look("", "differs"), label="≠ another end state: for scale, not ranked"),
        Line2D([], [], color="black", marker="|", ms=5, label="95 % interval of boot medians"),
    ]
    add_legend(axes, handles, loc="upper left", bbox_to_anchor=(-0.04, 1.04), fontsize=7.5)
    axes.annotate(
        "\n".join(remarks),
        (0, 1),
        (0, -72 * _KEY),
        xycoords="axes fraction",
        textcoords="offset points",
        size=7,
        va="top",
        linespacing=1.35,
    )


def _remarks(panels: Sequence[Panel], lacking: Sequence[str]) -> list[str]:
    """Lines below the key."""
    said = [f"≠ {', '.join(names)}: {why}" for why, names in _whys(panels).items()]
    said.append("A torn bar goes on beyond its axis; its figure is written.")
    if lacking:
        said.append(f"No figure of {', '.join(lacking)}: skipped, the table says why.")
    return [line for each in said for line in textwrap.wrap(each, _WRAP, subsequent_indent="   ")]


def _whys(panels: Iterable[Panel]) -> dict[str, list[str]]:
    whys: dict[str, list[str]] = defaultdict(list)
    for panel in panels:
        for method, bar in panel.bars.items():
            if bar.differs is not None and method not in whys[bar.differs]:
                whys[bar.differs].append(method)
    return whys


def _lacking(results: Results, workload: str, rows: Collection[str]) -> list[str]:
    """Methods that were skipped everywhere."""
    skipped = {case.method for case, _ in results.skipped if case.workload == workload}
    return [method for method in methods() if method in skipped and method not in rows]
