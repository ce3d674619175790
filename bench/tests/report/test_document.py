# SPDX-License-Identifier: GPL-2.0-only
"""Figures in words."""

import pytest

from zapbench.text import full_cost


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567.0, "ns", "1.235 ms"),
        (999.96, "ns", "1.000 µs"),
        (31.4159, "ns", "31.42 ns"),
        (0.0, "ns", "0 ns"),
        (2023.0, "instructions", "2.023 k"),
        (540123.0, "instructions", "540.1 k"),
        (None, "ns", "—"),
    ],
)
def test_figures_have_four_digits(value: float | None, unit: str, text: str) -> None:
    assert full_cost(value, unit) == text
