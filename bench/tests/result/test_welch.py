# SPDX-License-Identifier: GPL-2.0-only
"""One test of a difference for all that ask: by hand, and where there is no noise."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zapbench.result.welch import Spread, mean, squares, student_quantile


def test_student_s_t_is_that_of_any_table() -> None:
    assert student_quantile(0.975, 1) == pytest.approx(12.7062, abs=1e-4)
    assert student_quantile(0.975, 10) == pytest.approx(2.22814, abs=1e-5)
    assert student_quantile(0.8, 4) == pytest.approx(0.940965, abs=1e-6)


def test_a_spread_reaches_and_detects_by_its_own_t() -> None:
    spread = Spread(0.5, 4)
    assert spread.reach == pytest.approx(0.5 * 2.776445)
    assert spread.detectable == pytest.approx(0.5 * (2.776445 + 0.940965))
    assert spread.above(0.5 * 2.776445) == pytest.approx(0.025)
    assert spread.above(0.0) == pytest.approx(0.5)


def test_without_noise_any_difference_is_one() -> None:
    assert Spread(0.0, 4).above(1e-9) == 0.0
    assert Spread(0.0, 4).above(0.0) == 1.0


@given(st.floats(-1e6, 1e6), st.integers(1, 30))
def test_equal_values_have_no_spread_but_rounding(value: float, number: int) -> None:
    assert mean([value] * number) == pytest.approx(value, rel=1e-15)
    assert squares([value] * number) <= number * (1e-15 * value) ** 2


def test_squares_by_hand() -> None:
    assert squares([1.0, 3.0, 5.0]) == 8
    assert math.isclose(mean([1.0, 2.0, 6.0]), 3.0)
