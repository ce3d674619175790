# SPDX-License-Identifier: GPL-2.0-only
"""Grids: the cases that a command measures where nobody names any."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from zapbench.case.depths import FULL_DEPTH, QUICK_DEPTH
from zapbench.case.names import NO_METHOD, Case, size_bytes
from zapbench.case.tables import methods, page_sizes, workloads
from zapbench.case.views import view


class Shape(NamedTuple):
    """Rows of a grid: one backing and page size, with these ranges, for every method."""

    backing: str
    page: str
    ranges: tuple[str, ...]
    axes: tuple[str, ...] = ()


QUICK = (
    Shape("shmem", "4k", ("4k", "64k", "2m")),
    Shape("shmem", "4k", ("64k",), ("events=on",)),
    Shape("shmem", "2m", ("2m",)),
    Shape("shmem-private", "4k", ("64k",)),
    Shape("hugetlb", "2m", ("2m",)),
    Shape("hugetlb-private", "2m", ("2m",)),
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


class Cell(NamedTuple):
    """A case of a grid, and why the tables rule it out (None: they allow it)."""

    case: Case
    excluded: str | None


def _shape_cases(shape: Shape) -> Iterator[Case]:
    """The product of a shape with the workloads and methods; what makes no sense is left out."""
    for range_size in shape.ranges:
        place = (shape.backing, size_bytes(shape.page), size_bytes(range_size))
        for workload in workloads().values():
            look = view(workload.name)
            if not workload.timed or workload.is_harness or not look.everywhere:
                continue
            if workload.uses_method:
                choices = [(method, shape.axes) for method in methods()]
            elif shape.axes:
                continue  # further axes are ways to drop
            else:
                choices = [(NO_METHOD, (axis,) if axis else ()) for axis in look.ways]
            for method, axes in choices:
                pairs = tuple(sorted((k, v) for k, _, v in (axis.partition("=") for axis in axes)))
                yield Case(workload.name, method, *place, pairs)


def grid(*, quick: bool) -> list[Cell]:
    """Every case of the quick or the full grid, excluded ones too, in table order.

    The full grid holds that of `depth`; the quick one is for comparing methods.
    """
    shapes = QUICK if quick else FULL
    smallest = page_sizes()[0]
    harness = [
        Case(name, NO_METHOD, "shmem", smallest, smallest)
        for name, workload in workloads().items()
        if workload.is_harness
    ]
    cases = dict.fromkeys([*harness, *itertools.chain.from_iterable(map(_shape_cases, shapes))])
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


def contract_grid() -> list[Cell]:
    """One contract case for every method on every backing and page size of the full grid.

    The size of the range means nothing here: a contract is checked on one of its own.
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
