# SPDX-License-Identifier: GPL-2.0-only
"""The comparison table as data: which figures stand where, and what stands beside them.

Nothing is dropped: a case of the grid is a row, or listed as skipped, excluded or failed, with
its reason.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from zapbench.case import (
    CONTINUE,
    MINOR_FAULT,
    NO_METHOD,
    Case,
    Cell,
    Method,
    backings,
    methods,
    size_text,
    workloads,
)
from zapbench.record import Context, Contract, Error, Recording, Samples, Skip, failures
from zapbench.result.stats import (
    Ratio,
    Series,
    fault_rate,
    harness_share,
    per_operation,
    pool,
    ratio,
    series,
)

Place = tuple[str, str, int, int, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One case: medians and tail of one operation in the table's unit.

    ``ratio`` is to the best equivalent method of the group (None: this is it, or there is
    none); ``differs`` says why the method is not equivalent (None: it is).  ``p90`` to
    ``maximum`` and ``rate`` (faults per second of all threads) are there where single faults
    were timed, ``of_populate`` (a rate as a fraction of MADV_POPULATE_READ's) where pages were
    mapped in bulk.  ``note``: what else must be known.
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
    by_case: dict[str, list[Samples]] = defaultdict(list)
    for record in samples:
        by_case[record.case].append(record)
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
            Group(
                place[0],
                _title(place),
                _DEPTH.get(place[0], _plain)(_rows(members, differs), by_case),
            )
            for place, members in sorted(groups.items(), key=lambda item: _order(item[0]))
        ),
        errors=_remarks(failures(recording.records), figures),
        skipped=_remarks(recording.of(Skip), figures),
        excluded=_excluded(cells),
        truncated=recording.truncated,
    )


def _place(case: Case) -> Place:
    """What rows of one group share; some workloads are compared along their axes."""
    axes = () if case.workload in _DEPTH else case.axes
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
    """A method, or what maps the pages; and the axes, where they are not in the title."""
    axes = dict(case.axes)
    name = case.method if case.method != NO_METHOD else axes.pop("by", case.workload)
    shown = axes if case.workload in _DEPTH else {}
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


def _rows(
    members: list[tuple[Case, Series]], differs: Mapping[tuple[str, str, int], str]
) -> tuple[Row, ...]:
    """Rows of one group: equivalent methods by their median, then the others by theirs."""
    known = methods()
    marked = []
    for case, each in members:
        declared = known[case.method].differs if case.method in known else _MORE.get(_label(case))
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


def _plain(rows: tuple[Row, ...], _records: Mapping[str, Sequence[Samples]]) -> tuple[Row, ...]:
    return rows


def _fault_rows(rows: tuple[Row, ...], records: Mapping[str, Sequence[Samples]]) -> tuple[Row, ...]:
    """Tails, rates, and what was counted beside them; the ways are not ranked."""
    done = []
    for row in rows:
        pooled = pool(map(per_operation, records[row.case]))
        done.append(
            replace(
                row,
                best=False,
                ratio=None,
                p90=pooled.tail(0.9),
                p999=pooled.tail(0.999),
                p9999=pooled.tail(0.9999),
                maximum=pooled.quantile(1),
                rate=fault_rate(records[row.case]),
                note=_fault_note(records[row.case]),
            )
        )
    return tuple(done)


def _fault_note(records: Sequence[Samples]) -> str:
    counted = [record.faults for record in records if record.faults is not None]
    words = ["means of passes"] if records[0].axes.get("stamps") == "off" else []
    if any(each.oversubscribed for each in counted):
        words.append("more threads than CPUs")
    for name in ("repeated", "strandings", "eexist", "eagain"):
        number = sum(getattr(each, name) for each in counted)
        words += [f"{name}: {number}"] if number else []
    return ", ".join(words)


def _mapping_rows(
    rows: tuple[Row, ...], records: Mapping[str, Sequence[Samples]]
) -> tuple[Row, ...]:
    """Rates, and how they compare with MADV_POPULATE_READ of the same range."""
    populate = next((row.p50 for row in rows if row.method == "populate"), None)
    timed = all(record.unit == "ns" for row in rows for record in records[row.case])
    done = []
    for row in rows:
        rate = 1e9 / row.per_page if row.per_page and timed else None
        done.append(
            replace(
                row,
                pages_per_second=rate,
                bytes_per_second=rate * Case.parse(row.case).page_size if rate else None,
                of_populate=populate / row.p50 if populate and row.p50 else None,
            )
        )
    return tuple(done)


# The workloads whose rows are the ways along their axes, and what is said of each.
_DEPTH: dict[str, Callable[[tuple[Row, ...], Mapping[str, Sequence[Samples]]], tuple[Row, ...]]] = {
    MINOR_FAULT: _fault_rows,
    CONTINUE: _mapping_rows,
}
_MORE = {"copy": "fills an empty file: its contents are copied too"}


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
