# SPDX-License-Identifier: GPL-2.0-only
"""The judgement itself: a pure function from estimates to verdicts.

A head that is worse by a factor, in any of the cases, never gets a better verdict in any of
them: centres only enter through their distance from the limit, floors and spreads are those of
logarithms and do not see a factor, and the confirmation is not adjusted for how many others
are to be confirmed.  A head that is worse in one boot never passes for it: neither the upper end
of the interval nor what a single boot may be falls as that boot gets dearer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from zapbench.gate.estimate import ALPHA, Estimate
from zapbench.gate.evidence import LEAST
from zapbench.result.stats import adjust
from zapbench.result.welch import EXACT, SHARE, student_quantile

MOST_BOOTS = 1000
"""More boots than this are not worth proposing."""


class Verdict(StrEnum):
    """What the gate says of one budget and case."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIP = "SKIP"
    """Does not apply here, or was waived: listed, not counted."""


class Because(StrEnum):
    """Why: one for each line of the table of verdicts."""

    WITHIN = "the whole interval is within the limit"
    EXCEEDED = "exceeded beyond chance and noise, and again in fresh boots"
    UNCONFIRMED = "exceeded beyond chance and noise, but no fresh boots confirm it yet"
    UNTOLD = "exceeded beyond chance and noise, but nothing tells whether the later boots are fresh"
    NOT_AGAIN = "exceeded in the first boots, but not in fresh ones"
    UNDER_FLOOR = "exceeded by less than the noise floor"
    SPLIT = "the mean is within the limit, single boots are beyond it"
    LATER = "exceeded in all boots together, but not in the first ones alone"
    ONE_OF_MANY = "exceeded, but among so many budgets one does so by chance"
    OPEN = "the interval holds the limit"
    ONE_BOOT = "one boot says nothing about its spread"
    NO_FLOOR = "no noise floor is known for this case"
    NO_FIGURE = "there is no figure to judge"
    LOST = "base gives a figure, head none"
    NOT_MEASURED = "no such case was measured"
    ABSENT = "required, and the head does not have it"
    BROKEN = "lost on the head, by its kernel's doing"
    CUT = "boots of the head ended before it"
    NO_BOOT = "the head was lost as a whole"
    INCOMPLETE = "not every boot that there was to be gave a figure"
    WAIVED = "waived"
    NOT_APPLICABLE = "does not apply"


@dataclass(frozen=True, slots=True)
class Look:
    """What one set of boots says: an estimate, and the noise floor (a logarithm)."""

    estimate: Estimate
    floor: float

    def beyond_floor(self, limit: float) -> bool:
        """The excess over the limit is more than noise alone makes."""
        return self.estimate.centre - limit > self.floor + EXACT

    def beyond_chance(self, limit: float) -> bool:
        """The whole interval is above the limit."""
        p = self.estimate.above(limit)
        return p is not None and p <= self.estimate.level

    def beyond(self, limit: float) -> list[int]:
        """Which boots alone are above the limit by more than noise and chance."""
        return self.estimate.beyond(limit + self.floor)


@dataclass(frozen=True, slots=True)
class Claim:
    """One budget on one case, ready to be judged: (head / reference) <= exp(limit).

    ``whole`` takes all boots together, ``first`` those that may raise a suspicion, ``again``
    those that may confirm it (None: there are none); not ``told``: whether they are fresh.
    """

    limit: float
    whole: Look
    first: Look
    again: Look | None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and its reason.

    ``p`` is adjusted for the number of claims; ``more`` is how many more boots of each kernel
    would probably decide, None if no number would; of a PASS, how many would make it firm, None
    if it is.
    """

    verdict: Verdict
    because: Because
    p: float | None = None
    more: int | None = None

    @property
    def suspected(self) -> bool:
        """The first set of boots would fail it: a fresh one must decide."""
        return self.because in SUSPECTED


SUSPECTED = (Because.UNCONFIRMED, Because.UNTOLD, Because.EXCEEDED, Because.NOT_AGAIN)


def rule(claims: Sequence[Claim]) -> list[Ruling]:
    """Judge all claims of a gate together."""
    tested = [claim.first.estimate.above(claim.limit) for claim in claims]
    return [_one(claim, p) for claim, p in zip(claims, adjust(tested), strict=True)]


def _one(claim: Claim, p: float | None) -> Ruling:
    whole, limit = claim.whole, claim.limit
    reach = whole.estimate.reach
    if p is None or reach is None:
        return Ruling(Verdict.INCONCLUSIVE, Because.ONE_BOOT, more=2)
    suspect = p <= claim.first.estimate.level and claim.first.beyond_floor(limit)
    confirmed = claim.again is not None and _confirmed(claim.again, limit)
    if suspect and confirmed and claim.told:
        return Ruling(Verdict.FAIL, Because.EXCEEDED, p)
    if whole.estimate.keeps(limit):
        if whole.beyond(limit):
            return Ruling(Verdict.INCONCLUSIVE, Because.SPLIT, p)
        return Ruling(Verdict.PASS, Because.WITHIN, p, _thin(whole.estimate, limit))
    more = boots_to_decide(whole.estimate, limit)
    if suspect:
        unconfirmed = Because.UNCONFIRMED if claim.again is None else Because.NOT_AGAIN
        because = Because.UNTOLD if confirmed else unconfirmed
    elif whole.beyond_chance(limit) and not whole.beyond_floor(limit):
        because, more = Because.UNDER_FLOOR, None
    elif whole.beyond_chance(limit):
        alone = claim.first.beyond_chance(limit) and claim.first.beyond_floor(limit)
        because = Because.ONE_OF_MANY if alone else Because.LATER
    else:
        because = Because.OPEN
    return Ruling(Verdict.INCONCLUSIVE, because, p, more)


def _thin(estimate: Estimate, limit: float) -> int | None:
    """How many more boots a PASS should have that rests on all of a few keeping the limit.

    So n boots do, though every second would exceed it, once in 2^n: too often for n below 6.
    """
    assert estimate.reach is not None
    firm = estimate.centre + estimate.reach <= limit + EXACT
    return None if firm or estimate.boots >= FIRM else FIRM - estimate.boots


FIRM = math.ceil(-math.log2(ALPHA))
"""Boots of which all keep the limit by luck no more often than `ALPHA`."""


def _confirmed(again: Look, limit: float) -> bool:
    return again.beyond_chance(limit) and again.beyond_floor(limit)


def boots_to_decide(estimate: Estimate, limit: float) -> int | None:
    """How many more boots would decide, at least four times in five, if nothing else changed.

    Under the limit, all boots together have to show it; above, both halves of them, each with
    the power that makes up for the other.  None: the figure lies at the limit, or so near that
    more than `MOST_BOOTS` would be needed.
    """
    distance, deviation = abs(limit - estimate.centre), estimate.deviation
    if deviation is None or distance < EXACT:
        return None
    above = estimate.centre > limit
    wanted = _boots(deviation / distance, SURELY if above else SURE) * (2 if above else 1)
    return max(1, wanted - estimate.boots) if wanted <= MOST_BOOTS else None


SURE, SURELY = 0.9, 0.95


def _boots(spread: float, power: float) -> int:
    """Boots that see an effect, of which ``spread`` is the deviation of one, with such a power.

    n = ((t_{0.975} + t_power) spread)², t with n - 1 degrees of freedom: as the deviation gets
    smaller with n, so do they.
    """
    boots = MOST_BOOTS
    while boots > LEAST:
        quantiles = (student_quantile(share, boots - 1) for share in (SHARE, power))
        wanted = max(LEAST, math.ceil((math.fsum(quantiles) * spread) ** 2))
        if wanted >= boots:
            return wanted
        boots = max(wanted, boots // 2)
    return boots
