# SPDX-License-Identifier: GPL-2.0-only
"""Boots that run side by side, though their records are taken one boot after the other.

For counted instructions only: they do not change when two machines share the CPUs, times do.
"""

import os
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from zapbench.target import Job, Target

Item = bytes | BaseException | None
"""A line of a boot; what ended it; None: its end."""


def workers() -> int:
    """How many boots the CPUs that we may use are for."""
    return len(os.sched_getaffinity(0))


class Ahead:
    """Targets of which the next boots run already while one is read.

    ``jobs`` are the boots in the order in which they will be asked for; any other is run when
    it is.  A line is there as soon as its boot's turn has come.
    """

    def __init__(self, jobs: Sequence[tuple[Target, Job]]) -> None:
        self._lines: dict[tuple[int, Job], queue.SimpleQueue[Item]] = {
            (id(target), job): queue.SimpleQueue() for target, job in jobs
        }
        self._jobs = jobs
        self._unread = set(self._lines)
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(workers(), thread_name_prefix="boot")

    def __enter__(self) -> "Ahead":
        for target, job in self._jobs:
            self._pool.submit(self._fill, target, job)
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        self._pool.shutdown(cancel_futures=True)

    def _fill(self, target: Target, job: Job) -> None:
        lines = self._lines[id(target), job]
        try:
            if not self._stopped.is_set():
                for line in target.run(job):
                    lines.put(line)
                    if self._stopped.is_set():  # it may have begun after that was said
                        target.interrupt()
        except BaseException as error:
            lines.put(error)
        lines.put(None)

    def interrupt(self) -> None:
        """End what runs, and start no more."""
        self._stopped.set()
        for target, _ in self._jobs:
            target.interrupt()

    def of(self, target: Target) -> Target:
        """One of the targets, as `zapbench.measure` takes it."""
        return _Read(self, target)

    def run(self, target: Target, job: Job) -> Iterator[bytes]:
        """The lines of a boot: of one that runs already, or of one that is started now."""
        key = id(target), job
        if key not in self._unread:
            yield from target.run(job)
            return
        self._unread.discard(key)
        while (item := self._lines[key].get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item


class _Read:
    """See `Ahead.of`."""

    def __init__(self, ahead: Ahead, target: Target) -> None:
        self.kernel, self.tier = target.kernel, target.tier
        self._ahead, self._target = ahead, target

    def run(self, job: Job) -> Iterator[bytes]:
        yield from self._ahead.run(self._target, job)

    def interrupt(self) -> None:
        self._ahead.interrupt()
        self._target.interrupt()  # its boots may not have been foreseen
