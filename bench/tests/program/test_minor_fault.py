# SPDX-License-Identifier: GPL-2.0-only
"""Minor faults: every way to have one, and the checks that make its figure true, provoked."""

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from limits import cpu_ticks, seconds, until

from zapbench import record
from zapbench.case import MINOR_FAULT, Case, depth, hugetlb_need, mthp_need
from zapbench.host import settings
from zapbench.record import Error, Recording, Samples, Skip
from zapbench.result import stats
from zapbench.target import InProcess, Job, Native, Target, guest_path

pytestmark = pytest.mark.usefixtures("userfaultfd")

SMALL = {"4k": "64k", "64k": "256k", "2m": "8m"}
QUICK = [cell.case for cell in depth(quick=True) if cell.excluded is None]
CASES = sorted(
    {
        str(case).replace(f"/{page}/{old}", f"/{page}/{SMALL[page]}")
        for case in QUICK
        for page, old in [str(case).split("/")[3:5]]
        if case.workload == MINOR_FAULT
    }
)
PLAIN = [name for name in CASES if "shmem/4k/" in name]


def run(*cases: str, target: Target | None = None, **fields: object) -> Recording:
    known: dict[str, Any] = {"samples": 1, "max_seconds": 0.002}
    job = Job(cases, "k", "native", **{**known, **fields})
    return record.collect((target or Native()).run(job))


def sound(samples: Samples) -> None:
    """Every page raised an event, and no more was needed than that."""
    faults = samples.faults
    assert faults is not None
    assert faults.pages == faults.faults > 0
    assert (faults.strandings, faults.eexist, faults.eagain) == (0, 0, 0)
    assert 0 < samples.minor_faults <= faults.faults + faults.repeated or samples.method == "rwp"
    values = stats.per_operation(samples)
    if samples.axes.get("stamps") == "off":
        assert values.size * samples.ops_per_sample == faults.faults
        assert samples.stage_histograms == {}
        return
    assert values.size == faults.faults
    stages = {name: stats.of_histogram(each) for name, each in samples.stage_histograms.items()}
    assert list(stages) == ["deliver", "queue", "resolve", "resume"]
    assert {each.size for each in stages.values()} == {stages["deliver"].size}
    assert stages["deliver"].size >= faults.faults // 8
    # The part cannot be more than the whole; nor can all parts together.
    top = values.quantile(1) + samples.empty
    assert all(each.quantile(1) <= top for each in stages.values())
    assert stages["resolve"].quantile(0.5) > 0


def test_each_case_of_the_sweep_on_base_pages() -> None:
    recording = run(*PLAIN)
    assert recording.of(Error) == []
    done = recording.of(Samples)
    assert {each.case for each in done} | {each.case for each in recording.of(Skip)} == set(PLAIN)
    assert len(done) > 20
    for each in done:
        sound(each)


@pytest.mark.skipif(os.geteuid() != 0, reason="huge pages need root")
def test_each_case_of_the_sweep_on_larger_pages() -> None:
    names = [name for name in CASES if name not in PLAIN]
    cases = [Case.parse(name) for name in names]
    with settings.applied(settings.Needs(hugetlb=hugetlb_need(cases), mthp=mthp_need(cases))):
        recording = run(*names)
    assert recording.of(Error) == []
    done = recording.of(Samples)
    if not done:
        pytest.skip(recording.of(Skip)[0].reason)
    for each in done:
        sound(each)


def test_within_python() -> None:
    """Signals and a fork in a process with threads of its own."""
    names = [f"minor_fault/dontneed/shmem/4k/64k{axis}" for axis in AXES]
    recording = run(*names, target=InProcess())
    assert [each.case for each in recording.of(Samples)] == names
    for each in recording.of(Samples):
        sound(each)


AXES = ("", "/topology=process", "/delivery=sigbus", "/delivery=epoll/handlers=2/threads=2")


@pytest.mark.parametrize("topology", ["", "/topology=process"])
def test_eexist_is_answered_with_a_wake(topology: str) -> None:
    (samples,) = run(f"minor_fault/dontneed/shmem/4k/64k/check=eexist{topology}").of(Samples)
    assert samples.faults is not None
    assert samples.faults.eexist == samples.faults.faults
    assert samples.faults.strandings == 0


@pytest.mark.parametrize("topology", ["", "/topology=process"])
def test_a_stranded_thread_is_woken_and_counted(topology: str) -> None:
    """A handler that maps and does not wake: no fault would ever end."""
    (samples,) = run(f"minor_fault/dontneed/shmem/4k/8k/check=strand{topology}").of(Samples)
    assert samples.faults is not None
    assert samples.faults.strandings == samples.faults.faults == 2


@pytest.mark.parametrize("topology", ["", "/topology=process"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("contents", "page 0 held other bytes after its fault"),
        ("surplus", "2 of 4 pages raised no event when they were accessed, the first .* page 1"),
    ],
)
def test_a_handler_that_does_wrong_is_an_error(wrong: str, said: str, topology: str) -> None:
    recording = run(f"minor_fault/dontneed/shmem/4k/16k/check={wrong}{topology}")
    assert recording.of(Samples) == []
    (error,) = recording.of(Error)
    assert re.search(said, error.reason), error.reason


def test_more_threads_than_cpus_are_marked() -> None:
    names = [f"minor_fault/dontneed/shmem/4k/256k{axis}" for axis in ("", "/threads=64")]
    alone, crowd = (each.faults for each in run(*names).of(Samples))
    assert alone is not None
    assert crowd is not None
    assert crowd.oversubscribed == ((os.cpu_count() or 1) < 65)
    assert alone.oversubscribed == ((os.cpu_count() or 1) < 2)


@contextlib.contextmanager
def started(case: str) -> Iterator[subprocess.Popen[str]]:
    """The program in the midst of a case that would take ten minutes; it ends with the block."""
    command = [str(guest_path()), "--samples", "100000000", "--max-seconds", "600", case]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            for _ in ("context", "contract"):
                program.stdout.readline()
            until(lambda: faulting(program.pid), "its threads are at work")
            yield program
        finally:
            program.kill()


def faulting(pid: int) -> bool:
    """Does a thread work that the process made?  Those of a check have next to nothing to do."""
    made = [task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid)]
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return any(cpu_ticks(task) >= 5 for task in made)
    return False


def children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


PROCESS = "minor_fault/dontneed/shmem/4k/64k/topology=process"
ALLOWED = sorted(os.sched_getaffinity(0))
two_cpus = pytest.mark.skipif(len(ALLOWED) < 2, reason="place=apart needs two CPUs")


def running_on(pid: int) -> dict[int, tuple[set[int], int]]:
    """For each thread that a process made, the CPUs it may use and where it was last (proc(5))."""
    made = sorted({int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()} - {pid})
    stats = {tid: Path(f"/proc/{pid}/task/{tid}/stat").read_text() for tid in made}
    return {
        tid: (os.sched_getaffinity(tid), int(stat.rpartition(")")[2].split()[36]))
        for tid, stat in stats.items()
    }


def placed(pid: int, number: int) -> list[tuple[int, int]]:
    """Thread and CPU of all threads that a process made, once each had its turn where pinned."""

    def found() -> list[tuple[int, int]] | None:
        threads = running_on(pid)
        if len(threads) != number or any(allowed != {cpu} for allowed, cpu in threads.values()):
            return None
        return [(tid, cpu) for tid, (_, cpu) in threads.items()]

    pinned = until(found, f"{number} threads run where they are pinned")
    assert pinned is not None
    return pinned


@two_cpus
@pytest.mark.parametrize("topology", ["", "/topology=process"])
@pytest.mark.parametrize(
    ("axes", "faulters", "handlers"),
    [
        ("place=same/threads=2", [0, 0], [0]),
        ("place=apart", [0], [1]),
        ("place=apart/threads=2/handlers=2", [0, 1], [2, 3]),
    ],
)
def test_threads_run_where_they_were_placed(
    axes: str, faulters: list[int], handlers: list[int], topology: str
) -> None:
    def cpus(numbers: list[int]) -> list[int]:
        return [ALLOWED[number % len(ALLOWED)] for number in numbers]

    with started(f"minor_fault/dontneed/shmem/4k/64k/{axes}{topology}") as program:
        if topology:  # the handlers are started first
            (child,) = children(program.pid)
            found = placed(child, len(handlers)) + placed(program.pid, len(faulters))
        else:
            found = placed(program.pid, len(handlers) + len(faulters))
        free = os.sched_getaffinity(program.pid)
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=seconds(60))
    assert [cpu for _, cpu in found] == cpus(handlers) + cpus(faulters)
    assert free == set(ALLOWED)  # the calling thread was not pinned


@two_cpus
@pytest.mark.parametrize(
    ("topology", "member", "said"),
    [
        ("", 0, "handler 0"),
        ("", 1, "faulting thread 0"),
        ("/topology=process", 0, "handler 0"),
    ],
)
def test_a_thread_that_was_moved_is_an_error(topology: str, member: int, said: str) -> None:
    with started(f"minor_fault/dontneed/shmem/4k/64k/place=same{topology}") as program:
        pid, number = (children(program.pid)[0], 1) if topology else (program.pid, 2)
        os.sched_setaffinity(placed(pid, number)[member][0], {ALLOWED[1]})
        out, _ = program.communicate(timeout=seconds(60))
    error, _ = (json.loads(line) for line in out.splitlines())
    moved = f"{said} was pinned to CPU {ALLOWED[0]} and ran on CPU {ALLOWED[1]}"
    assert error["reason"].startswith(moved)


def test_apart_is_refused_on_one_cpu() -> None:
    names = [f"minor_fault/dontneed/shmem/4k/64k/place={place}" for place in ("apart", "same")]
    os.sched_setaffinity(0, {ALLOWED[-1]})
    try:
        recording = run(*names)
    finally:
        os.sched_setaffinity(0, set(ALLOWED))
    (skip,) = recording.of(Skip)
    assert skip.case == names[0]
    assert skip.reason == "place=apart needs two CPUs, and this process may use one only"
    assert [each.case for each in recording.of(Samples)] == names[1:]


def test_the_callers_affinity_is_left_alone() -> None:
    name = "minor_fault/dontneed/shmem/4k/64k/place=same"
    for axes in ("", "/topology=process", "/delivery=sigbus"):
        assert run(name + axes, target=InProcess()).of(Error) == []
        assert os.sched_getaffinity(0) == set(ALLOWED)


@pytest.mark.parametrize("case", [PROCESS, "minor_fault/dontneed/shmem/4k/64k/delivery=busy"])
def test_an_interrupt_ends_it_in_order(case: str) -> None:
    with started(case) as program:
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate(timeout=seconds(60))
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert kinds == ["error", "end"]
    assert program.returncode == 130


def test_the_death_of_the_handlers_is_an_error() -> None:
    with started(PROCESS) as program:
        (child,) = children(program.pid)
        os.kill(child, signal.SIGKILL)
        out, _ = program.communicate(timeout=seconds(60))
    error, end = (json.loads(line) for line in out.splitlines())
    assert error["reason"].startswith("the handlers' process died")
    assert end["errors"] == 1


def test_the_handlers_do_not_outlive_the_program() -> None:
    with started(PROCESS) as program:
        (child,) = children(program.pid)
        program.kill()

    def gone() -> bool:
        try:
            stat = Path(f"/proc/{child}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        return stat.rpartition(")")[2].split()[0] in "ZX"

    until(gone, "the handlers' process ends")


def test_memory_of_a_million_faults_is_bounded() -> None:
    """Ten times the faults, the same memory but for what is counted in a thread's stack."""
    most = []
    for samples in (1000, 10_000):
        command = [guest_path(), "--samples", str(samples), "--max-seconds", "20"]
        with subprocess.Popen(
            [*map(str, command), "minor_fault/dontneed/shmem/4k/4m"], stdout=subprocess.PIPE
        ) as program:
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
        assert program.returncode == 0
        most.append(usage.ru_maxrss)
    assert most[1] < most[0] + 4096  # KiB
