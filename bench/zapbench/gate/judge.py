# SPDX-License-Identifier: GPL-2.0-only
"""All budgets against the results of one or two kernels."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.gate.budget import Budget, Budgets, Waiver
from zapbench.gate.claim import Claimed, Comparison
from zapbench.gate.evidence import Side
from zapbench.gate.judgement import Check, Judgement, settled
from zapbench.gate.noise import Calibration
from zapbench.gate.verdict import Because, Verdict, rule


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
    comparison = Comparison(base, head, calibration, hold_back=hold_back)
    checks = _judged(budgets.budgets, comparison)
    if not any(check.counted for check in checks):
        reasons = dict.fromkeys(check.note for check in checks)
        raise UsageError(
            f"no budget of {budgets.path} is about what was measured: {'; '.join(reasons)}"
        )
    waived = tuple(_waived(check, budgets.waivers, day) for check in checks)
    suspects = tuple(_suspects(checks))
    return Judgement(budgets, base, head, waived, suspects, tuple(warnings), day, again, live)


def _judged(budgets: Iterable[Budget], comparison: Comparison) -> list[Check]:
    """The checks of all budgets; what can be judged is judged together."""
    found = [each for budget in budgets for each in _asked(budget, comparison)]
    rulings = iter(rule([each.claim for each in found if isinstance(each, Claimed)]))
    return [
        each if isinstance(each, Check) else comparison.check(each, next(rulings)) for each in found
    ]


def _asked(budget: Budget, comparison: Comparison) -> list[Check | Claimed]:
    """What a budget asks of every case that it is about."""
    base, head = comparison.base, comparison.head
    globs = ", ".join(budget.cases)
    why = budget.inapplicable(head.results.tier, head.kernel, has_base=base is not None)
    if why is not None:
        return [settled(budget, globs, Because.NOT_APPLICABLE, why)]
    sides = [head] if base is None else [head, base]
    seen = {case for side in sides for case in (*side.cases(), *side.trouble)}
    cases = sorted(case for case in seen if budget.matches(case))
    if not cases:
        return [settled(budget, globs, Because.NOT_APPLICABLE, "no such case was measured")]
    return [
        _without_figure(budget, case, base, head) or comparison.claim(budget, case)
        for case in cases
    ]


def _without_figure(budget: Budget, case: str, base: Side | None, head: Side) -> Check | None:
    """The check of a case that has no figure on the head, or nothing to measure it by."""
    if case in head.cases():
        lacking = _lacking(budget, case, base, head)
        return settled(budget, case, Because.NOT_APPLICABLE, lacking) if lacking else None
    trouble = head.trouble.get(case, "not measured")
    if base is not None and case in base.cases():
        if trouble == "not measured":
            return settled(budget, case, Because.NO_FIGURE, "measured on base only")
        return settled(budget, case, Because.LOST, trouble)
    if trouble.startswith("error"):
        return settled(budget, case, Because.NO_FIGURE, trouble)
    return settled(budget, case, Because.NOT_APPLICABLE, trouble)


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


def _suspects(checks: Iterable[Check]) -> dict[str, None]:
    """The cases of what is suspected, and those that its limits refer to."""
    return {
        name: None
        for check in checks
        if check.ruling.suspected
        for name in (check.case, check.budget.limit.reference(check.case))
        if name is not None
    }


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
