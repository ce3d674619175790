# SPDX-License-Identifier: GPL-2.0-only
"""Globs, and names that are none."""

import pytest

from zapbench.case import Case, Cell, choose, depth, grid, select
from zapbench.error import UsageError


def test_a_glob_reaches_a_sweep_by_naming_its_workload() -> None:
    swept = {str(cell.case) for cell in depth(quick=True)}
    quick = {str(cell.case) for cell in grid(quick=True)}

    def chosen(*globs: str) -> set[str]:
        return {str(cell.case) for cell in choose(globs, quick=True)}

    assert chosen() == quick
    assert chosen("*/dontneed/*") <= quick
    assert chosen("minor_fault/*") == {name for name in swept if name.startswith("minor_fault/")}
    both = {name for name in quick | swept if name.startswith("continue/")}
    assert chosen("continue/*") == both
    assert both - quick
    assert chosen("minor_fault/*/topology=process") < swept
    assert swept <= {str(cell.case) for cell in choose((), quick=False)}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("minor_fault/dontneed/shmem/4k/64k/threads=0", "take 1 to 64"),
        ("minor_fault/dontneed/shmem/4k/64k/handlers=65", "take 1 to 64"),
        ("minor_fault/dontneed/shmem/4k/64k/batch=0", "take 1 to 64"),
        ("minor_fault/dontneed/shmem/4k/64k/topology=threads", "not the name of a case"),
        ("minor_fault/punch_hole/shmem/4k/64k", "the data is gone"),
        ("minor_fault/madv_remove/shmem/4k/64k", "the data is gone"),
        ("minor_fault/uffd_wp/shmem/4k/64k", "traps writes only"),
        ("minor_fault/mprotect/shmem/4k/64k", "a signal, not a userfaultfd event"),
        ("minor_fault/guard/shmem/4k/64k", "a signal, not a userfaultfd event"),
        ("minor_fault/poison/shmem/4k/64k", "a signal, and no way back"),
        ("minor_fault/dontneed/anon/4k/64k", "no minor mode for anonymous memory"),
        ("minor_fault/dontneed/file/4k/64k", "no minor mode for plain files"),
        ("minor_fault/dontneed/shmem/4k/4k/threads=2", "fewer pages than threads"),
        ("minor_fault/dontneed/shmem/4k/64k/uffd=each", "needs handlers=2"),
        ("minor_fault/dontneed/shmem/4k/64k/delivery=sigbus/handlers=2", "has no handler"),
        ("minor_fault/dontneed/shmem/4k/64k/delivery=sigbus/topology=process", "has no handler"),
        ("minor_fault/rwp/shmem/4k/64k/delivery=sigbus", "which event it was"),
        ("minor_fault/dontneed/shmem/4k/64k/delivery=sigbus/place=apart", "needs two threads"),
        ("minor_fault/dontneed/shmem/4k/64k/place=here", "not the name of a case"),
        ("continue/-/shmem/4k/64k/threads=2/place=same", "place= belongs to minor_fault"),
        ("minor_fault/dontneed/shmem-private/4k/64k/access=write", "not the file's any more"),
        ("minor_fault/dontneed/shmem/4k/64k/check=sleep", "check= of minor_fault is"),
        ("minor_fault/dontneed/shmem/4k/64k/state=fresh", "state= belongs to zap and cycle"),
        ("empty/-/shmem/4k/4k/check=strand", "check= of empty is"),
        ("zap/dontneed/shmem/4k/64k/threads=2", "threads= belongs to minor_fault and continue"),
        ("cycle/dontneed/shmem/4k/64k/by=copy", "by= belongs to the workload continue"),
        ("continue/-/shmem/4k/64k/step=2m", "step=2m needs"),
        ("continue/-/shmem/4k/4k/step=page", "step=page needs"),
        ("continue/-/shmem/4k/64k/by=copy/wp=on", "are UFFDIO_CONTINUE's"),
        ("continue/-/shmem-private/4k/64k/by=copy", "pages of its own in a private mapping"),
        ("continue/-/shmem/4k/64k/threads=17", "fewer pages than threads"),
    ],
)
def test_impossible_combinations_are_refused_in_a_line(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        choose([name], quick=True)
    assert "\n" not in str(caught.value)


CELLS = [
    Cell(Case.parse(name), None)
    for name in ("zap/remap/shmem/4k/4k", "zap/dontneed/shmem/4k/4k", "cycle/remap/shmem/4k/4k")
]


def test_globs_select_in_the_order_of_the_grid() -> None:
    assert select(CELLS, ["cycle/*", "zap/r*"]) == [CELLS[0], CELLS[2]]
    assert select(CELLS, []) == CELLS
    assert select(CELLS, ["*/remap/*/4[km]/?k"]) == [CELLS[0], CELLS[2]]


def test_a_full_name_need_not_be_in_the_grid() -> None:
    (cell,) = select(CELLS, ["zap/remap/shmem/4k/8m"])
    assert str(cell.case) == "zap/remap/shmem/4k/8m"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("zap/remapp/*", "no case matches 'zap/remapp/\\*'"),
        ("zap/remapp/shmem/4k/4k", "cannot be measured: .*near it: zap/remap/shmem/4k/4k"),
        ("zap/guard/hugetlb/2m/2m", "no guard regions on hugetlb"),
        ("zap", "is not a case: expected workload/method"),
        ("qqqqqq*", "`zapbench list` shows them all"),
    ],
)
def test_a_glob_that_matches_nothing_is_one_line_with_near_names(pattern: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        select(CELLS, [pattern])
    assert "\n" not in str(caught.value)
