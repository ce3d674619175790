# SPDX-License-Identifier: GPL-2.0-only
"""The answer, as rules over the data: no sentence says what was not measured here."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from zapbench import text
from zapbench.case import CONTINUE, MINOR_FAULT, promises, size_text
from zapbench.chart.contract import Mapped
from zapbench.chart.cost import SUBJECT
from zapbench.report.changes import changes
from zapbench.report.document import Section, Text
from zapbench.report.study import EQUAL, Group, Place, Study, grouped, same
from zapbench.result.bridge import BASELINE
from zapbench.result.stats import Ratio
from zapbench.result.timings import Timings

WORKAROUND = "remap"
"""What was done instead of MADV_ZAP in 2021: unmap, map, register."""
SENTENCES = 3


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
    parts = []
    for tier, members in grouped((group for group, _ in pairs), lambda group: group.tier).items():
        ratios = [found for group, found in pairs if group in members]
        parts.append(f"on {_kernels(members)} ({tier}) {_compared(ratios)}")
    return (
        f"A cycle (drop, trap, resolve, touch) with {SUBJECT}, set against one with {BASELINE}: "
        f"{'; '.join(parts)}."
    )


def _dropped(study: Study) -> bool:
    """Whether ways of dropping were measured: only then is there something to rank."""
    return any(group.places("cycle") or group.places("zap") for group in study.groups)


def _compared(ratios: Sequence[Ratio]) -> str:
    words = Counter(_word(found) for found in ratios)
    order = ("cheaper", "dearer", f"equal within noise or {text.share(EQUAL, 0)}")
    where = [f"{word} at {words[word]}" for word in order if words[word]]
    of = f"{text.number(len(ratios), 'place')} (backing, page and range size)"
    return f"it costs {_range([found.value for found in ratios])}: {text.listed(where)} of {of}"


def _word(found: Ratio) -> str:
    if same(found):
        return f"equal within noise or {text.share(EQUAL, 0)}"
    return "cheaper" if found.value < 1 else "dearer"


def _range(values: Sequence[float]) -> str:
    return text.span(values, text.times)


def _kernels(groups: Sequence[Group]) -> str:
    names = dict.fromkeys(group.kernel.rsplit("/")[-1] for group in groups)
    return "Linux " + text.listed(list(names))


def _absent(study: Study) -> str:
    reasons = [
        reason
        for group in study.groups
        for case, reason in group.results.skipped
        if case.method == SUBJECT
    ]
    why = f"skipped ({reasons[0]})" if reasons else "no such case was run"
    kernels = _kernels(study.groups)
    return f"MADV_ZAP was not measured on {kernels}: {why}; ratios are to {BASELINE} instead."


def _cheapest(study: Study) -> str | None:
    """Who costs least at equal end states, and what the workaround of 2021 costs."""
    parts = [
        said
        for tier, groups in grouped(study.groups, lambda group: group.tier).items()
        if (said := _winners([g for g in groups if g.has_subject] or groups, tier))
    ]
    if not parts:
        return None
    return (
        "Cheapest at equal end states, or level with the cheapest within noise or "
        f"{text.share(EQUAL, 0)}: {'; '.join(parts)}."
    )


def _winners(groups: Sequence[Group], tier: str) -> str | None:
    wins: Counter[str] = Counter()
    over: list[float] = []
    total = 0
    for group, place in _places(groups):
        level = group.level("cycle", place)
        wins.update(level)
        total += bool(level)
        found = group.ratio("cycle", WORKAROUND, place, group.reference)
        if found is not None and group.equivalent("cycle", WORKAROUND, place):
            over.append(found.value)
    if not wins:
        return None
    ranking = text.listed([f"{name} at {count}" for name, count in wins.most_common()])
    part = f"on {_kernels(groups)} ({tier}) {ranking} of {text.number(total, 'place')}"
    if over:
        part += f" ({WORKAROUND} costs {_range(over)} {groups[0].reference})"
    return part


def _places(groups: Sequence[Group]) -> list[tuple[Group, Place]]:
    return [(group, place) for group in groups for place in group.places("cycle", minor=True)]


def _contracts(study: Study) -> str | None:
    """Whether a workaround keeps all that is kept, and what the nearest one loses."""
    losses = losses_of(study.groups)
    rivals = {method: lost for method, lost in losses.items() if method != SUBJECT}
    if not rivals or not _dropped(study):
        return None
    what = f"that {SUBJECT} keeps" if study.with_subject else "that was checked"
    solid = [method for method, lost in rivals.items() if not lost]
    if solid:
        where = where_text(set().union(*(mappings(study.groups, method) for method in solid)))
        return (
            f"{text.listed(solid)} kept all {what}, wherever tried ({where}): there MADV_ZAP is "
            "not needed."
        )
    wanted = mappings(study.groups, SUBJECT if study.with_subject else None)
    lacks = {method: wanted - mappings(study.groups, method) for method in rivals}
    nearest = min(rivals, key=lambda m: (len(lacks[m]), len(rivals[m]), m != BASELINE))
    lost = text.listed([loss_text(name) for name in rivals[nearest]])
    but = f" (not available on {where_text(lacks[nearest])})" if lacks[nearest] else ""
    return (
        f"No other method kept all {what}; nearest is {nearest}{but}, which {lost}: where "
        f"{'that does' if len(rivals[nearest]) == 1 else 'these do'} not matter, it works solidly "
        "and MADV_ZAP is not needed."
    )


def loss_text(promise: str) -> str:
    """What a method does that does not keep a promise."""
    known = promises()
    return known[promise].loss if promise in known else f"does not keep {promise}"


def mappings(groups: Sequence[Group], method: str | None) -> set[Mapped]:
    """Where a method's contract was seen with the same end state; any method's if None."""
    return {
        place
        for group in groups
        for place, words in group.kept.items()
        if method is None or (method in words and group.lost(method, *place) is not None)
    }


def losses_of(groups: Sequence[Group]) -> dict[str, dict[str, set[Mapped]]]:
    """What each equivalent method loses that MADV_ZAP keeps, and where, over all groups."""
    losses: dict[str, dict[str, set[Mapped]]] = {}
    for group in groups:
        fair = {case.method for case, why in group.results.table.differs.items() if why is None}
        for (backing, page_size), words in group.kept.items():
            for method in words:
                lost = group.lost(method, backing, page_size)
                if lost is None or method not in fair:
                    continue
                mine = losses.setdefault(method, {})
                for promise in lost:
                    mine.setdefault(promise, set()).add((backing, page_size))
    return losses


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
    over, equal = f"Over {text.listed(found.kernels)}", text.share(EQUAL, 0)
    if not found.steps:
        return f"{over} no cost of {found.cases} stepped by {equal}."
    first = found.steps[0]
    return (
        f"{over}, {text.number(len(found.steps), 'step')} of {equal} or more "
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


def where_text(places: set[Mapped]) -> str:
    """Backings with their page sizes: ``hugetlb 2m, shmem 2m, shmem 4k``."""
    return ", ".join(sorted(f"{backing} {size_text(size)}" for backing, size in places))
