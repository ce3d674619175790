# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench contract``: what each method keeps and loses, as measured."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import click
from rich.text import Text

from zapbench import where
from zapbench.boot import available, checkable, contracts, nothing_measured
from zapbench.case import Cell, contract_grid, promises, select, size_text
from zapbench.cli.options import where_options
from zapbench.cli.output import console, grid, json_option, print_json
from zapbench.cli.progress import ON_STDERR
from zapbench.record import Context, Contract, Error, Recording, Seen, Skip

STYLES = {Seen.BROKEN: "bold red", Seen.LOST: "yellow"}
SHORT = {Seen.BROKEN: "BROKEN", Seen.NOT_TRIED: "?", Seen.NOTHING: "—"}


class Count(NamedTuple):
    """What one call makes the kernel do: of which calls it was counted, and what it is."""

    of: str
    summary: str


_TIMES, _SHARE = "times in a call that", "share of calls, while a thread maps and unmaps, that wait"
COUNTS = {
    "mmap_write": Count("calls", f"{_TIMES} the mmap lock is taken for writing"),
    "mmap_read": Count("calls", f"{_TIMES} the mmap lock is taken for reading"),
    "tlb_ipis": Count("calls", f"{_TIMES} other CPUs are interrupted to flush their TLBs (x86)"),
    "mmap_waited": Count("contended", f"{_SHARE} for the mmap lock"),
    "vma_waited": Count("contended", f"{_SHARE} for the lock of a VMA"),
    "table_waited": Count("contended", f"{_SHARE} for the lock of a page table"),
}
"""By their names in a record."""
LEGEND = (
    f"{Seen.KEPT}, {Seen.LOST}: as seen; {SHORT[Seen.BROKEN]}: promised and lost; "
    f"{SHORT[Seen.NOT_TRIED]}: {Seen.NOT_TRIED}; {SHORT[Seen.NOTHING]}: nothing of the kind "
    "is there (--json has each reason); "
    "≠: another end state than MADV_ZAP's"
)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One method on one kind of mapping; ``kept`` says what was seen of each promise.

    ``counts``: what one call made the kernel do, on average.
    """

    method: str
    event: str
    equivalent: bool
    why: str
    kept: dict[str, Seen]
    notes: dict[str, str]
    counts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Section:
    """The methods on one backing and page size; ``absent`` says why a method has no line.

    ``contradicted`` are those that the kernel takes where the tables say that it refuses them.
    """

    backing: str
    page_size: int
    lines: tuple[MatrixRow, ...]
    absent: dict[str, str]
    contradicted: dict[str, str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Methods by kinds of mapping, promises as columns."""

    kernel: str
    tier: str
    sections: tuple[Section, ...]

    @property
    def broken(self) -> bool:
        """Whether a method did not keep what it promises, or the kernel what the tables say."""
        return any(
            section.contradicted
            or any(line.why or Seen.BROKEN in line.kept.values() for line in section.lines)
            for section in self.sections
        )


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@where_options
@json_option
def command(
    *, globs: tuple[str, ...], target: str | None, kernel: str | None, accel: str, as_json: bool
) -> int:
    """Check what each method does to each kind of mapping; time nothing.

    A GLOB selects from names such as contract/remap/shmem/4k/4k.
    """
    cells = select(contract_grid(), globs)
    asked = checkable(cells) or available(cells)
    running = where.choose(target, kernel, accel, ON_STDERR)
    with where.prepared(running, [cell.case for cell in asked], ON_STDERR):
        recording = contracts(running, asked)
    matrix = matrix_of(recording, cells)
    if as_json:
        print_json(matrix)
    else:
        print_matrix(matrix)
    allowed = any(cell.excluded is None for cell in asked)
    if allowed and (trouble := nothing_measured(recording, Contract)):
        raise trouble
    return 1 if matrix.broken else 0


def matrix_of(recording: Recording, cells: Iterable[Cell]) -> Matrix:
    """Put the contracts that were seen, and the reasons for those that were not, in order."""
    context = recording.of(Context)[0]
    seen = {(c.method, c.backing, c.page_size): c for c in recording.of(Contract)}
    reasons = {
        record.case: record for record in recording.records if isinstance(record, Skip | Error)
    }
    places: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        places[cell.case.backing, cell.case.page_size].append(cell)
    return Matrix(
        kernel=context.run.kernel,
        tier=context.run.tier,
        sections=tuple(_section(place, cells, seen, reasons) for place, cells in places.items()),
    )


def _section(
    place: tuple[str, int],
    cells: Iterable[Cell],
    seen: Mapping[tuple[str, str, int], Contract],
    reasons: Mapping[str, Skip | Error],
) -> Section:
    lines: list[MatrixRow] = []
    absent: dict[str, str] = {}
    contradicted: dict[str, str] = {}
    for case, excluded in cells:
        contract, said = seen.get((case.method, *place)), reasons.get(str(case))
        if contract is not None:
            lines.append(_line(contract))
        elif excluded and isinstance(said, Error):
            contradicted[case.method] = said.reason
        else:
            absent[case.method] = said.reason if said else excluded or "gave no record"
    return Section(*place, tuple(lines), absent, contradicted)


def _line(contract: Contract) -> MatrixRow:
    event = contract.event
    if event != contract.expected:
        event = f"{event}, not {contract.expected}"
    return MatrixRow(
        method=contract.method,
        event=event,
        equivalent=contract.equivalent,
        why=contract.why,
        kept={name: promise.seen for name, promise in contract.promises.items()},
        notes={name: promise.note for name, promise in contract.promises.items() if promise.note},
        counts={
            name: promise.counts[name] / promise.counts[count.of]
            for promise in contract.promises.values()
            for name, count in COUNTS.items()
            if name in promise.counts and promise.counts.get(count.of)
        },
    )


def print_matrix(matrix: Matrix) -> None:
    """Print a matrix as tables on standard output."""
    out = console()
    out.print(f"{matrix.kernel} ({matrix.tier}): what each method was seen to keep")
    for section in matrix.sections:
        out.print(f"\n{section.backing}, {size_text(section.page_size)} pages", style="bold")
        tested = [name for name in promises() if _tested(section, name)]
        if section.lines:
            heads = (
                line.method if line.equivalent else f"≠ {line.method}" for line in section.lines
            )
            grid(("promise", *heads), _rows(section, tested), out)
        for seen in (Seen.NOT_TRIED, Seen.NOTHING):
            for names, reason in _without_row(section, seen):
                out.print(f"  {seen}: {names}{reason}")
        for method, reason in section.absent.items():
            out.print(f"  {method}: not available: {reason}")
        for line in section.lines:
            if line.why:
                out.print(f"  {line.method}: {line.why}", style="bold red")
        for method, reason in section.contradicted.items():
            out.print(f"  {method}: the tables are wrong: {reason}", style="bold red")
    out.print(f"\n{LEGEND}")
    for name, row in promises().items():
        out.print(f"  {name}: {row.summary}; {Seen.LOST}: it {row.loss}")
    for name, count in COUNTS.items():
        if any(name in _counted(section) for section in matrix.sections):
            out.print(f"  {name}: {count.summary}")


def _tested(section: Section, name: str) -> bool:
    return _best(section, name) not in (Seen.NOT_TRIED, Seen.NOTHING)


def _best(section: Section, name: str) -> Seen:
    """What is known most of a promise, by whatever method."""
    found = (line.kept.get(name, Seen.NOT_TRIED) for line in section.lines)
    return max(found, key=list(Seen).index, default=Seen.NOT_TRIED)


def _counted(section: Section) -> list[str]:
    return [name for name in COUNTS if any(name in line.counts for line in section.lines)]


def _rows(section: Section, tested: Iterable[str]) -> Iterator[list[str | Text]]:
    """A row for each promise, a column for each method."""
    yield ["next access", *(line.event for line in section.lines)]
    for name in tested:
        words = (line.kept.get(name, Seen.NOT_TRIED) for line in section.lines)
        yield [name, *(Text(SHORT.get(word, word), style=STYLES.get(word, "")) for word in words)]
    for name in _counted(section):
        figures = (line.counts.get(name) for line in section.lines)
        yield [
            name,
            *(SHORT[Seen.NOT_TRIED] if figure is None else f"{figure:g}" for figure in figures),
        ]


def _without_row(section: Section, seen: Seen) -> Iterator[tuple[str, str]]:
    """The promises that were tested with no method, by the reason that most have."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name in promises():
        if section.lines and _best(section, name) is seen:
            notes = Counter(line.notes[name] for line in section.lines if name in line.notes)
            most = notes.most_common(1)
            by_reason[f": {most[0][0]}" if most else ""].append(name)
    for reason, names in by_reason.items():
        yield ", ".join(names), reason
