# SPDX-License-Identifier: GPL-2.0-only
"""How a cost relates to its reference, and how far that can be trusted.

All is in natural logarithms: 0.01 is one percent, and factors add.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zapbench.result.stats import CONFIDENCE, POWER, student_above, student_quantile

SHARE = (1 + CONFIDENCE) / 2
"""Below the upper end of the two-sided interval lies so much of the distribution."""
ALPHA = 1 - SHARE
"""One-sided level that belongs to it: p <= ALPHA exactly when the interval is above the limit."""
EXACT = 1e-12
"""Differences of logarithms below this are rounding."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard error and its degrees of freedom."""

    error: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The logarithm of (head / reference).

    ``spreads`` are the standard errors that bear on it: that of its own boots, and that of the
    calibration; the one that makes the interval wider counts.  ``boots`` is the size of the
    smaller side.  Without a spread (one boot) there is no interval.
    """

    centre: float
    spreads: tuple[Spread, ...]
    boots: int

    @property
    def reach(self) -> float | None:
        """Half the width of the 95 % interval."""
        if not self.spreads:
            return None
        return max(each.error * student_quantile(SHARE, each.freedom) for each in self.spreads)

    def above(self, limit: float) -> float | None:
        """One-sided p: how likely a centre as far above the limit is, if it were the truth."""
        if not self.spreads:
            return None
        return max(_tail(self.centre - limit, each) for each in self.spreads)

    @property
    def detectable(self) -> float | None:
        """The smallest effect that so many boots would find four times in five; see `ratio`."""
        if not self.spreads:
            return None
        return max(
            each.error
            * (student_quantile(SHARE, each.freedom) + student_quantile(POWER, each.freedom))
            for each in self.spreads
        )


def _tail(excess: float, spread: Spread) -> float:
    if spread.error < EXACT:  # a machine that repeats itself: any difference is one
        return 0.0 if excess > EXACT else 1.0
    return student_above(excess / spread.error, spread.freedom)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; exact where all values are the same."""
    return math.fsum(values) / len(values)


def squares(values: Sequence[float]) -> float:
    """The sum of squared deviations from the mean."""
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values)


def of_one(logs: Sequence[float], calibrated: Spread | None = None) -> Estimate:
    """The mean of one set of boots (Student, Biometrika 6, 1908).

    ``calibrated`` is the standard deviation between boots from a calibration.
    """
    n = len(logs)
    spreads = []
    if n > 1:
        spreads.append(Spread(math.sqrt(squares(logs) / (n - 1) / n), n - 1))
        spreads += _scaled(calibrated, 1 / n)
    return Estimate(mean(logs), tuple(spreads), n)


def of_two(
    base: Sequence[float], head: Sequence[float], calibrated: Spread | None = None
) -> Estimate:
    """The difference of two sets of boots, by Welch's test; see `zapbench.result.stats.ratio`."""
    sizes = len(base), len(head)
    spreads = []
    if min(sizes) > 1:
        shares = [squares(side) / (len(side) - 1) / len(side) for side in (base, head)]
        freedom = float(sum(sizes) - 2)
        if sum(shares) > EXACT**2:
            parts = (share**2 / (n - 1) for share, n in zip(shares, sizes, strict=True))
            freedom = sum(shares) ** 2 / sum(parts)
        spreads.append(Spread(math.sqrt(sum(shares)), freedom))
        spreads += _scaled(calibrated, 1 / sizes[0] + 1 / sizes[1])
    return Estimate(mean(head) - mean(base), tuple(spreads), min(sizes))


def _scaled(calibrated: Spread | None, share: float) -> list[Spread]:
    if calibrated is None:
        return []
    return [Spread(calibrated.error * math.sqrt(share), calibrated.freedom)]
