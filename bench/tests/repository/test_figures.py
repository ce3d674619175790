# SPDX-License-Identifier: GPL-2.0-only
"""What the documents say in figures, outside of generated tables, is what the records say."""

from functools import cache

from made_report import REPORTS
from places import ROOT

from zapbench import text
from zapbench.report.source import read
from zapbench.report.study import Group, Place, study

KERNELS, LOCKS = "2026-11-28-kernels", "2026-11-28-equal-locks"
SERIES, CONTROL = "7.3+madv-zap", "7.3+dontneed-vma-lock"
ONE, MANY = ("shmem", 4096, 4096), ("shmem", 4096, 2 << 20)
FILE, THP, HUGETLB = (
    ("file", 4096, 2 << 20),
    ("shmem", 2 << 20, 2 << 20),
    ("hugetlb", 2 << 20, 2 << 20),
)


@cache
def measured(report: str, kernel: str) -> Group:
    groups = study(read([REPORTS / report], "")).groups
    (found,) = (group for group in groups if group.kernel == kernel)
    return found


def said(name: str) -> str:
    """A document without its line breaks."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def call(kernel: str, method: str) -> str:
    """Instructions of one call on one page."""
    each = measured(LOCKS, kernel).cost("zap", method, ONE)
    assert each is not None
    return f"{each.median:,.0f}"


def ratio(group: Group, workload: str, place: Place, *methods: str, digits: int = 2) -> str:
    found = group.ratio(workload, methods[0], place, methods[1])
    assert found is not None
    return text.ratio(found.value, digits=digits)


def leads(kernel: str) -> list[str]:
    """MADV_ZAP over MADV_DONTNEED: a call and a cycle, each on a base page and on hugetlb."""
    group = measured(LOCKS, kernel)
    return [
        ratio(group, workload, place, "madv_zap", "dontneed")
        for workload in ("zap", "cycle")
        for place in (ONE, HUGETLB)
    ]


def test_losing_the_data_costs_what_the_records_say() -> None:
    one, many, thp, file, hugetlb = (
        ratio(
            measured(KERNELS, SERIES), "cycle", place, "punch_hole", "madv_zap",
            digits=0 if place is HUGETLB else 1,
        )
        for place in (ONE, MANY, THP, FILE, HUGETLB)
    )  # fmt: skip
    assert (
        f"a cycle of `punch_hole` costs {one} times what one of `madv_zap` does for one page, "
        f"{many} times for 2 MiB of base pages, {thp} times for a THP, {file} times for 2 MiB of "
        f"a file on a disk, and {hugetlb} times for a hugetlb page."
    ) in said("README.md")


def test_the_lead_is_what_the_records_say() -> None:
    call_1, call_h, cycle_1, cycle_h = leads(SERIES)
    assert (
        f"As posted, dropping one page costs {call_1} of `dontneed` (hugetlb {call_h}), and a "
        f"cycle {cycle_1} ({cycle_h}); at equal locks"
    ) in said("README.md")
    call_1, call_h, cycle_1, cycle_h = leads(CONTROL)
    boots = measured(LOCKS, CONTROL).boots_text
    assert f"({boots}), {call_1} ({call_h}) and {cycle_1} ({cycle_h})." in said("README.md")


def test_the_controls_cost_what_the_records_say() -> None:
    assert (
        f"one page then costs it {call(CONTROL, 'dontneed')} instructions instead of "
        f"{call(SERIES, 'dontneed')}. MADV_ZAP costs {call(CONTROL, 'madv_zap')} on that kernel, "
        f"and {call(SERIES, 'madv_zap')} on the series as posted."
    ) in said("kernel/README.md")
