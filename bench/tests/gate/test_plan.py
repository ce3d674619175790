# SPDX-License-Identifier: GPL-2.0-only
"""How long a gate may take, and how many boots that is."""

import pytest

from zapbench.error import UsageError
from zapbench.gate import plan
from zapbench.gate.noise import Noise
from zapbench.result.welch import Spread


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("2 min", 120), ("300h", 1_080_000)],
)
def test_times(text: str, value: float) -> None:
    assert plan.seconds(text) == value
    assert plan.seconds(plan.written(value)) == value


@pytest.mark.parametrize("text", ["", "0", "ten", "10 days", "-1m", "٣s", 400 * "9"])
def test_bad_times(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read the time"):
        plan.seconds(text)


def test_boots_by_hand() -> None:
    """8 degrees: t(0.975) = 2.306004, t(0.8) = 0.888890; (3.194894 * 0.02 / 0.02)² = 10.2."""
    assert plan._wanted(Noise(0.0, Spread(0.02, 8)), 0.02) == 11
    assert plan._wanted(Noise(0.04, Spread(0.02, 8)), 0.02) == 3  # nothing below it is judged
    assert plan._wanted(Noise(0.0, None), 0.02) == 3
