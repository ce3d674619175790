# SPDX-License-Identifier: GPL-2.0-only
"""From result directories to what is judged: one figure per boot, first boots and fresh ones.

Which boots may confirm a suspicion is fixed before anything is looked at: those of a second
directory where one is given; else, of at least `ENOUGH` pairs of boots, the later half (by
number); else none.

A boot confirms nothing that it was suspected for: one that began when another did is a copy of
it, one with the seed and number of another does the same again.  Boots of which nobody recorded
when they began are judged, but may be either, and confirm nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.gate.noise import BootFigures
from zapbench.record import Context
from zapbench.result.store import Results
from zapbench.result.timings import Timings
from zapbench.result.welch import mean

LEAST = 3
"""Pairs of boots that a confirmation needs."""
ENOUGH = 2 * LEAST


@dataclass
class Side:
    """One kernel: its result, and a second one with fresh boots if there is one."""

    results: Results
    fresh: Results | None = None

    def __post_init__(self) -> None:
        if self.fresh is not None:
            same(self.results, self.fresh)
        for result in self.all_results:
            once(result)

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
    def told(self) -> bool:
        """Whether every boot says when it began, without which none is known to be fresh."""
        return all(each.start is not None for each in self.contexts)

    @cached_property
    def starts(self) -> set[str]:
        """When its boots began, as far as that is known; no two begin at once."""
        return {each.start for each in self.contexts if each.start is not None}

    @cached_property
    def unknown(self) -> list[str]:
        """What some of the records do not say, a phrase for each result."""
        said = {
            result.directory: dict.fromkeys(
                name for each in result.contexts for name in fingerprint.unknown(each)
            )
            for result in self.all_results
        }
        return [
            f"{place} does not say {', '.join(names)}" for place, names in said.items() if names
        ]

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

    def by_machine_boot(
        self, figures: tuple[BootFigures, BootFigures]
    ) -> tuple[BootFigures, BootFigures]:
        """Figures of processes as one for each boot of their machine, numbered as they began.

        It is the geometric mean; processes of which nobody says in which boot they ran are taken
        to be of one.
        """
        first, fresh = (
            _of_groups(part, {} if result is None else _machine_boots(result))
            for part, result in zip(figures, (self.results, self.fresh), strict=True)
        )
        return first, fresh

    @cached_property
    def prints(self) -> list[fingerprint.Fingerprint]:
        """What each result was measured on and how, see `zapbench.gate.fingerprint`."""
        return [each for each, _ in self._common]

    @cached_property
    def differing(self) -> list[str]:
        """What differs between the boots of each result, and between the results."""
        found = [
            f"within {result.directory}: {text}"
            for result, (_, odd) in zip(self.all_results, self._common, strict=True)
            for text in odd
        ]
        if self.fresh is None:
            return found
        first, fresh = ({**each, fingerprint.SEED: ""} for each in self.prints)
        between = f"between {self.results.directory} and {self.fresh.directory}"
        return found + [f"{between}: {text}" for text in fingerprint.differences(first, fresh)]

    @cached_property
    def _common(self) -> list[tuple[fingerprint.Fingerprint, list[str]]]:
        return [fingerprint.common(result.contexts) for result in self.all_results]


def _machine_boots(results: Results) -> dict[int, int]:
    """In which boot of the machine, by number, each process ran."""
    ids: dict[str | None, int] = {}
    ordered = sorted(results.contexts, key=lambda each: (each.start or "", each.run.boot))
    return {each.run.boot: ids.setdefault(each.boot_id, len(ids)) for each in ordered}


def _of_groups(figures: BootFigures, groups: Mapping[int, int]) -> BootFigures:
    logs: dict[int, list[float]] = {}
    for boot, value in figures.items():
        if value:
            logs.setdefault(groups[boot], []).append(math.log(value))
    return {group: math.exp(mean(each)) for group, each in logs.items()}


def same(first: Results, fresh: Results) -> None:
    """Check that a result can confirm another.

    Raises:
        UsageError: they are of different kernels or tiers, or boots of one are in the other, or
            repeat some of the other.
    """
    for what in ("kernel", "tier", "build_id"):
        old, new = getattr(first, what), getattr(fresh, what)
        if None not in (old, new) and old != new:
            name = what.replace("_", " ")
            raise UsageError(
                f"{fresh.directory} cannot confirm {first.directory}: {name} {new}, not {old}"
            )
    starts = {each.start for each in first.contexts if each.start is not None}
    if any(each.start in starts for each in fresh.contexts):
        raise UsageError(
            f"{fresh.directory} holds the same boots as {first.directory}: "
            "a confirmation takes fresh ones"
        )
    made = {(each.seed, each.run.boot) for each in first.contexts}
    if again := [each for each in fresh.contexts if (each.seed, each.run.boot) in made]:
        raise UsageError(
            f"{fresh.directory} has seed {again[0].seed}, as {first.directory}: its boots repeat "
            "those, and confirm nothing; measure base and head again with another --seed"
        )


def once(result: Results) -> None:
    """Check that no boot of a result is there twice, under another number.

    Raises:
        UsageError: one is.
    """
    numbers: dict[str, int] = {}
    for each in result.contexts:
        if each.start is None:
            continue
        number = numbers.setdefault(each.start, each.run.boot)
        if number != each.run.boot:
            raise UsageError(
                f"{result.directory}: boot {each.run.boot} is a copy of boot {number}, both began "
                f"at {each.start}: measure anew"
            )


Logs = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Logarithms of one figure a boot, by boot: all, those looked at first, and the fresh ones."""

    whole: Logs
    first: Logs
    again: Logs


def rounds(first: Logs, fresh: Logs, *, hold_back: bool) -> Rounds:
    """Divide boots as the rule at the top of this module has it."""
    if first and fresh:
        behind = max(first) + 1
        whole = {**first, **{behind + boot: log for boot, log in fresh.items()}}
        return Rounds(whole, first, fresh)
    first = first or fresh
    if not hold_back or len(first) < ENOUGH:
        return Rounds(first, first, {})
    boots = list(first)
    half = (len(boots) + 1) // 2
    early, late = ({boot: first[boot] for boot in part} for part in (boots[:half], boots[half:]))
    return Rounds(first, early, late)
