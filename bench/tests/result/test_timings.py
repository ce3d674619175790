# SPDX-License-Identifier: GPL-2.0-only
"""The timings of a case over its boots, and the comparison of two results."""

from collections.abc import Sequence

import pytest
import synthetic

from zapbench.case import Case
from zapbench.record import Unit
from zapbench.result.timings import Timings, by_case, compare

CASE = "zap/dontneed/shmem/4k/64k"


def test_timings_have_one_median_a_boot_and_all_samples_in_its_tail() -> None:
    records = [
        synthetic.samples(synthetic.run_of(0), CASE, (1, 2, 9)),
        synthetic.samples(synthetic.run_of(1), CASE, (4, 5)),
        synthetic.samples(synthetic.run_of(1), CASE, (6,), rep=1),
    ]
    timings = by_case(records)[Case.parse(CASE)]
    assert timings.medians == [2, 5]
    assert timings.median == 3.5
    assert timings.pooled.size == 6
    assert timings.pages_per_op == 16


def timings_of(name: str, medians: Sequence[int], unit: Unit = "ns") -> dict[Case, Timings]:
    records = [
        synthetic.samples(synthetic.run_of(boot), name, (value,), unit=unit)
        for boot, value in enumerate(medians)
    ]
    return by_case(records)


def test_compare_gives_a_verdict_for_each_common_case() -> None:
    base = timings_of(CASE, [100, 101, 99]) | timings_of("zap/remap/shmem/4k/4k", [10, 11, 12])
    head = timings_of(CASE, [150, 151, 149]) | timings_of("zap/remap/shmem/4k/4k", [11, 12, 10])
    slower, same = compare(base, head)
    assert (str(slower.case), slower.verdict) == (CASE, "slower")
    assert slower.ratio.value == pytest.approx(1.5, rel=0.01)
    assert same.verdict == "no difference seen"
    assert compare(head, base)[0].verdict == "faster"
    assert compare(base, {}) == []


def test_compare_refuses_different_units_and_leaves_out_what_cost_nothing() -> None:
    with pytest.raises(ValueError, match="one side is in ns"):
        compare(timings_of(CASE, [1]), timings_of(CASE, [1], "instructions"))
    assert compare(timings_of(CASE, [0, 0]), timings_of(CASE, [1, 1])) == []


def test_compare_says_when_there_are_too_few_boots() -> None:
    (difference,) = compare(timings_of(CASE, [1]), timings_of(CASE, [2]))
    assert difference.verdict == "too few boots"
