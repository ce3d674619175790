# SPDX-License-Identifier: GPL-2.0-only
"""Make `zapbench/gate/floors.json`: by how much null kernels differ from 6.12 under icount.

    .venv/bin/python bench/tests/record_floors.py [PAIRS]

The cases are those of the quick grid and of the budgets that come with zapbench.  Of each null
kernel there are as many pairs of boots; 3 pairs of 5 kernels take about ten minutes on two CPUs.
"""

import json
import math
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from places import ROOT, TESTS

from zapbench.boot import Work
from zapbench.case import grid
from zapbench.cli.progress import ON_STDERR
from zapbench.gate import budget, floors, plan
from zapbench.gate.noise import Noise, logs, of_legs
from zapbench.host import cache
from zapbench.kept_boots import Kept
from zapbench.measure import Leg, measure
from zapbench.result.request import SEED
from zapbench.result.store import Results, create
from zapbench.result.welch import EXACT
from zapbench.target import Target
from zapbench.vm import VmTarget

PATCHES = TESTS / "kernel-patches/6.12"
NULLS = sorted(path.name for path in PATCHES.glob("null-*"))
BASE, TIER, PAIRS = "6.12", "icount", 3
STATISTICS = ("p50", "case_total")
Floors = Mapping[str, Mapping[str, Noise]]


def cases() -> list[str]:
    """What is measured: the quick grid, and what the budgets are about."""
    quick = [str(cell.case) for cell in grid(quick=True) if cell.excluded is None]
    budgets = budget.load(ROOT / "bench/budgets.toml").budgets
    return list(
        dict.fromkeys([*quick, *plan.cases(each for each in budgets if TIER in each.tiers)])
    )


def measured(
    directory: Path, null: str, names: Sequence[str], pairs: int
) -> tuple[Results, Results]:
    """6.12 and a null kernel, boot by boot."""
    base_boots = Kept(VmTarget(BASE, TIER), cache.subdirectory("records") / "gate")
    targets: list[Target] = [base_boots, VmTarget(f"{BASE}+{PATCHES / null}/", TIER)]
    work = Work(tuple(names), plan.effort(TIER), SEED)
    places = [directory / null / side for side in ("base", "head")]
    with ExitStack() as stack:
        writers = [stack.enter_context(create(place)) for place in places]
        legs = [Leg(t, w) for t, w in zip(targets, writers, strict=True)]
        measure(legs, work, range(pairs), ON_STDERR, side_by_side=True)
    base, head = map(Results, places)
    return base, head


def differing(base: Results, head: Results) -> Floors:
    """By statistic and case, what the two differ by."""
    found: dict[str, dict[str, Noise]] = {}
    for case, timings in base.timings.items():
        for statistic in STATISTICS:
            sides = (each.figures(statistic) for each in (timings, head.timings[case]))
            left, right = (logs(side) for side in sides)
            if left and right:
                found.setdefault(statistic, {})[str(case)] = of_legs(left, right, paired=True)
    return found


def together(all_: Iterable[Floors]) -> Floors:
    """The floors over several null kernels."""
    parts = list(all_)
    return {
        statistic: {
            case: floors.together(part[statistic][case] for part in parts)
            for case in sorted(parts[0][statistic])
        }
        for statistic in STATISTICS
    }


def written(found: Floors, pairs: int, base: Results) -> str:
    """The table as it is kept: a line a case, with floor and deviation of a pair."""
    context = base.contexts[0]
    assert context.machine is not None
    lines = [
        f'"made": {json.dumps(f"{datetime.now(UTC):%Y-%m-%d}")}',
        f'"kernel": {json.dumps(context.uname.release)}',
        f'"nulls": {json.dumps(NULLS)}',
        f'"qemu": {json.dumps(context.machine.qemu)}',
        f'"freedom": {len(NULLS) * (pairs - 1)}',
    ]
    tables = []
    for statistic, noise in found.items():
        rows = (
            f"{json.dumps(case)}: [{_short(each.floor)}, {_short(each.spread.error)}]"
            for case, each in noise.items()
            if each.spread is not None
        )
        tables.append(f"{json.dumps(statistic)}: {{\n" + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(lines) + ',\n"floors": {\n' + ",\n".join(tables) + "\n}\n}\n"


def _short(value: float) -> str:
    """Three digits, rounded up: a floor is a bound."""
    if value < EXACT:
        return "0"
    scale = 10.0 ** (2 - math.floor(math.log10(value)))
    return f"{math.ceil(value * scale) / scale:.3g}"


def main() -> None:
    """Measure, and write the table that comes with the tool."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with tempfile.TemporaryDirectory() as directory:
        sides = [measured(Path(directory), null, cases(), pairs) for null in NULLS]
        found = together(differing(*each) for each in sides)
        text = written(found, pairs, sides[0][0])
    (ROOT / "bench/zapbench/gate" / floors.FILE).write_text(text)


if __name__ == "__main__":
    main()
