# SPDX-License-Identifier: GPL-2.0-only
"""Fixed and marginal cost."""

import pytest

from zapbench.chart.fit import fit_line


def test_fit_finds_the_fixed_and_the_marginal_cost() -> None:
    line = fit_line([1, 16, 512], [1050, 1800, 26_600])
    assert line is not None
    assert (line.fixed, line.marginal) == pytest.approx((1000, 50))
    assert line.worst == pytest.approx(0, abs=1e-9)
    assert line.at(100) == pytest.approx(6000)


def test_fit_says_how_far_off_it_is_at_worst() -> None:
    line = fit_line([1, 2, 4], [100, 100, 400])
    assert line is not None
    assert line.worst == pytest.approx(
        max(abs(line.at(n) - cost) / cost for n, cost in ((1, 100), (2, 100), (4, 400)))
    )
    assert line.worst > 0.1


@pytest.mark.parametrize(
    ("costs", "part"), [([10, 1000], "fixed"), ([1000, 10], "marginal")], ids=["steep", "falling"]
)
def test_no_part_of_a_cost_is_negative(costs: list[float], part: str) -> None:
    line = fit_line([1, 10], costs)
    assert line is not None
    assert getattr(line, part) == 0
    assert min(line.fixed, line.marginal) >= 0


def test_fit_needs_two_sizes_and_positive_costs() -> None:
    assert fit_line([4, 4], [10, 11]) is None
    with pytest.raises(ValueError, match="positive"):
        fit_line([1, 2], [0, 1])
