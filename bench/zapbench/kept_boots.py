# SPDX-License-Identifier: GPL-2.0-only
"""Boots of one kernel image, each made once and kept as records.

The records of a boot lie under the build id of the image that ran, so that commits with the
same image share them, and a commit that changed only comments costs no boot.
"""

import contextlib
import gzip
import hashlib
import json
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Protocol

from zapbench import boot as driver
from zapbench.ahead import workers
from zapbench.boot import Work, effort_for
from zapbench.error import CaseFailed, LostVm, SchemaError, Truncated, Unsupported, ZapbenchError
from zapbench.host.file import write_if_changed
from zapbench.kernel.build import Image
from zapbench.record import (
    End,
    Error,
    Recording,
    Samples,
    Skip,
    collect,
    encode,
    failures,
    load,
)
from zapbench.result.request import SEED
from zapbench.result.timings import by_case
from zapbench.target import Job, Target, guest_path
from zapbench.vm import version


class TargetOf(Protocol):
    """Makes the machine that boots an image."""

    def __call__(self, image: Image) -> Target:
        """Raises what the machine's constructor raises."""
        ...


class Known(Target, Protocol):
    """A target that says what bears on its records beside a job."""

    def identity(self) -> str:
        """A word that changes with it."""
        ...


class Kept:
    """A target whose whole boots are kept as records, and made once.

    A boot is known by all that bears on its records: the image and its boot words, the guest
    program, QEMU, and the job, which has the size of the machine, the seed and the cases.  One
    that was lost, or in which a case failed, is not kept: it is to be looked at again.
    """

    def __init__(self, target: Known, directory: Path) -> None:
        self.kernel, self.tier = target.kernel, target.tier
        self._target, self._directory = target, directory

    def path(self, job: Job) -> Path:
        """The record file of a boot."""
        told = json.dumps([self._target.identity(), repr(replace(job, directory=None))])
        name = hashlib.sha256(told.encode()).hexdigest()[:24]
        return self._directory / self.tier / f"{name}.jsonl.gz"

    def run(self, job: Job) -> Iterator[bytes]:
        """See `zapbench.target.Target.run`."""
        path = self.path(job)
        with contextlib.suppress(SchemaError):
            kept = load(path)
            if kept.truncated is None and kept.of(End):
                yield from map(encode, kept.records)
                return
        lines: list[bytes] = []
        for line in self._target.run(job):
            lines.append(line)
            yield line
        found = collect(lines)
        if found.truncated is None and not found.of(Error):
            with contextlib.suppress(OSError):  # it is a cache, which may be full or read-only
                write_if_changed(path, gzip.compress(b"".join(lines), mtime=0))

    def interrupt(self) -> None:
        """See `zapbench.target.Target.interrupt`."""
        self._target.interrupt()


def suite_id(cases: Sequence[str], seed: int = SEED) -> str:
    """Twelve hex digits that change with cases, effort, seed, the guest program or QEMU."""
    digest = hashlib.sha256(guest_path().read_bytes())
    effort = repr(effort_for("icount", quick=True))
    digest.update(json.dumps([sorted(cases), effort, seed, version()]).encode())
    return digest.hexdigest()[:12]


class KeptBoots:
    """The boots of one image with one accelerator.

    ``directory`` holds the records, one file a boot; ``cases`` are the names of what every
    boot measures; ``machine`` makes the target when a boot is needed.  Boots of one number and
    ``seed`` are perturbed alike.
    """

    def __init__(
        self,
        directory: Path,
        image: Image,
        cases: Sequence[str],
        machine: TargetOf,
        *,
        accel: str,
        seed: int = SEED,
    ) -> None:
        self.directory = directory / accel / image.build_id[:20] / suite_id(cases, seed)
        self._seed = seed
        self._image = image
        self._cases = tuple(cases)
        self._machine = machine
        # Counted instructions do not change when two machines share the CPUs; times do.
        self._workers = workers() if accel == "icount" else 1
        self._outcomes: dict[int, dict[str, float | ZapbenchError]] = {}

    def figure(self, case: str, boot: int) -> float:
        """The median of a case in a boot that was made, in the unit of the accelerator.

        Raises:
            Unsupported: the kernel cannot run the case.
            CaseFailed: the case gave an error instead of a figure.
        """
        if boot not in self._outcomes:
            self._outcomes[boot] = outcomes(load(self.path(boot)))
        outcome = self._outcomes[boot].get(case, Unsupported("the suite does not measure it"))
        if isinstance(outcome, ZapbenchError):
            raise outcome
        return outcome

    def path(self, boot: int) -> Path:
        """The record file of a boot."""
        return self.directory / f"boot-{boot}.jsonl.gz"

    def make(self, boot: int, planned: int = 0) -> None:
        """Make a boot unless it was made before.

        ``planned`` is how many boots will be asked for: some of them may be made next to this one.

        Raises:
            LostVm: the machine died, or ran another kernel than the image.
            EnvironmentMissing: there is no QEMU.
        """
        if self.path(boot).is_file():
            return
        ahead = range(boot, max(boot + 1, planned))
        missing = [each for each in ahead if not self.path(each).is_file()]
        target = self._machine(self._image)
        batch = missing[: self._workers]
        with ThreadPoolExecutor(self._workers) as pool:
            try:
                list(pool.map(lambda boot: self._boot(target, boot), batch))
            except BaseException:
                target.interrupt()
                raise

    def _boot(self, target: Target, boot: int) -> None:
        image = self._image
        work = Work(self._cases, effort_for(target.tier, quick=True), self._seed)
        name = f"{image.meta['release']}-{image.build_id[:8]}"
        lines: list[bytes] = []
        try:
            driver.run(
                target, work.job(target, boot, kernel=name), lines.append, build_id=image.build_id
            )
        except Truncated as error:
            raise LostVm(str(error)) from error
        write_if_changed(self.path(boot), gzip.compress(b"".join(lines), mtime=0))


def outcomes(recording: Recording) -> dict[str, float | ZapbenchError]:
    """What each case of a recording came to: its median, or why there is none."""
    why: dict[str, float | ZapbenchError] = {
        skip.case: Unsupported(skip.reason) for skip in recording.of(Skip)
    }
    figures = {str(case): each.median for case, each in by_case(recording.of(Samples)).items()}
    broken = {error.case: CaseFailed(error.reason) for error in failures(recording.records)}
    return {**why, **figures, **broken}


@contextlib.contextmanager
def within(seconds: float, what: str, error: type[ZapbenchError]) -> Iterator[None]:
    """End the block by an error after so many seconds of wall-clock time; main thread only.

    asv's own limits are on inactivity, and none of them stops a build.
    """

    def expired(_number: int, _frame: FrameType | None) -> None:
        raise error(f"{what} took longer than {seconds:g} s and was ended")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
