# SPDX-License-Identifier: GPL-2.0-only
"""Drive a measurement: jobs to targets, lines to record files, nothing finished ever lost."""

import contextlib
import random
import signal
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from zapbench.case import Cell
from zapbench.error import Interrupted, LostProcess
from zapbench.record import Error, Record, Recording, Samples, Skip, Writer, parse
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


@dataclass(frozen=True, slots=True)
class Leg:
    """One kernel in a measurement: where it runs, what, and where its records go."""

    target: Target
    writer: Writer
    kernel: str
    cases: tuple[str, ...]
    done: Collection[tuple[int, str]] = frozenset()

    def job(self, boot: int, seed: int, effort: Effort, directory: Path | None) -> Job:
        """What is left to do in this boot, in the random order that the seed gives."""
        order = shuffled(self.cases, seed, boot)
        return Job(
            cases=tuple(case for case in order if (boot, case) not in self.done),
            kernel=self.kernel,
            tier=self.target.tier,
            boot=boot,
            seed=seed,
            samples=effort.samples,
            max_seconds=effort.max_seconds,
            directory=directory,
        )


def shuffled(cases: Iterable[str], seed: int, boot: int) -> list[str]:
    """The order of the cases in one boot: the same for all legs, another in each boot."""
    order = sorted(cases)
    random.Random(f"{seed}/{boot}").shuffle(order)  # noqa: S311 - repeatable on purpose
    return order


def interleave(legs: Sequence[Leg], boots: int) -> Iterator[tuple[int, Leg]]:
    """Boots of all legs in the order A B B A A B …: a drift of the machine hits all alike."""
    for boot in range(boots):
        for leg in legs if boot % 2 == 0 else reversed(legs):
            yield boot, leg


def measure(
    legs: Sequence[Leg],
    effort: Effort,
    seed: int,
    on_record: Callable[[Job, Record], None],
    directory: Path | None = None,
) -> None:
    """Run every boot of every leg that has something left to do.

    ``on_record`` is told of each record as it comes.  SIGINT and SIGTERM let the running case
    stop and everything so far be saved; a second one ends at once.

    Raises:
        Interrupted: after a signal, with what was finished saved.
        LostProcess, LostVm, Truncated: a boot was lost; what came before is saved.
        DiskFull: a record file cannot be written.
    """
    with _signals() as signals:
        for boot, leg in interleave(legs, effort.boots):
            job = leg.job(boot, seed, effort, directory)
            if job.cases:
                signals.target = leg.target
                _boot(leg, job, on_record)
            if signals.came is not None:
                name = signals.came.name
                raise Interrupted(f"{name}: what was finished is in {leg.writer.path}")


def contracts(target: Target, kernel: str, cells: Iterable[Cell], directory: Path) -> Recording:
    """Check the contracts of all cells that the tables allow, in one boot; time nothing.

    Raises:
        LostProcess, LostVm, Truncated: the boot was lost.
    """
    names = tuple(str(cell.case) for cell in cells if cell.excluded is None)
    job = Job(names, kernel, target.tier, contract_only=True, directory=directory)
    source = f"contracts of {kernel}"
    return Recording(source, tuple(parse(target.run(job), source)))


def _boot(leg: Leg, job: Job, on_record: Callable[[Job, Record], None]) -> None:
    source = f"boot {job.boot} of {job.kernel}"
    left = dict.fromkeys(job.cases)
    try:
        for record in parse(_kept(leg.target.run(job), leg.writer), source):
            if isinstance(record, Samples | Skip | Error):
                left.pop(record.case, None)
            on_record(job, record)
    except LostProcess as error:
        raise LostProcess(f"{error} (boot {job.boot}, case {next(iter(left), 'none')})") from error
    finally:
        leg.writer.flush()


def _kept(lines: Iterator[bytes], writer: Writer) -> Iterator[bytes]:
    """Pass whole lines on, and write each when the next is asked for: it was a good one then.

    Half a line is dropped: the target goes on to say why there is no more.
    """
    for line in lines:
        if line.endswith(b"\n"):
            yield line
            writer.write(line)


@dataclass(slots=True)
class _Signals:
    target: Target | None = None
    came: signal.Signals | None = None

    def handle(self, number: int, _frame: FrameType | None) -> None:
        if self.came is not None or self.target is None:
            raise Interrupted(f"{signal.Signals(number).name}: ended at once")
        self.came = signal.Signals(number)
        self.target.interrupt()


@contextlib.contextmanager
def _signals() -> Iterator[_Signals]:
    state = _Signals()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, state.handle) for number in numbers]
    try:
        yield state
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
