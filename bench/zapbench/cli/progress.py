# SPDX-License-Identifier: GPL-2.0-only
"""How far a measurement is: a bar with the time left on a terminal, plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from zapbench.cli.output import note
from zapbench.host.cache import Progress as Report
from zapbench.observer import Observer
from zapbench.record import Context, Contract, End, Record
from zapbench.target import Job

PLAIN_SECONDS = 10.0  # between two plain lines


class Watch:
    """Counts the cases that are finished; called with each record."""

    def __init__(self, total: int, bar: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._bar = bar
        self._task = bar.add_task("", total=total) if bar is not None else None
        self._start = self._said = time.monotonic()

    def __call__(self, job: Job, record: Record) -> None:
        """Take note of a record of a job."""
        if isinstance(record, Context | Contract | End):
            return
        self._done += 1
        if self._bar is not None and self._task is not None:
            text = f"boot {job.boot + 1}  {record.case}"
            self._bar.update(self._task, completed=self._done, description=text)
        elif time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            note(f"{self._done} of {self._total} cases done, {self._left():.0f} s left")

    def _left(self) -> float:
        spent = time.monotonic() - self._start
        return spent / self._done * (self._total - self._done)


@contextlib.contextmanager
def watch(total: int) -> Iterator[Watch]:
    """Show progress over so many cases on standard error for as long as the context lasts."""
    if not sys.stderr.isatty():
        yield Watch(total, None)
        return
    text = TextColumn("{task.description}")
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), text)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Watch(total, bar)


class _Stages:
    """The stages of getting a kernel; called with a stage, what is done and the total."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None) if bar is not None else None
        self._stage = ""
        self._said = 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show it: the bar at once, lines at the start of a stage and every ten seconds."""
        if self._bar is not None and self._task is not None:
            if stage != self._stage:
                self._bar.reset(self._task)
            self._bar.update(self._task, completed=done, total=total, description=stage)
        elif stage != self._stage or time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            note(f"{stage} {done / total:.0%}" if total and done else stage)
        self._stage = stage


@contextlib.contextmanager
def stages() -> Iterator[Report]:
    """Show how far fetching and building a kernel is, for as long as the context lasts."""
    if not sys.stderr.isatty():
        yield _Stages(None)
        return
    text = TextColumn("{task.description}")
    columns = (text, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Stages(bar)


ON_STDERR = Observer(note, watch, stages)
"""Notes and progress as a terminal or a log shows them."""
