# SPDX-License-Identifier: GPL-2.0-only
"""The suite as asv sees it."""

from toy_project import BENCHMARK, DONTNEED

from zapbench.asv_kernel import suite
from zapbench.case import Case


def test_every_case_of_the_suite_has_one_benchmark_and_one_place_in_it() -> None:
    index = suite.index("instructions")
    placed = [case for members in index.values() for case in members.values()]
    assert sorted(placed) == sorted(case for case in suite.cases() if case.workload != "empty")
    case = Case.parse("cycle/dontneed/shmem/4k/2m")
    assert index[BENCHMARK][DONTNEED] == case
