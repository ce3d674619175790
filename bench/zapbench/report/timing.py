# SPDX-License-Identifier: GPL-2.0-only
"""The bridge between counts and times, each workload in full, and the verdicts of a gate."""

from collections.abc import Iterable, Sequence
from typing import Any

from zapbench import chart, text
from zapbench.case import Case, workloads
from zapbench.chart.cost import SUBJECT
from zapbench.error import UsageError
from zapbench.report import cost
from zapbench.report.document import (
    Block,
    Bullets,
    Cell,
    Commands,
    Grid,
    Heading,
    Section,
    Text,
    ratio_cell,
)
from zapbench.report.document import cost as cost_cell
from zapbench.report.pictures import bridge_picture, picture
from zapbench.report.study import Group, Study
from zapbench.result.bridge import BASELINE, Agreement, Bridge, build_bridge
from zapbench.result.table import Row
from zapbench.result.timings import Timings

CASE_COLUMNS = (
    "case", "median", "95 % interval", "p90", "p99", "p99.9", "a page", "pages a second",
    "× best", "boots", "samples", "remark",
)  # fmt: skip
VERDICT_KEYS = (
    "case", "statistic", "verdict", "limit", "head", "reference", "change", "low", "high", "floor",
    "boots", "why", "next",
)  # fmt: skip
STAGES_AT_MOST = 40


def bridge(study: Study) -> Section | None:
    """Counted ratios against timed ones, for each machine that was timed natively."""
    blocks: list[Block] = []
    counted = [group for group in study.groups if group.tier == "icount"]
    for index, native in enumerate(g for g in study.groups if g.tier == "native"):
        found = _best_bridge(native, counted)
        if found is not None:
            blocks += _bridge_blocks(found, index)
    if not blocks:
        return None
    return Section("bridge", "From instructions to time", tuple(blocks))


def _best_bridge(native: Group, counted: Iterable[Group]) -> Bridge | None:
    """The bridge to the kernel with MADV_ZAP that shares most cases."""
    bridges = []
    for group in counted:
        try:
            bridges.append((group.has_subject, build_bridge(native.results, group.results)))
        except UsageError:  # nothing in common
            continue
    return max(bridges, key=lambda each: (each[0], len(each[1].points)))[1] if bridges else None


def _bridge_blocks(found: Bridge, index: int) -> list[Block]:
    lead = Text(
        f"Ratios to {BASELINE}, counted on Linux {found.icount} (icount) and timed on Linux "
        f"{found.native} (native). Methods of the same end state: {_agreed(found.equivalent)}. "
        f"All methods: {_agreed(found.all)}."
    )
    blocks: list[Block] = [lead]
    said = f"Scatter plot on logarithmic axes. {_agreed(found.equivalent)}."
    blocks.append(bridge_picture(found, f"bridge-{index + 1}", said))
    if found.estimates:
        rows = tuple(
            (
                Cell(str(each.case)),
                ratio_cell(each.ratio),
                cost_cell(each.value, "ns"),
                Cell(text.between(each.low, each.high, "ns"), None, "num"),
            )
            for each in found.estimates
        )
        columns = ("case", f"counted, × {BASELINE}", "estimated time", "÷ and × the residual")
        caption = f"Estimated, measured nowhere: native {BASELINE} × the counted ratio"
        blocks.append(Grid(caption, columns, rows))
    return blocks


def _agreed(agreement: Agreement) -> str:
    said = text.number(agreement.points, "point")
    if agreement.rank_correlation is not None:
        said += f", rank correlation {text.ratio(agreement.rank_correlation)}"
    if agreement.factor is not None:
        said += f", 95 % of timed / counted within a factor of {text.ratio(agreement.factor)}"
    return said


def timings(study: Study) -> Section | None:
    """Each workload of each group: its charts, its stages, all its cases."""
    blocks: list[Block] = []
    for index, group in enumerate(study.groups):
        drawn = _charts(group, index)
        table = group.results.table
        if not table.groups:
            continue
        blocks += [Heading(group.name), *drawn]
        for workload in dict.fromkeys(part.workload for part in table.groups):
            rows = [row for part in table.of(workload) for row in part.rows]
            blocks.append(_cases(group, workload, rows))
            blocks += _stages(group, workload)
    return Section("workloads", "Workloads, case by case", tuple(blocks)) if blocks else None


def _charts(group: Group, index: int) -> list[Block]:
    """Whatever charts there are besides those shown above."""
    blocks: list[Block] = []
    for kind in chart.CHARTS:
        if kind not in cost.CHARTS:
            said = f"{chart.CHARTS[kind].summary}. The tables below have the figures."
            file = f"{kind}-{index + 1}-{group.kernel}-{group.tier}"
            blocks += picture(group, kind, said, file)
    return blocks


def _cases(group: Group, workload: str, rows: Sequence[Row]) -> Grid:
    summary = workloads()[workload].summary if workload in workloads() else "unknown here"
    caption = f"{workload}: {summary}; {group.name}, one operation"
    return Grid(caption, CASE_COLUMNS, tuple(case_row(group, row) for row in rows))


def case_row(group: Group, row: Row) -> tuple[Cell, ...]:
    """One case with everything that is known of it, under `CASE_COLUMNS`."""
    each = group.timings[row.case]
    unit, bounds = group.unit, each.interval
    reach = text.NONE if bounds is None else text.between(*bounds, unit)
    rate = row.rate  # of all threads; else of the one that made the call
    if rate is None and unit == "ns" and row.per_page:
        rate = 1e9 / row.per_page
    ratio = Cell("best", 1.0, "num") if row.best else ratio_cell(row.ratio)
    return (
        Cell(str(row.case)),
        cost_cell(row.p50, unit),
        Cell(reach, None, "num"),
        *(cost_cell(each.pooled.tail(q), unit) for q in (0.9, 0.99, 0.999)),
        cost_cell(row.per_page, unit),
        cost_cell(rate, "pages"),
        ratio,
        Cell(f"{row.boots}", None, "num"),
        Cell(f"{row.samples:,}", row.samples, "num"),
        Cell(f"≠ {row.differs}" if row.differs is not None else "", None, "remark"),
    )


def _stages(group: Group, workload: str) -> list[Block]:
    """Medians of the stages of one operation, pooled over the boots."""
    cases = {case: each for case, each in group.timings.items() if case.workload == workload}
    found = {case: made for case, each in cases.items() if (made := _stages_of(each))}
    if not found:
        return []
    names = list(dict.fromkeys(name for stages in found.values() for name in stages))
    shown = list(found) if len(found) <= STAGES_AT_MOST else _headline(found)
    rows = tuple(
        (
            Cell(str(case)),
            *(cost_cell(_middle(found[case].get(name)), group.unit) for name in names),
        )
        for case in sorted(shown, key=str)
    )
    caption = f"{workload}: where an operation spends it (medians of boots), {group.name}"
    return [Grid(caption, ("case", *names), rows)]


def _stages_of(each: Timings) -> dict[str, list[float]]:
    """The median of each stage in each record; nothing of a case with further axes."""
    stages: dict[str, list[float]] = {}
    for record in each.records if not each.case.axes else ():
        for name, values in record.stages.items():
            middle = sorted(values)[len(values) // 2] / record.ops_per_sample
            stages.setdefault(name, []).append(middle)
    return stages


def _middle(values: Sequence[float] | None) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


def _headline(cases: Iterable[Case]) -> list[Case]:
    """The cases of the methods that matter, where there are too many."""
    wanted = [case for case in cases if case.method in (SUBJECT, BASELINE, "remap", "rwp")]
    return wanted[:STAGES_AT_MOST]


def gates(study: Study) -> Section | None:
    """Verdicts that were given with the results."""
    blocks: list[Block] = []
    for gate in study.material.gates:
        verdicts = [each for each in gate["checks"] if isinstance(each, dict)]
        about = [f"{key}: {gate[key]}" for key in gate if isinstance(gate[key], str | int | float)]
        if about:
            blocks.append(Bullets(tuple(about)))
        keys = [key for key in VERDICT_KEYS if any(key in each for each in verdicts)]
        rows = tuple(tuple(_plain(each.get(key)) for key in keys) for each in verdicts)
        if keys and rows:
            blocks.append(Grid(f"Verdicts ({len(rows)})", tuple(keys), rows))
        else:
            blocks.append(Text("The gate gave no verdict: nothing in its budgets applied."))
        again = gate.get("reproduce")
        if isinstance(again, list) and again:
            blocks.append(Commands(tuple(map(str, again))))
    return Section("gate", "Verdicts of the gate", tuple(blocks)) if blocks else None


def _plain(value: Any) -> Cell:
    if isinstance(value, bool) or value is None:
        return Cell(text.NONE if value is None else str(value).lower())
    if isinstance(value, int | float):
        return Cell(f"{text.rounded(value):g}", text.rounded(value), "num")
    if isinstance(value, dict):
        return Cell(", ".join(f"{key} {_plain(each).text}" for key, each in value.items()))
    if isinstance(value, list):
        return Cell(" to ".join(_plain(each).text for each in value))
    return Cell(str(value))
