# SPDX-License-Identifier: GPL-2.0-only
"""Estimates by hand."""

import math

import pytest
from looks import REACH, T2, pair

from zapbench.gate.estimate import of_one, of_two
from zapbench.result import stats


def test_the_interval_by_hand() -> None:
    estimate = of_two(*pair(0.02))
    assert estimate.centre == pytest.approx(0.02)
    assert estimate.reach == pytest.approx(REACH)
    assert estimate.boots == 2


def test_one_set_of_boots_by_hand() -> None:
    """0, 2 and 4: mean 2, variance 4, error sqrt(4/3); t(0.975; 2) on two degrees."""
    estimate = of_one([0, 2, 4])
    assert estimate.centre == 2
    assert estimate.reach == pytest.approx(T2 * math.sqrt(4 / 3))


def test_p_is_that_of_welch_halved() -> None:
    base, head = pair(0.02)
    two_sided = stats.ratio([math.exp(x) for x in base], [math.exp(x) for x in head]).p
    assert two_sided is not None
    assert of_two(base, head).above(0.0) == pytest.approx(two_sided / 2)
    assert of_two(base, head).above(0.02) == pytest.approx(0.5)
