# SPDX-License-Identifier: GPL-2.0-only
"""What cases need of the machine."""

from zapbench import case
from zapbench.case import Case


def test_needs_are_those_of_the_greediest_case() -> None:
    cases = [Case.parse(f"zap/dontneed/hugetlb/2m/{size}") for size in ("2m", "64m")]
    assert case.hugetlb_need(cases) == {2 << 20: cases[1].memory}
    assert case.hugetlb_need([Case.parse("zap/dontneed/shmem/4k/4k")]) == {}
    thp = [Case.parse("zap/dontneed/shmem/2m/2m"), Case.parse("zap/dontneed/shmem/64k/64k")]
    assert case.mthp_need([*cases, *thp]) == {2 << 20, 64 << 10}
