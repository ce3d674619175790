# SPDX-License-Identifier: GPL-2.0-only
"""Two commits of a kernel compared by pairs of boots, each of one number and seed on both sides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from zapbench.error import CaseFailed, ZapbenchError
from zapbench.explain.difference import difference
from zapbench.explain.name import named
from zapbench.explain.side import Side
from zapbench.gate import floors
from zapbench.gate.estimate import Estimate, of_pairs
from zapbench.host import cache
from zapbench.host.cache import Progress, no_progress
from zapbench.kept_boots import KeptBoots
from zapbench.kernel.build import Image, build
from zapbench.kernel.catalogue import GitSource, Kernel
from zapbench.result.request import SEED
from zapbench.result.welch import EXACT
from zapbench.target import Target
from zapbench.vm import VmTarget

FEW, FRESH = 3, 5
"""Pairs that find a difference where counts repeat, and those that confirm it."""
FRESH_SEED = SEED + 1
"""Of boots of which nothing was known when a difference was suspected."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What pairs say of a case: the logarithm of (second / first) and its noise floor.

    ``before`` and ``after`` are the medians of both over their boots.
    """

    estimate: Estimate
    floor: float
    before: float
    after: float

    def is_one(self, *, rises: bool, but: float = 0.0) -> bool:
        """Whether it is in that direction, beyond chance and noise; ``but`` is taken off (log)."""
        sign = 1 if rises else -1
        centre, reach = sign * (self.estimate.centre - but), self.estimate.reach
        return reach is not None and centre - reach > EXACT and centre > self.floor + EXACT

    def confirmation(self, *, rises: bool, but: float = 0.0) -> "Confirmation":
        """What several pairs say of a suspicion, see `is_one`."""
        reach = self.estimate.reach
        assert reach is not None
        change, low, high = (
            math.exp(self.estimate.centre - but + part) for part in (0.0, -reach, reach)
        )
        confirmed = self.is_one(rises=rises, but=but)
        return Confirmation(change, low, high, self.estimate.boots, confirmed)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A suspicion in fresh pairs of boots: the ratio, its 95 % interval, and whether it holds."""

    change: float
    low: float
    high: float
    boots: int
    confirmed: bool


Outcome = Difference | ZapbenchError


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured of every commit: cases, and how its kernel is made and its machine runs."""

    repository: Path
    cases: tuple[str, ...]
    accel: str = "icount"
    configuration: str | None = None

    def kept(self, commit: str, seed: int = SEED, progress: Progress = no_progress) -> KeptBoots:
        """The boots of a commit, built if need be.

        Raises:
            UsageError: no such commit.
            BuildFailed, EnvironmentMissing: it cannot be built.
        """
        source = GitSource(str(self.repository), commit)
        image = build(Kernel(commit, source), configuration=self.configuration, progress=progress)
        records = cache.subdirectory("records")
        return KeptBoots(records, image, self.cases, self._machine, accel=self.accel, seed=seed)

    def differences(
        self,
        commits: tuple[str, str],
        boots: int,
        seed: int = SEED,
        progress: Progress = no_progress,
    ) -> dict[str, Outcome]:
        """By case, what so many pairs of two commits say; or why a case has no figure.

        Raises:
            UsageError, BuildFailed, LostVm, EnvironmentMissing: a commit cannot be tested.
        """
        sides = [self.kept(commit, seed, progress) for commit in commits]
        for boot in range(boots):
            for side in sides:
                side.make(boot, boots)
        return {case: self._outcome(sides, case, boots) for case in self.cases}

    def moved(
        self, commits: tuple[str, str], *, rises: bool, progress: Progress = no_progress
    ) -> tuple[str, ...]:
        """The functions whose instructions made most of the rise, or fall, of the one case.

        Raises:
            ZapbenchError: they cannot be known, see `zapbench.explain.boot.explain`.
        """
        (case,) = self.cases
        kernels = [f"git:{self.repository}@{commit}" for commit in commits]
        base, head = (Side(each, each).boot([case], progress).samples(case) for each in kernels)
        return tuple(named(difference(base, head), rises=rises))

    def _outcome(self, sides: Sequence[KeptBoots], case: str, boots: int) -> Outcome:
        try:
            base, head = (
                {boot: side.figure(case, boot) for boot in range(boots)} for side in sides
            )
        except ZapbenchError as error:
            return error
        if min(*base.values(), *head.values()) <= 0:
            return CaseFailed(f"{case}: a figure is not above what the harness itself costs")
        known = floors.NONE
        if self.accel == "icount":
            known = floors.noise("p50", case, paired=True)
        estimate = of_pairs(base, head, known.spread)
        assert estimate is not None
        grain = math.log1p(0.5 / min(head.values()))
        return Difference(
            estimate, max(known.floor, grain), median(base.values()), median(head.values())
        )

    def _machine(self, image: Image) -> Target:
        return VmTarget(str(image.bzimage), self.accel)
