# SPDX-License-Identifier: GPL-2.0-only
"""The C core under AddressSanitizer and UndefinedBehaviorSanitizer.

A finding ends the program with a message on standard error and no ``end`` record.
ThreadSanitizer cannot be used on the whole program: page faults in its shadow memory are counted
as the region's.  Tests of the parts with threads are run with it, see test_c.py.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import c_build
import pytest
from limits import seconds

from zapbench.case import backings, depth, grid, methods

THREADS = ("cycle/dontneed/shmem/4k/64k/events=on", "cycle/dontneed/shmem/4k/64k/siblings=spin")

Guest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Guest:
    """Runs the program built with the sanitizers."""
    program = c_build.build("asan") / "cbench/zapbench-guest"

    def run(
        arguments: Sequence[str], cases: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        listed = tmp_path_factory.mktemp("guest") / "cases"
        listed.write_text("\n".join(cases))
        return subprocess.run(
            [str(program), "--cases", str(listed), "--dir", str(listed.parent), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds(240),
        )

    return run


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a run wrote, after it is known to have ended in order and found nothing."""
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["kind"] == "end"
    assert [line for line in lines if line["kind"] == "error"] == []
    assert done.returncode == 0
    return lines


def test_each_case_of_the_small_grid(guest: Guest) -> None:
    cases = [str(cell.case) for cell in grid(quick=True) if cell.excluded is None]
    lines = records(guest(["--samples", "5", "--max-seconds", "0.02"], [*cases, *THREADS]))
    done = {line["case"] for line in lines if line["kind"] in ("samples", "skip")}
    assert done >= set(cases)
    assert sum(line["kind"] == "samples" for line in lines) > len(cases) / 2


def test_each_way_to_fault_and_to_continue(guest: Guest) -> None:
    """Threads, handlers, processes and signals; the ranges made small."""
    checks = [f"minor_fault/dontneed/shmem/4k/16k/check={word}" for word in ("eexist", "strand")]
    cases = {
        str(replace(cell.case, range_size=min(cell.case.range_size, 16 * cell.case.page_size)))
        for cell in depth(quick=True)
        if cell.excluded is None and "step=2m" not in str(cell.case)
    }
    arguments = ["--samples", "1", "--max-seconds", "0.002"]
    lines = records(guest(arguments, [*sorted(cases), *checks]))
    assert sum(line["kind"] == "samples" for line in lines) > len(cases) / 3


def test_each_contract(guest: Guest) -> None:
    names = [f"contract/{m}/{b}/4k/64k" for m in methods() for b in backings()]
    lines = records(guest(["--contract-only"], names))
    assert sum(line["kind"] == "contract" for line in lines) > len(methods())


def test_histogram_of_many_samples(guest: Guest) -> None:
    """More samples than the raw buffer holds, so that they move into the histogram."""
    lines = records(
        guest(["--samples", "6000", "--max-seconds", "20"], ["zap/dontneed/shmem/4k/4k"])
    )
    (samples,) = (line for line in lines if line["kind"] == "samples")
    assert samples["histogram"]["count"] == 6000
    assert sum(count for _, count in samples["histogram"]["buckets"]) == 6000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--samples", "0"],
        ["--samples", "many"],
        ["--samples"],
        ["--clock", "sundial"],
        ["--cases", "/nonexistent"],
        ["--nonsense"],
    ],
)
def test_bad_arguments_are_one_line(guest: Guest, arguments: list[str]) -> None:
    done = guest(arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("zapbench-guest: ")


@pytest.mark.parametrize(
    "name",
    ["nonsense", "////", "zap/dontneed/shmem/4k/" + "9" * 300, "zap/dontneed/shmem/4k/0", "\xff"],
)
def test_bad_case_is_an_error_record(guest: Guest, name: str) -> None:
    done = guest([name, "empty/-/shmem/4k/4k"])
    assert done.stderr == ""
    assert done.returncode == 1
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["context", "error", "samples", "end"]
