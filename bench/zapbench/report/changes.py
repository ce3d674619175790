# SPDX-License-Identifier: GPL-2.0-only
"""Costs over kernels: taken from the kernels of a report, and from histories given to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from zapbench import text
from zapbench.case import NO_METHOD, Case, is_harness, view
from zapbench.chart.cost import SUBJECT
from zapbench.chart.trend import PANELS, History, HistoryPoint, Step
from zapbench.report.document import (
    Block,
    Cell,
    Grid,
    Heading,
    Section,
    Text,
)
from zapbench.report.pictures import history_picture
from zapbench.report.source import histories
from zapbench.report.study import Group, Study, grouped, near
from zapbench.result.bridge import BASELINE
from zapbench.result.stats import Ratio
from zapbench.result.timings import Timings


@dataclass(frozen=True, slots=True)
class Change:
    """A step of one case, where it was seen, and how large with its interval."""

    case: str
    label: str
    ratio: float
    found: Ratio | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What was looked at, and the steps, the greatest first."""

    kernels: tuple[str, ...]
    cases: int
    steps: tuple[Change, ...]


def _rows(study: Study) -> list[list[Group]]:
    """Kernels without a series of patches that were measured alike, oldest first."""
    plain = [group for group in study.groups if "+" not in group.kernel]
    rows = grouped(plain, lambda group: f"{group.tier}\0{group.machine}\0{group.unit}")
    return [groups for groups in rows.values() if len(groups) > 1]


def changes(study: Study) -> Changes | None:
    """All steps between neighbouring kernels of the report; None with fewer than two."""
    rows = _rows(study)
    if not rows:
        return None
    found: list[Change] = []
    cases: set[Case] = set()
    for groups in rows:
        for case, _, steps in _histories(groups):
            cases.add(case)
            found += steps
    kernels = dict.fromkeys(group.kernel for groups in rows for group in groups)
    found.sort(key=lambda step: (-abs(step.ratio - 1), step.case))
    return Changes(tuple(kernels), len(cases), tuple(found))


def _histories(groups: Sequence[Group]) -> list[tuple[Case, History, list[Change]]]:
    """Every case with figures on two kernels, in the order in which they came."""
    having: dict[Case, list[Group]] = {}
    for group in groups:
        for case in group.timings:
            having.setdefault(case, []).append(group)
    return [
        (case, *_history(case, some))
        for case, some in having.items()
        if len(some) > 1 and not is_harness(case.workload)
    ]


def _history(case: Case, groups: Sequence[Group]) -> tuple[History, list[Change]]:
    points = []
    steps: list[Change] = []
    before: Timings | None = None
    for group in groups:
        each = group.timings[case]
        points.append(HistoryPoint(group.kernel, each.median, *(each.interval or (None, None))))
        found = each.relative_to(before) if before is not None else None
        if found is not None and not near(found):
            steps.append(Change(str(case), group.kernel, found.value, found))
        before = each
    marks = tuple(Step(step.label, step.ratio) for step in steps)
    return History(str(case), groups[0].unit, tuple(points), marks), steps


def history(study: Study) -> Section | None:
    """The section; None without two kernels and without a given history."""
    blocks: list[Block] = []
    for index, groups in enumerate(_rows(study)):
        made = _histories(groups)
        if not made:
            continue
        chosen = [each for _, each, _ in sorted(made, key=lambda each: _rank(*each[:2]))[:PANELS]]
        kernels = text.listed([group.kernel for group in groups])
        said = f"{groups[0].tier}, {groups[0].unit} per operation, on {groups[0].machine}"
        blocks.append(Heading(f"Linux {kernels} ({groups[0].tier})"))
        blocks += history_picture(chosen, said, f"history-{index + 1}")
        blocks.append(_steps([step for _, _, steps in made for step in steps], len(made)))
    for index, given in enumerate(study.material.histories):
        read = histories(given)
        said = str(given.get("measured", "given with the results"))
        blocks.append(Heading(f"A history of {len(read)} cases: {said}"))
        blocks += history_picture(read, said, f"history-given-{index + 1}")
        steps = [Change(h.case, s.label, s.ratio, None) for h in read for s in h.steps]
        blocks.append(_steps(steps, len(read)))
    return Section("history", "History over kernels", tuple(blocks)) if blocks else None


def _rank(case: Case, history: History) -> tuple[int, int, int, str]:
    """Which cases are drawn: stepping ones of the reference methods first."""
    method = {BASELINE: 0, SUBJECT: 0, NO_METHOD: 1, "remap": 2}.get(case.method, 3)
    rank = method + view(case.workload).rank
    return (rank, 0 if history.steps else 1, len(case.axes), history.case)


def _steps(steps: Sequence[Change], cases: int) -> Block:
    if not steps:
        return Text(f"No step beyond noise in {cases} cases.")
    rows = []
    for step in sorted(steps, key=lambda step: (-abs(step.ratio - 1), step.case)):
        bounds = text.NONE
        if step.found is not None and step.found.low is not None and step.found.high is not None:
            bounds = f"{text.change(step.found.low)} to {text.change(step.found.high)}"
        change = Cell(text.change(step.ratio), text.rounded(step.ratio), "num")
        rows.append((Cell(step.case), Cell(step.label), change, Cell(bounds, None, "num")))
    caption = f"Steps between kernels, the greatest first ({len(rows)} in {cases} cases)"
    return Grid(caption, ("case", "from this kernel on", "change", "95 % interval"), tuple(rows))
