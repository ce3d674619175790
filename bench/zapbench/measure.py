# SPDX-License-Identifier: GPL-2.0-only
"""Measure kernels by turns: records to their files, and nothing that was finished ever lost."""

import contextlib
import errno
import signal
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import FrameType
from typing import TypeVar

from zapbench import boot
from zapbench.ahead import Ahead
from zapbench.boot import Work
from zapbench.error import Cause, Interrupted, Lost, UsageError
from zapbench.observer import Observer, OnRecord
from zapbench.record import (
    VERSION,
    Context,
    Contract,
    End,
    Error,
    Record,
    Recording,
    Run,
    Samples,
    Skip,
    Writer,
    encode,
    finished,
)
from zapbench.target import Job, Target

T = TypeVar("T")

MOST_LOSSES = 3
"""In one boot: what is lost more often is not the fault of a case."""


class Policy(Enum):
    """What becomes of a boot that was lost in a case."""

    END = auto()
    """The measurement ends there."""
    PASS_BY = auto()
    """The case gets an error record, and those after it run in another start of that boot."""
    AGAIN = auto()
    """The case is run again, once; if it is lost again, `PASS_BY`."""


Policies = Mapping[Cause, Policy]
ALL_END: Policies = {}
ERRNO = {Cause.CRASH: 0, Cause.SILENCE: errno.ETIMEDOUT, Cause.HOST: errno.EINTR}
"""Of the error record of a case in which a boot was lost."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One kernel in a measurement: where it runs, and where its records go.

    ``done`` are the pairs of boot and case that need not run again, ``builds`` the kernels whose
    boots are there already.
    """

    target: Target
    writer: Writer
    done: Collection[tuple[int, str]] = frozenset()
    builds: Collection[str] = frozenset()

    @classmethod
    def going_on(cls, target: Target, writer: Writer, before: Recording | None) -> "Leg":
        """One that goes on from what was measured before, if anything was."""
        if before is None:
            return cls(target, writer)
        return cls(target, writer, finished(before.records), before.builds)

    def check(self, record: Record) -> None:
        """See that a boot is of the kernel that the others are of.

        Raises:
            UsageError: it is of another build.
        """
        if not isinstance(record, Context) or record.build_id is None or not self.builds:
            return
        if record.build_id not in self.builds:
            raise UsageError(
                f"{self.writer.path.parent} holds boots of build {', '.join(self.builds)} of "
                f"{record.run.kernel}, and this is build {record.build_id}: measure it into "
                "another directory, with -o"
            )


def interleave(legs: Sequence[T], boots: Iterable[int]) -> Iterator[tuple[int, T]]:
    """Boots of all legs in the order A B B A A B …: a drift of the machine hits all alike."""
    for number in boots:
        for leg in legs if number % 2 == 0 else reversed(legs):
            yield number, leg


def left(legs: Iterable[Leg], work: Work, boots: Iterable[int]) -> int:
    """How many cases are not finished, over all legs and boots."""
    asked = {(number, case) for number in boots for case in work.cases}
    return sum(len(asked.difference(leg.done)) for leg in legs)


def measure(
    legs: Sequence[Leg],
    work: Work,
    boots: Sequence[int],
    observer: Observer,
    policies: Policies = ALL_END,
    *,
    side_by_side: bool = False,
) -> None:
    """Run every boot of every leg that has something left to do.

    ``policies`` say what becomes of a boot that is lost; without one, `Policy.END`.
    ``side_by_side``: as many boots run at once as there are CPUs, see `zapbench.ahead`.

    SIGINT and SIGTERM let the running case stop and everything so far be saved; a second one
    ends at once.

    Raises:
        Interrupted: after a signal, with what was finished saved.
        LostProcess, LostVm, Truncated: a boot was lost; what came before is saved.
        UsageError: a boot is of another build than the leg's; nothing of it is saved.
        DiskFull: a record file cannot be written.
    """
    jobs = [(leg.target, work.job(leg.target, n, leg.done)) for n, leg in interleave(legs, boots)]
    with (
        observer.cases(left(legs, work, boots)) as on_record,
        Ahead([each for each in jobs if side_by_side and each[1].cases]) as ahead,
        _signals() as signals,
    ):
        legs = [replace(leg, target=ahead.of(leg.target)) for leg in legs]
        for number, leg in interleave(legs, boots):
            job = work.job(leg.target, number, leg.done)
            if job.cases:
                signals.target = leg.target
                try:
                    _boot(leg, job, on_record, signals, policies)
                except Lost as error:
                    error.leg = legs.index(leg)
                    raise
                finally:
                    leg.writer.flush()
            if signals.came is not None:
                name = signals.came.name
                raise Interrupted(f"{name}: what was finished is in {leg.writer.path}")


def _boot(leg: Leg, job: Job, on_record: OnRecord, signals: "_Signals", policies: Policies) -> None:
    """Run a boot to its end, past as many cases as it may be lost in."""
    came = Counter[type]()
    lost: list[str | None] = []

    def noted(job: Job, record: Record) -> None:
        leg.check(record)
        came[type(record)] += 1
        on_record(job, record)

    while job.cases:
        came.clear()
        try:
            boot.run(leg.target, job, leg.writer.write, noted)
            return
        except Lost as error:
            policy = policies.get(error.cause, Policy.END)
            asked_to_end = signals.came is not None or isinstance(error, Interrupted)
            end = policy is Policy.END or len(lost) == MOST_LOSSES or asked_to_end
            again = policy is Policy.AGAIN and error.case not in lost
            lost.append(error.case)
            if error.case is None and again and not end:
                continue
            if error.case is None:
                raise
            # The stream gets the end that it was to have.
            run = Run(job.kernel, job.tier, job.boot)
            number = errno.ECANCELED if end or again else ERRNO[error.cause]
            failed = Error(case=error.case, reason=error.why, errno=number, v=VERSION, run=run)
            leg.writer.write(encode(failed))
            noted(job, failed)
            counts = (came[kind] for kind in (Samples, Contract, Skip, Error))
            leg.writer.write(encode(End(*counts, v=VERSION, run=run)))
            if end:
                raise
        job = replace(job, cases=job.cases[job.cases.index(failed.case) + (not again) :])


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
