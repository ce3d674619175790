# SPDX-License-Identifier: GPL-2.0-only
"""asv over commits of a toy kernel: built for real in a second, "booted" by reading the image."""

import math
from pathlib import Path

import toy_kernel
from toy_project import BENCHMARK, DONTNEED, Project


def test_run_keeps_the_median_of_every_boot(project: Project) -> None:
    head = toy_kernel.git(project.repository, "rev-parse", "HEAD")
    project.run("main~1..main")
    figures = project.result(head)
    assert figures[DONTNEED] == 1100.5  # boots of 1100 and 1101
    assert figures["2m", "dontneed", "shmem"] == 1100.5
    # The tables rule it out: asv writes NaN for "n/a", and None for "failed".
    assert math.isnan(figures["2m", "dontunmap", "hugetlb"] or 0)
    (known,) = [each for each in project.benchmarks() if each["name"] == BENCHMARK]
    assert known["rounds"] == 2
    assert known["direction"] == "lower"
    assert "cycle/madv_zap/shmem/2m/2m: 1.01 x cycle/dontneed" in known["budget"]
    assert project.boots in (1, 2)  # with two CPUs one machine serves two boots


def test_a_commit_with_the_same_image_costs_no_boot_and_documentation_no_build(
    project: Project,
) -> None:
    project.run("HEAD^!")
    images = sorted((Path(project.env["ZAPBENCH_CACHE"]) / "image").iterdir())
    before = project.boots
    documented = project.commit("document", "words\n", "Documentation/mm/zap.rst")
    project.run("HEAD^!")
    assert project.boots == before
    assert sorted((Path(project.env["ZAPBENCH_CACHE"]) / "image").iterdir()) == images
    assert project.result(documented)[DONTNEED] == 1100.5
    unused = project.commit("unused", "no part of the image", "mm/unused.c")
    project.run("HEAD^!")
    assert project.boots == before  # built, but to the same bytes
    assert project.result(unused)[DONTNEED] == 1100.5


def test_a_kernel_without_the_method_is_not_a_failure(project: Project) -> None:
    commit = project.commit("revert", "COST=1100")
    project.run("HEAD^!")
    assert math.isnan(project.result(commit)["4k", "madv_zap", "shmem"] or 0)
    assert project.result(commit)[DONTNEED] == 1100.5


def test_what_does_not_build_or_boot_fails_and_the_run_goes_on(project: Project) -> None:
    broken = project.commit("broken", '"; int main(void) { return gone; } char x[] = "')
    panics = project.commit("panics", "COST=1 PANIC")
    impostor = project.commit("impostor", "COST=1 IMPOSTOR")
    partly = project.commit("partly", "COST=1300 ZAP BROKEN")
    last = project.commit("last", "COST=1200 ZAP")
    said = project.run("main~5..main", "--show-stderr", status=2)
    assert "does not build: mm/madvise.c:1:" in said.replace("../", "")
    assert "does not run: kernel panic: toy" in said
    assert "guest says it is build 000" in said
    for commit in (broken, panics, impostor):
        assert set(project.result(commit).values()) == {None}
    assert project.result(partly)[DONTNEED] is None  # its contract broke
    assert project.result(partly)["4k", "remap", "shmem"] == 1300.5
    assert project.result(last)[DONTNEED] == 1200.5


def test_find_names_the_commit_and_passes_by_what_cannot_be_tested(project: Project) -> None:
    for number in range(3):
        project.commit(f"before {number}", f"COST=1100 ZAP {number}")
    project.commit("panics", "COST=1 PANIC")  # where asv looks first
    project.commit("between", "COST=1100 ZAP")
    culprit = project.commit("culprit", "COST=1122 ZAP")  # + 2 %
    for number in range(2):
        project.commit(f"after {number}", f"COST=1122 ZAP {number}")
    said = project.asv("find", "--machine", "icount", "main~8..main", BENCHMARK)
    assert f"Greatest regression found: {culprit[:8]}" in said


def test_continuous_and_compare_judge_two_commits(project: Project) -> None:
    words = ["--machine", "icount", "--record-samples", "-a", "rounds=7", "--interleave-rounds"]
    said = project.asv("continuous", *words, "--factor", "1.02", "main~1", "main", status=1)
    assert "PERFORMANCE DECREASED" in said
    assert "1.1" in said
    compared = project.asv("compare", "--machine", "icount", "main~1", "main")
    assert BENCHMARK in compared
