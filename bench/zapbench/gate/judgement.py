# SPDX-License-Identifier: GPL-2.0-only
"""What a gate says: its checks, and what they were made from.  All outputs are made of this."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from zapbench.gate.budget import TIERS, Budget, Budgets, Limit, Waiver
from zapbench.gate.estimate import ALPHA
from zapbench.gate.evidence import Side
from zapbench.gate.verdict import Because, Ruling, Verdict


class Status(IntEnum):
    """Exit status of a gate."""

    PASS = 0
    FAIL = 1
    INCONCLUSIVE = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One budget on one case, judged.

    ``head`` and ``reference`` are medians over boots, in the unit of the result; ``change`` is
    their ratio with its 95 % interval ``low`` to ``high``; ``floor`` and ``detectable`` are
    ratios less one.  ``least`` is the lowest limit that it would keep if there were no floor.
    ``note`` is what the reason alone does not say.
    """

    budget: Budget
    case: str
    ruling: Ruling
    note: str = ""
    head: float | None = None
    reference: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    detectable: float | None = None
    least: float | None = None
    boots: int = 0
    waiver: Waiver | None = None
    missing: bool = False
    """Not every boot that bears on it is there."""
    functions: tuple[str, ...] = ()
    """The functions of the kernel that grew most, in words, where that was looked into."""

    @property
    def limit(self) -> Limit:
        """What it was judged by: that of its waiver, if it has one."""
        return self.budget.limit if self.waiver is None else self.waiver.up_to

    @property
    def counted(self) -> bool:
        """Whether it bears on the outcome."""
        return self.ruling.verdict is not Verdict.SKIP


def with_references(checks: Iterable[Check]) -> dict[str, None]:
    """The cases of some checks, and those that their limits refer to."""
    return {
        name: None
        for check in checks
        for name in (check.case, check.budget.limit.reference(check.case))
        if name is not None
    }


SETTLED = {
    Because.NO_FLOOR: Verdict.INCONCLUSIVE,
    Because.NO_FIGURE: Verdict.INCONCLUSIVE,
    Because.NOT_MEASURED: Verdict.INCONCLUSIVE,
    Because.INCOMPLETE: Verdict.INCONCLUSIVE,
    Because.LOST: Verdict.FAIL,
    Because.ABSENT: Verdict.FAIL,
    Because.BROKEN: Verdict.FAIL,
    Because.CUT: Verdict.FAIL,
    Because.NO_BOOT: Verdict.FAIL,
    Because.NOT_APPLICABLE: Verdict.SKIP,
}
"""Verdicts that take no figures."""


def settled(budget: Budget, case: str, because: Because, note: str = "") -> Check:
    """A check that there are no figures for."""
    return Check(budget, case, Ruling(SETTLED[because], because), note)


@dataclass(frozen=True, slots=True)
class Gone:
    """A head that was lost as a whole: there is nothing to look at."""

    kernel: str
    tier: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate says.

    ``warnings`` label what was forced, or is incomplete; ``suspects`` are the cases, those that
    limits refer to included, which the first boots alone would fail: fresh ones must decide.
    """

    budgets: Budgets
    base: Side | None
    head: Side | Gone
    checks: tuple[Check, ...]
    suspects: tuple[str, ...]
    warnings: tuple[str, ...]
    day: date
    level: float = ALPHA
    """That of a one-sided test; the intervals have a confidence of 1 - 2 ``level``."""
    again: str = ""
    """The command that makes this judgement again, but for its number of boots."""
    live: bool = False
    """That command measures, too."""
    boots: int | None = None
    """How many boots it was asked to measure first."""
    pins: tuple[Side, ...] = ()
    """What budgets that name a kernel of their own are judged against."""

    def base_of(self, budget: Budget) -> Side | None:
        """What a budget is judged against, if that is another kernel."""
        bases = [self.base] if budget.against is None else self.pins
        return next(
            (each for each in bases if each and budget.against in (None, each.kernel)), None
        )

    @property
    def tier(self) -> str:
        """The way both were measured."""
        return self.head.tier

    @property
    def unit(self) -> str:
        """``ns`` or ``instructions``."""
        return TIERS[self.tier]

    def count(self, verdict: Verdict) -> int:
        """How many checks have a verdict."""
        return sum(check.ruling.verdict is verdict for check in self.checks)

    @property
    def status(self) -> Status:
        """Exit status: a FAIL outweighs what is open."""
        for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            if self.count(verdict):
                return Status[verdict.name]
        return Status.PASS
