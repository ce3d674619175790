# SPDX-License-Identifier: GPL-2.0-only
"""What is known of each method against what MADV_ZAP keeps: lost, kept, or not tried.

A verdict needs all of it: that nothing was seen to be lost is no proof that all is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zapbench import text
from zapbench.case import methods, promises, size_text
from zapbench.chart.contract import Mapped
from zapbench.chart.cost import SUBJECT
from zapbench.kernel.words import short
from zapbench.record import Seen
from zapbench.report.study import LOSSES, Group, by_reason

Where = dict[str, set[Mapped]]  # by promise
Words = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one method: where its contract was seen, and what it lost, kept and was not tried for.

    ``unlooked`` are promises that the records do not know: they are older.
    """

    seen: set[Mapped] = field(default_factory=set)
    lost: Where = field(default_factory=dict)
    kept: Where = field(default_factory=dict)
    untried: Where = field(default_factory=dict)
    unlooked: Where = field(default_factory=dict)

    def bears(self, promise: str, mapped: Mapped) -> bool:
        """Whether a promise bears on a verdict there: what it is about is there."""
        states = (self.lost, self.kept, self.untried, self.unlooked)
        return any(mapped in state.get(promise, ()) for state in states)

    @property
    def solid(self) -> bool:
        """Whether all was tried, and all was kept."""
        return not self.lost and not self.untried and not self.unlooked


State = Callable[[Evidence], Where]


def evidence(groups: Iterable[Group]) -> dict[str, Evidence]:
    """What is known of each method of MADV_ZAP's end state, by its name, over all groups."""
    found: dict[str, Evidence] = {}
    for group in groups:
        fair = {case.method for case, why in group.results.table.differs.items() if why is None}
        for mapped, words in group.kept.items():
            for method in words:
                if method in fair:
                    _add(found.setdefault(method, Evidence()), group, method, mapped)
    return found


def _add(known: Evidence, group: Group, method: str, mapped: Mapped) -> None:
    known.seen.add(mapped)
    for name, seen in against(group, method, mapped).items():
        places = known.lost if seen in LOSSES else known.kept
        if seen is Seen.NOT_TRIED:
            places = known.untried if name in group.looked_at else known.unlooked
        places.setdefault(name, set()).add(mapped)


def against(group: Group, method: str, mapped: Mapped) -> dict[str, Seen]:
    """What was seen of each promise that bears on a verdict; not of what is not there.

    What MADV_ZAP keeps is what it was seen to keep on this kernel, or else on another, and
    where that was not tried, what it promises.
    """
    subject = group.kept[mapped].get(SUBJECT) or group.others.get(mapped, {}).get(SUBJECT, {})
    found: dict[str, Seen] = {}
    for name in {**promises(), **group.kept[mapped][method]}:
        its, seen = subject.get(name, Seen.NOT_TRIED), group.seen(method, mapped, name)
        promised = its is Seen.NOT_TRIED and name in methods()[SUBJECT].promises
        if (its is Seen.KEPT or promised) and seen is not Seen.NOTHING:
            found[name] = seen
    return found


def by_kernel(said: Mapping[Group, str]) -> str:
    """What is said of each group, kernels of which the same is said together."""
    together: dict[tuple[str, str], list[Group]] = {}
    for group, part in said.items():
        together.setdefault((group.tier, part), []).append(group)
    return "; ".join(
        f"on {kernels_text(groups)} ({tier}) {part}" for (tier, part), groups in together.items()
    )


def kernels_text(groups: Sequence[Group]) -> str:
    """``Linux 7.2 and 7.3``."""
    return f"Linux {text.listed(list(dict.fromkeys(short(group.kernel) for group in groups)))}"


def unlooked_text(groups: Iterable[Group]) -> str | None:
    """What older records do not know, so that whatever is listed as lost may not be all."""
    said = {}
    for group in groups:
        names = {name for known in evidence([group]).values() for name in known.unlooked}
        every = methods()[SUBJECT].promises
        if names:
            listed = text.listed([name for name in promises() if name in names])
            said[group] = f"{len(names)} of the {len(every)} promises of {SUBJECT}: {listed}"
    return f"Not looked at in these records: {by_kernel(said)}." if said else None


def differences(known: Mapping[Group, Evidence], state: State, words: Words) -> str:
    """Promises in words, each with the mappings where a method is in a state, over kernels.

    Kernels are named where others do not agree, which have the mapping and what is promised.
    """
    pairs = []
    for name in dict.fromkeys(name for each in known.values() for name in state(each)):
        on: dict[tuple[Group, ...], set[Mapped]] = {}
        for mapped in set().union(*(state(each).get(name, ()) for each in known.values())):
            there = [group for group, each in known.items() if mapped in state(each).get(name, ())]
            having = [group for group, each in known.items() if each.bears(name, mapped)]
            on.setdefault(() if there == having else tuple(there), set()).add(mapped)
        for groups, places in on.items():
            kernels = f", on {kernels_text(groups)}" if groups else ""
            pairs.append((where_text(places) + kernels, words(name)))
    return "; ".join(f"{text.listed(names)} ({where})" for where, names in by_reason(pairs).items())


def loss_text(promise: str) -> str:
    """What a method does that does not keep a promise."""
    known = promises()
    return known[promise].loss if promise in known else f"does not keep {promise}"


def where_text(places: Iterable[Mapped]) -> str:
    """Backings with their page sizes: ``hugetlb 2m, shmem 2m, shmem 4k``."""
    return ", ".join(sorted(f"{backing} {size_text(size)}" for backing, size in places))
