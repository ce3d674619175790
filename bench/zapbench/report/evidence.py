# SPDX-License-Identifier: GPL-2.0-only
"""What is known of each method against what MADV_ZAP keeps: seen to be lost, or not tried.

A verdict needs all of it: that nothing was seen to be lost is no proof that all is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from zapbench.case import methods, promises, size_text
from zapbench.chart.contract import Mapped
from zapbench.chart.cost import SUBJECT
from zapbench.record import Seen
from zapbench.report.study import LOSSES, Group

Where = dict[str, set[Mapped]]  # by promise


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one method: where its contract was seen, what it lost there, and what was not tried."""

    seen: set[Mapped] = field(default_factory=set)
    lost: Where = field(default_factory=dict)
    untried: Where = field(default_factory=dict)

    @property
    def solid(self) -> bool:
        """Whether all was tried, and all was kept."""
        return not self.lost and not self.untried


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
    for name, lost in against(group, method, mapped).items():
        (known.lost if lost else known.untried).setdefault(name, set()).add(mapped)


def against(group: Group, method: str, mapped: Mapped) -> dict[str, bool]:
    """By promise that bears on a verdict: whether it was lost (True) or not tried (False).

    What MADV_ZAP keeps is what it was seen to keep on this kernel, or else on another, and
    where that was not tried, what it promises.
    """
    subject = group.kept[mapped].get(SUBJECT) or group.others.get(mapped, {}).get(SUBJECT, {})
    words = group.kept[mapped][method]
    found = {}
    for name in {**promises(), **words}:
        seen, its = words.get(name, Seen.UNTESTED), subject.get(name, Seen.UNTESTED)
        promised = its is Seen.UNTESTED and name in methods()[SUBJECT].promises
        if (its is Seen.KEPT or promised) and seen in (*LOSSES, Seen.UNTESTED):
            found[name] = seen in LOSSES
    return found


def loss_text(promise: str) -> str:
    """What a method does that does not keep a promise."""
    known = promises()
    return known[promise].loss if promise in known else f"does not keep {promise}"


def where_text(places: Iterable[Mapped]) -> str:
    """Backings with their page sizes: ``hugetlb 2m, shmem 2m, shmem 4k``."""
    return ", ".join(sorted(f"{backing} {size_text(size)}" for backing, size in places))
