# SPDX-License-Identifier: GPL-2.0-only
"""A measurement: its order, what it keeps, and what it does not do again."""

import errno
from collections.abc import Collection
from pathlib import Path

import pytest
from limits import seconds
from toy_guest import CASES, program

from zapbench import record
from zapbench.boot import Effort, Work
from zapbench.cli.progress import ON_STDERR
from zapbench.error import Cause, LostProcess
from zapbench.measure import ALL_END, MOST_LOSSES, Leg, Policies, Policy, interleave, measure
from zapbench.record import Error, Recording, Samples, Writer
from zapbench.run import PAST_CASES
from zapbench.target import Native, Target


def test_boots_of_two_kernels_alternate() -> None:
    assert "".join(leg for _, leg in interleave("AB", range(4))) == "ABBAABBA"


def measured(
    tmp_path: Path,
    target: Target,
    done: Collection[tuple[int, str]] = frozenset(),
    *,
    cases: tuple[str, ...] = CASES,
    policies: Policies = ALL_END,
) -> Recording:
    with Writer(tmp_path / "records") as writer:
        work = Work(cases, Effort(2, 5, 0.01), 1)
        measure([Leg(target, writer, done)], work, range(2), ON_STDERR, policies)
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
    assert [(each.case, each.errno) for each in kept.of(Error)] == [(CASES[1], errno.ECANCELED)]
    assert kept.truncated is None
    assert record.finished(kept.records) == {(0, CASES[0])}


AGAIN = {Cause.HOST: Policy.AGAIN}
CRASHING = "zap/mprotect/anon/4k/4k"
ORDERED = (*CASES, CRASHING)


def crashes(tmp_path: Path, how: str, at: str = CRASHING) -> Path:
    """The C program, but for one case: there it ends as ``how`` says."""
    body = (
        "names = open(sys.argv[sys.argv.index('--cases') + 1]).read().split()\n"
        "for name in names:\n"
        f"    if {at!r} in name:\n"
        f"        {how}\n"
        "    line(synthetic.samples(run, name, (1,)))\n"
        "*_, end = synthetic.stream(run, *[synthetic.samples(run, n, (1,)) for n in names])\n"
        "sys.stdout.buffer.write(end)\n"
    )
    return program(tmp_path, body)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("print('sanitizer', file=sys.stderr); os._exit(66)", "ended with status 66: sanitizer"),
        ("signal.pause()", "wrote nothing for"),
    ],
)
def test_a_case_that_crashes_is_an_error_and_the_others_are_measured(
    tmp_path: Path, how: str, said: str
) -> None:
    target = Native(crashes(tmp_path, how), silence_seconds=seconds(2))
    recording = measured(tmp_path, target, cases=ORDERED, policies=PAST_CASES)
    assert recording.truncated is None
    assert record.finished(recording.records) == {(b, c) for b in range(2) for c in ORDERED}
    failed = recording.of(Error)
    assert [(each.run.boot, each.case) for each in failed] == [(b, CRASHING) for b in range(2)]
    assert all(said in each.reason and "boot" not in each.reason for each in failed)


def test_what_somebody_kills_is_no_error_of_a_case(tmp_path: Path) -> None:
    target = Native(crashes(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)"))
    with pytest.raises(LostProcess, match="SIGKILL"):
        measured(tmp_path, target, cases=ORDERED, policies=PAST_CASES)
    kept = record.load(tmp_path / "records")
    assert (0, CRASHING) not in record.finished(kept.records)


def test_a_program_that_crashes_in_every_case_is_given_up(tmp_path: Path) -> None:
    cases = tuple(f"zap/mprotect/anon/4k/{size}k" for size in (4, 8, 16, 32, 64))
    target = Native(crashes(tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)", at="zap"))
    with pytest.raises(LostProcess, match=r"SIGSEGV.*boot 0, case"):
        measured(tmp_path, target, cases=cases, policies=PAST_CASES)
    kept = record.load(tmp_path / "records")
    assert len(record.finished(kept.records)) == MOST_LOSSES


@pytest.mark.parametrize("times", [1, 2])
def test_what_the_host_ended_is_measured_once_more(tmp_path: Path, times: int) -> None:
    count = tmp_path / "count"
    how = (
        f"count = open({str(count)!r}, 'a+'); count.write('x'); count.flush(); count.seek(0)\n"
        f"        if len(count.read()) <= {times}: os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = Native(crashes(tmp_path, how))
    recording = measured(
        tmp_path, target, done={(1, case) for case in ORDERED}, cases=ORDERED, policies=AGAIN
    )
    failed = [each.errno for each in recording.of(Error)]
    assert failed == [errno.ECANCELED, errno.EINTR][:times]
    assert recording.truncated is None
    assert record.finished(recording.records) == {(0, case) for case in ORDERED}
    assert len(record.failures(recording.records)) == times - 1
