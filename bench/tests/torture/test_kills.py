# SPDX-License-Identifier: GPL-2.0-only
"""Killed at random points, in every way: the machine is as before, and nothing finished is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from limits import seconds, until
from processes import below, descendants
from tally import Faults
from toy_settings import CHANGED, as_before, held, now

from zapbench import record
from zapbench.kernel import build, catalogue
from zapbench.record import Samples
from zapbench.result.request import REQUEST
from zapbench.result.store import RECORDS

NATIVE = (
    "--quick",
    "zap/*/shmem/4k/4k",
    "zap/*/hugetlb/2m/2m",
    "zap/*/shmem/2m/2m",
    "--boots",
    "2",
)
COUNTED = ("--quick", "zap/madv_zap/shmem/4k/*", "--boots", "2", "--kernel", "6.12+madv-zap")
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")

Process = subprocess.Popen[str]
Way = Callable[[Process], None]


def everything(process: Process) -> None:
    for pid in [process.pid, *descendants(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def twice(process: Process) -> None:
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)


def the_last_child(process: Process) -> None:
    for pid in descendants(process.pid)[-1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


WAYS: dict[str, tuple[tuple[str, ...], Way]] = {
    "SIGKILL": ((), lambda process: process.kill()),
    "SIGKILL of all its processes": ((), everything),
    "SIGKILL of the program that measures": ((), the_last_child),
    "SIGKILL in a pid namespace": (NAMESPACE, lambda process: process.kill()),
    "SIGTERM": ((), lambda process: process.terminate()),
    "SIGHUP": ((), lambda process: process.send_signal(signal.SIGHUP)),
    "SIGINT": ((), lambda process: process.send_signal(signal.SIGINT)),
    "SIGINT twice": ((), twice),
}


@pytest.fixture
def small_pool(userfaultfd: None) -> Iterator[None]:
    """An empty hugetlb pool, which every run has to grow."""
    pool = Path(CHANGED[0])
    if os.geteuid() or not pool.exists():
        pytest.skip("a hugetlb pool can be changed by root alone")
    before = now()[0]
    with held():
        pool.write_text("0")
    try:
        if pool.read_text() != "0\n":
            pytest.skip("the hugetlb pool is in use by somebody else")
        yield
    finally:
        with held():
            pool.write_text(before)


def zapbench(*words: str, place: Path, before: tuple[str, ...] = ()) -> Process:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "zapbench", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        start_new_session=True,
    )


def done(process: Process) -> str:
    """Wait for a command that must succeed; what it said."""
    out, err = process.communicate(timeout=seconds(300))
    assert process.returncode == 0, err
    return out + err


def no_traceback(err: str) -> None:
    """Ours, that is: Python itself answers with one to a Ctrl-C before it runs our first line."""
    assert "Traceback" not in err or "<frozen site>" in err, err


def figures(directory: Path) -> set[tuple[int, str]]:
    """Boots and cases with figures, each of which must be there once."""
    samples = record.load(directory / RECORDS).of(Samples)
    pairs = {(each.run.boot, each.case) for each in samples}
    assert len(pairs) == len(samples)
    return pairs


def again(asked: tuple[str, ...], results: Path) -> list[str]:
    """The words that go on after a kill, as the messages have them."""
    if not record.is_there(results / RECORDS):
        shutil.rmtree(results, ignore_errors=True)
        return ["run", *asked, "-o", results.name]
    words = () if (results / REQUEST).exists() else asked  # killed before it could be kept
    return ["run", *words, "--resume", "-o", results.name]


def restored(place: Path) -> bool:
    """Put back what a kill left; not yet while somebody else measures on this machine."""
    process = zapbench("doctor", "--restore", place=place)
    _, err = process.communicate(timeout=seconds(60))
    assert process.returncode == 0 or "another zapbench is measuring" in err, err
    return process.returncode == 0


def go_on(asked: tuple[str, ...], place: Path) -> None:
    """Measure what is missing; as often as it says to go on, which a case that hangs makes it."""
    for _ in range(3):
        process = zapbench(*again(asked, place / "results"), place=place)
        _, err = process.communicate(timeout=seconds(300))
        if process.returncode == 0:
            return
        assert "go on with: zapbench run --resume -o results" in err.splitlines()[-1], err
    raise AssertionError(err)


def finished_early(results: Path) -> set[tuple[int, str]]:
    if not record.is_there(results / RECORDS):
        return set()
    return record.finished(record.load(results / RECORDS).records)


def kill(asked: tuple[str, ...], place: Path, whole: float, rng: random.Random) -> None:
    """Begin a measurement, end it at a random moment, and look at what is left."""
    results = place / "results"
    kept: set[tuple[int, str]] = set()
    for _ in range(rng.choice((1, 1, 2))):
        before, end = WAYS[rng.choice(list(WAYS))]
        with zapbench(*again(asked, results), place=place, before=before) as process:
            time.sleep(rng.uniform(0, whole))
            end(process)
            _, err = process.communicate(timeout=seconds(120))
        no_traceback(err)
        until(lambda: below(place) == [], f"the end of all processes: {below(place)}")
        now = finished_early(results)
        assert now >= kept, "what was finished is lost"
        kept = now


def measured(asked: tuple[str, ...], place: Path) -> tuple[set[tuple[int, str]], float]:
    """What is measured if nothing goes wrong, and how long that takes in seconds."""
    place.mkdir()
    start = time.monotonic()
    done(zapbench("run", *asked, "-o", "results", place=place))
    return figures(place / "results"), time.monotonic() - start


@pytest.mark.timeout(3600)
def test_native_measurements_are_gone_on_with(
    small_pool: None, fault: Faults, tmp_path: Path
) -> None:
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")
    wanted, whole = measured(NATIVE, tmp_path / "whole")
    before = now()
    row = fault("a native run, a pool to grow: killed at a random point")
    for number, rng in enumerate(row.tries(quick=4, long=100)):
        place = tmp_path / f"{number}"
        place.mkdir()
        with row.attempt():
            kill(NATIVE, place, whole, rng)
            until(partial(restored, place), "the end of all other runs", 600)
            as_before(before)
            go_on(NATIVE, place)
            assert figures(place / "results") == wanted
            as_before(before)
    row.survived()


@pytest.mark.kernel
@pytest.mark.timeout(3600)
def test_counted_measurements_are_gone_on_with(fault: Faults, tmp_path: Path) -> None:
    build.build(catalogue.parse(COUNTED[-1]))  # no part of what is killed, nor of its limits
    wanted, whole = measured(COUNTED, tmp_path / "whole")
    row = fault("a run in a virtual machine: killed at a random point")
    for number, rng in enumerate(row.tries(quick=1, long=30)):
        place = tmp_path / f"{number}"
        place.mkdir()
        with row.attempt():
            kill(COUNTED, place, whole, rng)
            go_on(COUNTED, place)
            assert figures(place / "results") == wanted
    row.survived()
