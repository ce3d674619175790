# SPDX-License-Identifier: GPL-2.0-only
"""Ways to run cases, and all that can happen to them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
import synthetic
from limits import seconds, until
from processes import below
from toy_guest import CASES, job, program

from zapbench import record
from zapbench.error import EnvironmentMissing, LostProcess, UsageError, ZapbenchError
from zapbench.host.doctor import DAMON
from zapbench.host.file import locked
from zapbench.host.machine import Machine
from zapbench.record import Context, End, Error, Samples
from zapbench.target import InProcess, Native, Replay, Target, guest_path, now


def gather(lines: Iterable[bytes], into: list[bytes]) -> None:
    """What came before an error is there all the same."""
    for line in lines:
        into.append(line)


def ends_with(target: Target, error: type[ZapbenchError], said: str, *cases: str) -> list[bytes]:
    """The lines that came before the target raised what is expected."""
    lines: list[bytes] = []
    with pytest.raises(error, match=said) as caught:
        gather(target.run(job(*cases)), lines)
    assert "\n" not in str(caught.value)
    return lines


@pytest.mark.parametrize("target", [Native, InProcess])
def test_both_ways_of_running_give_a_whole_stream(target: type[Native | InProcess]) -> None:
    recording = record.collect(target().run(job(boot=3, seed=9)))
    assert recording.truncated is None
    assert recording.of(Context)[0].seed == 9
    assert {each.run for each in recording.records} == {record.Run("k", "native", 3)}
    assert [each.case for each in recording.of(Samples)] == list(CASES)
    assert all(len(each.values or ()) == 5 for each in recording.of(Samples))


@pytest.mark.parametrize("target", [Native, InProcess])
def test_a_record_says_when_its_boot_began_and_what_was_asked_of_it(
    target: type[Native | InProcess],
) -> None:
    ended = now()
    for boot in (0, 0):  # the same number and seed: the time sets them apart
        began = ended
        context = record.collect(target().run(job(boot=boot))).of(Context)[0]
        ended = now()
        assert context.start is not None
        assert began < context.start < ended
        assert len(context.start) == len(ended)
        assert (context.samples, context.max_seconds) == (5, 0.01)
        assert context.machine is None
        assert context.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_the_state_of_every_size_of_thp_is_recorded() -> None:
    root = Path("/sys/kernel/mm/transparent_hugepage")
    files = [*root.glob("*enabled"), *root.glob("hugepages-*/*enabled")]
    (context,) = record.collect(Native().run(job())).of(Context)
    kept = {name for name in context.thp if name.endswith("enabled")}
    assert kept == {str(file.relative_to(root)) for file in files}


@pytest.mark.parametrize("target", [Native, InProcess])
def test_contract_only_times_nothing(target: type[Native | InProcess]) -> None:
    cells_job = job("zap/mprotect/anon/4k/64k", contract_only=True)
    recording = record.collect(target().run(cells_job))
    assert recording.of(Samples) == []
    assert [each.method for each in recording.of(record.Contract)] == ["mprotect"]


def test_a_program_that_refuses_its_arguments_is_a_usage_error(tmp_path: Path) -> None:
    guest = program(tmp_path, "")
    guest.write_text("#!/bin/sh\necho no such option >&2; exit 2\n")
    with pytest.raises(UsageError, match="no such option"):
        list(Native(guest).run(job()))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match=r"cannot start .*/absent: No such file"):
        list(Native(tmp_path / "absent").run(job()))


def test_a_killed_program_is_reported_after_what_it_wrote(tmp_path: Path) -> None:
    body = f"line(synthetic.samples(run, {CASES[1]!r}, (1,)))\nos.kill(os.getpid(), 9)\n"
    lines = ends_with(Native(program(tmp_path, body)), LostProcess, "was killed by SIGKILL")
    assert isinstance(record.decode(lines[-1]), Samples)


def test_a_program_that_ends_badly_is_reported_with_its_last_words(tmp_path: Path) -> None:
    body = "print('out of luck', file=sys.stderr); sys.exit(7)\n"
    ends_with(Native(program(tmp_path, body)), LostProcess, "status 7: out of luck")


def test_a_silent_program_is_killed(tmp_path: Path) -> None:
    target = Native(program(tmp_path, "signal.pause()\n"), silence_seconds=seconds(2))
    lines = ends_with(target, LostProcess, r"wrote nothing for [\d.]+ s and was killed")
    assert len(lines) == 1


def test_what_may_have_made_it_silent_is_named(tmp_path: Path) -> None:
    scheme = tmp_path / DAMON / "0/contexts/0/schemes/0"
    scheme.mkdir(parents=True)
    (scheme / "action").write_text("pageout\n")
    (tmp_path / DAMON / "0/state").write_text("on\n")
    guest, silence = program(tmp_path, "signal.pause()\n"), seconds(2)
    target = Native(guest, silence_seconds=silence, machine=Machine(tmp_path))
    said = r"killed \(DAMON pages out: it unmaps pages: echo off \| .*tee /sys/"
    ends_with(target, LostProcess, said)


def test_half_a_line_is_passed_on_as_it_came(tmp_path: Path) -> None:
    body = "sys.stdout.write('{\"v\":1'); sys.stdout.flush(); os.kill(os.getpid(), 9)\n"
    lines = ends_with(Native(program(tmp_path, body)), LostProcess, "SIGKILL")
    assert lines[-1] == b'{"v":1'


def test_lines_come_while_the_program_runs(tmp_path: Path) -> None:
    lines = Native(program(tmp_path, "signal.pause()\n")).run(job())
    assert isinstance(record.decode(next(lines)), Context)
    assert isinstance(lines, Generator)
    lines.close()  # ends the program: nobody waits for it any more


def test_an_interrupted_program_finishes_its_stream() -> None:
    target = Native()
    slow = job("cycle/mprotect/anon/4k/64m", samples=1_000_000, max_seconds=100)
    records = []
    for line in target.run(slow):
        records.append(record.decode(line))
        target.interrupt()
    assert isinstance(records[-1], End)
    assert not [each for each in records if isinstance(each, Samples)]


def test_a_program_that_is_interrupted_as_it_starts_finishes_its_stream() -> None:
    target = Native()
    ended = threading.Event()

    def interrupt() -> None:
        while not ended.is_set():
            target.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        slow = job("cycle/mprotect/anon/4k/64m", samples=1_000_000, max_seconds=100)
        records = [record.decode(line) for line in target.run(slow)]
    finally:
        ended.set()
        thread.join()
    assert isinstance(records[-1], End)
    assert not [each for each in records if isinstance(each, Samples)]


DRIVER = """\
import sys
from pathlib import Path
from toy_guest import job
from zapbench.host.doctor import DAMON
from zapbench.host.file import locked
from zapbench.host.machine import Machine
from zapbench.target import Native
with locked(Path("lock")):
    for line in Native().run(job(sys.argv[1], samples=1_000_000, max_seconds=3600)):
        print(line.decode(), end="", flush=True)
"""


@pytest.mark.parametrize(
    "case",
    [
        "cycle/mprotect/anon/4k/64m",
        "minor_fault/dontneed/shmem/4k/64m",
        "minor_fault/dontneed/shmem/4k/64m/topology=process",
    ],
)
@pytest.mark.usefixtures("userfaultfd")
def test_no_program_outlives_a_killed_driver(tmp_path: Path, case: str) -> None:
    command = [sys.executable, "-c", DRIVER, case]
    path = os.pathsep.join(sys.path)
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as driver:
        try:
            assert driver.stdout is not None
            kinds = (Context, record.Contract)  # what follows is measured for an hour
            assert all(isinstance(record.decode(driver.stdout.readline()), k) for k in kinds)
            asked = 2 + case.endswith("=process")
            until(lambda: len(below(tmp_path)) == asked, "all that runs")
        finally:
            driver.kill()
    until(lambda: below(tmp_path) == [], "the end of all")
    with locked(tmp_path / "lock", patience=seconds(10)):
        pass


def test_a_program_holds_the_locks_of_its_driver(tmp_path: Path) -> None:
    """Should it live on for a while, nobody takes the settings for unused."""
    body = "seen = [os.path.realpath(each.path) for each in os.scandir('/proc/self/fd')]\n"
    body += f"open({str(tmp_path / 'seen')!r}, 'w').write('\\n'.join(seen))\n"
    with locked(tmp_path / "lock"):
        list(Native(program(tmp_path, body)).run(job()))
    assert str(tmp_path / "lock") in (tmp_path / "seen").read_text().splitlines()


def test_a_replayed_boot_gives_what_was_recorded_of_the_cases(tmp_path: Path) -> None:
    path = tmp_path / "records"
    runs = [synthetic.run_of(boot) for boot in range(2)]
    streams = [
        synthetic.stream(run, *(synthetic.samples(run, case, (run.boot + 1,)) for case in CASES))
        for run in runs
    ]
    path.write_bytes(b"".join(line for stream in streams for line in stream))
    target = Replay(path)
    assert (target.boots, target.kernel, target.tier) == (2, "synthetic", "native")
    recording = record.collect(target.run(job(CASES[1], boot=1)))
    assert recording.truncated is None
    (samples,) = recording.of(Samples)
    assert (samples.case, samples.values) == (CASES[1], (2,))
    with pytest.raises(UsageError, match="has no boot 2"):
        list(target.run(job(boot=2)))
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="holds no stream"):
        Replay(path)


def test_the_guest_is_found_in_the_package() -> None:
    assert os.access(guest_path(), os.X_OK)


def test_an_error_record_is_no_python_error() -> None:
    recording = record.collect(Native().run(job("zap/nonsense/anon/4k/4k")))
    assert len(recording.of(Error)) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
