# SPDX-License-Identifier: GPL-2.0-only
"""The answer, as rules over the data: no sentence says what was not measured here."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from zapbench import text
from zapbench.case import CONTINUE, MINOR_FAULT, size_text
from zapbench.chart.contract import Mapped
from zapbench.chart.cost import SUBJECT
from zapbench.report.changes import changes
from zapbench.report.document import Section, Text
from zapbench.report.evidence import (
    Evidence,
    by_kernel,
    evidence,
    kernels_text,
    loss_text,
    unlooked_text,
    where_text,
)
from zapbench.report.study import EQUAL, Group, Study, equal, untold
from zapbench.result.bridge import BASELINE
from zapbench.result.stats import Ratio
from zapbench.result.timings import Timings

WORKAROUND = "remap"
"""What was done instead of MADV_ZAP in 2021: unmap, map, register."""
MINOR = "with a minor mode"
SENTENCES = 3
UNTOLD = "no telling"


def answer(study: Study) -> Section:
    """The first section."""
    return Section("answer", "Answer", tuple(Text(said) for said in sentences(study)))


def sentences(study: Study) -> list[str]:
    """At most three sentences, the most wanted first; what has no data gives none."""
    said = [sentence for rule in RULES if (sentence := rule(study))]
    return said[:SENTENCES] or [
        "Nothing was measured: no case has a figure; what was skipped, and why, is below."
        if study.groups
        else "Nothing was measured: there are no records."
    ]


def _verdict(study: Study) -> str | None:
    """How MADV_ZAP compares to MADV_DONTNEED, or that it was not there."""
    if not _dropped(study):
        return None
    pairs = [
        (group, found)
        for group in study.with_subject
        for place in group.places("cycle", minor=True)
        if group.equivalent("cycle", SUBJECT, place)
        and (found := group.ratio("cycle", SUBJECT, place, BASELINE)) is not None
    ]
    if not pairs:
        return _absent(study)
    by_group: dict[Group, list[Ratio]] = {}
    for group, found in pairs:
        by_group.setdefault(group, []).append(found)
    parts = by_kernel({group: _compared(ratios) for group, ratios in by_group.items()})
    return (
        f"A cycle (drop, trap, resolve, touch) with {SUBJECT}, set against one with {BASELINE}, "
        f"by place (backing, page and range size): {parts}."
    )


def _dropped(study: Study) -> bool:
    """Whether ways of dropping were measured: only then is there something to rank."""
    return any(group.places("cycle") or group.places("zap") for group in study.groups)


def _compared(ratios: Sequence[Ratio]) -> str:
    words = Counter(_word(found) for found in ratios)
    order = ("cheaper", "dearer", f"equal within {text.share(EQUAL, 0)}", UNTOLD)
    where = [f"{word} at {words[word]}" for word in order if words[word]]
    if words[UNTOLD]:
        where[-1] += f" ({_intervals([found for found in ratios if _word(found) == UNTOLD])})"
    have = "has" if len(ratios) == 1 else "have"
    of = f"{text.number(len(ratios), 'place')} {MINOR} that {have} both"
    return f"it costs {_range([found.value for found in ratios])}: {text.listed(where)} of {of}"


def _word(found: Ratio) -> str:
    if equal(found):
        return f"equal within {text.share(EQUAL, 0)}"
    if untold(found):
        return UNTOLD
    return "cheaper" if found.value < 1 else "dearer"


def _intervals(ratios: Sequence[Ratio]) -> str:
    """How far apart the costs may be where there is no telling."""
    bounds = [each for found in ratios for each in (found.low, found.high) if each is not None]
    return f"95 % interval: {_range(bounds)}" if bounds else "too few boots for an interval"


def _range(values: Sequence[float]) -> str:
    return text.span(values, text.times)


def _absent(study: Study) -> str:
    if study.with_subject:
        return (
            f"MADV_ZAP was measured on {kernels_text(study.with_subject)}, but no cycle of it next "
            f"to one of {BASELINE}: the tables have its figures."
        )
    reasons = [
        reason
        for group in study.groups
        for case, reason in group.results.skipped
        if case.method == SUBJECT
    ]
    why = f"skipped ({reasons[0]})" if reasons else "no such case was run"
    kernels = kernels_text(study.groups)
    return f"MADV_ZAP was not measured on {kernels}: {why}; ratios are to {BASELINE} instead."


def _cheapest(study: Study) -> str | None:
    """Who costs least at equal end states, and what the workaround of 2021 costs."""
    groups = [
        group
        for group in study.groups
        if group.has_subject
        or not any(g.has_subject and g.tier == group.tier for g in study.groups)
    ]
    said = {group: part for group in groups if (part := _winners(group))}
    if not said:
        return None
    return (
        "Cheapest at equal end states, within "
        f"{text.share(EQUAL, 0)} of that, or not shown to be dearer: {by_kernel(said)}."
    )


def _winners(group: Group) -> str | None:
    wins: Counter[str] = Counter()
    over: list[float] = []
    total = 0
    for place in group.places("cycle", minor=True):
        level = group.level("cycle", place)
        wins.update(level)
        total += bool(level)
        found = group.ratio("cycle", WORKAROUND, place, group.reference)
        if found is not None and group.equivalent("cycle", WORKAROUND, place):
            over.append(found.value)
    if not wins:
        return None
    ranking = text.listed([f"{name} at {count}" for name, count in wins.most_common()])
    part = f"{ranking} of {text.number(total, 'place')} {MINOR}"
    if over:
        part += f" ({WORKAROUND} costs {_range(over)} {group.reference})"
    return part


def _contracts(study: Study) -> str | None:
    """Whether a workaround keeps all that MADV_ZAP keeps, kernel by kernel."""
    if not _dropped(study):
        return None
    what = f"that {SUBJECT} keeps" if study.with_subject else f"that {SUBJECT} promises"
    groups, said = study.with_subject or study.groups, {}
    for group in groups:
        known = evidence([group])
        mine = known.pop(SUBJECT, None)
        if known:
            wanted = mine.seen if mine else set().union(*(each.seen for each in known.values()))
            said[group] = _needed(known, wanted, what)
    if not said:
        return None
    rule = "nearest: the fewest promises lost, at the same end state"
    unlooked = unlooked_text(groups)
    return f"Other methods ({rule}): {by_kernel(said)}.{f' {unlooked}' if unlooked else ''}"


def _needed(known: Mapping[str, Evidence], wanted: set[Mapped], what: str) -> str:
    """Whether MADV_ZAP is needed on a kernel, as far as what was tried can tell."""
    if solid := [method for method, each in known.items() if each.solid]:
        where = where_text(set().union(*(known[method].seen for method in solid)))
        return (
            f"{text.listed(solid)} kept all {what}, and all of it was tried ({where}): there "
            "MADV_ZAP is not needed"
        )
    fewest = min(len(each.lost) for each in known.values())
    nearest = {method: each for method, each in known.items() if len(each.lost) == fewest}
    said = [_nearness(method, each, wanted - each.seen) for method, each in nearest.items()]
    if not fewest:
        return f"nothing {what} was lost, as far as that was tried, by {'; and by '.join(said)}"
    verb = "is" if len(said) == 1 else "are"
    return f"none kept all {what}; nearest ({fewest} lost) {verb} {'; and '.join(said)}"


def _nearness(method: str, known: Evidence, lacks: set[Mapped]) -> str:
    """A method with what it loses, and what was not tried with it: anywhere, or only there."""
    but = f" (not available on {where_text(lacks)})" if lacks else ""
    lost = text.listed([loss_text(name) for name in known.lost])
    open_ = [
        f"{name} ({where_text(places)})" if name in known.kept else name
        for name, places in known.untried.items()
        if name not in known.lost
    ]
    untried = f"; not tried with it: {text.listed(open_)}" if open_ else ""
    return f"{method}{but}{f', which {lost}' if lost else ''}{untried}"


def _faults(study: Study) -> str | None:
    """How fast a minor fault is resolved."""
    parts = []
    for group in study.groups:
        faults = [each for case, each in group.timings.items() if case.workload == MINOR_FAULT]
        if not faults:
            continue
        low = min(faults, key=lambda each: each.median)
        high = max(faults, key=lambda each: each.median)
        first, last = (
            f"{text.full_cost(each.median, group.unit)} ({each.case})" for each in (low, high)
        )
        to = f" to {last}" if high is not low else ""
        parts.append(f"on {group.name} {first}{_tail(low, group.unit)}{to}")
    return f"A minor fault takes, at the median, {'; '.join(parts)}." if parts else None


def _tail(each: Timings, unit: str) -> str:
    p99 = each.pooled.tail(0.99)
    return f", p99 {text.full_cost(p99, unit)}," if p99 is not None else ""


def _continue(study: Study) -> str | None:
    """What UFFDIO_CONTINUE costs a page, against MADV_POPULATE_READ."""
    parts = []
    for group in study.groups:
        found = []
        for case, each in group.timings.items():
            if case.workload != CONTINUE or case.axes or not each.pages_per_op:
                continue
            rival = group.timings.get(replace(case, axes=(("by", "populate"),)))
            if rival is not None and rival.median > 0:
                found.append((each, each.median / rival.median))
        if found:
            most, _ = max(found, key=lambda pair: pair[0].pages_per_op)
            cost = text.full_cost(most.per_page, group.unit)
            unit = "" if group.unit == "ns" else f" {group.unit}"
            where = f"{most.case.backing}, {size_text(most.case.page_size)} pages"
            ratios = _range([value for _, value in found])
            parts.append(f"{cost}{unit} a page on {group.name} ({where}), {ratios}")
    said = "; ".join(parts)
    return f"UFFDIO_CONTINUE costs {said} what MADV_POPULATE_READ costs." if parts else None


def _history(study: Study) -> str | None:
    """The greatest step between two kernels."""
    found = changes(study)
    if found is None:
        return None
    over, least = f"Over {text.listed(found.kernels)}", text.share(EQUAL, 0)
    if not found.steps:
        return f"{over} no cost of {found.cases} stepped by {least}."
    first = found.steps[0]
    return (
        f"{over}, {text.number(len(found.steps), 'step')} of {least} or more "
        f"in {text.number(found.cases, 'case')}; the greatest is {text.change(first.ratio)} in "
        f"{first.case} at {first.label}."
    )


RULES: tuple[Callable[[Study], str | None], ...] = (
    _verdict,
    _cheapest,
    _contracts,
    _faults,
    _continue,
    _history,
)
