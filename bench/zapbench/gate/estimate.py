# SPDX-License-Identifier: GPL-2.0-only
"""How a cost relates to its reference, and how far that can be trusted.

All is in natural logarithms: 0.01 is one percent, and factors add.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from zapbench.result.welch import EXACT, SHARE, Spread, mean, spread_of, squares, student_quantile

ALPHA = 1 - SHARE
"""One-sided level of one test: p <= ALPHA exactly when the interval is above the limit."""


@dataclass(frozen=True)
class Estimate:
    """The logarithms of (head / reference), one a boot, and what they say of their centre.

    The reference of a boot is the boot of base with the same number, which had the same seed,
    order and perturbation; another case of the same boot; or a constant.  What the two have in
    common cancels, so that the test is Student's for one sample (Biometrika 6, 1908).

    ``null`` is the standard deviation of one such logarithm where nothing was changed, if it is
    known; of it and what these boots show, the one that makes the interval wider counts.
    ``level`` is that of a one-sided test; the interval, of confidence 1 - 2 ``level``, is made
    of two.
    """

    logs: tuple[float, ...]
    null: Spread | None = None
    level: float = ALPHA

    @cached_property
    def centre(self) -> float:
        """Their mean."""
        return mean(self.logs)

    @property
    def boots(self) -> int:
        """How many there are."""
        return len(self.logs)

    @cached_property
    def reach(self) -> float | None:
        """Half the width of the interval; None for one boot, which has no spread."""
        return max(map(self._half, self._spreads), default=None)

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.reach is None else self.centre - self.reach

    @cached_property
    def high(self) -> float | None:
        """The upper end of the interval: the least that any raising of low boots gives.

        A boot that is cheaper than the rest widens the interval at both ends, though it speaks
        against a higher cost; without this, a dearer boot could bring the upper end down, and a
        worse head pass.  So the upper end never falls as a boot gets dearer.  The price: of
        ``n`` boots whose centre is the limit itself, all keep it, and pass, once in 2^n.
        """
        if self.reach is None:
            return None
        logs = sorted(self.logs)
        if (least := self._least(logs)) is not None:
            logs = [max(log, least) for log in logs]
        return mean(logs) + max(map(self._half, self._spreads_of(logs)))

    def _least(self, logs: Sequence[float]) -> float | None:
        """The height up to which raising the lowest of some boots brings the upper end down.

        With m, s the mean and standard deviation of n boots, d/dx_j of m + t s / sqrt(n) is
        1/n + t (x_j - m) / (sqrt(n) (n - 1) s), below 0 where x_j lies deeper under m than
        g s, with g = (n - 1) / (t sqrt(n)).  Both are convex, so that the first place where it
        is not is the best.  Let k be raised to x, and u be the distance from x to the mean of
        the rest, whose squares are q: then m - x = (n - k) u / n and
        (n - 1) s² = q + k (n - k) u² / n.  No further than until ``null`` counts instead of s.
        """
        n, (own, *known) = len(logs), self._spreads_of(logs)
        most = max(map(self._half, known), default=0.0)
        if self._half(own) <= most:
            return None
        quantile = student_quantile(1 - self.level, own.freedom)
        g2 = ((n - 1) / quantile) ** 2 / n
        s2 = n * (most / quantile) ** 2
        for k in range(1, n):
            rest = logs[k:]
            q, both = squares(rest), k * (n - k) / n
            steep = ((n - k) / n) ** 2 - g2 * both / (n - 1)
            if steep <= 0:
                return logs[k - 1]
            u2 = max(g2 * q / (n - 1) / steep, ((n - 1) * s2 - q) / both)
            least = mean(rest) - math.sqrt(u2)
            if least <= logs[k]:
                return max(least, logs[k - 1])
        raise AssertionError

    def keeps(self, limit: float) -> bool:
        """Whether the upper end is at or below a limit."""
        return self.high is not None and self.high <= limit + EXACT

    def above(self, limit: float) -> float | None:
        """One-sided p: how likely a centre as far above the limit is, if it were the truth."""
        return max((each.above(self.centre - limit) for each in self._spreads), default=None)

    def beyond(self, limit: float) -> list[int]:
        """Which boots lie above a limit by more than chance, places in order.

        A single boot of ``n`` that were not changed lies so far above with a probability of
        ``level`` at most, all n taken together (Bonferroni); without ``null``, none does.
        The bound knows nothing of these boots: as one gets dearer, none gets off.
        """
        return [place for place, log in enumerate(self.logs) if log > limit + self._slack]

    @property
    def least(self) -> float | None:
        """The lowest limit that it keeps, and that no single boot is beyond, see `beyond`."""
        return None if self.high is None else max(self.high, max(self.logs) - self._slack)

    @property
    def _slack(self) -> float:
        if self.null is None:
            return EXACT
        share = 1 - self.level / len(self.logs)
        return EXACT + self.null.error * student_quantile(share, self.null.freedom)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a boot; None for one boot."""
        return max((each.error * math.sqrt(self.boots) for each in self._spreads), default=None)

    @property
    def detectable(self) -> float | None:
        """The smallest effect that so many boots would find four times in five."""
        return max((each.detectable for each in self._spreads), default=None)

    @cached_property
    def _spreads(self) -> tuple[Spread, ...]:
        """Standard errors: that of the boots, and what is known of so many."""
        return self._spreads_of(self.logs)

    def _spreads_of(self, logs: Sequence[float]) -> tuple[Spread, ...]:
        own = spread_of(logs)
        if own is None:
            return ()
        if self.null is None:
            return (own,)
        return (own, Spread(self.null.error / math.sqrt(len(logs)), self.null.freedom))

    def _half(self, spread: Spread) -> float:
        return spread.error * student_quantile(1 - self.level, spread.freedom)


def of_pairs(
    base: Mapping[int, float],
    head: Mapping[int, float],
    null: Spread | None = None,
    level: float = ALPHA,
) -> Estimate | None:
    """Head against base from one figure of each boot, by its number, all above 0.

    Boots that only one of them has bear on nothing; None if there is no other.
    """
    logs = [math.log(head[boot] / base[boot]) for boot in sorted(base.keys() & head.keys())]
    return Estimate(tuple(logs), null, level) if logs else None
