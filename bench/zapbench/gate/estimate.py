# SPDX-License-Identifier: GPL-2.0-only
"""How a cost relates to its reference, and how far that can be trusted.

All is in natural logarithms: 0.01 is one percent, and factors add.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zapbench.result.welch import SHARE, Spread, mean, spread_between, spread_of

ALPHA = 1 - SHARE
"""One-sided level that belongs to it: p <= ALPHA exactly when the interval is above the limit."""


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
        return max((each.reach for each in self.spreads), default=None)

    def above(self, limit: float) -> float | None:
        """One-sided p: how likely a centre as far above the limit is, if it were the truth."""
        return max((each.above(self.centre - limit) for each in self.spreads), default=None)

    @property
    def detectable(self) -> float | None:
        """The smallest effect that so many boots would find four times in five."""
        return max((each.detectable for each in self.spreads), default=None)


def of_one(logs: Sequence[float], calibrated: Spread | None = None) -> Estimate:
    """The mean of one set of boots.

    ``calibrated`` is the standard deviation between boots from a calibration.
    """
    spreads = _spreads(spread_of(logs), calibrated, 1 / len(logs))
    return Estimate(mean(logs), spreads, len(logs))


def of_two(
    base: Sequence[float], head: Sequence[float], calibrated: Spread | None = None
) -> Estimate:
    """The difference of two sets of boots."""
    spreads = _spreads(spread_between(base, head), calibrated, 1 / len(base) + 1 / len(head))
    return Estimate(mean(head) - mean(base), spreads, min(len(base), len(head)))


def _spreads(own: Spread | None, calibrated: Spread | None, part: float) -> tuple[Spread, ...]:
    """That of the boots, and what the calibration says of so many; none without their own."""
    if own is None:
        return ()
    if calibrated is None:
        return (own,)
    return (own, Spread(calibrated.error * math.sqrt(part), calibrated.freedom))
