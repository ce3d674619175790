# SPDX-License-Identifier: GPL-2.0-only
"""How far the mean of a few logarithms, or the difference of two such means, can be trusted.

All is in natural logarithms of figures, one a boot: 0.01 is one percent, and factors add.
The one-sample case is Student's (Biometrika 6, 1908), the difference Welch's (B. L. Welch,
Biometrika 34, 1947), with the degrees of freedom after Satterthwaite.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import scipy

CONFIDENCE = 0.95
POWER = 0.8
SHARE = (1 + CONFIDENCE) / 2
"""Below the upper end of the two-sided interval lies so much of the distribution."""
EXACT = 1e-12
"""Differences of logarithms below this are rounding."""


def student_quantile(share: float, freedom: float) -> float:
    """The point of Student's t below which ``share`` of it lies, 0 < share < 1.

    scipy.special: a scipy distribution takes a millisecond for the same.
    """
    return float(scipy.special.stdtrit(freedom, share))


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard error and its degrees of freedom."""

    error: float
    freedom: float

    @property
    def reach(self) -> float:
        """Half the width of the 95 % interval."""
        return self.error * student_quantile(SHARE, self.freedom)

    @property
    def detectable(self) -> float:
        """The smallest effect that is found four times in five.

        (t_{0.975} + t_{0.8}) x the error (J. Cohen, Statistical Power Analysis, 1988, with t in
        place of the normal).
        """
        return self.error * (
            student_quantile(SHARE, self.freedom) + student_quantile(POWER, self.freedom)
        )

    def above(self, excess: float) -> float:
        """One-sided p: how likely so much or more is seen where there is nothing."""
        if self.error == 0:  # a machine that repeats itself: any difference is one
            return 0.0 if excess > EXACT else 1.0
        return float(scipy.special.stdtr(self.freedom, -excess / self.error))


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean, of a correctly rounded sum."""
    return math.fsum(values) / len(values)


def squares(values: Sequence[float]) -> float:
    """The sum of squared deviations from the mean."""
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values)


def spread_of(logs: Sequence[float]) -> Spread | None:
    """That of the mean of one set of boots; None of fewer than two."""
    n = len(logs)
    return Spread(_error(squares(logs) / (n - 1) / n), n - 1) if n > 1 else None


def spread_between(base: Sequence[float], head: Sequence[float]) -> Spread | None:
    """That of the difference of the means of two; None with fewer than two boots on a side.

    With s², n the variance and size of a side: error = sqrt(s_b²/n_b + s_h²/n_h).
    """
    sides = (base, head)
    if min(map(len, sides)) < 2:
        return None
    shares = [squares(side) / (len(side) - 1) / len(side) for side in sides]
    freedom = float(len(base) + len(head) - 2)
    if sum(shares) > EXACT**2:
        parts = (share**2 / (len(side) - 1) for share, side in zip(shares, sides, strict=True))
        freedom = sum(shares) ** 2 / sum(parts)
    return Spread(_error(sum(shares)), freedom)


def _error(square: float) -> float:
    """A standard error; what is rounding only, as in the mean of equal figures, is none."""
    return math.sqrt(square) if square > EXACT**2 else 0.0
