# SPDX-License-Identifier: GPL-2.0-only
"""Selection: the cells of a grid that globs and names choose."""

import difflib
import fnmatch
from collections.abc import Iterable, Sequence

from zapbench.case.grids import Cell, depth, grid
from zapbench.case.names import Case
from zapbench.error import UsageError


def choose(patterns: Iterable[str], *, quick: bool) -> list[Cell]:
    """What a command measures: `select` from the grid, or from `depth` where a glob names it.

    ``minor_fault/*`` and ``continue/*`` name a workload, ``*/dontneed/*`` does not.

    Raises:
        UsageError: see `select`.
    """
    return select(grid(quick=quick), patterns, depth(quick=quick))


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
