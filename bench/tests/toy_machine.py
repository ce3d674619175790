# SPDX-License-Identifier: GPL-2.0-only
"""An asv plugin whose machine reads the image of the toy kernel instead of booting it."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import synthetic

from zapbench.asv_kernel import KernelEnvironment
from zapbench.error import LostVm
from zapbench.kernel.build import Image
from zapbench.record import Record, encode
from zapbench.target import Job

COST = re.compile(rb"COST=(\d+)")
LACKING = "/madv_zap/"


class ToyMachine:
    """Every case costs what the image says, and a little more in each boot.

    An image that says PANIC dies; one that does not say ZAP has no MADV_ZAP; one that says
    BROKEN breaks the contract of DONTNEED.
    """

    tier = "icount"

    def __init__(self, image: Image, log: Path) -> None:
        self.kernel = "toy"
        self._log = log
        self._content = image.bzimage.read_bytes()
        self._build_id = image.build_id

    def run(self, job: Job) -> Iterator[bytes]:
        with self._log.open("a") as log:
            log.write(f"{self._build_id}\n")
        if b"PANIC" in self._content:
            raise LostVm("kernel panic: toy; console: Kernel panic - not syncing: toy")
        found = COST.search(self._content)
        assert found is not None
        run = synthetic.run_of(job.boot, job.kernel, self.tier)
        records: list[Record] = []
        for case in job.cases:
            if LACKING in case and b"ZAP" not in self._content:
                records.append(synthetic.skip(run, case, "no MADV_ZAP"))
            elif "/dontneed/" in case and b"BROKEN" in self._content:
                records.append(synthetic.error(run, case))
            else:
                cost = int(found[1]) + job.boot
                records.append(synthetic.samples(run, case, (cost,) * 3, unit="instructions"))
        build_id = "0" * 40 if b"IMPOSTOR" in self._content else self._build_id
        _, *rest = synthetic.stream(run, *records, unit="instructions")
        context = synthetic.context(run, unit="instructions")
        yield encode(msgspec.structs.replace(context, build_id=build_id))
        yield from rest

    def interrupt(self) -> None:
        """Nothing runs."""


class ToyEnvironment(KernelEnvironment):
    """The environment `kernel` with that machine."""

    tool_name = "toy"

    def _machine(self, image: Image) -> ToyMachine:
        return ToyMachine(image, self._records / "booted")
