# SPDX-License-Identifier: GPL-2.0-only
"""Boots next to one another, whose records come one boot after the other."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic
from limits import seconds

from zapbench import record
from zapbench.ahead import Ahead, workers
from zapbench.boot import Effort, Work
from zapbench.cli.progress import ON_STDERR
from zapbench.error import Cause, LostVm
from zapbench.measure import Leg, measure
from zapbench.record import Samples, Writer
from zapbench.target import Job

CASES = ("zap/dontneed/shmem/4k/4k", "zap/remap/shmem/4k/4k")


class Machine:
    """A kernel whose boots wait for one another: each for the next of the same number."""

    tier = "icount"

    def __init__(self, kernel: str, meeting: threading.Barrier | None = None) -> None:
        self.kernel, self._meeting = kernel, meeting
        self.ran: list[int] = []
        self.stopped = False

    def run(self, job: Job) -> Iterator[bytes]:
        self.ran.append(job.boot)
        if self._meeting is not None:
            self._meeting.wait(seconds(20))
        run = synthetic.run_of(job.boot, self.kernel, self.tier)
        records = [synthetic.samples(run, case, (1000,), unit="instructions") for case in job.cases]
        yield from synthetic.stream(run, *records, unit="instructions")

    def interrupt(self) -> None:
        self.stopped = True


def measured(tmp_path: Path, base: Machine, head: Machine, boots: int) -> list[tuple[str, int]]:
    """Measure both, base first; which boots the records of each are of, in their order."""
    work = Work(CASES, Effort(boots, 5, 0.01), 1)
    paths = [tmp_path / kernel / "records" for kernel in ("base", "head")]
    for path in paths:
        path.parent.mkdir()
    with Writer(paths[0]) as left, Writer(paths[1]) as right:
        legs = [Leg(base, left), Leg(head, right)]
        measure(legs, work, range(boots), ON_STDERR, side_by_side=True)
    found = [record.load(path) for path in paths]
    assert all(each.truncated is None for each in found)
    return [(each.run.kernel, each.run.boot) for one in found for each in one.of(Samples)]


@pytest.mark.skipif(workers() < 2, reason="one CPU: nothing runs next to anything")
def test_both_boots_of_a_pair_run_at_once_and_their_records_do_not_mix(tmp_path: Path) -> None:
    """One after the other, neither would ever end."""
    meeting = threading.Barrier(2)
    base, head = Machine("base", meeting), Machine("head", meeting)
    came = measured(tmp_path, base, head, 3)
    assert came == [
        (kernel, boot) for kernel in ("base", "head") for boot in range(3) for _ in CASES
    ]
    assert sorted(base.ran) == sorted(head.ran) == [0, 1, 2]


class Dying(Machine):
    def run(self, job: Job) -> Iterator[bytes]:
        lines = list(super().run(job))
        yield from lines[:2]
        if job.boot == 1:
            raise LostVm("it burnt", Cause.CRASH)
        yield from lines[2:]


def test_what_ends_a_boot_is_met_where_its_records_are(tmp_path: Path) -> None:
    base = Machine("base")
    with pytest.raises(LostVm, match=r"it burnt \(boot 1, case zap/") as caught:
        measured(tmp_path, base, Dying("head"), 4)
    assert caught.value.leg == 1
    assert base.stopped
    kept = record.load(tmp_path / "head/records")
    assert [each.run.boot for each in kept.of(Samples)] == [0, 0, 1]


def test_a_boot_that_was_not_foreseen_runs_when_it_is_asked_for() -> None:
    one = Machine("one")
    job = Job(CASES, "one", "icount", boot=7)
    with Ahead([]) as ahead:
        target = ahead.of(one)
        assert one.ran == []
        first = list(target.run(job))
        assert first == list(target.run(job))
    assert one.ran == [7, 7]


def test_a_boot_that_was_not_foreseen_is_interrupted_too() -> None:
    one = Machine("one")
    with Ahead([]) as ahead:
        ahead.of(one).interrupt()
    assert one.stopped


def test_after_an_interrupt_no_boot_is_started() -> None:
    one = Machine("one")
    begun, goes_on = threading.Event(), threading.Event()

    class Slow(Machine):
        def run(self, job: Job) -> Iterator[bytes]:
            begun.set()
            assert goes_on.wait(seconds(20))
            yield from super().run(job)

    slow = [Slow("slow") for _ in range(workers())]
    job = Job(CASES, "one", "icount")
    with Ahead([*((each, Job(CASES, "slow", "icount")) for each in slow), (one, job)]) as ahead:
        assert begun.wait(seconds(20))
        ahead.of(slow[0]).interrupt()
        goes_on.set()
        assert list(ahead.of(one).run(job)) == []
    assert one.ran == []
    assert all(each.stopped for each in slow)
