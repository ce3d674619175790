# SPDX-License-Identifier: GPL-2.0-only
"""The comparison table as data: which figures stand where, and what stands beside them.

Nothing is dropped: a case of the grid is a row, or listed as skipped, excluded or failed, with
its reason.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from zapbench.case import NO_METHOD, Case, Cell, Method, backings, methods, size_text, workloads
from zapbench.record import Context, Contract, Error, Recording, Samples, Skip, failures
from zapbench.stats import Ratio, Series, harness_share, ratio, series

Place = tuple[str, str, int, int, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One case: medians and tail of one operation in the table's unit.

    ``ratio`` is to the best equivalent method of the group (None: this is it, or there is
    none); ``differs`` says why the method is not equivalent (None: it is).
    """

    case: str
    method: str
    p50: float
    p99: float | None
    per_page: float | None
    boots: int
    samples: int
    best: bool
    ratio: Ratio | None
    differs: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The methods of one workload at one place of the matrix, equivalent ones first."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """Why cases have no row: one reason, all cases that it holds for."""

    reason: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
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

    @property
    def failed(self) -> bool:
        """Whether some case gave an error instead of a figure."""
        return bool(self.errors)


def build(
    recording: Recording,
    cells: Iterable[Cell] = (),
    figures: Mapping[str, Series] | None = None,
) -> Table:
    """The table of one result; ``cells`` adds the excluded cases of what was asked for.

    ``figures`` are the recording's series, where they are at hand.

    Raises:
        UsageError: a record names a case that is none.
    """
    context = recording.of(Context)[0]
    samples = recording.of(Samples)
    differs = _differences(recording.of(Contract))
    groups: dict[Place, list[tuple[Case, Series]]] = defaultdict(list)
    figures = series(samples) if figures is None else figures
    for each in figures.values():
        case = Case.parse(each.case)
        groups[_place(case)].append((case, each))
    return Table(
        kernel=context.run.kernel,
        tier=context.run.tier,
        unit=context.unit,
        harness=harness_share(samples),
        groups=tuple(
            Group(_title(place), _rows(members, differs))
            for place, members in sorted(groups.items(), key=lambda item: _order(item[0]))
        ),
        errors=_remarks(failures(recording.records), figures),
        skipped=_remarks(recording.of(Skip), figures),
        excluded=_excluded(cells),
        truncated=recording.truncated,
    )


def _place(case: Case) -> Place:
    """What rows of one group share; what maps the pages (`by`) is compared within a group."""
    axes = tuple(axis for axis in case.axes if axis[0] != "by")
    return (case.workload, case.backing, case.page_size, case.range_size, axes)


def _order(place: Place) -> tuple[object, ...]:
    """Groups stand in the order of the C tables, then by size."""
    workload, backing, *rest = place
    return (*_position(workload, workloads()), *_position(backing, backings()), *rest)


def _position(name: str, table: Mapping[str, object]) -> tuple[int, str]:
    names = list(table)
    return (names.index(name) if name in table else len(names), name)


def _title(place: Place) -> str:
    workload, backing, page_size, range_size, axes = place
    words = [f"{workload}: {backing}, {size_text(page_size)} pages, {size_text(range_size)} range"]
    return ", ".join(words + [f"{key}={value}" for key, value in axes])


def _label(case: Case) -> str:
    if case.method != NO_METHOD:
        return case.method
    return dict(case.axes).get("by", case.workload)


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


def _rows(
    members: list[tuple[Case, Series]], differs: Mapping[tuple[str, str, int], str]
) -> tuple[Row, ...]:
    """Rows of one group: equivalent methods by their median, then the others by theirs."""
    known = methods()
    marked = []
    for case, each in members:
        declared = known[case.method].differs if case.method in known else None
        why = differs.get((case.method, case.backing, case.page_size), declared)
        marked.append((case, each, why))
    marked.sort(key=lambda member: (member[2] is not None, member[1].median))
    best = next((each for _, each, why in marked if why is None), None)
    return tuple(_row(case, each, why, best) for case, each, why in marked)


def _row(case: Case, each: Series, differs: str | None, best: Series | None) -> Row:
    comparable = best is not None and best is not each and min(*best.medians, *each.medians) > 0
    return Row(
        case=each.case,
        method=_label(case),
        p50=each.median,
        p99=each.pooled.tail(0.99),
        per_page=each.median / each.pages_per_op if each.pages_per_op else None,
        boots=len(each.boots),
        samples=each.pooled.size,
        best=best is each,
        ratio=ratio(best.medians, each.medians) if best is not None and comparable else None,
        differs=differs,
    )


def _remarks(records: Iterable[Skip | Error], figures: Collection[str]) -> tuple[Remark, ...]:
    """Collect cases by reason; one that has figures from other boots says in how many it failed."""
    boots: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        boots[record.reason][record.case] += 1
    return tuple(
        Remark(
            reason,
            tuple(
                f"{case} (in {counts[case]} boots)" if case in figures else case
                for case in sorted(counts)
            ),
        )
        for reason, counts in sorted(boots.items())
    )


def _excluded(cells: Iterable[Cell]) -> tuple[Remark, ...]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for case, reason in cells:
        if reason is not None:
            reasons[reason].append(str(case))
    return tuple(Remark(reason, tuple(names)) for reason, names in reasons.items())
