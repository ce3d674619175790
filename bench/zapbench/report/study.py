# SPDX-License-Identifier: GPL-2.0-only
"""What the sections of a report ask of the data: groups of streams, costs, ratios, contracts."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from zapbench import text
from zapbench.case import NO_METHOD, Case, backings, grid, methods, size_text
from zapbench.chart.contract import Mapped, seen
from zapbench.chart.cost import SUBJECT
from zapbench.kernel.words import short
from zapbench.record import Contract, Recording, Samples, Seen
from zapbench.report.source import Material, Stream, stream_key
from zapbench.result.bridge import BASELINE
from zapbench.result.stats import Ratio
from zapbench.result.store import Results
from zapbench.result.timings import Timings
from zapbench.result.whole import made_up

EQUAL = 0.02
"""Costs are called equal where the whole interval of their ratio is within this of 1."""

Place = tuple[str, int, int]  # backing, page size, range size
LOSSES = (Seen.LOST, Seen.BROKEN)

Kept = dict[Mapped, dict[str, dict[str, Seen]]]  # by method and promise


class Group:
    """All boots of one kernel, measured in one way on one machine, in one unit."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        context = streams[0].context
        self.key = stream_key(context)
        self.kernel, self.tier, self.machine, self.unit = self.key
        records = [record for stream in streams for record in stream.records]
        kept = [r for r in records if not isinstance(r, Samples) or r.unit == self.unit]
        self.foreign = len(records) - len(kept)
        cut = sum(not stream.whole for stream in streams)
        said = f"{text.number(cut, 'stream')} of {len(streams)} cut off before the end"
        recording = Recording(self.kernel, tuple(kept))
        self.cut = said if cut and not made_up(recording) else None
        self.others: Kept = {}  # contracts seen on other kernels
        self.results = Results(Path(self.kernel), replace(recording, truncated=self.cut))

    @property
    def name(self) -> str:
        """Kernel and tier, for sentences."""
        return f"Linux {short(self.kernel)} ({self.tier})"

    @property
    def boots_text(self) -> str:
        """How many, in words."""
        return text.number(self.results.boots, "process" if self.tier == "native" else "boot")

    @property
    def timings(self) -> dict[Case, Timings]:
        """What was timed, by case."""
        return self.results.timings

    @cached_property
    def kept(self) -> Kept:
        """What was seen to be kept, by backing and page size, method and promise."""
        return seen(self.results.recording.of(Contract))

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """The promises that its records know, whatever was seen: older records lack some."""
        return frozenset(name for r in self.results.recording.of(Contract) for name in r.promises)

    def seen(self, method: str, mapped: Mapped, promise: str) -> Seen:
        """What was seen of a promise; what records do not know is not tried, if it is there."""
        words = self.kept[mapped].get(method, {})
        if promise in words:
            return words[promise]
        case = Case("contract", method, *mapped, mapped[1])
        return Seen.NOTHING if case.lacks(promise) else Seen.NOT_TRIED

    @property
    def has_subject(self) -> bool:
        """Whether MADV_ZAP has a cost here."""
        return any(case.method == SUBJECT for case in self.timings)

    @property
    def reference(self) -> str:
        """What methods are related to: MADV_ZAP or, where it is absent, the baseline."""
        return SUBJECT if self.has_subject else BASELINE

    def places(self, workload: str, *, minor: bool = False) -> list[Place]:
        """Where a workload was measured without further axes, in the order of the tables.

        ``minor``: only where userfaultfd has a minor mode, and the end states are alike.
        """
        known = list(backings())
        found = {
            place_of(case)
            for case in self.timings
            if case.workload == workload and not case.axes and case.method != NO_METHOD
        }
        if minor:
            found = {p for p in found if p[0] in backings() and backings()[p[0]].uffd_minor}
        return sorted(found, key=lambda p: (known.index(p[0]) if p[0] in known else 99, *p))

    def headline(self, workload: str) -> list[Place]:
        """Those places that the quick grid has; all of them if it has none."""
        quick = {place_of(cell.case) for cell in grid(quick=True) if cell.case.workload == workload}
        places = self.places(workload)
        return [place for place in places if place in quick] or places

    def cost(self, workload: str, method: str, place: Place) -> Timings | None:
        """The timings of a case, if it has any."""
        return self.timings.get(Case(workload, method, *place))

    def ratio(self, workload: str, method: str, place: Place, base: str) -> Ratio | None:
        """A method's cost relative to another's at the same place, if both have one."""
        mine, other = self.cost(workload, method, place), self.cost(workload, base, place)
        return None if mine is None or other is None else mine.relative_to(other)

    def equivalent(self, workload: str, method: str, place: Place) -> bool:
        """Whether the method was measured there and reaches MADV_ZAP's end state."""
        case, differs = Case(workload, method, *place), self.results.table.differs
        return case in differs and differs[case] is None

    def cheapest(self, workload: str, place: Place) -> str | None:
        """The equivalent method of the lowest median."""
        fair = [
            (each.median, method)
            for method in methods()
            if self.equivalent(workload, method, place)
            and (each := self.cost(workload, method, place)) is not None
        ]
        return min(fair)[1] if fair else None

    def level(self, workload: str, place: Place) -> list[str]:
        """The cheapest equivalent method, and those that were not shown to be dearer."""
        best = self.cheapest(workload, place)
        if best is None:
            return []
        return [
            method
            for method in methods()
            if self.equivalent(workload, method, place)
            and (method == best or _near(self.ratio(workload, method, place, best)))
        ]


@dataclass(frozen=True)
class Study:
    """All groups of a report, and what else was found."""

    material: Material
    groups: tuple[Group, ...]

    @property
    def with_subject(self) -> list[Group]:
        """The groups that have costs of MADV_ZAP."""
        return [group for group in self.groups if group.has_subject]


def study(material: Material) -> Study:
    """Sort streams into groups, in the order of tiers as they came and of kernel versions."""
    found: dict[tuple[str, str, str, str], list[Stream]] = {}
    for stream in material.streams:
        found.setdefault(stream_key(stream.context), []).append(stream)
    order = {key[1:]: index for index, key in reversed(list(enumerate(found)))}
    keys = sorted(found, key=lambda key: (order[key[1:]], version(key[0]), key[0]))
    groups = tuple(Group(found[key]) for key in keys)
    others: Kept = {}
    for group in groups:
        for mapped, words in group.kept.items():
            others.setdefault(mapped, {}).update({m: w for m, w in words.items() if m == SUBJECT})
    for group in groups:
        group.others = others
    return Study(material, groups)


def version(kernel: str) -> tuple[int, ...]:
    """The numbers that a kernel's name begins with: 6.12 comes after 6.1."""
    numbers = re.match(r"\D*([\d.]*)", short(kernel))
    return tuple(int(part) for part in (numbers[1] if numbers else "").split(".") if part)


def equal(found: Ratio) -> bool:
    """Whether two costs were shown to be equal, to within `EQUAL`."""
    if found.low is None or found.high is None:
        return False
    return found.low >= 1 - EQUAL and found.high <= 1 + EQUAL


def untold(found: Ratio) -> bool:
    """Whether nothing tells which of two costs is less: the interval holds 1, or there is none."""
    return found.low is None or found.high is None or found.low <= 1 <= found.high


def near(found: Ratio) -> bool:
    """Whether no difference of `EQUAL` was shown: it is less, or the interval holds 1."""
    return abs(found.value - 1) < EQUAL or (found.low is not None and untold(found))


def _near(found: Ratio | None) -> bool:
    return found is not None and near(found)


def place_of(case: Case) -> Place:
    """Where in the matrix a case is, further axes aside."""
    return (case.backing, case.page_size, case.range_size)


def place_text(place: Place) -> str:
    """``shmem 4k/64k``: backing, size of a page and of the range."""
    backing, page_size, range_size = place
    return f"{backing} {size_text(page_size)}/{size_text(range_size)}"


def by_reason(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Collect (reason, name) pairs, names in order and once each."""
    found: dict[str, dict[str, None]] = {}
    for reason, name in pairs:
        found.setdefault(reason, {})[name] = None
    return {reason: list(names) for reason, names in found.items()}


def grouped(groups: Iterable[Group], key: Callable[[Group], str]) -> dict[str, list[Group]]:
    """Groups by something, in order."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(key(group), []).append(group)
    return found
