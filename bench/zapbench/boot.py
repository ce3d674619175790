# SPDX-License-Identifier: GPL-2.0-only
"""One boot (natively: one process): what is asked of it, and its records as they come."""

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zapbench.case import Cell
from zapbench.error import EnvironmentMissing, Lost, LostVm, UsageError
from zapbench.observer import OnRecord
from zapbench.record import Context, Contract, Error, Record, Recording, Samples, Skip, parse
from zapbench.target import Job, Target


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: boots, and per case and boot the samples and their time limit."""

    boots: int
    samples: int
    max_seconds: float


QUICK = Effort(boots=5, samples=200, max_seconds=0.05)
FULL = Effort(boots=7, samples=1000, max_seconds=0.5)
# Counted samples of a steady state are one number but for those that a timer tick fell into: a
# few give the median, an odd number one that was seen.  A second is 1e9 instructions there.
COUNTED = {
    QUICK: Effort(boots=3, samples=11, max_seconds=0.1),
    FULL: Effort(boots=7, samples=31, max_seconds=0.5),
}


def effort_for(tier: str, *, quick: bool) -> Effort:
    """How much is measured where the user does not say."""
    effort = QUICK if quick else FULL
    return COUNTED[effort] if tier == "icount" else effort


def shuffled(cases: Iterable[str], seed: int, boot: int) -> list[str]:
    """The order of the cases in one boot: the same for all kernels, another in each boot."""
    order = sorted(cases)
    random.Random(f"{seed}/{boot}").shuffle(order)  # noqa: S311 - repeatable on purpose
    return order


@dataclass(frozen=True, slots=True)
class Work:
    """What every boot of a measurement does; ``seed`` gives the order of the cases in each.

    ``room`` are the cases that a virtual machine is made large enough for: more than ``cases``
    where its boots are to be like those that measured more.
    """

    cases: tuple[str, ...]
    effort: Effort
    seed: int
    room: tuple[str, ...] | None = None

    @property
    def boots(self) -> range:
        """The numbers of its boots."""
        return range(self.effort.boots)

    def job(
        self,
        target: Target,
        boot: int,
        done: Collection[tuple[int, str]] = (),
        kernel: str | None = None,
    ) -> Job:
        """What is left of it in a boot; its records will say ``kernel``, else the target's own."""
        order = shuffled(self.cases, self.seed, boot)
        return Job(
            cases=tuple(case for case in order if (boot, case) not in done),
            kernel=target.kernel if kernel is None else kernel,
            tier=target.tier,
            boot=boot,
            seed=self.seed,
            samples=self.effort.samples,
            max_seconds=self.effort.max_seconds,
            directory=Path.cwd(),
            room=self.cases if self.room is None else self.room,
        )


def run(
    target: Target,
    job: Job,
    keep: Callable[[bytes], None],
    on_record: OnRecord = lambda job, record: None,
    *,
    build_id: str | None = None,
) -> None:
    """Run a boot to its end; ``keep`` is given each good line, ``on_record`` each record.

    Raises:
        LostProcess, LostVm, Truncated: the boot was lost; what came before was kept.
        LostVm: the kernel that ran is not the one with the ``build_id`` that is expected.
    """
    left = dict.fromkeys(job.cases)
    running = False
    ends = Contract | Skip | Error if job.contract_only else Samples | Skip | Error
    source = f"boot {job.boot} of {job.kernel}"
    try:
        for record in parse(_kept(target.run(job), keep), source):
            if isinstance(record, Context) and build_id not in (None, record.build_id):
                raise LostVm(
                    f"{source}: the guest says it is build {record.build_id}, but {build_id} was "
                    "booted"
                )
            running = True
            if isinstance(record, ends):
                left.pop(record.case, None)
            on_record(job, record)
    except Lost as error:
        error.boot = job.boot
        error.case = next(iter(left), None) if running else None
        raise


def _kept(lines: Iterator[bytes], keep: Callable[[bytes], None]) -> Iterator[bytes]:
    """Pass whole lines on, and keep each when the next is asked for: it was a good one then.

    Half a line is dropped: the target goes on to say why there is no more.
    """
    for line in lines:
        if line.endswith(b"\n"):
            yield line
            keep(line)


def contracts(target: Target, cells: Iterable[Cell]) -> Recording:
    """Check the contracts of all cells that the tables allow, in one boot; time nothing.

    What the tables say that the kernel refuses, it is asked: a skip if it does, else an error.
    Without any such cell nothing is run, and there are no records.

    Raises:
        LostProcess, LostVm, Truncated: the boot was lost.
    """
    names = tuple(str(cell.case) for cell in cells if cell.excluded is None or cell.case.refused)
    job = Job(names, target.kernel, target.tier, contract_only=True, directory=Path.cwd())
    records: list[Record] = []
    if names:
        run(target, job, lambda line: None, lambda job, record: records.append(record))
    return Recording(f"contracts of {target.kernel}", tuple(records))


def checkable(cells: Iterable[Cell]) -> list[Cell]:
    """The cells that the tables allow, or of which they say that the kernel refuses them."""
    return [cell for cell in cells if cell.excluded is None or cell.case.refused]


def available(cells: Iterable[Cell]) -> list[Cell]:
    """The cells that the tables allow.

    Raises:
        UsageError: they allow none.
    """
    asked = list(cells)
    found = [cell for cell in asked if cell.excluded is None]
    if not found:
        raise UsageError(f"no such case is available: {asked[0].case}: {asked[0].excluded}")
    return found


def nothing_measured(
    recording: Recording, kind: type[Samples | Contract]
) -> EnvironmentMissing | None:
    """The error of a recording where cases were skipped and none gave a record of a kind.

    None if one did, or failed: then there is something to show.
    """
    seen = any(isinstance(record, (kind, Error)) for record in recording.records)
    if seen or not recording.of(Skip):
        return None
    kernel = recording.records[0].run.kernel
    reasons = dict.fromkeys(skip.reason for skip in recording.of(Skip))
    return EnvironmentMissing(
        f"nothing was measured on {kernel}, every case was skipped: {'; '.join(reasons)}"
    )
