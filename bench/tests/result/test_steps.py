# SPDX-License-Identifier: GPL-2.0-only
"""Steps and creep in series of figures, one a commit; and what asv's own detector says of them."""

import math
import random

import pytest
from asv.step_detect import detect_regressions, detect_steps
from hypothesis import given
from hypothesis import strategies as st

from zapbench.result.steps import Change, find

ONE_PERCENT = math.log(1.01)
RAMP = [100_000 * 1.003**commit for commit in range(11)]


def of_asv(figures: list[float]) -> list[tuple[int, int]]:
    """Where asv sees a regression of 1 % and more: the last good place, and the first bad one."""
    _, _, found = detect_regressions(detect_steps(figures), threshold=0.01)
    return [(good, bad) for good, bad, _, _ in found or ()]


def named(figures: list[float], least: float = ONE_PERCENT) -> list[tuple[str, int, int]]:
    return [(each.kind, each.left, each.right) for each in find(figures, least)]


@given(st.integers(1, 10**9), st.integers(0, 60))
def test_a_constant_series_has_none(count: int, commits: int) -> None:
    assert find([float(count)] * commits, 0.0) == []


@given(
    st.integers(200, 10**8),
    st.integers(1, 30),
    st.integers(1, 30),
    st.floats(0.02, 2.0),
    st.booleans(),
)
def test_a_count_that_changes_once_is_a_step(
    count: int, before: int, after: int, size: float, rises: bool
) -> None:
    levels = [count, round(count * (1 + size))]
    low, high = map(float, levels if rises else reversed(levels))
    (step,) = find([low] * before + [high] * after, ONE_PERCENT)
    assert (step.kind, step.left, step.right) == ("step", before - 1, before)
    assert step.size == pytest.approx(math.log(high / low))


def test_one_commit_that_differs_is_two_steps_and_asv_forgives_it() -> None:
    figures = [1000.0] * 5 + [1100.0] + [1000.0] * 5
    assert named(figures) == [("step", 4, 5), ("step", 5, 6)]
    assert of_asv(figures) == []


def test_ten_small_steps_are_creep_and_none_to_asv() -> None:
    assert of_asv(RAMP) == []
    (creep,) = find(RAMP, ONE_PERCENT)
    assert (creep.kind, creep.left, creep.right) == ("creep", 0, 10)
    assert math.exp(creep.size) == pytest.approx(1.003**10)
    assert math.exp(creep.largest) == pytest.approx(1.003)
    assert named(RAMP[::-1]) == [("creep", 0, 10)]


def test_creep_is_found_between_where_it_begins_and_ends() -> None:
    level = [RAMP[0]] * 10 + RAMP + [RAMP[-1]] * 10
    assert named(level) == [("creep", 10, 20)]
    assert all(bad - good == 1 for good, bad in of_asv(level))  # to asv, two commits of the ten


def test_a_step_amid_creep_is_told_from_it() -> None:
    figures = [*RAMP[:5], *(figure * 1.05 for figure in RAMP[5:])]
    creep, step = find(figures, ONE_PERCENT)
    assert (step.kind, step.left, step.right) == ("step", 4, 5)
    assert math.exp(step.size) == pytest.approx(1.05 * 1.003)
    assert creep.kind == "creep"
    assert creep.steps == pytest.approx(step.size)
    assert math.exp(creep.size) == pytest.approx(1.003**9)


def test_less_than_is_asked_for_is_not_named() -> None:
    figures = [100_000.0] * 5 + [100_900.0] * 5
    assert find(figures, ONE_PERCENT) == []
    assert named(figures, math.log(1.005)) == [("step", 4, 5)]


def test_noise_that_boots_show_hides_a_step() -> None:
    two = [10_000.0, 10_200.0]
    assert [each.kind for each in find(two, ONE_PERCENT)] == ["step"]
    assert find(two, ONE_PERCENT, noise=0.02) == []


def noisy(seed: int, deviation: float, change: float = 0.0) -> list[float]:
    chance = random.Random(seed)
    return [
        100_000 * math.exp(chance.gauss(0, deviation) + (change if commit >= 7 else 0))
        for commit in range(15)
    ]


def test_steps_are_found_amid_noise_that_alone_seldom_makes_one() -> None:
    """As often as `PENALTY` says; of 400 series, 5 in 100 and 95 in 100 are far from that."""
    series = range(400)
    alarms = sum(bool(find(noisy(seed, 0.003), ONE_PERCENT)) for seed in series)
    assert alarms < 20
    found = [find(noisy(seed, 0.003, 0.02), ONE_PERCENT) for seed in series]
    assert sum(any(step.right == 7 for step in each) for each in found) > 380


def test_a_larger_least_never_names_more() -> None:
    def steps(figures: list[float], least: float) -> set[Change]:
        return {each for each in find(figures, least) if each.kind == "step"}

    for seed in range(50):
        figures = noisy(seed, 0.01, 0.03)
        assert steps(figures, 0.02) <= steps(figures, 0.01)
