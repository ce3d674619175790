# SPDX-License-Identifier: GPL-2.0-only
"""The order of cases must not matter: what one leaves behind may not reach the next.

What a zap costs depends on how often its pages were zapped since they were fresh, and the
method that comes first would pay for all; two untimed rounds and regions of their own are the
cure, and this is the test of it.
"""

import pytest

from zapbench import record
from zapbench.record import Samples
from zapbench.result.timings import Difference, by_case, compare
from zapbench.target import Job, Native

METHODS = ("dontneed", "remap", "overmap", "dontunmap")
CASES = tuple(
    f"{workload}/{method}/shmem/4k/{size}"
    for workload in ("zap", "cycle")
    for method in METHODS
    for size in ("4k", "2m")
)
PROCESSES = 7
TRIES = 4


def one_process(cases: tuple[str, ...], number: int) -> list[Samples]:
    job = Job(cases, "k", "native", boot=number, samples=100, max_seconds=0.05)
    return record.collect(Native().run(job)).of(Samples)


def both_orders() -> list[Difference]:
    """The grid forwards and backwards, process by process in turn, compared case by case."""
    orders = (CASES, CASES[::-1])
    found: tuple[list[Samples], list[Samples]] = ([], [])
    for number in range(PROCESSES):
        for order in (0, 1) if number % 2 == 0 else (1, 0):
            found[order].extend(one_process(orders[order], number))
    return compare(*(by_case(side) for side in found))


@pytest.mark.usefixtures("userfaultfd")
def test_two_orders_agree_within_their_own_intervals() -> None:
    """A disturbed machine may fail a try; an order that matters fails them all, alike."""
    suspects = set(CASES)
    for _ in range(TRIES):
        differences = both_orders()
        assert len(differences) == len(CASES)
        suspects &= {str(each.case) for each in differences if each.p is not None and each.p < 0.05}
        if not suspects:
            return
    pytest.fail(f"the order matters in every one of {TRIES} tries to {sorted(suspects)}")
