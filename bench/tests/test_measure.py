# SPDX-License-Identifier: GPL-2.0-only
"""A measurement: its order, what it keeps, and what it does not do again."""

from collections.abc import Collection
from pathlib import Path

import pytest
from toy_guest import CASES, program

from zapbench import record
from zapbench.boot import Effort, Work
from zapbench.cli.progress import ON_STDERR
from zapbench.error import LostProcess
from zapbench.measure import Leg, interleave, measure
from zapbench.record import Recording, Samples, Writer
from zapbench.target import Native, Target


def test_boots_of_two_kernels_alternate() -> None:
    assert "".join(leg for _, leg in interleave("AB", range(4))) == "ABBAABBA"


def measured(
    tmp_path: Path, target: Target, done: Collection[tuple[int, str]] = frozenset()
) -> Recording:
    with Writer(tmp_path / "records") as writer:
        work = Work(CASES, Effort(2, 5, 0.01), 1)
        measure([Leg(target, writer, done)], work, range(2), ON_STDERR)
    return record.load(tmp_path / "records")


def test_a_measurement_keeps_every_boot(tmp_path: Path) -> None:
    recording = measured(tmp_path, Native())
    assert recording.truncated is None
    assert record.finished(recording.records) == {(b, c) for b in range(2) for c in CASES}


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    recording = measured(tmp_path, Native(), done={(0, CASES[0]), (0, CASES[1]), (1, CASES[0])})
    assert record.finished(recording.records) == {(1, CASES[1])}


def test_a_lost_process_keeps_its_whole_lines_and_names_its_case(tmp_path: Path) -> None:
    body = (
        f"line(synthetic.samples(run, {CASES[0]!r}, (1,)))\n"
        "sys.stdout.write('{\"v\":1'); sys.stdout.flush(); os.kill(os.getpid(), 9)\n"
    )
    target = Native(program(tmp_path, body))
    with pytest.raises(LostProcess, match=rf"boot 0, case {CASES[1]}"):
        measured(tmp_path, target)
    kept = record.load(tmp_path / "records")
    assert [each.case for each in kept.of(Samples)] == [CASES[0]]
    assert kept.truncated is not None
