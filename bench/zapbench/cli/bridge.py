# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench bridge``: counted against timed, and what was only counted estimated."""

import textwrap
from collections import defaultdict
from pathlib import Path

import click

from zapbench import text
from zapbench.case import workloads
from zapbench.cli.output import console, grid, json_option, print_json
from zapbench.result.bridge import BASELINE, Agreement, Bridge, NativeEstimate, Point, build_bridge
from zapbench.result.store import Results

POINTS = ("", "case", "counted>", "timed>", "timed / counted>")
ESTIMATES = ("case", "counted>", "native>", "low>", "high>", "")
WORKLOADS = [row.name for row in workloads().values() if row.timed and row.uses_method]


@click.command()
@click.argument("native", metavar="NATIVE_DIR", type=click.Path(path_type=Path))
@click.argument("icount", metavar="ICOUNT_DIR", type=click.Path(path_type=Path))
@click.option("--workload", type=click.Choice(WORKLOADS), default="cycle", show_default=True)
@click.option(
    "-o", "files", type=click.Path(path_type=Path), multiple=True,
    metavar="FILE", help="Also draw it, .svg or .png; may be given more than once.",
)  # fmt: skip
@json_option
def command(
    *, native: Path, icount: Path, workload: str, files: tuple[Path, ...], as_json: bool
) -> int:
    """Relate timed results to counted ones, and estimate the time of what was only counted."""
    bridge = build_bridge(Results(native), Results(icount), workload)
    if files:
        draw(bridge, files)
    if as_json:
        print_json(bridge)
    else:
        print_bridge(bridge)
    return 0


def draw(bridge: Bridge, files: tuple[Path, ...]) -> None:
    """Write the chart of a bridge to each file."""
    from zapbench import chart  # matplotlib takes its time

    for file in files:
        chart.check(file)
    drawn = chart.draw_bridge(bridge)
    for file in files:
        chart.save(drawn, file)


def print_bridge(bridge: Bridge) -> None:
    """Print a bridge as tables on standard output."""
    out = console()
    out.print(
        f"{bridge.workload}, ratios to {BASELINE}: counted on {bridge.icount} (icount), "
        f"timed on {bridge.native} (native)\n"
    )
    grid(POINTS, map(_point_cells, bridge.points), out)
    out.print("\n≠ another end state; ratios with 95 % intervals of boot medians")
    for name, agreement in (("same end state", bridge.equivalent), ("all methods", bridge.all)):
        out.print(f"{name}: {_agreement_text(agreement)}")
    if bridge.estimates:
        out.print("\nestimated, measured nowhere:", style="bold")
        grid(ESTIMATES, map(_estimate_cells, bridge.estimates), out)
        out.print(
            f"\nestimated = native {BASELINE} x counted ratio; low and high: ÷ and x the residual "
            "of the methods with the same end state"
        )
    reasons: dict[str, list[str]] = defaultdict(list)
    for case, reason in bridge.left_out.items():
        reasons[reason].append(case)
    for reason, cases in reasons.items():
        out.print(f"\nleft out: {reason}", style="bold")
        out.print(textwrap.indent(textwrap.fill(text.some(cases), 98), "  "))


def _point_cells(point: Point) -> list[str]:
    off = point.native.value / point.icount.value
    mark = "" if point.equivalent else "≠"
    counted, timed = (text.ratio(*each.interval) for each in (point.icount, point.native))
    return [mark, str(point.case), counted, timed, text.ratio(off)]


def _estimate_cells(estimate: NativeEstimate) -> list[str]:
    times = (text.cost(ns, "ns") for ns in (estimate.value, estimate.low, estimate.high))
    return [str(estimate.case), text.ratio(*estimate.ratio.interval), *times, estimate.status]


def _agreement_text(agreement: Agreement) -> str:
    said = text.number(agreement.points, "point")
    if agreement.rank_correlation is None or agreement.factor is None:
        return f"{said}: too few for a rank correlation or a residual"
    return (
        f"{said}, Spearman's rank correlation {text.ratio(agreement.rank_correlation)}, residual "
        f"a factor of {text.ratio(agreement.factor)} (95 % of timed / counted are to be expected "
        "within)"
    )
