# SPDX-License-Identifier: GPL-2.0-only
"""All budgets against the results of one or two kernels."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from statistics import median

from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.gate.budget import TIERS, Budget, Budgets, Waiver
from zapbench.gate.estimate import of_one, of_two
from zapbench.gate.evidence import Rounds, Side, may_split, rounds, same_image
from zapbench.gate.noise import Boots, Calibration, Noise, logs, of_own
from zapbench.gate.verdict import Because, Claim, Look, Ruling, Verdict, rule, suspected


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
    ratios less one.  ``note`` is what the reason alone does not say.
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
    boots: int = 0
    waiver: Waiver | None = None

    @property
    def counted(self) -> bool:
        """Whether it bears on the outcome."""
        return self.ruling.verdict is not Verdict.SKIP


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate says.  ``warnings`` label what was forced, or is incomplete."""

    budgets: Budgets
    base: Side | None
    head: Side
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    day: date
    again: str = ""
    """The command that makes this judgement again."""
    live: bool = False
    """That command measures, too."""

    @property
    def tier(self) -> str:
        """The way both were measured."""
        return self.head.results.tier

    @property
    def unit(self) -> str:
        """``ns`` or ``instructions``."""
        return self.head.results.unit

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


def comparable(base: Side | None, head: Side, *, force: bool) -> list[str]:
    """Check that figures of two sides can be compared; what differs, if that was forced.

    Raises:
        UsageError: units differ, or fingerprints do and ``force`` was not asked for.
    """
    sides = [side for side in (base, head) if side is not None]
    units = {side.results.unit for side in sides}
    if len(units) > 1:
        raise UsageError(f"mixed units: base and head are in {' and '.join(sorted(units))}")
    differing = [text for side in sides for text in side.fingerprint[1]]
    if base is not None:
        differing += fingerprint.differences(base.fingerprint[0], head.fingerprint[0])
    if differing and not force:
        raise UsageError(
            f"base and head were not measured alike: {'; '.join(differing)}; measure both the "
            "same way, or compare all the same with --force"
        )
    return [f"forced: measured differently: {text}" for text in differing]


def judge(
    budgets: Budgets,
    base: Side | None,
    head: Side,
    calibration: Calibration | None,
    day: date,
    *,
    force: bool = False,
    hold_back: bool = True,
    again: str = "",
    live: bool = False,
) -> Judgement:
    """Judge every budget on every case that was measured.

    Without ``hold_back`` all boots of a first result are looked at, and none confirm.

    Raises:
        UsageError: base and head cannot be compared, or no budget is about what was measured.
    """
    warnings = comparable(base, head, force=force)
    for side in (base, head):
        if side is not None:
            cut = (result.recording.truncated for result in side.all_results)
            warnings += [f"incomplete: {text}" for text in cut if text]
    drafts = [draft for budget in budgets.budgets for draft in _drafts(budget, base, head)]
    if not any(draft.counted for draft in drafts):
        reasons = dict.fromkeys(draft.note for draft in drafts)
        raise UsageError(
            f"no budget of {budgets.path} is about what was measured: {'; '.join(reasons)}"
        )
    court = _Court(base, head, calibration, hold_back)
    checks = _judged(drafts, court)
    waived = tuple(_waived(check, budgets.waivers, day) for check in checks)
    return Judgement(budgets, base, head, waived, tuple(warnings), day, again, live)


def to_confirm(judgement: Judgement, calibration: Calibration | None) -> list[str]:
    """The cases, references included, that fresh boots must decide."""
    court = _Court(judgement.base, judgement.head, calibration, hold_back=False)
    drafts = [replace(check, ruling=_OPEN) for check in judgement.checks if _estimable(check)]
    claims = [court.claim(draft) for draft in drafts]
    known = [(d, c) for d, c in zip(drafts, claims, strict=True) if isinstance(c, Claim)]
    doubtful = suspected([claim for _, claim in known])
    wanted: dict[str, None] = {}
    for (draft, _), yes in zip(known, doubtful, strict=True):
        if yes:
            names = (draft.case, draft.budget.limit.reference(draft.case))
            wanted |= {name: None for name in names if name is not None}
    return list(wanted)


_OPEN = Ruling(Verdict.INCONCLUSIVE, Because.OPEN)


def _estimable(check: Check) -> bool:
    return check.waiver is not None or check.ruling.because not in (
        Because.NOT_APPLICABLE,
        Because.LOST,
    )


def _skip(budget: Budget, case: str, note: str) -> Check:
    return Check(budget, case, Ruling(Verdict.SKIP, Because.NOT_APPLICABLE), note)


def _drafts(budget: Budget, base: Side | None, head: Side) -> Iterable[Check]:
    """The checks of a budget; those to be judged are still open."""
    globs = ", ".join(budget.cases)
    why = budget.inapplicable(head.results.tier, head.kernel, has_base=base is not None)
    if why is not None:
        return [_skip(budget, globs, why)]
    sides = [head] if base is None else [head, base]
    seen = {case for side in sides for case in (*side.cases(), *side.trouble)}
    cases = sorted(case for case in seen if budget.matches(case))
    if not cases:
        return [_skip(budget, globs, "no such case was measured")]
    return [_draft(budget, case, base, head) for case in cases]


def _draft(budget: Budget, case: str, base: Side | None, head: Side) -> Check:
    """One check before judgement: what has no figure on the head is settled here."""
    if case in head.cases():
        lacking = _lacking(budget, case, base, head)
        return _skip(budget, case, lacking) if lacking else Check(budget, case, _OPEN)
    trouble = head.trouble.get(case, "not measured")
    if base is not None and case in base.cases():
        if trouble == "not measured":
            ruling = Ruling(Verdict.INCONCLUSIVE, Because.NO_FIGURE)
            return Check(budget, case, ruling, "measured on base only")
        return Check(budget, case, Ruling(Verdict.FAIL, Because.LOST), trouble)
    if trouble.startswith("error"):
        return Check(budget, case, Ruling(Verdict.INCONCLUSIVE, Because.NO_FIGURE), trouble)
    return _skip(budget, case, trouble)


def _lacking(budget: Budget, case: str, base: Side | None, head: Side) -> str | None:
    """Why there is nothing to measure a case by: base or the other case is not supported."""
    than = budget.limit.reference(case)
    if than is not None:
        side, name, word = head, than, "head"
    elif budget.limit.needs_base and base is not None:
        side, name, word = base, case, "base"
    else:
        return None
    trouble = "" if name in side.cases() else side.trouble.get(name, "")
    return f"{word}: {name} {trouble}" if trouble.startswith("skipped") else None


def _judged(drafts: Sequence[Check], court: "_Court") -> list[Check]:
    """Judge what is open, all of it together."""
    claims: dict[int, Claim] = {}
    checks = list(drafts)
    for number, draft in enumerate(drafts):
        if draft.ruling is not _OPEN:
            continue
        found = court.claim(draft)
        if isinstance(found, Check):
            checks[number] = found
        else:
            claims[number] = found
    for (number, claim), ruling in zip(claims.items(), rule(list(claims.values())), strict=True):
        checks[number] = court.measured(drafts[number], claim, ruling)
    return checks


def _waived(check: Check, waivers: Iterable[Waiver], day: date) -> Check:
    """Apply the first waiver for the case that has not expired; say so of one that has."""
    if check.ruling.verdict not in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        return check
    matching = [waiver for waiver in waivers if waiver.matches(check.case)]
    valid = [waiver for waiver in matching if waiver.expires >= day]
    if valid:
        was = f"would be {check.ruling.verdict}; until {valid[0].expires}: {valid[0].reason}"
        ruling = replace(check.ruling, verdict=Verdict.SKIP, because=Because.WAIVED)
        return replace(check, ruling=ruling, note=was, waiver=valid[0])
    if matching:
        note = f"a waiver expired on {max(waiver.expires for waiver in matching)}"
        return replace(check, note="; ".join(filter(None, (check.note, note))))
    return check


@dataclass(frozen=True, slots=True)
class _Court:
    """Makes claims out of figures."""

    base: Side | None
    head: Side
    calibration: Calibration | None
    hold_back: bool

    def claim(self, draft: Check) -> Claim | Check:
        """The claim that a check makes; or the check settled, if there is none to be made."""
        budget, case = draft.budget, draft.case
        sides = self._sides(budget, case)
        if isinstance(sides, str):
            ruling = Ruling(Verdict.INCONCLUSIVE, Because.NO_FIGURE)
            return replace(draft, ruling=ruling, note=sides)
        looks = [
            self._look(budget, case, [getattr(side, part) for side in sides])
            for part in ("whole", "first", "again")
        ]
        whole, first, again = looks
        if whole is None or first is None:
            return replace(draft, ruling=Ruling(Verdict.INCONCLUSIVE, Because.NO_FLOOR))
        one_image = budget.limit.needs_base and self._one_image
        return Claim(budget.limit.log, whole, first, again, one_image)

    def _look(self, budget: Budget, case: str, sides: Sequence[Sequence[float]]) -> Look | None:
        """What some boots of each side say; None without boots, or without a noise floor."""
        noise = self._noise(budget, case, sides)
        if noise is None or not all(sides):
            return None
        if len(sides) == 2:
            return Look(of_two(sides[0], sides[1], noise.spread), noise.floor)
        return Look(of_one(sides[0], noise.spread), noise.floor)

    @property
    def _one_image(self) -> bool:
        return self.base is not None and same_image(self.base, self.head)

    def _sides(self, budget: Budget, case: str) -> list[Rounds] | str:
        """The boots of head, and of base before it if the limit needs one; or what is wrong."""
        parts: list[tuple[list[float], list[float]]] = []
        needed = [self.head] if not budget.limit.needs_base else [self.base, self.head]
        for side in needed:
            assert side is not None
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

    def measured(self, draft: Check, claim: Claim, ruling: Ruling) -> Check:
        """A check with its figures beside its verdict."""
        budget, limit = draft.budget, draft.budget.limit
        estimate = claim.whole.estimate
        reach, detectable = estimate.reach, estimate.detectable
        unit = limit.unit is not None
        reference = None if unit else self._reference(budget, draft.case)
        return replace(
            draft,
            ruling=ruling,
            head=_median(self.head.boots(budget.statistic, draft.case)),
            reference=reference,
            change=math.exp(estimate.centre),
            low=None if reach is None else math.exp(estimate.centre - reach),
            high=None if reach is None else math.exp(estimate.centre + reach),
            floor=math.expm1(claim.whole.floor),
            detectable=None if detectable is None else math.expm1(detectable),
            boots=estimate.boots,
        )

    def _reference(self, budget: Budget, case: str) -> float | None:
        than = budget.limit.reference(case)
        if than is not None:
            return _median(self.head.boots(budget.statistic, than))
        return None if self.base is None else _median(self.base.boots(budget.statistic, case))


def _median(parts: tuple[Boots, Boots]) -> float | None:
    values = [value for part in parts for value in part.values() if value is not None]
    return median(values) if values else None


NEEDED = {
    "p99": "a p99 takes 1,000 samples a boot",
    "p99.9": "a p99.9 takes 10,000 samples a boot",
    "per_page": "the case is about no pages",
    "case_total": "case_total was not recorded",
}


def _problem(
    figures: tuple[Boots, Boots], case: str, budget: Budget, side: Side, name: str
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
