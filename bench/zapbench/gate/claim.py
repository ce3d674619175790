# SPDX-License-Identifier: GPL-2.0-only
"""From figures to claims: what the boots of one or two kernels say of a budget and a case."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from statistics import median

from zapbench.gate import floors
from zapbench.gate.budget import TIERS, Budget
from zapbench.gate.estimate import ALPHA, Estimate
from zapbench.gate.evidence import Logs, Side, rounds
from zapbench.gate.judgement import Check, settled
from zapbench.gate.noise import BootFigures, Calibration, Noise
from zapbench.gate.verdict import Because, Claim, Look, Ruling
from zapbench.text import judged_change, listed


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim, and the budget and case that it is about.

    ``boots`` are those of its whole look; ``alone`` says which boots had no other to be judged by.
    """

    budget: Budget
    case: str
    claim: Claim
    boots: tuple[int, ...]
    alone: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head with base, if there is one, and what is known of their noise.

    ``held`` are the cases whose later boots are held back, to confirm; None: all of them.
    """

    base: Side | None
    head: Side
    calibration: Calibration | None
    held: Collection[str] | None = None
    level: float = ALPHA

    def claim(self, budget: Budget, case: str) -> Claimed | Check:
        """The claim to be judged; or the check, if there is nothing to judge."""
        found = self._by_boot(budget, case)
        if isinstance(found, str):
            return settled(budget, case, Because.NO_FIGURE, found)
        parts, alone = found
        hold_back = self.held is None or case in self.held
        looks = rounds(*parts, hold_back=hold_back)
        noise = self._noise(budget, case)
        if noise is None:
            return settled(budget, case, Because.NO_FLOOR)
        whole, first, again = (
            Look(Estimate(tuple(logs.values()), noise.spread, self.level), noise.floor)
            if logs
            else None
            for logs in (looks.whole, looks.first, looks.again)
        )
        assert whole is not None
        assert first is not None
        told = all(side.told for side in self._needed(budget))
        claim = Claim(budget.limit.log, whole, first, again, told)
        return Claimed(budget, case, claim, tuple(looks.whole), alone)

    def check(self, claimed: Claimed, ruling: Ruling) -> Check:
        """The ruling on a claim, with the figures that it rests on."""
        budget, case, claim = claimed.budget, claimed.case, claimed.claim
        estimate = claim.whole.estimate
        low, high, detectable = estimate.low, estimate.high, estimate.detectable
        return Check(
            budget,
            case,
            ruling,
            note=self._note(claimed, ruling),
            head=_median(self.head.boots(budget.statistic, case)),
            reference=self._reference(budget, case),
            change=math.exp(estimate.centre),
            low=None if low is None else math.exp(low),
            high=None if high is None else math.exp(high),
            floor=math.expm1(claim.whole.floor),
            detectable=None if detectable is None else math.expm1(detectable),
            least=None if estimate.least is None else math.exp(estimate.least),
            boots=estimate.boots,
        )

    def _note(self, claimed: Claimed, ruling: Ruling) -> str:
        if ruling.because is Because.ONE_BOOT and self._by_machine_boot(claimed.budget):
            return "all processes between two reboots are one boot of a kernel"
        if ruling.because is not Because.SPLIT:
            return ""
        look, limit = claimed.claim.whole, claimed.claim.limit
        places = look.beyond(limit)
        worst = math.exp(max(look.estimate.logs) - look.estimate.centre)
        boots = listed([str(claimed.boots[place]) for place in places])
        return f"boot {boots} of {look.estimate.boots}, up to {judged_change(worst)} from the mean"

    def _needed(self, budget: Budget) -> list[Side]:
        """The sides whose figures a budget is about, the head last."""
        if not budget.limit.needs_base:
            return [self.head]
        assert self.base is not None
        return [self.base, self.head]

    def _by_boot(self, budget: Budget, case: str) -> tuple[list[Logs], str | None] | str:
        """The boots of head by those of its reference, and those without; or what is wrong."""
        head = self.head.boots(budget.statistic, case)
        if problem := _problem(head, case, budget, self.head, "head"):
            return problem
        than = budget.limit.reference(case)
        if than is not None:
            below = self.head.boots(budget.statistic, than)
            problem = _problem(below, than, budget, self.head, "head")
        elif budget.limit.needs_base:
            assert self.base is not None
            below = self.base.boots(budget.statistic, case)
            problem = _problem(below, case, budget, self.base, "base")
        else:
            below, problem = (dict.fromkeys(head[0], 1.0), dict.fromkeys(head[1], 1.0)), None
        if problem:
            return problem
        if self._by_machine_boot(budget):
            assert self.base is not None
            head, below = self.head.by_machine_boot(head), self.base.by_machine_boot(below)
        both = [*zip(head, below, strict=True)]
        ratios = [_ratios(*parts) for parts in both]
        if not any(ratios):
            return (
                f"{than} was measured in no boot that {case} was"
                if than is not None
                else f"{case} was measured in no boot of the same number on base and head"
            )
        alone: list[int] = []
        for top, under in both:
            lonely = top.keys() ^ under.keys() if than is None else top.keys() - under.keys()
            alone += sorted(lonely)
        said = None
        if alone:
            side = "only one side has it" if than is None else f"{than} was not measured there"
            said = f"boot {listed([str(boot) for boot in alone])}: {side}"
        return ratios, said

    def _by_machine_boot(self, budget: Budget) -> bool:
        """Whether processes do not replicate what is judged: natively, a kernel was booted."""
        if self.base is None or self.head.tier != "native" or not budget.limit.needs_base:
            return False
        base, head = self.base.results, self.head.results
        if base.build_id is None or head.build_id is None:
            return base.kernel != head.kernel
        return base.build_id != head.build_id

    def _noise(self, budget: Budget, case: str) -> Noise | None:
        """The noise of a figure: calibrated; that of counted instructions is known."""
        than, paired = budget.limit.reference(case), budget.limit.needs_base
        found = None
        if self.calibration is not None:
            found = self.calibration.noise(budget.statistic, case, than, paired=paired)
        if TIERS[self.head.tier] != "instructions":
            return found
        found = found or floors.noise(budget.statistic, case, than, paired=paired)
        return replace(found, floor=max(found.floor, self._grain(case)))

    def _grain(self, case: str) -> float:
        """Half an instruction of an operation: less is rounded away where counts are shown."""
        counts = [
            value for part in self.head.boots("p50", case) for value in part.values() if value
        ]
        return math.log1p(0.5 / min(counts)) if counts else 0.0

    def _reference(self, budget: Budget, case: str) -> float | None:
        than = budget.limit.reference(case)
        if than is not None:
            return _median(self.head.boots(budget.statistic, than))
        if budget.limit.unit is not None or self.base is None:
            return None
        return _median(self.base.boots(budget.statistic, case))


def _ratios(top: BootFigures, below: BootFigures) -> Mapping[int, float]:
    """Logarithms of the ratios of figures of one boot, in the order of boots."""
    both = ((boot, top[boot], below[boot]) for boot in sorted(top.keys() & below.keys()))
    return {boot: math.log(over / under) for boot, over, under in both if over and under}


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
