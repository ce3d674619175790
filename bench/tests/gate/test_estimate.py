# SPDX-License-Identifier: GPL-2.0-only
"""Estimates by hand, and what must hold for all figures."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looks import REACH, T2, pair
from scipy import stats as scipy_stats

from zapbench.gate.estimate import Estimate, of_pairs
from zapbench.result.welch import Spread


def test_the_interval_by_hand() -> None:
    """e - d and e + d: variance 2 d², error d; t(0.975; 1) = 12.7062."""
    estimate = Estimate(pair(0.02))
    assert estimate.centre == pytest.approx(0.02)
    assert estimate.reach == pytest.approx(REACH)
    assert estimate.boots == 2


def test_three_boots_by_hand() -> None:
    """0, 2 and 4: mean 2, variance 4, error sqrt(4/3); t(0.975; 2) on two degrees."""
    estimate = Estimate((0, 2, 4))
    assert estimate.centre == 2
    assert estimate.reach == pytest.approx(T2 * math.sqrt(4 / 3))


def test_pairs_are_boots_of_one_number_and_what_they_share_cancels() -> None:
    base = {0: 100.0, 1: 150.0, 2: 90.0, 7: 1.0}
    head = {2: 99.0, 1: 165.0, 0: 110.0, 5: 3.0}
    found = of_pairs(base, head)
    assert found is not None
    assert found.logs == pytest.approx([math.log(1.1)] * 3)
    assert found.reach == pytest.approx(0, abs=1e-12)
    assert of_pairs({0: 1.0}, {1: 1.0}) is None


LOGS = st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=12)
NULLS = st.none() | st.builds(Spread, st.floats(0, 0.1), st.just(9))


@given(LOGS, st.floats(-0.1, 0.1))
def test_p_is_that_of_the_one_sample_test(logs: list[float], limit: float) -> None:
    estimate = Estimate(tuple(logs))
    if estimate.reach is not None and estimate.reach > 1e-6:
        theirs = scipy_stats.ttest_1samp(logs, limit, alternative="greater").pvalue
        assert estimate.above(limit) == pytest.approx(theirs, rel=1e-6, abs=1e-12)


@given(LOGS, NULLS)
def test_the_upper_end_is_the_interval_s_or_below_and_never_below_the_mean(
    logs: list[float], null: Spread | None
) -> None:
    estimate = Estimate(tuple(logs), null)
    assert estimate.high is not None
    assert estimate.reach is not None
    assert estimate.centre - 1e-12 <= estimate.high <= estimate.centre + estimate.reach + 1e-12


def test_one_cheap_boot_does_not_widen_the_interval_upwards() -> None:
    """All keep 0.002, one by far: raised to the others, nothing is left of the spread."""
    cheap = Estimate((-0.1, 0.001, 0.001, 0.001, 0.001))
    assert cheap.centre + (cheap.reach or 0) > 0.002
    assert cheap.high == pytest.approx(0.001)
    assert cheap.keeps(0.002)


@settings(max_examples=500)
@given(LOGS, NULLS, st.data())
def test_the_upper_end_never_falls_as_a_boot_gets_dearer(
    logs: list[float], null: Spread | None, data: st.DataObject
) -> None:
    before = Estimate(tuple(logs), null).high
    place = data.draw(st.integers(0, len(logs) - 1))
    logs[place] += data.draw(st.floats(0, 0.3))
    after = Estimate(tuple(logs), null).high
    assert before is not None
    assert after is not None
    assert after >= before - 1e-12


def test_which_boots_are_beyond_by_hand() -> None:
    """Four boots: t(1 - 0.025 / 4; 9) = 3.1109; of a spread of 0.01 that is 0.0311."""
    logs = (0.0, 0.031, 0.0312, 0.5)
    assert Estimate(logs, Spread(0.01, 9)).beyond(0.0) == [2, 3]
    assert Estimate(logs, Spread(0.01, 9)).beyond(0.1) == [3]
    assert Estimate(logs).beyond(0.031) == [2, 3]


def test_a_stricter_level_makes_a_wider_interval() -> None:
    """t(1 - 0.00625; 2) = 8.8602."""
    strict = Estimate((0, 2, 4), level=0.00625)
    assert strict.reach == pytest.approx(8.8602 * math.sqrt(4 / 3), rel=1e-4)
