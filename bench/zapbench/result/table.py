# SPDX-License-Identifier: GPL-2.0-only
"""The comparison table as data: which figures are where, and what is next to them.

Nothing is dropped: a case of the grid is a row, or listed as skipped, excluded or failed, with
its reason.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from zapbench.case import (
    NO_METHOD,
    Case,
    Cell,
    Method,
    backings,
    methods,
    size_text,
    view,
    workloads,
)
from zapbench.record import Context, Contract, Recording, Samples
from zapbench.result.stats import Ratio, fault_rate, harness_share
from zapbench.result.timings import Timings


class Lack(NamedTuple):
    """A case that gave no figure in some boot, and why."""

    case: Case
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One case: medians and tail of one operation in the table's unit.

    ``ratio`` is to the best equivalent method of the group (None: this is it, or there is
    none); ``differs`` says why the method is not equivalent (None: it is).  From ``p90`` on
    are the figures that only some views have: ``rate`` is faults per second of all threads,
    ``of_populate`` a rate as a fraction of MADV_POPULATE_READ's.  ``note``: what else must be
    known.
    """

    case: Case
    method: str
    p50: float
    p99: float | None
    per_page: float | None
    boots: int
    samples: int
    best: bool
    ratio: Ratio | None
    differs: str | None
    p90: float | None = None
    p999: float | None = None
    p9999: float | None = None
    maximum: float | None = None
    rate: float | None = None
    pages_per_second: float | None = None
    bytes_per_second: float | None = None
    of_populate: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The methods of one workload at one place of the matrix, equivalent ones first."""

    workload: str
    title: str
    rows: tuple[Row, ...]

    @property
    def case(self) -> Case:
        """One of its cases: they have their place in common."""
        return self.rows[0].case


@dataclass(frozen=True, slots=True)
class Remark:
    """Why cases have no row: one reason, all cases that it holds for."""

    reason: str
    cases: tuple[str, ...]


TIER_NOTES = {
    "native": "timed on the machine itself",
    "kvm": "timed in a virtual machine (KVM), not on bare metal",
    "tcg": "timed in an emulated machine: for screening only, no real time",
    "icount": "counted in a virtual machine, where caches, TLB misses, IPIs and locks are free",
}
"""What the figures of a tier are."""


@dataclass(frozen=True)
class Table:
    """A comparison of methods on one kernel; figures in ``unit`` per operation.

    ``harness`` is the greatest share that the harness itself has in any median, 0 to 1.
    """

    kernel: str
    tier: str
    unit: str
    harness: float
    groups: tuple[Group, ...]
    errors: tuple[Remark, ...]
    skipped: tuple[Remark, ...]
    excluded: tuple[Remark, ...]
    truncated: str | None

    @cached_property
    def differs(self) -> dict[Case, str | None]:
        """Why each case's method is not equivalent; None: it is."""
        return {row.case: row.differs for group in self.groups for row in group.rows}

    def of(self, workload: str) -> list[Group]:
        """The groups of one workload."""
        return [group for group in self.groups if group.workload == workload]

    @property
    def failed(self) -> bool:
        """Whether some case gave an error instead of a figure."""
        return bool(self.errors)


def build(
    recording: Recording,
    timings: Mapping[Case, Timings],
    failed: Iterable[Lack],
    skipped: Iterable[Lack],
) -> Table:
    """The table of one result: what was recorded of it, and that by case."""
    context = recording.of(Context)[0]
    differs = _differences(recording.of(Contract))
    groups: dict[Case, list[Timings]] = defaultdict(list)
    for case, each in timings.items():
        groups[_shared(case)].append(each)
    return Table(
        kernel=context.run.kernel,
        tier=context.run.tier,
        unit=context.unit,
        harness=harness_share(recording.of(Samples)),
        groups=tuple(
            Group(shared.workload, _title(shared), _rows(groups[shared], differs))
            for shared in sorted(groups, key=_order)
        ),
        errors=_remarks(failed, timings),
        skipped=_remarks(skipped, timings),
        excluded=(),
        truncated=recording.truncated,
    )


def excluded(cells: Iterable[Cell]) -> tuple[Remark, ...]:
    """The cases that the tables rule out, by reason."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for case, reason in cells:
        if reason is not None:
            reasons[reason].append(str(case))
    return tuple(Remark(reason, tuple(names)) for reason, names in reasons.items())


def _shared(case: Case) -> Case:
    """What the rows of one group share; some workloads are compared along their axes."""
    axes = () if view(case.workload).along_axes else case.axes
    return replace(case, method=NO_METHOD, axes=axes)


def _order(shared: Case) -> tuple[object, ...]:
    """Groups are in the order of the C tables, then by size."""
    names = *_position(shared.workload, workloads()), *_position(shared.backing, backings())
    return (*names, shared.page_size, shared.range_size, shared.axes)


def _position(name: str, table: Mapping[str, object]) -> tuple[int, str]:
    names = list(table)
    return (names.index(name) if name in table else len(names), name)


def _title(shared: Case) -> str:
    return f"{shared.workload}: {place_text(shared)}"


def place_text(case: Case) -> str:
    """``shmem, 4k pages, 64k range, events=on``: where in the matrix a case is."""
    sizes = f"{size_text(case.page_size)} pages, {size_text(case.range_size)} range"
    return ", ".join([case.backing, sizes, *(f"{key}={value}" for key, value in case.axes)])


def _label(case: Case) -> str:
    """A method, or what maps the pages; and the axes, where they are not in the title."""
    axes = dict(case.axes)
    name = case.method if case.method != NO_METHOD else axes.pop("by", case.workload)
    shown = axes if view(case.workload).along_axes else {}
    return " ".join([name, *(f"{key}={value}" for key, value in shown.items())])


def _differences(contracts: Iterable[Contract]) -> dict[tuple[str, str, int], str]:
    """Why a method is not equivalent on a backing and page size, as its contract was seen."""
    known = methods()
    return {
        (contract.method, contract.backing, contract.page_size): _why(contract, known)
        for contract in contracts
        if not contract.equivalent
    }


def _why(contract: Contract, known: Mapping[str, Method]) -> str:
    declared = known[contract.method].differs if contract.method in known else None
    return contract.why or declared or "does not reach the same end state"


@dataclass(frozen=True, slots=True)
class _Member:
    """A case among those of its group: its name there, and why it is not equivalent."""

    timings: Timings
    label: str
    differs: str | None


def _rows(group: Iterable[Timings], differs: Mapping[tuple[str, str, int], str]) -> tuple[Row, ...]:
    """Rows of one group: equivalent methods by their median, then the others by theirs."""
    members = [_member(each, differs) for each in group]
    members.sort(key=lambda member: (member.differs is not None, member.timings.median))
    look = view(members[0].timings.case.workload)
    best = next((m.timings for m in members if m.differs is None and look.ranked), None)
    populate = next((m.timings for m in members if m.label == "populate"), None)
    return tuple(_row(member, best, populate, look.columns) for member in members)


def _member(each: Timings, differs: Mapping[tuple[str, str, int], str]) -> _Member:
    case, known, label = each.case, methods(), _label(each.case)
    ways = view(case.workload).differs
    declared = known[case.method].differs if case.method in known else ways.get(label)
    return _Member(each, label, differs.get((case.method, case.backing, case.page_size), declared))


def _row(
    member: _Member, best: Timings | None, populate: Timings | None, columns: Collection[str]
) -> Row:
    each = member.timings
    return Row(
        case=each.case,
        method=member.label,
        p50=each.median,
        p99=each.pooled.tail(0.99),
        per_page=each.per_page,
        boots=len(each.boots),
        samples=each.pooled.size,
        best=best is each,
        ratio=each.relative_to(best) if best is not None and best is not each else None,
        differs=member.differs,
        note=_note(each.records),
        **{name: make(each, populate) for name, make in _FIGURES.items() if name in columns},
    )


def _pages_per_second(each: Timings) -> float | None:
    return 1e9 / each.per_page if each.per_page and each.unit == "ns" else None


def _bytes_per_second(each: Timings) -> float | None:
    rate = _pages_per_second(each)
    return rate * each.case.page_size if rate else None


_FIGURES: Mapping[str, Callable[[Timings, Timings | None], float | None]] = {
    "p90": lambda each, _: each.pooled.tail(0.9),
    "p999": lambda each, _: each.pooled.tail(0.999),
    "p9999": lambda each, _: each.pooled.tail(0.9999),
    "maximum": lambda each, _: each.pooled.quantile(1),
    "rate": lambda each, _: fault_rate(each.records),
    "pages_per_second": lambda each, _: _pages_per_second(each),
    "bytes_per_second": lambda each, _: _bytes_per_second(each),
    "of_populate": lambda each, populate: (
        populate.median / each.median if populate and populate.median and each.median else None
    ),
}
"""Figures of a row that only the views with such a column have; of one case, and of
MADV_POPULATE_READ on the same range, if it was timed."""


def _note(records: Sequence[Samples]) -> str:
    """What was counted next to faults that were timed, and how they were."""
    counted = [record.faults for record in records if record.faults is not None]
    words = ["means of passes"] if records[0].axes.get("stamps") == "off" else []
    if any(each.oversubscribed for each in counted):
        words.append("more threads than CPUs")
    for name in ("repeated", "strandings", "eexist", "eagain"):
        number = sum(getattr(each, name) for each in counted)
        words += [f"{name}: {number}"] if number else []
    return ", ".join(words)


def _remarks(lacks: Iterable[Lack], timings: Collection[Case]) -> tuple[Remark, ...]:
    """Collect cases by reason; one that has figures from other boots says in how many it failed."""
    boots: dict[str, Counter[Case]] = defaultdict(Counter)
    for case, reason in lacks:
        boots[reason][case] += 1
    return tuple(
        Remark(
            reason,
            tuple(
                f"{case} (in {counts[case]} boots)" if case in timings else str(case)
                for case in sorted(counts, key=str)
            ),
        )
        for reason, counts in sorted(boots.items())
    )
