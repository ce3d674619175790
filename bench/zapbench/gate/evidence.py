# SPDX-License-Identifier: GPL-2.0-only
"""From result directories to what is judged: one figure per boot, first boots and fresh ones.

Which boots may confirm a suspicion is fixed before anything is looked at: those of a second
directory where one is given; else, with at least `ENOUGH` boots on each side, the later half
(by number) of each side; else none.
"""

from dataclasses import dataclass
from functools import cached_property

from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.gate.noise import BootFigures
from zapbench.record import Context, Samples
from zapbench.result.store import Results
from zapbench.result.timings import Timings

LEAST = 3
"""Boots on a side that a confirmation needs."""
ENOUGH = 2 * LEAST


@dataclass
class Side:
    """One kernel: its result, and a second one with fresh boots if there is one."""

    results: Results
    fresh: Results | None = None

    def __post_init__(self) -> None:
        if self.fresh is not None:
            same(self.results, self.fresh)

    @property
    def kernel(self) -> str:
        """The kernel's name."""
        return self.results.kernel

    @property
    def tier(self) -> str:
        """The way it was measured."""
        return self.results.tier

    @property
    def all_results(self) -> list[Results]:
        """The results, the fresh ones last."""
        return [self.results] if self.fresh is None else [self.results, self.fresh]

    @cached_property
    def contexts(self) -> list[Context]:
        """How each boot began."""
        return [each for result in self.all_results for each in result.contexts]

    @cached_property
    def build_ids(self) -> set[str | None]:
        """The build ids of the kernel images that ran."""
        return {each.build_id for each in self.contexts}

    @cached_property
    def trouble(self) -> dict[str, str]:
        """Why cases have no figure: the last reason recorded."""
        found: dict[str, str] = {}
        for result in self.all_results:
            found |= {str(case): f"skipped: {reason}" for case, reason in result.skipped}
            found |= {str(case): f"error: {reason}" for case, reason in result.failed}
        return found

    @cached_property
    def _named(self) -> list[dict[str, Timings]]:
        """What was timed, by name: in the first result, and in the fresh one."""
        return [
            {} if result is None else {str(case): each for case, each in result.timings.items()}
            for result in (self.results, self.fresh)
        ]

    def cases(self) -> list[str]:
        """The cases with figures, in order of their names."""
        return sorted({case for timings in self._named for case in timings})

    def boots(self, statistic: str, case: str) -> tuple[BootFigures, BootFigures]:
        """The figures of a case: of the first result, and of the fresh one."""
        first, fresh = (
            timings[case].figures(statistic) if case in timings else {} for timings in self._named
        )
        return first, fresh

    @cached_property
    def fingerprint(self) -> tuple[fingerprint.Fingerprint, list[str]]:
        """The machine, and what differs between the boots."""
        return fingerprint.common(self.contexts, self.results.directory)


def same(first: Results, fresh: Results) -> None:
    """Check that a result can confirm another.

    Raises:
        UsageError: they are of different kernels or tiers, or hold a boot in common.
    """
    for what in ("kernel", "tier"):
        old, new = getattr(first, what), getattr(fresh, what)
        if old != new:
            raise UsageError(
                f"{fresh.directory} cannot confirm {first.directory}: {what} {new}, not {old}"
            )
    again = _made(first) & _made(fresh)
    if first.unit == "instructions" and again:  # counts repeat: it is the same boot
        seed, boot = min(again)
        raise UsageError(
            f"{fresh.directory} holds the same boots as {first.directory} (boot {boot} of seed "
            f"{seed}): a confirmation takes fresh ones, of another --seed"
        )
    if first.recording.of(Samples) == fresh.recording.of(Samples):
        raise UsageError(
            f"{fresh.directory} holds the same boots as {first.directory}: "
            "a confirmation takes fresh ones"
        )


def _made(results: Results) -> set[tuple[int, int]]:
    """Seed and number of each boot: together they give its order and its perturbation."""
    return {(context.seed, context.run.boot) for context in results.contexts}


Logs = list[float]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Logarithms of one figure per boot: all, those looked at first, and the fresh ones."""

    whole: Logs
    first: Logs
    again: Logs


def rounds(first: Logs, fresh: Logs, *, split: bool) -> Rounds:
    """Divide boots as the rule at the top of this module has it."""
    if first and fresh:
        return Rounds([*first, *fresh], first, fresh)
    first = first or fresh
    if not split:
        return Rounds(first, first, [])
    half = (len(first) + 1) // 2
    return Rounds(first, first[:half], first[half:])


def may_split(*sides: tuple[Logs, Logs]) -> bool:
    """Whether every side has enough boots, and none has fresh ones of its own."""
    return all(len(first) >= ENOUGH and not fresh for first, fresh in sides)
