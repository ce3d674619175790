# SPDX-License-Identifier: GPL-2.0-only
"""Measure kernels by turns: records to their files, and nothing that was finished ever lost."""

import contextlib
import signal
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from zapbench import boot
from zapbench.boot import Work
from zapbench.error import Interrupted
from zapbench.observer import Observer
from zapbench.record import Writer
from zapbench.target import Target

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Leg:
    """One kernel in a measurement: where it runs, and where its records go.

    ``done`` are the pairs of boot and case that need not run again.
    """

    target: Target
    writer: Writer
    done: Collection[tuple[int, str]] = frozenset()


def interleave(legs: Sequence[T], boots: Iterable[int]) -> Iterator[tuple[int, T]]:
    """Boots of all legs in the order A B B A A B …: a drift of the machine hits all alike."""
    for number in boots:
        for leg in legs if number % 2 == 0 else reversed(legs):
            yield number, leg


def left(legs: Iterable[Leg], work: Work, boots: Iterable[int]) -> int:
    """How many cases are not finished, over all legs and boots."""
    asked = {(number, case) for number in boots for case in work.cases}
    return sum(len(asked.difference(leg.done)) for leg in legs)


def measure(legs: Sequence[Leg], work: Work, boots: Sequence[int], observer: Observer) -> None:
    """Run every boot of every leg that has something left to do.

    SIGINT and SIGTERM let the running case stop and everything so far be saved; a second one
    ends at once.

    Raises:
        Interrupted: after a signal, with what was finished saved.
        LostProcess, LostVm, Truncated: a boot was lost; what came before is saved.
        DiskFull: a record file cannot be written.
    """
    with observer.cases(left(legs, work, boots)) as on_record, _signals() as signals:
        for number, leg in interleave(legs, boots):
            job = work.job(leg.target, number, leg.done)
            if job.cases:
                signals.target = leg.target
                try:
                    boot.run(leg.target, job, leg.writer.write, on_record)
                finally:
                    leg.writer.flush()
            if signals.came is not None:
                name = signals.came.name
                raise Interrupted(f"{name}: what was finished is in {leg.writer.path}")


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
