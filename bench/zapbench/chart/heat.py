# SPDX-License-Identifier: GPL-2.0-only
"""A heat map: which method is how much dearer than the cheapest, where."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zapbench.case import Case, methods, size_text
from zapbench.chart.palette import BLACK, BLUE, GREY, INK, WHITE
from zapbench.chart.sheet import Sheet, where
from zapbench.error import UsageError
from zapbench.result.store import Results
from zapbench.result.table import Group, Row, build

DARKEST = 10.0
"""A method so many times as dear as the cheapest has the full colour; beyond it, too."""
_DARK_TEXT = 0.55  # from this strength of the colour on, white text is read better
PLACES = 12


def draw_heat(results: Results, workload: str = "cycle") -> Figure:
    """Methods by places of the matrix; the colour is the ratio to the cheapest equivalent.

    Methods of another end state are outlined and have no colour: they are not ranked.

    Raises:
        UsageError: the result has no such figures.
    """
    groups = [
        group
        for group in build(results.recording, figures=results.series).groups
        if (case := Case.parse(group.rows[0].case)).workload == workload and not case.axes
    ][:PLACES]
    if not groups:
        raise UsageError(f"{results.directory} has no {workload} figures to map")
    named = {row.method for group in groups for row in group.rows}
    names = [name for name in [*methods(), *sorted(named - set(methods()))] if name in named]
    sheet = Sheet(1, 1, len(groups) * 0.82, len(names) * 0.3, left=1.1, above=0.6, below=0.2)
    said = f"{where(results)}; median of one operation in {results.unit}, and × the cheapest"
    figure = sheet.figure(f"{workload}: methods by what is mapped", said)
    axes = sheet.axes(figure, 0)
    for x, group in enumerate(groups):
        _draw_column(axes, x, group, names)
    _label(axes, groups, names)
    return figure


def _draw_column(axes: Axes, x: int, group: Group, names: Sequence[str]) -> None:
    rows: Mapping[str, Row] = {row.method: row for row in group.rows}
    best = next((row.p50 for row in group.rows if row.best), None)
    for y, name in enumerate(names):
        row = rows.get(name)
        if row is None:
            axes.text(x, y, "—", ha="center", va="center", **GREY.look)
            continue
        ratio = row.p50 / best if best else None
        fair = row.differs is None and ratio is not None
        strength = min(math.log(max(ratio or 1, 1)) / math.log(DARKEST), 1.0) if fair else 0.0
        look = GREY.outline | ({"facecolor": mixed(strength)} if fair else {"linestyle": ":"})
        axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, clip_on=False, lw=0.5, **look))
        said = _short(row.p50) + (f"\n{ratio:.3g}×" if ratio is not None else "")
        paint = WHITE if strength > _DARK_TEXT else BLACK if fair else INK
        axes.text(x, y, said, ha="center", va="center", size=6.5, linespacing=1.05, **paint.look)


def mixed(strength: float) -> str:
    """White for 0 up to `BLUE` for 1, as #rrggbb."""
    parts = (int(BLUE.light[i : i + 2], 16) for i in (1, 3, 5))
    red, green, blue = (round(255 + (part - 255) * strength) for part in parts)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _label(axes: Axes, groups: Sequence[Group], names: Sequence[str]) -> None:
    differs = {row.method for group in groups for row in group.rows if row.differs is not None}
    axes.set(xlim=(-0.5, len(groups) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), [f"≠ {n}" if n in differs else n for n in names])
    cases = [Case.parse(group.rows[0].case) for group in groups]
    labels = [
        f"{case.backing}\n{size_text(case.page_size)} pages\n{size_text(case.range_size)} range"
        for case in cases
    ]
    axes.set_xticks(range(len(labels)), labels)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _short(value: float) -> str:
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{letter}"
    return f"{value:.3g}"
