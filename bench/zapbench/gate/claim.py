# SPDX-License-Identifier: GPL-2.0-only
"""From figures to claims: what the boots of one or two kernels say of a budget and a case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from zapbench.gate.budget import TIERS, Budget
from zapbench.gate.estimate import of_one, of_two
from zapbench.gate.evidence import Rounds, Side, may_split, rounds
from zapbench.gate.judgement import Check, settled
from zapbench.gate.noise import BootFigures, Calibration, Noise, logs, of_own
from zapbench.gate.verdict import Because, Claim, Look, Ruling


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim, and the budget and case that it is about."""

    budget: Budget
    case: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head with base, if there is one, and what is known of their noise.

    Without ``hold_back`` all boots of a first result are looked at, and none confirm.
    """

    base: Side | None
    head: Side
    calibration: Calibration | None
    hold_back: bool

    def claim(self, budget: Budget, case: str) -> Claimed | Check:
        """The claim to be judged; or the check, if there is nothing to judge."""
        sides = self._sides(budget, case)
        if isinstance(sides, str):
            return settled(budget, case, Because.NO_FIGURE, sides)
        whole, first, again = (
            self._look(budget, case, [getattr(side, part) for side in sides])
            for part in ("whole", "first", "again")
        )
        if whole is None or first is None:
            return settled(budget, case, Because.NO_FLOOR)
        told = all(side.told for side in self._needed(budget))
        return Claimed(budget, case, Claim(budget.limit.log, whole, first, again, told))

    def check(self, claimed: Claimed, ruling: Ruling) -> Check:
        """The ruling on a claim, with the figures that it rests on."""
        budget, case, claim = claimed.budget, claimed.case, claimed.claim
        estimate = claim.whole.estimate
        reach, detectable = estimate.reach, estimate.detectable
        return Check(
            budget,
            case,
            ruling,
            head=_median(self.head.boots(budget.statistic, case)),
            reference=self._reference(budget, case),
            change=math.exp(estimate.centre),
            low=None if reach is None else math.exp(estimate.centre - reach),
            high=None if reach is None else math.exp(estimate.centre + reach),
            floor=math.expm1(claim.whole.floor),
            detectable=None if detectable is None else math.expm1(detectable),
            boots=estimate.boots,
        )

    def _look(self, budget: Budget, case: str, sides: Sequence[Sequence[float]]) -> Look | None:
        """What some boots of each side say; None without boots, or without a noise floor."""
        noise = self._noise(budget, case, sides)
        if noise is None or not all(sides):
            return None
        if len(sides) == 2:
            return Look(of_two(sides[0], sides[1], noise.spread), noise.floor)
        return Look(of_one(sides[0], noise.spread), noise.floor)

    def _needed(self, budget: Budget) -> list[Side]:
        """The sides whose figures a budget is about, the head last."""
        if not budget.limit.needs_base:
            return [self.head]
        assert self.base is not None
        return [self.base, self.head]

    def _sides(self, budget: Budget, case: str) -> list[Rounds] | str:
        """The boots of head, and of base before it if the limit needs one; or what is wrong."""
        parts: list[tuple[list[float], list[float]]] = []
        for side in self._needed(budget):
            name = "head" if side is self.head else "base"
            figures = side.boots(budget.statistic, case)
            than = budget.limit.reference(case)
            others = ({}, {}) if than is None else side.boots(budget.statistic, than)
            if problem := _problem(figures, case, budget, side, name):
                return problem
            if than is not None and (problem := _problem(others, than, budget, side, name)):
                return problem
            parts.append(
                (
                    logs(figures[0], None if than is None else others[0]),
                    logs(figures[1], None if than is None else others[1]),
                )
            )
            if not any(parts[-1]):
                return f"{than} was measured in no boot that {case} was"
        split = self.hold_back and may_split(*parts)
        return [rounds(first, fresh, split=split) for first, fresh in parts]

    def _noise(self, budget: Budget, case: str, sides: Sequence[Sequence[float]]) -> Noise | None:
        """The noise of a figure: calibrated; counted instructions know their own."""
        than = budget.limit.reference(case)
        found = None
        if self.calibration is not None:
            found = self.calibration.noise(budget.statistic, case, than)
        if TIERS[self.head.results.tier] != "instructions":
            return found
        found = found or of_own(*sides)
        return replace(found, floor=max(found.floor, self._grain(case)))

    def _grain(self, case: str) -> float:
        """One instruction of an operation: less than that cannot be told."""
        counts = [
            value for part in self.head.boots("p50", case) for value in part.values() if value
        ]
        return math.log1p(1 / min(counts)) if counts else 0.0

    def _reference(self, budget: Budget, case: str) -> float | None:
        than = budget.limit.reference(case)
        if than is not None:
            return _median(self.head.boots(budget.statistic, than))
        if budget.limit.unit is not None or self.base is None:
            return None
        return _median(self.base.boots(budget.statistic, case))


def _median(parts: tuple[BootFigures, BootFigures]) -> float | None:
    values = [value for part in parts for value in part.values() if value is not None]
    return median(values) if values else None


NEEDED = {
    "p99": "a p99 takes 1,000 samples a boot",
    "p99.9": "a p99.9 takes 10,000 samples a boot",
    "per_page": "the case is about no pages",
    "case_total": "case_total was not recorded",
}


def _problem(
    figures: tuple[BootFigures, BootFigures], case: str, budget: Budget, side: Side, name: str
) -> str | None:
    """What is wrong with the figures of a case on a side; None if they can be judged."""
    found = [value for part in figures for value in part.values()]
    if not found:
        return f"{name}: {case}: {side.trouble.get(case, 'not measured')}"
    if None in found:
        return f"{name}: {case}: {NEEDED.get(budget.statistic, 'a boot has no figure')}"
    if any(value is not None and value <= 0 for value in found):
        return f"{name}: {case}: a figure is not above what the harness itself costs"
    return None
