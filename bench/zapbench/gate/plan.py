# SPDX-License-Identifier: GPL-2.0-only
"""What a gate measures: which cases, and how many boots of each kernel."""

import math
import re
from collections.abc import Collection, Iterable

from zapbench.boot import Effort, effort_for
from zapbench.case import Case, grid, select
from zapbench.error import UsageError
from zapbench.gate.budget import Budget, Budgets
from zapbench.gate.evidence import LEAST
from zapbench.gate.noise import Calibration, Noise

LOOKS = 4
"""At figures whose number of boots is not given, each of twice the boots of the one before."""
MOST = 50
"""More boots than this of each kernel are never planned."""
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def seconds(text: str) -> float:
    """A time such as ``90``, ``90s``, ``10m`` or ``1h``, in seconds.

    Raises:
        UsageError: it is none, or not above zero.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", text.strip())
    if found is None or found[2] not in _UNITS or not 0 < float(found[1]) < math.inf:
        raise UsageError(f"cannot read the time {text!r}: write 90s, 10m or 1h")
    return float(found[1]) * _UNITS[found[2]]


def written(limit: float) -> str:
    """A time as `seconds` reads it."""
    return f"{limit:.3f}".rstrip("0").rstrip(".") + "s"


def pins(budgets: Budgets, tier: str, kernel: str) -> list[str]:
    """The kernels that budgets which can be judged on a kernel and tier are against."""
    named = {each.against: None for each in budgets.budgets if each.against is not None}
    found = applicable(budgets, tier, kernel, has_base=True, pins=named)
    return list(dict.fromkeys(each.against for each in found if each.against is not None))


def applicable(
    budgets: Budgets, tier: str, kernel: str, *, has_base: bool, pins: Collection[str] = ()
) -> list[Budget]:
    """The budgets that can be judged on a kernel and tier.

    Raises:
        UsageError: there are none.
    """
    reasons: dict[str, None] = {}
    found = []
    for budget in budgets.budgets:
        why = budget.inapplicable(tier, kernel, has_base=has_base, pins=pins)
        if why is None:
            found.append(budget)
        else:
            reasons[why] = None
    if not found:
        raise UsageError(f"no budget of {budgets.path} applies: {'; '.join(reasons)}")
    return found


def cases(budgets: Iterable[Budget]) -> list[str]:
    """The cases to measure, those that limits refer to included, in the order of the grid.

    A glob stands for the cases of the quick grid that it matches; if there are none, for those
    of the full grid.
    """
    wanted: dict[str, None] = {}
    for budget in budgets:
        for name in _matched(budget):
            reference = budget.limit.reference(name)
            wanted[name] = None
            if reference is not None and Case.parse(reference).excluded is None:
                wanted[reference] = None
    return list(wanted)


def _matched(budget: Budget) -> list[str]:
    quick, full = grid(quick=True), grid(quick=False)
    names: dict[str, None] = {}
    for glob in budget.cases:
        try:
            cells = select(quick, [glob])
        except UsageError:
            cells = select(full, [glob])
        names |= {str(cell.case): None for cell in cells if cell.excluded is None}
    return list(names)


def quick(tier: str) -> bool:
    """Counted samples repeat and few are enough; a timed p99 takes a thousand."""
    return tier == "icount"


def effort(tier: str) -> Effort:
    """How much is measured, see `quick`."""
    return effort_for(tier, quick=quick(tier))


def wanted_boots(budgets: Iterable[Budget], calibration: Calibration | None) -> int:
    """Boots of each kernel that would see, four times in five, an effect of the limit's size."""
    if calibration is None:
        return LEAST
    most = LEAST
    for budget in budgets:
        for case in _matched(budget):
            than = budget.limit.reference(case)
            noise = calibration.noise(budget.statistic, case, than, paired=True)
            if noise and budget.limit.needs_base:
                most = max(most, _wanted(noise, budget.limit.log))
    return min(most, MOST)


def _wanted(noise: Noise, limit: float) -> int:
    """Pairs: ((t + t') s / effect)², the effect the limit or, if that is less, the floor."""
    effect = max(abs(limit), noise.floor)
    if noise.spread is None or effect == 0:
        return LEAST
    return math.ceil((noise.spread.detectable / effect) ** 2)
