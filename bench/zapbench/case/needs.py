# SPDX-License-Identifier: GPL-2.0-only
"""What cases need of the machine: hugetlb pages, and sizes of large folios enabled."""

import os
from collections.abc import Iterable

from zapbench.case.names import Case
from zapbench.case.tables import backings


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
