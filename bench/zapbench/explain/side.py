# SPDX-License-Identifier: GPL-2.0-only
"""A kernel, or the one of a result directory, booted again to be explained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zapbench.boot import Effort, effort_for, shuffled
from zapbench.case import Case
from zapbench.error import CaseFailed, Unsupported, UsageError, ZapbenchError
from zapbench.explain.attribution import Explained
from zapbench.explain.boot import TIER, explain
from zapbench.explain.difference import Measured
from zapbench.host.cache import Progress, no_progress
from zapbench.record import Context, Error, Record, Samples, Skip, parse
from zapbench.result.request import NOTHING, SEED, Asked, in_place, kept
from zapbench.result.store import Results, recorded
from zapbench.result.timings import by_case
from zapbench.target import Job
from zapbench.vm import named
from zapbench.where import check_kernel

_OF_CASES: tuple[type[Samples | Skip | Error], ...] = (Samples, Skip, Error)


@dataclass(frozen=True, slots=True)
class Side:
    """What is booted, and how: as `zapbench gate` would, or as it was recorded.

    ``word`` is what it was named by, ``room`` are all cases of its boots: those to be explained,
    and others.
    """

    word: str
    kernel: str
    seed: int = SEED
    effort: Effort = field(default_factory=lambda: effort_for(TIER, quick=True))
    room: tuple[str, ...] = ()
    results: Results | None = None
    asked: Asked = NOTHING

    def boot(self, cases: Sequence[str], progress: Progress = no_progress) -> "Booted":
        """Boot 0, with the cases in the order that they have there.

        Raises:
            UsageError: there is no such kernel, or it is not the build that was recorded.
            EnvironmentMissing, LostVm, Unexplained: see `zapbench.explain.boot.explain`.
        """
        order = shuffled({*self.room, *cases}, self.seed, 0)
        job = Job(
            cases=tuple(case for case in order if case in cases),
            kernel=self.kernel,
            tier=TIER,
            seed=self.seed,
            samples=self.effort.samples,
            max_seconds=self.effort.max_seconds,
            directory=Path.cwd(),
            room=self.room or tuple(cases),
        )
        with in_place(self.asked):
            lines, found = explain(self.kernel, job, progress=progress)
        records = list(parse(lines, f"boot 0 of {self.kernel}"))
        self._check(records)
        return Booted(self, tuple(records), {each.name: each for each in found})

    def recorded(self, name: str) -> float | None:
        """The median of a case in the results, if it is there."""
        found = self.results.timings.get(Case.parse(name)) if self.results else None
        return found.median if found else None

    def _check(self, records: Sequence[Record]) -> None:
        """See that it is the kernel of the results."""
        booted = next((each.build_id for each in records if isinstance(each, Context)), None)
        wanted = self.results.build_id if self.results else None
        if self.results and wanted and booted and booted != wanted:
            raise UsageError(
                f"{self.results.directory} is of build {wanted[:12]} of {self.kernel}, which is "
                f"build {booted[:12]} now: measure it again, or name the kernel itself"
            )


@dataclass(frozen=True, slots=True)
class Booted:
    """The records of a boot, and its cases that can be explained, by name."""

    side: Side
    records: tuple[Record, ...]
    explained: Mapping[str, Explained]

    def case(self, name: str) -> Explained:
        """A case.

        Raises:
            Unsupported, CaseFailed: it has no samples, for the reason that the guest gave.
        """
        if name in self.explained:
            return self.explained[name]
        raise self._lack(name)

    def _lack(self, name: str) -> ZapbenchError:
        for record in self.records:
            if isinstance(record, Skip) and record.case == name:
                return Unsupported(f"{name} was skipped on {self.side.kernel}: {record.reason}")
            if isinstance(record, Error) and record.case == name:
                return CaseFailed(f"{name} failed on {self.side.kernel}: {record.reason}")
        return CaseFailed(f"{name} gave no samples on {self.side.kernel}")

    def median(self, name: str) -> float:
        """Of one operation, as compare and gate would say of this boot."""
        records = [each for each in self.records if isinstance(each, Samples)]
        return by_case(records)[Case.parse(name)].median

    def samples(self, name: str) -> Measured:
        """What all samples of a case went to."""
        case = self.case(name)
        return Measured(case.samples(), case.symbols.known)

    def sample(self, name: str, number: int | None) -> tuple[int, Measured]:
        """One sample of a case, the dearest if None, and its number.

        Raises:
            UsageError: it has not so many, or no single ones.
        """
        values = self._values(name)
        if number is not None and number >= len(values):
            raise UsageError(f"{name} has samples 0 to {len(values) - 1}, and no {number}")
        chosen = by_cost(values)[-1] if number is None else number
        case = self.case(name)
        return chosen, Measured(case.samples([chosen]), case.symbols.known)

    def median_sample(self, name: str) -> tuple[int, Measured]:
        """The sample in the middle (of two the lower), and its number; see `sample`."""
        order = by_cost(self._values(name))
        return self.sample(name, order[(len(order) - 1) // 2])

    def _values(self, name: str) -> Sequence[int]:
        values = self.case(name).case.record.values
        if values is None:
            raise UsageError(f"{name} has too many samples: only their histogram is recorded")
        return values

    def whole(self, name: str) -> Measured:
        """What the whole case went to, with the work that was put off.

        Raises:
            UsageError: that is not recorded of such a case.
        """
        case = self.case(name)
        figures = case.whole()
        if figures is None:
            raise UsageError(
                f"{name} has no total of the whole case: explain it without --deferred"
            )
        return Measured(figures, case.symbols.known)


def by_cost(values: Sequence[int]) -> list[int]:
    """The numbers of samples, the cheapest first."""
    return sorted(range(len(values)), key=values.__getitem__)


def side(word: str) -> Side:
    """A result directory, or a kernel, of which nothing is built yet.

    Raises:
        UsageError: it is neither, or was not counted.
    """
    path = Path(word)
    if recorded(path) or (path.is_dir() and "/" in word):
        return _of_results(Results(path))
    check_kernel(word)
    return Side(word, word)


def _of_results(results: Results) -> Side:
    if results.tier != TIER:
        raise UsageError(
            f"{results.directory} has tier {results.tier}: only what was counted can be explained; "
            f"name the kernel, or measure it with --accel {TIER}"
        )
    context = results.contexts[0]
    usual = effort_for(TIER, quick=True)
    known = kept(results.directory)
    is_file = named(results.kernel) is None
    return Side(
        str(results.directory),
        results.kernel,
        context.seed,
        Effort(1, context.samples or usual.samples, context.max_seconds or usual.max_seconds),
        tuple(sorted({each.case for kind in _OF_CASES for each in results.recording.of(kind)})),
        results,
        known[1] if known and is_file else NOTHING,
    )
