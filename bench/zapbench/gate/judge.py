# SPDX-License-Identifier: GPL-2.0-only
"""All budgets against the results of one or two kernels."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto

from zapbench.case import Case
from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.gate.budget import CLAIMED, Budget, Budgets, Waiver
from zapbench.gate.claim import Claimed, Comparison
from zapbench.gate.estimate import ALPHA
from zapbench.gate.evidence import Side
from zapbench.gate.judgement import SETTLED, Check, Judgement, settled, with_references
from zapbench.gate.missing import Gaps
from zapbench.gate.noise import Calibration
from zapbench.gate.verdict import Because, Ruling, Verdict, rule
from zapbench.kernel import words


def comparable(base: Side | None, head: Side, *, force: bool) -> list[str]:
    """Check that figures of two sides can be compared; what differs, if that was forced.

    What is not known counts as the same, and is named too.

    Raises:
        UsageError: units differ, base and head are the same boots, or fingerprints differ and
            ``force`` was not asked for.
    """
    sides = [side for side in (base, head) if side is not None]
    units = {side.results.unit for side in sides}
    if len(units) > 1:
        raise UsageError(f"mixed units: base and head are in {' and '.join(sorted(units))}")
    if base is not None and base.starts & head.starts:
        raise UsageError(
            f"{base.results.directory} and {head.results.directory} hold the same boots, which "
            "cannot be compared: measure the head"
        )
    found = [text for side in sides for text in side.differing]
    if base is not None:
        if (base.fresh is None) != (head.fresh is None):
            fresh, other = (base, head) if head.fresh is None else (head, base)
            raise UsageError(
                f"{fresh.all_results[-1].directory} has fresh boots of {fresh.kernel}, and there "
                f"are none of {other.kernel}: give both, by --confirm and a second --pin"
            )
        for old, new in zip(base.prints, head.prints, strict=True):
            found += fingerprint.differences(old, new)
    differing = list(dict.fromkeys(found))
    if differing and not force:
        raise UsageError(
            f"base and head were not measured alike: {'; '.join(differing)}; measure both the "
            "same way, with one --seed, or compare all the same with --force"
        )
    unknown = [text for side in sides for text in side.unknown]
    return [
        *(f"forced: measured differently: {text}" for text in differing),
        *(f"unknown, taken to be alike: {text}" for text in unknown),
    ]


def judge(
    budgets: Budgets,
    base: Side | None,
    head: Side,
    calibration: Calibration | None,
    day: date,
    *,
    force: bool = False,
    held: Collection[str] | None = None,
    level: float = ALPHA,
    pins: Sequence[Side] = (),
) -> Judgement:
    """Judge every budget on every case that was measured.

    ``held`` are the cases whose later boots are held back, to confirm; None: all of them.
    ``level`` is that of a one-sided test, less where figures are looked at several times.
    ``pins`` take the place of base for the budgets that name them.

    Raises:
        UsageError: base and head cannot be compared, or no budget is about what was measured.
    """
    bases: dict[str | None, Side | None] = {None: base, **{each.kernel: each for each in pins}}
    warnings = [text for side in bases.values() for text in comparable(side, head, force=force)]
    for side in (*bases.values(), head):
        if side is not None:
            cut = (result.recording.truncated for result in side.all_results)
            warnings += [f"incomplete: {text}" for text in cut if text]
    gaps = Gaps(head)
    by = {
        name: _By(
            Comparison(side, head, calibration, held, level),
            _Whole(head, side, gaps, None if side is None else Gaps(side)),
        )
        for name, side in bases.items()
    }
    pinned = [each.kernel for each in pins]
    asked = [
        each
        for budget in budgets.budgets
        for each in _asked(budget, by.get(budget.against, by[None]), pinned)
    ]
    checks = _judged(asked, by)
    if all(check.ruling.because in NOT_ABOUT for check in checks):
        reasons = dict.fromkeys(check.note or check.ruling.because for check in checks)
        raise UsageError(
            f"no budget of {budgets.path} is about what was measured; why not: {'; '.join(reasons)}"
        )
    suspects = tuple(_suspects(checks))
    waived = _waived(asked, checks, budgets.waivers, day)
    return Judgement(
        budgets,
        base,
        head,
        waived,
        suspects,
        tuple(dict.fromkeys(warnings)),
        day,
        level,
        pins=tuple(pins),
    )


NOT_ABOUT = (Because.NOT_APPLICABLE, Because.NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class _Whole:
    """Both sides, and what of their boots is missing."""

    head: Side
    base: Side | None
    head_gaps: Gaps
    base_gaps: Gaps | None

    def open(self, budget: Budget, case: str) -> str | None:
        """Why figures alone do not settle a case: of what bears on it, not all is there."""
        than = budget.limit.reference(case)
        names = [("", self.head_gaps, case)]
        names += [("", self.head_gaps, than)] if than is not None else []
        if budget.limit.needs_base and self.base_gaps is not None:
            names.append(("base: ", self.base_gaps, case))
        for side, gaps, name in names:
            if (gap := gaps.of(name)) is not None:
                return f"{side}{f'{name}: ' if name != case else ''}{gap.why}"
        return None

    def demand(self, budget: Budget, case: str) -> "_Demand":
        """Whether a case must be there."""
        if budget.required is None:
            return _Demand.REQUIRED if case in budget.literal else _Demand.OPTIONAL
        if budget.required != CLAIMED:
            return _Demand.REQUIRED if budget.required else _Demand.OPTIONAL
        method = Case.parse(case).method
        named = method.replace("_", "-") in words.split(self.head.kernel)[0].split("+")[1:]
        has = self.base is not None and any(
            Case.parse(each).method == method for each in self.base.cases
        )
        return _Demand.REQUIRED if named or has else _Demand.UNCLAIMED


class _Demand(Enum):
    REQUIRED = auto()
    OPTIONAL = auto()
    UNCLAIMED = auto()


@dataclass(frozen=True, slots=True)
class _By:
    """What a budget is judged by: head with the budget's base."""

    comparison: Comparison
    whole: _Whole


def _judged(asked: Sequence[Check | Claimed], by: Mapping[str | None, _By]) -> list[Check]:
    """The checks of all budgets; what can be judged is judged together."""
    rulings = iter(rule([each.claim for each in asked if isinstance(each, Claimed)]))

    def check(claimed: Claimed) -> Check:
        its = by[claimed.budget.against]
        why = its.whole.open(claimed.budget, claimed.case) or claimed.alone
        return _capped(its.comparison.check(claimed, next(rulings)), why)

    return [each if isinstance(each, Check) else check(each) for each in asked]


def _capped(check: Check, why: str | None) -> Check:
    """Nothing passes where boots are missing; what fails in those that are there does."""
    if why is None:
        return check
    if check.ruling.verdict is not Verdict.FAIL:
        check = replace(check, ruling=Ruling(Verdict.INCONCLUSIVE, Because.INCOMPLETE))
    return replace(check, note=why, missing=True)


def _asked(budget: Budget, by: _By, pins: Collection[str]) -> Iterator[Check | Claimed]:
    """What a budget asks of every case that it is about."""
    comparison, whole = by.comparison, by.whole
    base, head = comparison.base, comparison.head
    globs = ", ".join(budget.cases)
    why = budget.inapplicable(head.results.tier, head.kernel, has_base=base is not None, pins=pins)
    if why is not None:
        yield settled(budget, globs, Because.NOT_APPLICABLE, why)
        return
    sides = [head] if base is None else [head, base]
    seen = {case for side in sides for case in (*side.cases, *side.trouble)}
    matched = {case for case in seen if budget.matches(case)}
    for case in sorted(matched | set(budget.literal)):
        yield _without_figure(budget, case, whole) or comparison.claim(budget, case)
    for glob in budget.unmatched(matched):
        yield settled(budget, glob, Because.NOT_MEASURED)


def _without_figure(budget: Budget, case: str, whole: _Whole) -> Check | None:
    """The check of a case that figures do not decide; None where they do."""
    gap = whole.head_gaps.of(case)
    measured = case in whole.head.cases
    if gap is not None and (SETTLED[gap.because] is Verdict.FAIL or not measured):
        return settled(budget, case, gap.because, gap.why)
    demand = whole.demand(budget, case)
    if not measured:
        return _without_record(budget, case, whole, demand)
    if lacking := _lacking(budget, case, whole.base, whole.head):
        must = demand is _Demand.REQUIRED and budget.limit.than is not None
        return settled(budget, case, Because.NO_FIGURE if must else Because.NOT_APPLICABLE, lacking)
    return None


def _without_record(budget: Budget, case: str, whole: _Whole, demand: _Demand) -> Check:
    """The check of a case that the head skipped, or has no record of."""
    skipped = whole.head.trouble.get(case)
    on_base = whole.base is not None and case in whole.base.cases
    because = Because.NOT_APPLICABLE
    if demand is not _Demand.UNCLAIMED:
        because = UNMEASURED[demand, skipped is not None, on_base]
    return settled(budget, case, because, skipped or ("measured on base only" if on_base else ""))


UNMEASURED = {
    (_Demand.REQUIRED, True, True): Because.ABSENT,
    (_Demand.REQUIRED, True, False): Because.ABSENT,
    (_Demand.REQUIRED, False, True): Because.ABSENT,
    (_Demand.REQUIRED, False, False): Because.NOT_MEASURED,
    (_Demand.OPTIONAL, True, True): Because.LOST,
    (_Demand.OPTIONAL, True, False): Because.NOT_APPLICABLE,
    (_Demand.OPTIONAL, False, True): Because.NO_FIGURE,
    (_Demand.OPTIONAL, False, False): Because.NOT_MEASURED,
}
"""Of a case without a figure on the head: is it demanded, was it skipped there, has base it?"""


def _lacking(budget: Budget, case: str, base: Side | None, head: Side) -> str | None:
    """Why there is nothing to measure a case by: base or the other case is not supported."""
    than = budget.limit.reference(case)
    if than is not None:
        side, name, word = head, than, "head"
    elif budget.limit.needs_base and base is not None:
        side, name, word = base, case, "base"
    else:
        return None
    trouble = "" if name in side.cases else side.trouble.get(name, "")
    return f"{word}: {name} {trouble}" if trouble.startswith("skipped") else None


def _suspects(checks: Iterable[Check]) -> dict[str, None]:
    """The cases of what is suspected, and those that its limits refer to."""
    return with_references(check for check in checks if check.ruling.suspected)


def _waived(
    asked: Sequence[Check | Claimed],
    checks: Sequence[Check],
    waivers: Sequence[Waiver],
    day: date,
) -> tuple[Check, ...]:
    """What a waiver is for, judged by that waiver's limit; what has no figure is never waived."""
    found = [_waiver(check, waivers, day) for check in checks]
    instead = [
        replace(each.claim, limit=waiver.up_to.log)
        for each, (waiver, _) in zip(asked, found, strict=True)
        if isinstance(each, Claimed) and waiver is not None
    ]
    rulings = iter(rule(instead))
    return tuple(
        _under(check, waiver, next(rulings)) if waiver is not None else replace(check, note=note)
        for check, (waiver, note) in zip(checks, found, strict=True)
    )


def _waiver(check: Check, waivers: Sequence[Waiver], day: date) -> tuple[Waiver | None, str]:
    """The widest waiver that a check may have; else what there is to say of it."""
    note = check.note
    if check.ruling.verdict not in (Verdict.FAIL, Verdict.INCONCLUSIVE) or check.change is None:
        return None, note
    matching = [waiver for waiver in waivers if waiver.matches(check.case)]
    fitting = [each for each in matching if each.up_to.replaces(check.budget.limit)]
    valid = [waiver for waiver in fitting if waiver.expires >= day]
    if valid and not check.missing:
        return max(valid, key=lambda each: each.up_to.log), note
    if fitting and not valid:
        note = "; ".join(
            filter(None, (note, f"a waiver expired on {max(each.expires for each in fitting)}"))
        )
    elif matching and not fitting:
        texts = ", ".join(dict.fromkeys(each.up_to.text for each in matching))
        note = "; ".join(filter(None, (note, f"a waiver up to {texts} is of another form")))
    return None, note


def _under(check: Check, waiver: Waiver, ruling: Ruling) -> Check:
    """A check by the limit of its waiver: kept, it is waived."""
    if ruling.verdict is Verdict.PASS:
        ruling = replace(ruling, verdict=Verdict.SKIP, because=Because.WAIVED)
        note = f"would be {check.ruling.verdict}; until {waiver.expires}: {waiver.reason}"
    else:
        note = check.note
    return replace(check, ruling=ruling, note=note, waiver=waiver)
