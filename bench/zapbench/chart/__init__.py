# SPDX-License-Identifier: GPL-2.0-only
"""Charts of results.  The only user of matplotlib.

A chart is a function from a result to a figure, with a row in `CHARTS`.  Made again from the
same records a file has the same bytes: no date, no random ids, the user's style left out.
Text stays text in an SVG, the roles of its parts are classes, and what is said of a part behind
a bar in its gid is what a pointer shows.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import style
from matplotlib.figure import Figure

from zapbench.chart.contract import draw_contract
from zapbench.chart.cost import draw_cost
from zapbench.chart.fault import draw_latency, draw_stages, draw_throughput
from zapbench.chart.flame import Cost, draw_flame
from zapbench.chart.heat import draw_heat
from zapbench.chart.scatter import draw_scatter
from zapbench.chart.size import draw_size
from zapbench.chart.trend import History, draw_history
from zapbench.error import UsageError
from zapbench.host.file import write_output
from zapbench.result.bridge import Bridge
from zapbench.result.store import Results

SUFFIXES = (".svg", ".png")
DPI = 150
_STYLE: dict[Any, Any] = {
    "axes.facecolor": "none",
    "axes.labelsize": 8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "font.family": "sans-serif",
    "font.size": 8,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "zapbench",
    "text.parse_math": False,  # a kernel may be named with a dollar sign
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}
_ROLE = re.compile(rb"""<g id=(["'])((?:fill-|stroke-)[\w -]*)(?:\|(.*?))?\1>""")
_METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": "zapbench"},
    ".png": {"Software": None},
}


class Chart(NamedTuple):
    """A row of the charts that show one result."""

    summary: str
    draw: Callable[[Results], Figure]


CHARTS = {
    "cycle": Chart(
        "drop the entries, trap, resolve and touch every page",
        partial(draw_cost, workload="cycle"),
    ),
    "zap": Chart("drop the entries: the calls alone", partial(draw_cost, workload="zap")),
    "heat": Chart("methods by what is mapped, against the cheapest", draw_heat),
    "size": Chart("cost against range size: what a call costs, what a page adds", draw_size),
    "contract": Chart("what each method was seen to keep", draw_contract),
    "latency": Chart("quantiles of a minor fault, by page size", draw_latency),
    "throughput": Chart("minor faults per second against threads", draw_throughput),
    "stages": Chart("where the time of a minor fault goes", draw_stages),
}


def check(path: Path) -> None:
    """See that a chart can be named so, before the work.

    Raises:
        UsageError: of no known kind.
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(f"cannot draw {path}: its name must end in {' or '.join(SUFFIXES)}")


def draw(results: Results, kind: str) -> Figure:
    """One of `CHARTS`.

    Raises:
        UsageError: the result has no figures of that kind.
    """
    with style.context(["default", _STYLE]):
        return CHARTS[kind].draw(results)


def draw_bridge(bridge: Bridge) -> Figure:
    """Counted against timed ratios, and what is estimated from them."""
    with style.context(["default", _STYLE]):
        return draw_scatter(bridge)


def draw_calls(paths: Mapping[tuple[str, ...], Cost], title: str, said: str) -> Figure:
    """Instructions by call path; see `zapbench.chart.flame.draw_flame`.

    Raises:
        UsageError: nothing was counted.
    """
    with style.context(["default", _STYLE]):
        return draw_flame(paths, title, said)


def draw_kernels(histories: Sequence[History], said: str) -> Figure:
    """Costs over kernels; see `zapbench.chart.trend.draw_history`.

    Raises:
        UsageError: there is nothing with two points.
    """
    with style.context(["default", _STYLE]):
        return draw_history(histories, said)


def save(figure: Figure, path: Path) -> None:
    """Write an SVG or PNG file, whole or not at all.

    Raises:
        UsageError: of no known kind.
        DiskFull: it cannot be written; the one of before, if any, is left.
    """
    check(path)
    drawn = io.BytesIO()
    form = path.suffix.removeprefix(".")
    with mpl.rc_context(_STYLE):
        figure.savefig(drawn, format=form, dpi=DPI, metadata=_METADATA[path.suffix])
    content = drawn.getvalue()
    if path.suffix == ".svg":  # many artists have the same role, but an id names one
        content = _ROLE.sub(_as_class, content)
    write_output(path, content)


def _as_class(group: re.Match[bytes]) -> bytes:
    _, role, said = group.groups()
    return b'<g class="%s">' % role + (b"<title>%s</title>" % said if said else b"")
