# SPDX-License-Identifier: GPL-2.0-only
"""The judgement itself: a pure function from estimates to verdicts.

A head that is worse by a factor, in any of the cases, never gets a better verdict in any of
them: centres only enter through their distance from the limit, floors and spreads are those of
logarithms and do not see a factor, and the confirmation is not adjusted for how many others
are to be confirmed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from zapbench.gate.estimate import ALPHA, Estimate
from zapbench.result.stats import adjust
from zapbench.result.welch import EXACT

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
        return p is not None and p <= ALPHA


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
    would probably decide, None if no number would.
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
    suspect = p <= ALPHA and claim.first.beyond_floor(limit)
    confirmed = claim.again is not None and _confirmed(claim.again, limit)
    if suspect and confirmed and claim.told:
        return Ruling(Verdict.FAIL, Because.EXCEEDED, p)
    if whole.estimate.centre + reach <= limit + EXACT:
        return Ruling(Verdict.PASS, Because.WITHIN, p)
    more = boots_to_decide(whole.estimate, limit)
    if suspect:
        unconfirmed = Because.UNCONFIRMED if claim.again is None else Because.NOT_AGAIN
        because = Because.UNTOLD if confirmed else unconfirmed
    elif whole.beyond_chance(limit) and not whole.beyond_floor(limit):
        because, more = Because.UNDER_FLOOR, None
    elif whole.beyond_chance(limit):
        because, more = Because.ONE_OF_MANY, max(2, whole.estimate.boots)
    else:
        because = Because.OPEN
    return Ruling(Verdict.INCONCLUSIVE, because, p, more)


def _confirmed(again: Look, limit: float) -> bool:
    return again.beyond_chance(limit) and again.beyond_floor(limit)


def boots_to_decide(estimate: Estimate, limit: float) -> int | None:
    """How many more boots would bring the interval clear of the limit, if nothing else changed.

    The width falls with the square root of the boots: n (reach / distance)² in all.
    """
    distance, reach = abs(limit - estimate.centre), estimate.reach
    if reach is None or distance < EXACT:
        return None
    wanted = math.ceil(estimate.boots * (reach / distance) ** 2) + 1
    return max(1, wanted - estimate.boots) if wanted <= MOST_BOOTS else None
