# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench asv steps`` over what asv itself wrote of commits of a toy kernel."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import Outcome
from toy_machine import ToyMachine
from toy_project import Project

from zapbench.error import EnvironmentMissing
from zapbench.kernel import catalogue
from zapbench.kernel.build import Image
from zapbench.pairs import Subject
from zapbench.target import Target

CASE = "cycle/dontneed/shmem/4k/2m"


def history(project: Project, costs: list[int]) -> list[str]:
    """Commits with these costs, run by asv; their hashes."""
    commits = [
        project.commit(f"number {number}", f"COST={cost} ZAP {number}")
        for number, cost in enumerate(costs)
    ]
    project.run(f"main~{len(costs)}..main")
    return commits


def steps(project: Project, *words: str, status: int) -> list[dict[str, Any]]:
    said = project.zapbench("asv", "steps", CASE, "--json", *words, status=status)
    found: list[dict[str, Any]] = json.loads(said.rpartition("}")[0] + "}")["suspects"]
    return found


def test_no_results_and_no_such_case_are_one_line(project: Project) -> None:
    assert "`asv run` makes them" in project.zapbench("asv", "steps", status=2)
    project.run("HEAD^!")
    assert "no results of zap/*/none" in project.zapbench("asv", "steps", "zap/*/none", status=2)
    assert "no steps" in project.zapbench("asv", "steps")
    said = project.zapbench("asv", "steps", "--machine", "other", status=2)
    assert "no results on other" in said


@pytest.mark.timeout(600)
def test_the_last_commit_s_step_is_named_with_its_commit(project: Project) -> None:
    commits = history(project, [100_000] * 4 + [102_000])
    (step,) = steps(project, status=4)
    assert (step["kind"], step["case"]) == ("step", CASE)
    assert (step["good"], step["bad"]) == (commits[3], commits[4])
    assert step["commits"] == 1
    assert (step["before"], step["after"]) == (100_000.5, 102_000.5)  # boots of both, by one more
    said = project.zapbench("asv", "steps", status=4)
    (line,) = [line for line in said.splitlines() if CASE in line]
    assert line.split() == [
        *("step", CASE, "icount", commits[3][:12], commits[4][:12], "1"),
        *("100,000", "102,000", "+2.00", "%"),
    ]


@pytest.mark.timeout(600)
def test_creep_of_ten_commits_is_named_and_asv_has_nothing(project: Project) -> None:
    commits = history(project, [round(100_000 * 1.003**number) for number in range(11)])
    (creep,) = steps(project, status=4)
    assert (creep["kind"], creep["commits"]) == ("creep", 10)
    assert (creep["good"], creep["bad"]) == (commits[0], commits[-1])
    assert creep["change"] == pytest.approx(1.003**10, rel=1e-4)
    assert "no commit more than +0.30 %" in project.zapbench("asv", "steps", CASE, status=4)
    project.asv("publish")
    published = json.loads((project.path / "html/regressions.json").read_text())
    assert published["regressions"] == []


@pytest.mark.timeout(600)
def test_commits_that_were_not_measured_are_counted(project: Project) -> None:
    first = project.commit("first", "COST=100000 ZAP")
    project.commit("panics", "COST=1 PANIC")
    project.commit("unmeasured", "COST=100000 ZAP 1")
    last = project.commit("last", "COST=110000 ZAP")
    for commit, status in ((first, 0), ("main~2", 2), (last, 0)):
        project.run(f"{commit}^!", status=status)
    (step,) = steps(project, status=4)
    assert (step["good"], step["bad"], step["commits"]) == (first, last, 3)
    assert "one of them, or several" in project.zapbench("asv", "steps", CASE, status=4)


@pytest.mark.timeout(600)
def test_both_sides_are_measured_in_fresh_boots(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    history(project, [100_000] * 3 + [102_000])
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project.path)
    catalogue.directory.cache_clear()
    booted = tmp_path / "booted"
    monkeypatch.setattr(Subject, "_machine", lambda self, image: ToyMachine(image, booted))
    words = ["asv", "steps", CASE, "--confirm", "--boots", "3"]
    done = Outcome(capsys, words)
    assert done.status == 1
    assert "+2.00 %  confirmed: +2.00 % [" in done.out
    assert len(booted.read_text().splitlines()) == 6
    (step,) = json.loads(Outcome(capsys, [*words, "--json"]).out)["suspects"]
    assert step["pairs"]["change"] == pytest.approx(1.02, rel=1e-4)
    assert step["pairs"]["confirmed"] is True
    assert len(booted.read_text().splitlines()) == 6  # they are kept

    def alike(self: Subject, image: Image) -> Target:
        machine = ToyMachine(image, booted)
        machine._content = b"COST=100000"
        return machine

    monkeypatch.setattr(Subject, "_machine", alike)
    done = Outcome(capsys, ["asv", "steps", "--confirm", "--boots", "2"])  # all cases: other boots
    assert done.status == 4
    assert "not confirmed: +0.000 % [" in done.out

    def lost(self: Subject, image: Image) -> Target:
        raise EnvironmentMissing("there is no QEMU")

    monkeypatch.setattr(Subject, "_machine", lost)
    done = Outcome(capsys, ["asv", "steps", "cycle/*", "--confirm"])
    assert done.status == 4
    assert "cannot be confirmed: there is no QEMU" in done.out
    catalogue.directory.cache_clear()
