# SPDX-License-Identifier: GPL-2.0-only
"""From result directories to what is judged: one figure per boot, first boots and fresh ones.

Which boots may confirm a suspicion is fixed before anything is looked at: those of a second
directory where one is given; else, with at least `ENOUGH` boots on each side, the later half
(by number) of each side; else none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.gate.noise import BootFigures
from zapbench.record import Context, Samples, Skip, failures
from zapbench.result.stats import figures
from zapbench.result.store import Results

LEAST = 3
"""Boots on a side that a confirmation needs."""
ENOUGH = 2 * LEAST


@dataclass
class Side:
    """One kernel: its result, and a second one with fresh boots if there is one."""

    results: Results
    fresh: Results | None = None
    _figures: dict[str, tuple[Mapping[str, BootFigures], Mapping[str, BootFigures]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        if self.fresh is not None:
            same(self.results, self.fresh)

    @property
    def kernel(self) -> str:
        """The kernel's name."""
        return self.results.kernel

    @property
    def all_results(self) -> list[Results]:
        """The results, the fresh ones last."""
        return [self.results] if self.fresh is None else [self.results, self.fresh]

    @cached_property
    def contexts(self) -> list[Context]:
        """How each boot began."""
        return [each for result in self.all_results for each in result.recording.of(Context)]

    @cached_property
    def build_ids(self) -> set[str | None]:
        """The build ids of the kernel images that ran."""
        return {each.build_id for each in self.contexts}

    @cached_property
    def trouble(self) -> dict[str, str]:
        """Why cases have no figure: the last reason recorded."""
        found: dict[str, str] = {}
        for result in self.all_results:
            records = result.recording
            found |= {each.case: f"skipped: {each.reason}" for each in records.of(Skip)}
            found |= {each.case: f"error: {each.reason}" for each in failures(records.records)}
        return found

    @cached_property
    def pages(self) -> dict[str, int]:
        """Pages that one operation is about, by case."""
        return {
            record.case: record.pages_per_op
            for result in self.all_results
            for record in result.recording.of(Samples)
        }

    def cases(self) -> list[str]:
        """The cases with figures, in order of their names."""
        return sorted({case for part in self._of("p50") for case in part})

    def boots(self, statistic: str, case: str) -> tuple[BootFigures, BootFigures]:
        """The figures of a case: of the first result, and of the fresh one."""
        first, fresh = self._of(statistic)
        return first.get(case, {}), fresh.get(case, {})

    def _of(self, statistic: str) -> tuple[Mapping[str, BootFigures], Mapping[str, BootFigures]]:
        if statistic not in self._figures:
            first, fresh = (
                figures(result.recording.of(Samples), statistic) if result is not None else {}
                for result in (self.results, self.fresh)
            )
            self._figures[statistic] = (first, fresh)
        return self._figures[statistic]

    @cached_property
    def fingerprint(self) -> tuple[fingerprint.Fingerprint, list[str]]:
        """The machine, and what differs between the boots."""
        return fingerprint.common(self.contexts, self.results.directory)


def same(first: Results, fresh: Results) -> None:
    """Check that a result can confirm another.

    Raises:
        UsageError: they are of different kernels or tiers, or one and the same file.
    """
    for what in ("kernel", "tier"):
        old, new = getattr(first, what), getattr(fresh, what)
        if old != new:
            raise UsageError(
                f"{fresh.directory} cannot confirm {first.directory}: {what} {new}, not {old}"
            )
    if first.recording.records == fresh.recording.records:
        raise UsageError(
            f"{fresh.directory} holds the same boots as {first.directory}: "
            "a confirmation takes fresh ones"
        )


def same_image(base: Side, head: Side) -> bool:
    """Both ran one kernel image, known by its build id."""
    ids = base.build_ids | head.build_ids
    return len(ids) == 1 and None not in ids


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
