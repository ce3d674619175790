# SPDX-License-Identifier: GPL-2.0-only
"""Cases: their names, the matrix that the C tables span, and what a case needs.

A case is named ``workload/method/backing/pagesize/rangesize``, further axes after it as
``/key=value``, sorted.  Names of axes and their values stand in the C tables and nowhere else.
"""

import difflib
import fnmatch
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Self

from zapbench._zapbench import ffi, lib
from zapbench.error import UsageError
from zapbench.sweeps import BY, FULL_DEPTH, MINOR_FAULT, QUICK_DEPTH

NO_METHOD = "-"
_UNITS = {"g": 1 << 30, "m": 1 << 20, "k": 1 << 10}
_SIZE = re.compile(r"([1-9][0-9]*)([kmg])")


def size_text(size: int) -> str:
    """Bytes as ``4k``, ``2m``, ``1g``: in the largest unit that divides.

    Raises:
        ValueError: not a positive multiple of 1 KiB.
    """
    for unit, factor in _UNITS.items():
        if size > 0 and size % factor == 0:
            return f"{size // factor}{unit}"
    raise ValueError(f"{size} is not a positive multiple of 1 KiB")


def size_bytes(text: str) -> int:
    """The inverse of `size_text`; ``2048k`` is accepted too.

    Raises:
        ValueError: not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 4k, 2m or 1g")
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One cell of the matrix; sizes in bytes, ``axes`` sorted by name."""

    workload: str
    method: str
    backing: str
    page_size: int
    range_size: int
    axes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name; sizes and the order of axes need not be canonical.

        Raises:
            UsageError: not of the form of a name.
        """
        parts = name.split("/")
        if len(parts) < 5 or not all(parts[:3]):
            raise UsageError(
                f"{name!r} is not a case: expected workload/method/backing/pagesize/rangesize"
            )
        axes = [tuple(part.split("=", 1)) for part in parts[5:]]
        if any(len(axis) != 2 or not all(axis) for axis in axes):
            raise UsageError(f"{name!r} is not a case: after the sizes come axes, as /key=value")
        try:
            page_size, range_size = size_bytes(parts[3]), size_bytes(parts[4])
        except ValueError as error:
            raise UsageError(f"{name!r} is not a case: {error}") from error
        pairs = tuple(sorted((key, value) for key, value in axes))
        return cls(parts[0], parts[1], parts[2], page_size, range_size, pairs)

    def __str__(self) -> str:
        sizes = size_text(self.page_size), size_text(self.range_size)
        axes = (f"{key}={value}" for key, value in self.axes)
        return "/".join((self.workload, self.method, self.backing, *sizes, *axes))

    @property
    def excluded(self) -> str | None:
        """Why the tables rule the case out on any kernel; None if they allow it."""
        reason = lib.zapbench_excluded(str(self).encode())
        return None if reason == ffi.NULL else _text(reason)

    @property
    def memory(self) -> int:
        """Bytes of backing memory that the case needs at most.

        Raises:
            UsageError: the tables know no such case.
        """
        size = int(lib.zapbench_case_memory(str(self).encode()))
        if size < 0:
            raise UsageError(f"{self}: no such case ({os.strerror(-size)})")
        return size


def _text(pointer: Any) -> str:
    return str(ffi.string(pointer).decode())


class Axis(NamedTuple):
    """A row of one of the C tables: a name and the line that says what it means."""

    name: str
    summary: str


class Method(NamedTuple):
    """A row of the methods; ``differs`` says why its end state is not MADV_ZAP's, if so."""

    name: str
    summary: str
    differs: str | None


class Workload(NamedTuple):
    """A row of the workloads."""

    name: str
    summary: str
    uses_method: bool
    timed: bool


class Backing(NamedTuple):
    """A row of the backings; ``uffd_minor``: userfaultfd has a minor mode for it."""

    name: str
    summary: str
    hugetlb: bool
    uffd_minor: bool


def _rows(table: str) -> list[Any]:
    rows = getattr(lib, f"zapbench_{table}")
    return [rows[i] for i in range(getattr(lib, f"zapbench_nr_{table}"))]


@cache
def methods() -> dict[str, Method]:
    """The ways to drop translations, in the order of the table."""
    return {
        name: Method(name, _text(row.summary), _text(row.differs) if row.differs else None)
        for row in _rows("methods")
        for name in [_text(row.name)]
    }


@cache
def workloads() -> dict[str, Workload]:
    """What can be timed, in the order of the table."""
    return {
        name: Workload(name, _text(row.summary), bool(row.uses_method), bool(row.timed))
        for row in _rows("workloads")
        for name in [_text(row.name)]
    }


@cache
def backings() -> dict[str, Backing]:
    """What can stand behind a mapping, in the order of the table."""
    return {
        name: Backing(name, _text(row.summary), bool(row.hugetlb), bool(row.uffd_minor))
        for row in _rows("backings")
        for name in [_text(row.name)]
    }


@cache
def promises() -> dict[str, Axis]:
    """What a method may promise about the state it leaves, in the order of the table."""
    return {
        name: Axis(name, _text(row.summary))
        for row in _rows("promises")
        for name in [_text(row.name)]
    }


@cache
def page_sizes() -> tuple[int, ...]:
    """Page sizes in bytes, ascending."""
    return tuple(sorted(int(row.bytes) for row in _rows("page_sizes")))


@cache
def axis_values(name: str) -> tuple[str, ...]:
    """The words that a further axis takes besides its default, in the order of the table."""
    values = {_text(row.name): _text(row.values) for row in _rows("axes")}
    return tuple(values[name].split())


class Shape(NamedTuple):
    """Rows of a grid: one backing and page size, with these ranges, for every method."""

    backing: str
    page: str
    ranges: tuple[str, ...]
    axes: tuple[str, ...] = ()


QUICK = (
    Shape("shmem", "4k", ("4k", "64k", "2m")),
    Shape("shmem", "2m", ("2m",)),
    Shape("hugetlb", "2m", ("2m",)),
    Shape("file", "4k", ("2m",)),
)
FULL = (
    Shape("shmem", "4k", ("4k", "64k", "2m", "64m", "1g")),
    Shape("shmem", "4k", ("2m",), ("state=fresh",)),
    Shape("shmem", "4k", ("2m",), ("scatter=16",)),
    Shape("shmem", "4k", ("64k",), ("position=middle",)),
    Shape("shmem", "4k", ("64k",), ("siblings=spin",)),
    Shape("shmem", "4k", ("64k",), ("events=on",)),
    Shape("shmem", "64k", ("64k", "2m")),
    Shape("shmem", "2m", ("2m", "64m", "1g")),
    Shape("shmem-private", "4k", ("4k", "64k", "2m")),
    Shape("tmpfs", "4k", ("4k", "64k", "2m")),
    Shape("tmpfs", "2m", ("2m",)),
    Shape("hugetlb", "2m", ("2m", "64m", "1g")),
    Shape("hugetlb", "1g", ("1g",)),
    Shape("hugetlb-private", "2m", ("2m", "64m")),
    Shape("file", "4k", ("4k", "64k", "2m")),
    Shape("anon", "4k", ("4k", "64k", "2m")),
)
EMPTY = "empty"  # the harness's own share: the same wherever it runs, so one case is enough


class Cell(NamedTuple):
    """A case of a grid, and why the tables rule it out (None: they allow it)."""

    case: Case
    excluded: str | None


def _shape_cases(shape: Shape) -> Iterator[Case]:
    """The product of a shape with the workloads and methods; what makes no sense is left out."""
    for range_size in shape.ranges:
        place = (shape.backing, size_bytes(shape.page), size_bytes(range_size))
        for workload in workloads().values():
            if not workload.timed or workload.name in (EMPTY, MINOR_FAULT):
                continue
            if workload.uses_method:
                choices = [(method, shape.axes) for method in methods()]
            elif shape.axes:
                continue  # further axes are ways to drop
            else:
                choices = [(NO_METHOD, (axis,) if axis else ()) for axis in BY]
            for method, axes in choices:
                pairs = tuple(sorted((k, v) for k, _, v in (axis.partition("=") for axis in axes)))
                yield Case(workload.name, method, *place, pairs)


def grid(*, quick: bool) -> list[Cell]:
    """Every case of the quick or the full grid, excluded ones too, in table order.

    The full grid holds that of `depth`; the quick one is for comparing methods.
    """
    shapes = QUICK if quick else FULL
    empty = Case(EMPTY, NO_METHOD, "shmem", page_sizes()[0], page_sizes()[0])
    cases = dict.fromkeys([empty, *itertools.chain.from_iterable(map(_shape_cases, shapes))])
    cells = [Cell(case, case.excluded) for case in cases]
    if quick:
        return cells
    return cells + [cell for cell in depth(quick=False) if cell.case not in cases]


def depth(*, quick: bool) -> list[Cell]:
    """The sweeps of `minor_fault` and `continue` along their own axes, in table order."""
    rows = QUICK_DEPTH if quick else FULL_DEPTH
    names = (
        f"{row.workload}/{method}/{row.place}" + (f"/{axes}" if axes else "")
        for row in rows
        for axes in row.axes
        for method in (methods() if row.methods is None else row.methods or (NO_METHOD,))
    )
    return [Cell(case, case.excluded) for case in dict.fromkeys(map(Case.parse, names))]


def choose(patterns: Iterable[str], *, quick: bool) -> list[Cell]:
    """What a command measures: `select` from the grid, or from `depth` where a glob names it.

    ``minor_fault/*`` and ``continue/*`` name a workload, ``*/dontneed/*`` does not.

    Raises:
        UsageError: see `select`.
    """
    return select(grid(quick=quick), patterns, depth(quick=quick))


def contract_grid() -> list[Cell]:
    """One contract case for every method on every backing and page size of the full grid.

    The size of the range stands for nothing here: a contract is checked on one of its own.
    Pages of 1g behave as those of 2m and take minutes to fill; a full name still selects one.
    """
    places = dict.fromkeys(
        (shape.backing, size_bytes(shape.page)) for shape in FULL if shape.page != "1g"
    )
    cases = [
        Case("contract", method, backing, page_size, page_size)
        for backing, page_size in places
        for method in methods()
    ]
    return [Cell(case, case.excluded) for case in cases]


def select(cells: Sequence[Cell], patterns: Iterable[str], more: Sequence[Cell] = ()) -> list[Cell]:
    """The cells that any glob matches (all if there is none), in their order.

    In a glob ``*`` matches any text, slashes too.  A glob that names a workload also selects
    from ``more``.  A full name of a case need not be in the grid: it is added behind.

    Raises:
        UsageError: a glob matches nothing; a named case is unknown or excluded.
    """
    names = {str(cell.case): cell for cell in cells}
    deep = names | {str(cell.case): cell for cell in more}
    found: dict[str, Cell] = {}
    wanted = list(patterns)
    for pattern in wanted:
        names_workload = not _is_glob(pattern.partition("/")[0])
        hits = fnmatch.filter(deep if names_workload else names, pattern)
        found |= {name: deep[name] for name in hits}
        if not hits:
            cell = _named(pattern, deep)
            found[str(cell.case)] = cell
    if not wanted:
        return list(cells)
    order = {name: position for position, name in enumerate(deep)}
    return sorted(found.values(), key=lambda cell: order.get(str(cell.case), len(order)))


def _is_glob(text: str) -> bool:
    return any(wild in text for wild in "*?[")


def _named(pattern: str, names: Iterable[str]) -> Cell:
    """The cell of a name that the grid does not hold."""
    if not _is_glob(pattern):
        try:
            case = Case.parse(pattern)
        except UsageError as error:
            raise UsageError(f"{error}{_near(pattern, names)}") from error
        reason = case.excluded
        if reason is None:
            return Cell(case, None)
        raise UsageError(f"{case} cannot be measured: {reason}{_near(pattern, names)}")
    raise UsageError(f"no case matches {pattern!r}{_near(pattern, names)}")


def _near(pattern: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.5)
    return f"; near it: {', '.join(near)}" if near else "; `zapbench list` shows them all"


def hugetlb_need(cases: Iterable[Case]) -> dict[int, int]:
    """Bytes of hugetlb pool needed, by page size in bytes: one case runs at a time."""
    need: dict[int, int] = {}
    for case in cases:
        if backings()[case.backing].hugetlb:
            need[case.page_size] = max(need.get(case.page_size, 0), case.memory)
    return need


def mthp_need(cases: Iterable[Case]) -> frozenset[int]:
    """Sizes in bytes of the large folios (THP, mTHP) that must be enabled."""
    base = os.sysconf("SC_PAGE_SIZE")
    return frozenset(
        case.page_size
        for case in cases
        if case.page_size > base and not backings()[case.backing].hugetlb
    )
