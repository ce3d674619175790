# SPDX-License-Identifier: GPL-2.0-only
"""The frequency of the time stamp counter."""

from zapbench.vm import tsc


def test_the_frequency_of_the_time_stamp_counter() -> None:
    first, second = tsc.host_khz(), tsc.host_khz()
    assert first is not None
    assert second is not None
    assert 500_000 < first < 10_000_000
    assert abs(first - second) / first < 1e-3
