# SPDX-License-Identifier: GPL-2.0-only
"""Minor faults: how their latency is distributed, how many a second, and where the time goes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from zapbench.case import MINOR_FAULT, Case, axis_values, size_text
from zapbench.chart.cost import SUBJECT
from zapbench.chart.palette import BLUE, CURVES, GREY, SKY, VERMILION, Paint, add_legend
from zapbench.chart.scatter import spread
from zapbench.chart.sheet import Sheet, where
from zapbench.error import UsageError
from zapbench.record import Context, Samples
from zapbench.result.bridge import BASELINE
from zapbench.result.stats import (
    BEYOND,
    Distribution,
    fault_rate,
    of_histogram,
    per_operation,
    pool,
)
from zapbench.result.store import Results

STAGES = {"deliver": BLUE, "queue": GREY, "resolve": VERMILION, "resume": SKY}
MEANINGS = {
    "deliver": "deliver: until the message was read",
    "queue": "queue: behind others of the same read",
    "resolve": "resolve: the ioctl, which wakes",
    "resume": "resume: until the access ended",
}
_GAP = 0.075  # between labels, in heights of a panel
_ROW = 0.19  # inches
_PLACE_STYLES = {"": "-", "same": "--", "apart": ":"}
_OTHERS = ("threads", "handlers", "uffd", "batch", "access", "order", "stamps", "check")

Records = Mapping[Case, Sequence[Samples]]


def draw_latency(results: Results) -> Figure:
    """Quantiles over 1 / (1 - q), both axes logarithmic: as far as ten faults lie beyond.

    A curve for each page size and placement of the threads; handlers in threads, and in a
    process of their own.

    Raises:
        UsageError: no fault was timed.
    """
    cases = _timed(results)
    panels = {
        title: {case: rs for case, rs in cases.items() if case.axes in alike}
        for title, alike in (
            ("handler: a thread", _places()),
            ("handler: another process", _places(("topology", "process"))),
        )
    }
    shown = {title: members for title, members in panels.items() if members}
    if not shown:
        raise _none(results)
    sheet = Sheet(len(shown), 2, 3.0, 2.6, left=0.6, right=1.45)
    said = f"{where(results)}; one faulting thread; {_method(cases)}"
    figure = sheet.figure("Latency of a minor fault, to the tail, by page size", said)
    for index, (title, members) in enumerate(shown.items()):
        axes = sheet.axes(figure, index)
        curves = {case: pool(map(per_operation, rs)) for case, rs in members.items()}
        _draw_quantiles(axes, curves, results.unit)
        axes.set_title(title, loc="left", weight="bold")
    return figure


def draw_throughput(results: Results) -> Figure:
    """Faults per second of all threads together, over their number.

    A curve for each setting that was measured with more than one number of threads; the color
    is the setting's, the style of the line its placement's.

    Raises:
        UsageError: there is none, or instructions were counted.
    """
    curves: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    cases = _timed(results)
    for case, records in cases.items():
        rate = fault_rate(records)
        axes = dict(case.axes)
        threads, place = int(axes.pop("threads", "1")), axes.pop("place", "")
        if rate is None or _pages(case) != _pages(next(iter(cases))):
            continue
        others = " ".join(f"{key}={value}" for key, value in axes.items())
        curves[others or "one handler, blocking read", place][threads] = rate
    curves = {name: points for name, points in curves.items() if len(points) > 1}
    if not curves:
        raise _none(results)
    sheet = Sheet(1, 1, 4.2, 3.2, left=0.75, right=2.6)
    pages = _pages(next(iter(cases)))
    said = f"{where(results)}; {pages}; {_method(cases)}; higher is better"
    figure = sheet.figure("Minor faults per second against faulting threads", said)
    _draw_rates(sheet.axes(figure, 0), curves, results.recording.of(Context)[0].cpus)
    return figure


def draw_stages(results: Results) -> Figure:
    """Stacked medians of the stages of a fault; a panel for what is mapped.

    Raises:
        UsageError: no stage was stamped.
    """
    panels: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for case, records in _timed(results).items():
        axes = dict(case.axes)
        stages = _stages(records)
        if stages and not axes.keys() & set(_OTHERS):
            words = [_placed(axes), *(value for key, value in axes.items() if key != "place")]
            name = " ".join(filter(None, words)) or "blocking read"
            panels[_pages(case)][name] = stages
    if not panels:
        raise _none(results)
    rows = max(map(len, panels.values()))
    sheet = Sheet(len(panels), 2, 3.0, max(rows, 3) * _ROW, left=1.3, right=0.3, head=0.8)
    said = f"{where(results)}; medians, which need not add up to the median of the whole"
    figure = sheet.figure("Where the time of a minor fault goes", said)
    for index, (place, bars) in enumerate(panels.items()):
        _draw_bars(sheet.axes(figure, index), place, bars, rows, results.unit)
    handles = [figure.axes[0].barh(0, 0, **paint.look)[0] for paint in STAGES.values()]
    top = 1 - 0.46 / sheet.size[1]
    add_legend(
        figure,
        handles,
        labels=list(MEANINGS.values()),
        loc="upper left",
        bbox_to_anchor=(0.0, top),
        ncols=4,
        fontsize=6.5,
        columnspacing=1.0,
        handlelength=1.0,
    )
    return figure


def _timed(results: Results) -> dict[Case, list[Samples]]:
    """The faults of the method that all was swept with, one access each, by case."""
    cases: dict[Case, list[Samples]] = defaultdict(list)
    for record in results.recording.of(Samples):
        if record.workload == MINOR_FAULT and record.axes.get("stamps") != "off":
            cases[Case.parse(record.case)].append(record)
    swept = [case.method for case in cases if case.axes] or [case.method for case in cases]
    method = max((SUBJECT, BASELINE, *swept), key=swept.count) if swept else BASELINE
    chosen = sorted(case for case in cases if case.method == method)
    chosen.sort(key=lambda case: (case.page_size, case.backing, case.axes))
    return {case: cases[case] for case in chosen}


def _none(results: Results) -> UsageError:
    return UsageError(
        f"{results.directory} has no minor faults to show: "
        "`zapbench run 'minor_fault/*' --quick` times them"
    )


def _method(cases: Iterable[Case]) -> str:
    return f"dropped by {next(iter(cases)).method}"


def _pages(case: Case) -> str:
    return f"{case.backing} {size_text(case.page_size)}"


def _places(*axes: tuple[str, str]) -> list[tuple[tuple[str, str], ...]]:
    """The axes with each placement of the threads, and without one."""
    places = [(), *((("place", place),) for place in axis_values("place"))]
    return [tuple(sorted((*axes, *place))) for place in places]


def _placed(axes: Mapping[str, str]) -> str:
    return f"place={axes['place']}" if "place" in axes else ""


def _stages(records: Sequence[Samples]) -> dict[str, float]:
    """The median of each stage, the boots pooled, in the record's unit."""
    stamped = [record.stage_histograms for record in records if record.stage_histograms]
    return {
        name: pool(of_histogram(each[name]) for each in stamped).quantile(0.5)
        for name in STAGES
        if stamped
    }


def _draw_rates(
    axes: Axes, curves: Mapping[tuple[str, str], Mapping[int, float]], cpus: int
) -> None:
    ends = []
    settings = list(dict.fromkeys(setting for setting, _ in curves))
    for (setting, place), points in curves.items():
        paint = CURVES[settings.index(setting) % len(CURVES)]
        xs, style = sorted(points), _PLACE_STYLES[place]
        axes.plot(xs, [points[x] for x in xs], "o", ls=style, ms=3, lw=0.9, **paint.look)
        name = f"{setting}, place={place}" if place else setting
        ends.append((points[xs[-1]], float(xs[-1]), name, paint))
    numbers = sorted({x for points in curves.values() for x in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [f"{n}*" if n > cpus else str(n) for n in numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick / 1000:g}k"))
    axes.set_xlabel("faulting threads" + ("; * more than CPUs" if numbers[-1] > cpus else ""))
    axes.set_ylabel("faults per second")
    _label(axes, ends, *axes.get_ylim(), logarithmic=False)


def _draw_quantiles(axes: Axes, curves: Mapping[Case, Distribution], unit: str) -> None:
    """The color is the page size's, the style of the line its placement's."""
    ends = []
    sizes = list(dict.fromkeys(map(_pages, curves)))
    for case, values in curves.items():
        paint = CURVES[sizes.index(_pages(case)) % len(CURVES)]
        placed = dict(case.axes)
        style = _PLACE_STYLES[placed.get("place", "")]
        name = f"{_pages(case)} {_placed(placed)}".rstrip()
        beyond = np.geomspace(1, max(2.0, values.size / BEYOND), 160)
        ys = [max(values.quantile(1 - 1 / x), 1.0) for x in beyond]
        axes.plot(beyond, ys, lw=1.1, ls=style, **paint.look)
        ends.append((ys[-1], float(beyond[-1]), name, paint))
    axes.set(xscale="log", yscale="log")
    longest = max(end[1] for end in ends)
    ticks = [(2.0, "50 %"), (10.0, "90 %")]
    ticks += [(10.0**n, f"{100 * (1 - 10.0**-n):.{n - 2}f} %") for n in range(2, 8)]
    kept = [tick for tick in ticks if tick[0] <= longest * 1.01]
    axes.set_xticks([at for at, _ in kept], [text for _, text in kept], size=7)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: _amount(tick, unit)))
    axes.set_xlabel("of the faults took at most")
    _label(axes, ends, *axes.get_ylim(), logarithmic=True)


def _amount(value: float, unit: str) -> str:
    names = ((1e9, " s"), (1e6, " ms"), (1e3, " µs")) if unit == "ns" else ((1e6, "M"), (1e3, "k"))
    for factor, name in names:
        if value >= factor:
            return f"{value / factor:g}{name}"
    return f"{value:g} ns" if unit == "ns" else f"{value:g}"


def _label(
    axes: Axes,
    ends: Sequence[tuple[float, float, str, Paint]],
    low: float,
    high: float,
    *,
    logarithmic: bool,
) -> None:
    """Names beside the panel, each with a line to the end of its curve."""

    def height(value: float) -> float:
        if logarithmic:
            return float(np.log(value / low) / np.log(high / low))
        return (value - low) / (high - low)

    ordered = sorted(ends)
    places = spread([height(value) for value, *_ in ordered], _GAP, 0, 1)
    for (value, x, name, paint), place in zip(ordered, places, strict=True):
        axes.annotate(
            name,
            (x, value),
            (1.05, place),
            textcoords="axes fraction",
            size=6.5,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "relpos": (0, 0.5), **paint.look},
            **paint.look,
        )


def _draw_bars(
    axes: Axes, place: str, bars: Mapping[str, Mapping[str, float]], rows: int, unit: str
) -> None:
    factor, name = (1e3, "µs") if unit == "ns" else (1e3, "thousand instructions")
    for y, stages in enumerate(bars.values()):
        left = 0.0
        for stage, paint in STAGES.items():
            axes.barh(y, stages[stage] / factor, 0.7, left=left, **paint.look)
            left += stages[stage] / factor
    axes.set_yticks(range(len(bars)), list(bars), size=7)
    axes.set_ylim(max(rows, 3) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlabel(name, loc="left", labelpad=1)
    axes.set_title(f"{place} pages", loc="left", weight="bold", pad=3)
