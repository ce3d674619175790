# SPDX-License-Identifier: GPL-2.0-only
"""The C core under AddressSanitizer and UndefinedBehaviorSanitizer.

A finding ends the program with a message on standard error and no ``end`` record.
ThreadSanitizer cannot be used on regions: page faults in its shadow memory are counted as the
region's.  The threads that work on them are tried with it alone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core import CBENCH, sources
from limits import seconds
from places import ROOT

from zapbench.case import backings, depth, grid, methods

THREADS = ("cycle/dontneed/shmem/4k/64k/events=on", "cycle/dontneed/shmem/4k/64k/siblings=spin")

Guest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Guest:
    """Runs the program built with the sanitizers."""
    build = ROOT / "build/asan"
    option = "-Db_sanitize=address,undefined"
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # meson and ninja
    again = ["--reconfigure"] if (build / "build.ninja").exists() else []
    for command in (
        ["meson", "setup", *again, option, str(build), str(ROOT)],
        ["meson", "compile", "-C", str(build)],
    ):
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": programs},
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def run(
        arguments: Sequence[str], cases: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        listed = tmp_path_factory.mktemp("guest") / "cases"
        listed.write_text("\n".join(cases))
        program = [str(build / "cbench/zapbench-guest"), "--cases", str(listed)]
        return subprocess.run(
            [*program, "--dir", str(listed.parent), *arguments],
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


# Eight threads that add to what the first one reads after each pass.
CREW = """
#include "workload/crew.h"
static const struct options o = { .signal_fd = -1 };
static long part[8];
static void work(void *arg, unsigned int m)
{
	for (int i = 0; i < 1000; i++)
		part[m] += *(int *)arg;
}
int main(void)
{
	int one = 1;
	for (int rounds = 0; rounds < 5; rounds++) {
		struct crew *crew = crew_start(8, &o, work, &one);
		for (int pass = 0; pass < 100; pass++) {
			long sum = 0;
			crew_pass(crew, NULL);
			for (int i = 0; i < 8; i++)
				sum += part[i];
			if (sum != 8000 * (rounds * 100 + pass + 1))
				return 1;
		}
		crew_stop(crew);
	}
	return 0;
}
"""


def test_a_crew_has_no_data_race(tmp_path: Path) -> None:
    (tmp_path / "crew_main.c").write_text(CREW)
    command = ["gcc", "-g", "-O1", "-fsanitize=thread", "-D_GNU_SOURCE", '-DZAPBENCH_VERSION="0"']
    command += [f"-I{CBENCH}", "crew_main.c", *sources(main=False), "-lpthread"]
    subprocess.run([*command, "-o", "crew"], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        [tmp_path / "crew"], capture_output=True, text=True, timeout=seconds(60), check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
