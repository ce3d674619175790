# SPDX-License-Identifier: GPL-2.0-only
"""Boots that are made once, and read afterwards.  (asv's are in asv_kernel/test_environment.py.)"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic

from zapbench.kept_boots import Kept
from zapbench.record import encode
from zapbench.target import Job

JOB = Job(("zap/dontneed/shmem/4k/4k",), "6.12", "icount", boot=1, seed=1)


class Machine:
    """A kernel that counts how often it is booted; its case may fail, its boots may be cut."""

    kernel, tier = "6.12", "icount"

    def __init__(self, identity: str = "one", *, fails: bool = False, cut: bool = False) -> None:
        self._identity, self._fails, self._cut = identity, fails, cut
        self.boots = 0

    def identity(self) -> str:
        return self._identity

    def run(self, job: Job) -> Iterator[bytes]:
        self.boots += 1
        run = synthetic.run_of(job.boot, self.kernel, self.tier)
        records = [
            synthetic.error(run, case) if self._fails else synthetic.samples(run, case, (1000,))
            for case in job.cases
        ]
        yield from synthetic.stream(run, *records)[: 2 if self._cut else None]

    def interrupt(self) -> None:
        """Nothing to interrupt."""


def boots(directory: Path, machine: Machine, *jobs: Job) -> int:
    """How many boots it takes to run some jobs."""
    for job in jobs:
        assert list(Kept(machine, directory).run(job)) == list(Machine.run(machine, job))
        machine.boots -= 1
    return machine.boots


def test_a_boot_is_made_once_and_read_line_by_line(tmp_path: Path) -> None:
    assert boots(tmp_path, Machine(), JOB, JOB, JOB) == 1
    assert boots(tmp_path, Machine(), JOB) == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, boot=2),
        replace(JOB, seed=2),
        replace(JOB, cases=("zap/remap/shmem/4k/4k",)),
        replace(JOB, room=("zap/remap/shmem/4k/1g",)),
        replace(JOB, samples=50),
        replace(JOB, kernel="mine"),
    ],
)
def test_another_job_is_another_boot(tmp_path: Path, other: Job) -> None:
    boots(tmp_path, Machine(), JOB)
    assert boots(tmp_path, Machine(), other) == 1


def test_where_it_is_run_from_does_not_matter(tmp_path: Path) -> None:
    boots(tmp_path, Machine(), replace(JOB, directory=tmp_path))
    assert boots(tmp_path, Machine(), replace(JOB, directory=tmp_path.parent)) == 0


def test_another_machine_is_another_boot(tmp_path: Path) -> None:
    boots(tmp_path, Machine(), JOB)
    assert boots(tmp_path, Machine("two"), JOB) == 1


@pytest.mark.parametrize("bad", [Machine(fails=True), Machine(cut=True)])
def test_what_is_to_be_looked_at_again_is_not_kept(tmp_path: Path, bad: Machine) -> None:
    list(Kept(bad, tmp_path).run(JOB))
    assert boots(tmp_path, Machine(), JOB) == 1


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"half"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    kept = Kept(Machine(), tmp_path)
    whole = list(kept.run(JOB))
    path = kept.path(JOB)
    path.write_bytes(path.read_bytes()[:40] if damage == b"half" else damage)
    again = Machine()
    assert list(Kept(again, tmp_path).run(JOB)) == whole
    assert again.boots == 1
    assert boots(tmp_path, Machine(), JOB) == 0


def test_a_cache_that_cannot_be_written_costs_a_boot_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "icount").write_bytes(b"in the way")
    assert boots(tmp_path, Machine(), JOB, JOB) == 2


def test_records_come_as_they_are(tmp_path: Path) -> None:
    machine = Machine()
    first = list(Kept(machine, tmp_path).run(JOB))
    run = synthetic.run_of(JOB.boot, "6.12", "icount")
    assert first[1] == encode(synthetic.samples(run, JOB.cases[0], (1000,)))
